# SPDX-License-Identifier: Apache-2.0
"""What starts the daemon, and in which environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from flowanchor import rendezvous
from flowanchor_client import DaemonUnreachable, launch


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FLOWANCHOR_DAEMON", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))


def test_a_python_that_has_the_daemon_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWANCHOR_STATE", "state")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", "proto"]))
    command, environment = launch._command()
    assert command == [sys.executable, "-m", "flowanchor_daemon.serve"]
    # It runs elsewhere: what is relative here would be lost there.
    assert environment["FLOWANCHOR_STATE"] == str(Path.cwd() / "state")
    assert environment["PYTHONPATH"] == os.pathsep.join([str(Path.cwd()), str(Path.cwd() / "proto")])


def test_another_python_runs_the_recorded_command_without_its_own_modules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(launch, "_has_daemon", lambda: False)
    monkeypatch.setenv("PYTHONPATH", "host")
    monkeypatch.setenv("PYTHONHOME", "host")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DaemonUnreachable, match="not installed"):
        launch._command()
    rendezvous.write_launcher(["/opt/flowanchor/bin/flowanchor", "serve"])
    command, environment = launch._command()
    assert command == ["/opt/flowanchor/bin/flowanchor", "serve"]
    assert not {"PYTHONPATH", "PYTHONHOME"} & set(environment)


def test_without_a_record_the_command_on_the_path_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(launch, "_has_daemon", lambda: False)
    script = tmp_path / "bin" / "flowanchor"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(script.parent))
    assert launch._command()[0] == [str(script), "serve"]


def test_what_the_user_chose_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWANCHOR_DAEMON", "my-daemon --option 'two words'")
    assert launch._command()[0] == ["my-daemon", "--option", "two words"]
