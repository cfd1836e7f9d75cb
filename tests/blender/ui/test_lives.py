# SPDX-License-Identifier: Apache-2.0
"""An edit keeps its strip, its scene and its file through undo, copies and saving elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.blender.ui.blenders import VERSIONS, run_inside
from tests.blender.ui.clips import FIRST, FRAMES
from tests.daemon.processes import Daemons, RunningDaemon

pytestmark = pytest.mark.parametrize("version", VERSIONS)


def test_undone_past_the_edit_the_result_follows_its_strip(
    version: str, tmp_path: Path, served: RunningDaemon, clip: dict[str, Any]
) -> None:
    found = run_inside(version, "undone_past_the_edit", tmp_path / "blender", served.environment, **clip)
    assert (found["result"]["start"], found["result"]["end"]) == (FIRST + 30, FIRST + 30 + FRAMES)
    assert found["where"] == ""


def test_copies_of_strip_and_scene_get_no_result(
    version: str, tmp_path: Path, served: RunningDaemon, clip: dict[str, Any]
) -> None:
    found = run_inside(version, "duplicated_while_it_runs", tmp_path / "blender", served.environment, **clip)
    assert found["result"]["start"] == FIRST + 7


def test_a_file_saved_while_its_edit_was_being_sent_finds_the_result(
    version: str, tmp_path: Path, served: RunningDaemon, clip: dict[str, Any]
) -> None:
    folder = tmp_path / "blender"
    left = run_inside(version, "saved_while_sending", folder, served.environment, **clip)
    assert left["job"]
    found = run_inside(version, "opened_later", folder, served.environment, **clip)
    assert found["result"]["start"] == FIRST
    assert found["result"]["details"]["job"] == left["job"]


def test_forgetting_in_a_copy_leaves_the_original_its_edit(
    version: str, tmp_path: Path, served: RunningDaemon, clip: dict[str, Any]
) -> None:
    found = run_inside(version, "forgotten_in_a_copy", tmp_path / "blender", served.environment, **clip)
    assert found["result"]["start"] == FIRST
    assert "Belongs to the file this one was copied from" in " ".join(found["shown"])


def test_a_file_and_its_copies_and_its_results(
    version: str, tmp_path: Path, served: RunningDaemon, clip: dict[str, Any]
) -> None:
    found = run_inside(version, "saved_as_another_file", tmp_path / "blender", served.environment, **clip)
    assert found["owners"] == {"first": True, "second": False, "copy": False}
    assert found["directory"].startswith("//flowanchor-results")
    assert found["exports"] == []
    assert found["again"]["start"] == FIRST


def test_an_edit_begun_after_the_last_save_belongs_to_what_was_saved(
    version: str, tmp_path: Path, served: RunningDaemon, clip: dict[str, Any]
) -> None:
    run_inside(version, "begun_after_the_last_save", tmp_path / "blender", served.environment, **clip)


def test_a_startup_file_remembers_no_edits(
    version: str, tmp_path: Path, served: RunningDaemon, clip: dict[str, Any]
) -> None:
    run_inside(version, "startup_file", tmp_path / "blender", served.environment, **clip)


def test_an_export_that_was_stopped_leaves_no_trace(
    version: str, tmp_path: Path, daemon: Daemons, clip: dict[str, Any]
) -> None:
    run_inside(version, "export_stopped", tmp_path / "blender", daemon.environment, **clip)


def test_equal_prompts_are_refused_before_the_export(
    version: str, tmp_path: Path, daemon: Daemons, clip: dict[str, Any]
) -> None:
    found = run_inside(version, "equal_prompts", tmp_path / "blender", daemon.environment, **clip)
    assert "yet the region would be repainted" in found["said"]
    assert "yet the region would be repainted" in " ".join(found["shown"])


def test_versions_are_shown_as_people_know_them(version: str, tmp_path: Path, daemon: Daemons) -> None:
    found = run_inside(version, "a_version_of_any_kind", tmp_path / "blender", daemon.environment)
    assert found["versions"] == [
        "Version 0.1.0",
        "Version 1.2.3",
        "Run from its source",
        "Run from its source",
    ]
