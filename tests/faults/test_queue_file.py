# SPDX-License-Identifier: Apache-2.0
"""A queue file that is damaged or held by another program: refused in one sentence, and left as it is."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flowanchor_client import DaemonUnreachable, ServiceFailure

from tests.faults.conftest import Undisturbed, a_machine
from tests.faults.harness import (
    Machine,
    client_job,
    edit_of,
    finish,
    follow,
    in_phase,
    is_gone,
    required,
    samples_of,
    succeed,
    wait_for,
)

REFUSED = 2


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 100])


def fill_with_garbage(path: Path) -> None:
    path.write_bytes(b"this was a queue once\n" * 400)


def zero_pages(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    path.write_bytes(content)


def scribble(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for at in range(5000, len(content), 777):
        content[at : at + 16] = b"\xff" * 16
    path.write_bytes(content)


def make_another_programs(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()


JOBS = 20


@pytest.fixture(scope="module")
def left_queue(models: Path, cache: Path, clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A queue that a daemon has left in order, with a few jobs in it."""
    with a_machine(models, cache) as machine, machine.client() as client:
        edit = edit_of(client.upload(clip), steps=1, last=0)
        for _ in range(JOBS):
            client.cancel(client.submit(edit).id)
        daemon = required(machine.daemon(), "no daemon")
        client.shutdown()
        wait_for(lambda: is_gone(daemon.pid), "the daemon to end")
        assert (machine.state / "queue.sqlite").stat().st_size > 20_000
        return Path(shutil.copy(machine.state / "queue.sqlite", tmp_path_factory.mktemp("queue")))


@pytest.fixture
def queue(machine: Machine, left_queue: Path) -> Path:
    """That queue as the machine's own."""
    return Path(shutil.copy(left_queue, machine.state))


def content_of(path: Path) -> dict[str, str]:
    """The queue's files by name. Whoever reads a queue makes an empty journal and its index beside it."""
    return {
        found.name: hashlib.sha256(found.read_bytes()).hexdigest()
        for found in path.parent.glob("queue.sqlite*")
        if found.stat().st_size > 0 and not found.name.endswith("-shm")
    }


def refused(machine: Machine) -> str:
    """What a daemon says that does not start."""
    process = machine.run_daemon(errors=subprocess.PIPE)
    _, said = process.communicate(timeout=200)
    text = said.decode()
    assert process.returncode == REFUSED, text
    assert "Traceback" not in text
    assert len(text.strip().splitlines()) == 1, text
    return text


@pytest.mark.parametrize("damage", [truncate, fill_with_garbage, zero_pages, scribble, make_another_programs])
def test_a_damaged_queue_is_refused_and_kept(
    machine: Machine, queue: Path, damage: Callable[[Path], None]
) -> None:
    damage(queue)
    before = content_of(queue)
    text = refused(machine)
    assert str(queue) in text
    assert "damaged" in text
    assert content_of(queue) == before


def test_a_client_is_told_of_the_damage_and_what_it_is_advised_helps(machine: Machine, queue: Path) -> None:
    truncate(queue)
    before = content_of(queue)
    with pytest.raises(DaemonUnreachable) as unreachable:
        machine.client()
    assert unreachable.value.code == "daemon-start-failed"
    assert "damaged" in unreachable.value.message
    assert content_of(queue) == before
    queue.rename(queue.with_name("kept"))
    machine.start()
    with machine.client(start=False) as client:
        assert not list(client.jobs())


HOLD = """
import sqlite3, sys
sys.stdin.readline()
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute(f"PRAGMA locking_mode={sys.argv[2]}")
held.execute("BEGIN EXCLUSIVE")
held.execute("UPDATE meta SET value = value")
print("held", flush=True)
sys.stdin.read()
held.execute("ROLLBACK")
"""


class Holder:
    """Another program that keeps the queue's lock once it is told to."""

    def __init__(self, path: Path, mode: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(path), mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def take(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"now\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == b"held"

    def let_go(self) -> None:
        self.process.communicate(timeout=120)
        assert self.process.returncode == 0


@pytest.mark.parametrize("mode", ["NORMAL", "EXCLUSIVE"])
def test_a_queue_that_another_program_holds_is_refused_until_it_lets_go(
    machine: Machine, queue: Path, mode: str
) -> None:
    before = queue.read_bytes()
    holder = Holder(queue, mode)
    holder.take()
    try:
        assert "holds the queue" in refused(machine)
    finally:
        holder.let_go()
    assert queue.read_bytes() == before
    machine.start()
    with machine.client(start=False) as client:
        assert len(list(client.jobs())) == JOBS


def test_a_lock_taken_while_the_daemon_runs_refuses_calls_and_loses_nothing(
    warm: Machine, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    """The running job ends while the queue cannot be written: its end is recorded once it can."""
    with warm.client() as client:
        before = [job.id for job in client.jobs()]
        holder = Holder(warm.state / "queue.sqlite", "NORMAL")
        job = client.submit(undisturbed.edit).id
        follow(client, job, in_phase("decode", 1))
        holder.take()
        with pytest.raises(ServiceFailure) as failure:
            client.submit(undisturbed.edit, request_id="while-locked")
        assert failure.value.code == "queue-locked"
        follow(client, job, in_phase("verify", 1))
        client_job(client, job)  # reading needs no lock
        holder.let_go()
        done = succeed(client, job)
        assert samples_of(client, done, tmp_path) == undisturbed.samples
        accepted = client.submit(undisturbed.edit, request_id="while-locked")
        assert [found.id for found in client.jobs()] == [accepted.id, job, *before]
        client.cancel(accepted.id)
        finish(client, accepted.id)
