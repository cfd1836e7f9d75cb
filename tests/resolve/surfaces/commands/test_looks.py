# SPDX-License-Identifier: Apache-2.0
"""The doctor, and recordings of commands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from flowanchor_resolve import menu_files, replay

from flowanchor_core.shapes.demo import DemoClip
from tests.resolve.core.scene import state_of
from tests.resolve.standin.world import World
from tests.resolve.surfaces.commands.desk import (
    Run,
    last,
)


def test_the_doctor(run: Run, world: World) -> None:
    done = run("doctor", "--json")
    report = last(done)
    found = {finding["name"]: finding for finding in report["findings"]}
    assert report["problems"] == 0
    assert found["resolve"]["level"] == "ok"
    assert "DaVinci Resolve Studio 21.0.4" in found["resolve"]["text"]
    assert found["resolve preference"]["level"] == "ok"
    assert found["script FlowAnchor Edit"]["level"] == "warning"
    world.scripting = False
    report = last(run("doctor", "--json", code=0 if not_running_here() else 4))
    assert next(one for one in report["findings"] if one["name"] == "resolve")["action"]


def not_running_here() -> bool:
    """Whether this machine has no Resolve of its own running, which the doctor would then ask to start."""
    from flowanchor_resolve.running import resolve_runs

    return resolve_runs() is False


def test_a_recorded_edit_is_replayed(run: Run, world: World, demo: DemoClip, tmp_path: Path) -> None:
    path = tmp_path / "edit.jsonl"
    run("record", "-o", path, "edit", "--track", 1, "--feather", 2)
    text = path.read_text()
    for secret in (demo.source_prompt, "two-things", "Reel 1", str(tmp_path)):
        assert secret not in text
    done = subprocess.run(
        [sys.executable, "-m", "flowanchor_resolve.replay", str(path)],
        env={**os.environ, "PYTHONPATH": str(menu_files.PACKAGE.parent)},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "calls are as recorded" in done.stdout
    assert "record-place" in run("record", "-o", path, "edit", code=2).stderr or path.read_text() == text
    assert "Nothing says what to record" in run("record", "-o", tmp_path / "x", code=2).stderr
    assert "`jobs` cannot be recorded." in run("record", "-o", tmp_path / "x", "jobs", code=2).stderr


def test_a_look_can_be_recorded_and_changes_nothing(run: Run, world: World, tmp_path: Path) -> None:
    before = state_of(world)
    done = run("record", "-o", tmp_path / "look.jsonl", "doctor")
    assert "0 results are on the timeline." in done.stdout
    assert state_of(world) == before
    report = replay.replay(tmp_path / "look.jsonl")
    assert (report.difference, report.calls > 10) == ("", True)
