# SPDX-License-Identifier: Apache-2.0
"""The state folder: where it is, and that it is its user's alone."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import platformdirs
import pytest
from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.state import StateFolder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows closes its folders by other means")


def test_is_the_one_that_was_chosen_and_looking_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWANCHOR_STATE", str(tmp_path / "here"))
    assert StateFolder.default().root == tmp_path / "here"
    assert not (tmp_path / "here").exists()


def test_is_in_the_users_data_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLOWANCHOR_STATE")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert StateFolder.default().root == platformdirs.user_data_path("flowanchor", appauthor=False) / "daemon"


def test_needs_a_home_or_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", unknown)
    for name in ("FLOWANCHOR_STATE", "XDG_DATA_HOME"):
        monkeypatch.delenv(name)
    with pytest.raises(ServiceError) as failure:
        StateFolder.open()
    assert failure.value.code == "no-home"
    assert "FLOWANCHOR_STATE" in failure.value.action


def test_all_its_folders_are_closed_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWANCHOR_STATE", str(tmp_path / "here"))
    state = StateFolder.open()
    for folder in (state.root, state.media, state.jobs, state.logs):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert folder == state.root or folder.parent == state.root
    assert StateFolder.open() == state
    assert {state.queue.parent, state.daemon_log.parent, state.engine_log.parent} == {state.root, state.logs}
    assert state.job("0123456789abcdef").parent == state.jobs


@pytest.mark.parametrize("name", ["media", "jobs", "logs"])
def test_a_folder_in_it_that_others_prepared_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWANCHOR_STATE", str(tmp_path / "here"))
    state = StateFolder.open()
    (state.root / name).rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (state.root / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ServiceError) as failure:
        StateFolder.open()
    assert failure.value.code == "state-not-ours"
    assert name in failure.value.message
