# SPDX-License-Identifier: Apache-2.0
"""A meeting place of the test's own, where a made-up daemon is started on demand and ended afterwards."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.source_tree import PYTHONPATH

FAKE = Path(__file__).with_name("fake_daemon.py")


def wait_for(condition: Callable[[], object], seconds: float = 120.0) -> None:
    """Return once `condition` holds; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def started(folder: Path) -> list[int]:
    """Pids of all daemons that were started in a runtime folder, in order."""
    starts = folder / "starts"
    return [int(line) for line in starts.read_text().split()] if starts.exists() else []


def gone(pid: int) -> bool:
    """Whether a process has ended, be it that nobody has asked for its exit code yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The runtime folder; daemons in it are the made-up one. Its path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="fa") as short:
        folder = Path(short) / "run"
        home = tmp_path / "home"
        home.mkdir()
        for name, value in {
            "FLOWANCHOR_RUNTIME": str(folder),
            "FLOWANCHOR_DAEMON": f"{sys.executable} {FAKE}",
            "FAKE_DAEMON": "",
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "data"),
            "PYTHONPATH": PYTHONPATH,
        }.items():
            monkeypatch.setenv(name, value)
        try:
            yield folder
        finally:
            for pid in {*started(folder), *_not_yet_told(folder)}:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                wait_for(lambda pid=pid: gone(pid))  # type: ignore[misc]


def _not_yet_told(folder: Path) -> list[int]:
    """Pids of made-up daemons for a runtime folder, those included that have not come to say so."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(FAKE) in process.cmdline() and process.environ().get("FLOWANCHOR_RUNTIME") == str(folder):
                found.append(process.pid)
    return found
