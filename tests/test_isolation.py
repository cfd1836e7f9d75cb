# SPDX-License-Identifier: Apache-2.0
"""The guard that keeps tests away from the folders of whoever runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flowanchor.rendezvous import DaemonLock, runtime_folder
from flowanchor_daemon.state import StateFolder

from flowanchor_core.folders import cache_folder, models_folder
from tests import isolation


def folders() -> list[Path]:
    return [runtime_folder(), StateFolder.default().root, cache_folder(), models_folder()]


def test_every_folder_is_the_runs_own() -> None:
    run = isolation.current()
    for folder in folders():
        assert folder.is_relative_to(run.base)
        assert folder.stat().st_mode & 0o077 == 0


def test_child_processes_inherit_them() -> None:
    asked = "from flowanchor.rendezvous import runtime_folder; print(runtime_folder())"
    program = f"import sys; sys.path[:] = {sys.path!r}; {asked}"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == str(runtime_folder())


@pytest.mark.parametrize("index", range(4))
def test_reaching_for_a_folder_of_the_users_fails_the_test(index: int) -> None:
    real = Path(isolation.current().real[index])
    with pytest.raises(isolation.TouchedUsersFolder):
        (real / "queue.sqlite").open("rb")
    with pytest.raises(isolation.TouchedUsersFolder):
        (real / "made-by-a-test").mkdir()
    with pytest.raises(isolation.TouchedUsersFolder):
        os.listdir(real)


def test_a_daemon_that_a_test_left_running_is_told() -> None:
    assert isolation.complaints() == []
    with DaemonLock(runtime_folder()) as lock:
        assert lock.acquire()
        assert "left running" in isolation.complaints()[0]
    assert isolation.complaints() == []


def test_a_folder_that_a_child_process_made_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = tmp_path / "state"
    monkeypatch.setattr(isolation.current(), "missing", [str(made)])
    assert isolation.complaints() == []
    made.mkdir()
    assert isolation.complaints() == [f"{made} was made during the tests"]


def test_a_run_that_leaves_a_daemon_fails_although_its_tests_pass() -> None:
    """The hook that asks for complaints has to change the run's exit code, not only print."""
    here = Path(__file__)
    left = here.with_name("leaves_a_daemon.py")
    command = [
        sys.executable,
        "-m",
        "pytest",
        str(left),
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(here.parents[1]),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=here.parents[1], timeout=250)
    assert "1 passed" in done.stdout
    assert "a daemon was left running" in done.stdout
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
