# SPDX-License-Identifier: Apache-2.0
"""The word a daemon leaves for hosts in another Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from flowanchor import rendezvous
from flowanchor_daemon import launcher

from tests.daemon.processes import Daemons, until

SERVE = [sys.executable, "-m", "flowanchor_daemon.serve"]


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user's data folder, for a daemon without settings of its own."""
    folder = tmp_path / "data"
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("FLOWANCHOR_STATE", "FLOWANCHOR_DAEMON", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    return folder


def test_an_installed_daemon_is_found_by_other_pythons(data: Path) -> None:
    assert rendezvous.read_launcher() is None
    assert launcher.record()
    assert rendezvous.read_launcher() == SERVE


def test_a_record_of_an_environment_that_is_gone_is_replaced(data: Path) -> None:
    path = rendezvous.write_launcher(["/gone/python", "-m", "flowanchor_daemon.serve"])
    launcher.record()
    assert rendezvous.read_launcher() == SERVE
    before = path.stat().st_mtime_ns, path.stat().st_ino
    launcher.record()  # nothing to change: not written again
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


def test_a_daemon_with_a_state_of_its_own_is_not_the_users(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWANCHOR_STATE", str(data / "other"))
    assert not launcher.record()
    assert not data.exists()


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_daemon_found_through_pythonpath_alone_is_not_recorded(
    data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, elsewhere: bool
) -> None:
    (tmp_path / "only_here.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(launcher, "COMMAND", "only_here" if elsewhere else "json")
    assert launcher.record() is not elsewhere
    assert (rendezvous.read_launcher() is None) is elsewhere


def test_a_place_that_cannot_be_written_is_told_and_does_no_harm(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data.write_text("no folder")
    assert not launcher.record()
    assert "will not find how to start the daemon" in caplog.text


def test_the_daemon_leaves_its_word_when_it_serves(data: Path, daemon: Daemons) -> None:
    paths = daemon.environment["PYTHONPATH"].split(os.pathsep)
    program = f"import sys; sys.path[:0] = {paths!r}; from flowanchor_daemon.serve import main; main([])"
    environment = {**daemon.environment, "XDG_DATA_HOME": str(data)}
    for name in ("FLOWANCHOR_STATE", "PYTHONPATH"):
        del environment[name]
    record = data / "flowanchor" / rendezvous.LAUNCHER_FILE
    process = subprocess.Popen([sys.executable, "-c", program], env=environment)
    try:
        until(record.exists, "the record is there")
        assert json.loads(record.read_text())["argv"] == SERVE
        assert record.stat().st_mode & 0o077 == 0
    finally:
        process.terminate()
        process.wait(120)
