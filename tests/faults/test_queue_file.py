# SPDX-License-Identifier: Apache-2.0
"""A queue file that is damaged or held by another program: refused in one sentence, and left as it is."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flowanchor_client import DaemonUnreachable, ServiceFailure

from tests.faults.conftest import Undisturbed
from tests.faults.harness import (
    Machine,
    client_job,
    edit_of,
    follow,
    in_phase,
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


def queue_with_jobs(machine: Machine, clip: Path) -> Path:
    """A queue that a daemon has left in order, with a few jobs in it."""
    with machine.client() as client:
        edit = edit_of(client.upload(clip), steps=1, last=0)
        for _ in range(20):
            client.cancel(client.submit(edit).id)
        daemon = required(machine.daemon(), "no daemon")
        client.shutdown()
    wait_for(lambda: machine.daemon() is None, "the daemon to end")
    wait_for(lambda: not daemon.is_running() or daemon.status() == "zombie", "its process to end")
    path = machine.state / "queue.sqlite"
    assert path.stat().st_size > 20_000
    return path


def content_of(path: Path) -> dict[str, str]:
    """The queue's files by name."""
    return {
        found.name: hashlib.sha256(found.read_bytes()).hexdigest()
        for found in path.parent.glob("queue.sqlite*")
        if not found.name.endswith("-shm")  # an index in shared memory, made anew by whoever looks
    }


def refused(machine: Machine) -> str:
    """What a daemon says that does not start."""
    process = machine.run_daemon(errors=subprocess.PIPE)
    _, said = process.communicate(timeout=60)
    text = said.decode()
    assert process.returncode == REFUSED, text
    assert "Traceback" not in text
    assert len(text.strip().splitlines()) == 1, text
    return text


@pytest.mark.parametrize("damage", [truncate, fill_with_garbage, zero_pages, scribble, make_another_programs])
def test_a_damaged_queue_is_refused_and_kept(
    machine: Machine, clip: Path, damage: Callable[[Path], None]
) -> None:
    path = queue_with_jobs(machine, clip)
    damage(path)
    before = content_of(path)
    text = refused(machine)
    assert str(path) in text
    assert "damaged" in text
    assert content_of(path) == before
    # A client that would start the daemon is told the same.
    with pytest.raises(DaemonUnreachable) as unreachable:
        machine.client()
    assert unreachable.value.code == "daemon-start-failed"
    assert "damaged" in unreachable.value.message
    assert content_of(path) == before
    # What it advises helps.
    path.rename(path.with_name("kept"))
    for left in path.parent.glob("queue.sqlite-*"):
        left.unlink()
    machine.start()


HOLD = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute(f"PRAGMA locking_mode={sys.argv[2]}")
held.execute("BEGIN EXCLUSIVE")
held.execute("UPDATE meta SET value = value")
print("held", flush=True)
sys.stdin.read()
held.execute("ROLLBACK")
"""


class Holder:
    """Another program that keeps the queue's lock."""

    def __init__(self, path: Path, mode: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(path), mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == b"held"

    def let_go(self) -> None:
        self.process.communicate(timeout=30)
        assert self.process.returncode == 0


@pytest.mark.parametrize("mode", ["NORMAL", "EXCLUSIVE"])
def test_a_queue_that_another_program_holds_is_refused_until_it_lets_go(
    machine: Machine, clip: Path, mode: str
) -> None:
    path = queue_with_jobs(machine, clip)
    before = path.read_bytes()
    holder = Holder(path, mode)
    try:
        assert "holds the queue" in refused(machine)
    finally:
        holder.let_go()
    assert path.read_bytes() == before
    machine.start()
    with machine.client(start=False) as client:
        assert len(list(client.jobs())) == 20


def test_a_lock_taken_while_the_daemon_runs_refuses_calls_and_loses_nothing(
    machine: Machine, undisturbed: Undisturbed, clip: Path, tmp_path: Path
) -> None:
    """The running job ends while the queue cannot be written: its end is recorded once it can."""
    with machine.client() as client:
        client.upload(clip)
        job = client.submit(undisturbed.edit).id
        follow(client, job, in_phase("decode", 1))
        holder = Holder(machine.state / "queue.sqlite", "NORMAL")
        with pytest.raises(ServiceFailure) as failure:
            client.submit(undisturbed.edit, request_id="while-locked")
        assert failure.value.code == "queue-locked"
        follow(client, job, in_phase("verify", 1))
        client_job(client, job)  # reading needs no lock
        holder.let_go()
        done = succeed(client, job)
        assert samples_of(client, done, tmp_path) == undisturbed.samples
        accepted = client.submit(undisturbed.edit, request_id="while-locked")
        assert sorted(found.id for found in client.jobs()) == sorted([job, accepted.id])
        client.cancel(accepted.id)
