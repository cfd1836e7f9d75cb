# SPDX-License-Identifier: Apache-2.0
"""Ending the daemon ends the daemon, and nothing else."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pytest
from flowanchor.rendezvous import DaemonLock, Discovery, new_token, private_folder
from flowanchor.v1 import jobs_pb2
from flowanchor_client import Client, DaemonUnreachable
from flowanchor_daemon.cli.service import stop

from tests.daemon.processes import until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the signals are those of POSIX")

HOLD = """
import sys, time
from pathlib import Path
from flowanchor.rendezvous import DaemonLock
lock = DaemonLock(Path(sys.argv[1]))
assert lock.acquire(60)
time.sleep(600)
"""


@contextmanager
def process(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen(command)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def test_a_number_that_another_program_has_by_now_is_not_signalled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dead daemon's file names a process that is somebody else's now; the new daemon is not serving yet."""
    runtime = private_folder(tmp_path / "run")
    monkeypatch.setenv("FLOWANCHOR_RUNTIME", str(runtime))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3] / "proto"))

    def silent(**_: object) -> Client:
        raise DaemonUnreachable("daemon-unreachable", "It does not answer.", "Wait.")

    monkeypatch.setattr(Client, "connect", silent)
    with (
        process("sleep", "600") as innocent,
        process(sys.executable, "-c", HOLD, str(runtime)) as daemon,
    ):
        Discovery(innocent.pid, "unix:/x", (1, 0), "0", new_token(), 1).write(runtime)
        until(lambda: DaemonLock(runtime).holder() == daemon.pid, "the new daemon holds the lock")
        stop(now=False, wait=120, as_json=True)
        assert daemon.wait(120) == -signal.SIGTERM
        assert innocent.poll() is None
        assert f'"stopped": {daemon.pid}' in capsys.readouterr().out
        stop(now=False, wait=120, as_json=True)
        assert innocent.poll() is None, "nobody holds the lock: nothing is signalled"


class Asked:
    """Plays a client of a daemon that is at work on `running` edits and ends when it is asked to."""

    def __init__(self, running: int, daemon: subprocess.Popen[bytes]) -> None:
        self.running = running
        self.daemon = daemon

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def jobs(self, states: Sequence[int], limit: int) -> list[jobs_pb2.Job]:
        assert list(states) == [jobs_pb2.JOB_STATE_RUNNING]
        return [jobs_pb2.Job(id="one")][: min(self.running, limit)]

    def shutdown(self, now: bool) -> None:
        self.daemon.terminate()
        self.daemon.wait()


@pytest.mark.parametrize("running", [0, 1])
def test_an_edit_that_is_kept_is_told(
    running: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runtime = private_folder(tmp_path / "run")
    monkeypatch.setenv("FLOWANCHOR_RUNTIME", str(runtime))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3] / "proto"))
    with process(sys.executable, "-c", HOLD, str(runtime)) as daemon:
        until(lambda: DaemonLock(runtime).holder() == daemon.pid, "the daemon holds the lock")
        monkeypatch.setattr(Client, "connect", lambda **_: Asked(running, daemon))
        stop(now=False, wait=120, as_json=False)
    kept = "; its running edit is kept, and goes on when it is started again" if running else ""
    assert capsys.readouterr().out == f"The daemon (process {daemon.pid}) has ended{kept}.\n"
