# SPDX-License-Identifier: Apache-2.0
"""The menu scripts, as Resolve runs them inside itself, with what they start or leave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from flowanchor_resolve import handoff, meeting, menu_files, sidecar

from flowanchor_core.shapes.demo import DemoClip
from tests.resolve.core.scene import own_settings, state_of
from tests.resolve.standin.world import World
from tests.resolve.surfaces.commands.desk import (
    environment_of,
    fill,
    last,
)
from tests.resolve.surfaces.scene import until


def menu(world: World, folders: dict[str, str], action: str, folder: Path) -> str:
    """Run a menu script as Resolve does; what it printed."""
    script = folder / f"{action}.py"
    script.write_text(menu_files.script_of(action))
    done = subprocess.run(
        [sys.executable, "-m", "tests.resolve.standin.inside", str(script)],
        env=environment_of(world, folders),
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_menu_starts_a_sidecar_which_edits_and_places(
    world: World, folders: dict[str, str], tmp_path: Path
) -> None:
    launcher = Path(folders["XDG_DATA_HOME"]) / "flowanchor" / "launcher.json"
    launcher.parent.mkdir(parents=True, exist_ok=True)
    # The stand-in is found through PYTHONPATH, which menu scripts do not hand on.
    python = tmp_path / "python"
    path = environment_of(world, folders)["PYTHONPATH"]
    python.write_text(f"#!/bin/sh\nPYTHONPATH='{path}' exec '{sys.executable}' \"$@\"\n")
    python.chmod(0o700)
    meeting.write(launcher, {"argv": [str(python), "-m", "flowanchor_daemon.serve"]})
    assert world.project is not None
    assert world.project.current is not None
    # The free edition's way to say which clip, as the mask lies above it.
    world.project.current.tracks["video"][0].items[0].selected = True
    place = Path(folders["FLOWANCHOR_STATE"]) / "resolve"
    try:
        assert "FlowAnchor Edit begins." in menu(world, folders, "edit", tmp_path)
        until(lambda: "on the timeline" in (sidecar.status(place) or ""), "it is placed", 200)
        assert len(world.project.current.tracks["video"]) == 3
        assert "FlowAnchor Undo begins." in menu(world, folders, "undo", tmp_path)
        until(lambda: "off the timeline" in (sidecar.status(place) or ""), "it is taken off", 200)
        assert len(world.project.current.tracks["video"]) == 2
    finally:
        launcher.unlink()
        status = meeting.read(place / meeting.STATUS)
        if status is not None and meeting.sidecar_lives(place):
            os.kill(int(status["pid"]), signal.SIGTERM)
            until(lambda: not meeting.sidecar_lives(place), "the sidecar ends")


@pytest.mark.parametrize("version", ["18.6", "19.1", "20", "21.0.4"])
def test_the_free_editions_way(
    demo: DemoClip, folders: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    monkeypatch.setenv("FLOWANCHOR_RESULTS", folders["FLOWANCHOR_RESULTS"])
    with World(version, "free", "hostile", "in-app", volumes=[volume]) as world:
        timeline = fill(world, demo)
        # Before 21.0.4 it tells the clip under the playhead alone, the uppermost: the mask goes below.
        timeline.tracks["video"].reverse()
        own_settings(world, volume)
        before = state_of(world)
        said = menu(world, folders, "edit", tmp_path)
        assert "Now run `flowanchor resolve edit --handoff`" in said, said
        assert {key: value for key, value in state_of(world).items() if key != "bin"} == {
            key: value for key, value in before.items() if key != "bin"
        }
        (handoff.find() / ".edited.mov").write_bytes(b"of an edit that was cut off")
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "flowanchor_daemon.cli",
                "resolve",
                "edit",
                "--handoff",
                "--feather",
                "2",
                "--json",
            ],
            env=folders,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, done.stderr
        told = last(done)
        assert Path(told["output"]).parent == Path(told["handoff"])
        assert handoff.finished() == [Path(told["handoff"])]
        assert "1 result is on the timeline." in menu(world, folders, "place", tmp_path)
        assert handoff.finished() == []
        items = [item for track in timeline.tracks["video"] for item in track.items]
        assert len(items) == 3
        assert "off the timeline again" in menu(world, folders, "undo", tmp_path)
        assert len([item for track in timeline.tracks["video"] for item in track.items]) == 2
        assert "again, since nothing else waits" in menu(world, folders, "place", tmp_path)
        assert len([item for track in timeline.tracks["video"] for item in track.items]) == 3
        assert "No finished edit" in menu(world, folders, "place", tmp_path)
