# SPDX-License-Identifier: Apache-2.0
"""Edits and their results outlive a Blender that was killed: its autosaved file knows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.blender.ui.blenders import VERSIONS, run_inside
from tests.daemon.processes import RunningDaemon


@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_killed_blender_had_is_found_in_its_autosaved_file(
    version: str, tmp_path: Path, served: RunningDaemon, clip: dict[str, Any]
) -> None:
    folder = tmp_path / "blender"
    left = run_inside(version, "killed_after_an_autosave", folder, served.environment, **clip)
    for scenario in ("opened_from_the_temporary_folder", "recovered"):
        run_inside(version, scenario, folder, served.environment, **clip, jobs=left["jobs"])
