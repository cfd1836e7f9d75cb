# SPDX-License-Identifier: Apache-2.0
"""What the panels say in every state an edit goes through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.blender.ui.blenders import VERSIONS, run_inside
from tests.daemon.processes import Daemons


@pytest.mark.parametrize("version", VERSIONS)
def test_panels_draw_in_every_state(
    version: str, tmp_path: Path, daemon: Daemons, clip: dict[str, Any]
) -> None:
    running = daemon()
    found = run_inside(
        version, "panels_draw", tmp_path / "blender", running.environment, **{**clip, "steps": 12}
    )
    assert running.wait() == 0, "stopped from the panel"
    shown = {state: " | ".join(texts) for state, texts in found["shown"].items()}
    assert "The sequencer shows no scene." in shown["nothing"]
    assert "No mask is chosen." in shown["mask"]
    assert "“shot” has no mask modifier." in shown["modifier"]
    assert "No strip lies above “shot”." in shown["strip"]
    assert "Changes: green" in shown["box"]
    assert "11 – 27 (17 frames)" in shown["box"]
    assert "Marked at frame" in shown["connected"]
    assert "Running" in shown["connected"]
    assert "beta1" in shown["connected"].replace("Beta1", "beta1")
    assert "model runs" in shown["estimated"]
    assert "Estimate" in shown["connected"], "the settings are others now"
    assert "Editing" in shown["running"]
    assert "Cancel" not in shown["done"].replace("Cancelled", "")
    assert "Done" in shown["done"]
    assert "Start" in shown["stopped"]
    assert "Not running" in shown["stopped"]
    assert "Say in a few words what it should show." in shown["refused"]
    assert shown["muted"]
