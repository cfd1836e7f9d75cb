# SPDX-License-Identifier: Apache-2.0
"""Edits by command, from the timeline to the timeline."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from flowanchor_core.shapes.demo import DemoClip
from tests.resolve.core.scene import alphas, probe, state_of
from tests.resolve.standin.model.item import Look
from tests.resolve.standin.world import Clip, World
from tests.resolve.surfaces.commands.desk import (
    FIRST,
    FRAMES,
    SIZE,
    SQUARE,
    START,
    Run,
    last,
    leftovers,
    marked,
    shown,
    timeline_markers,
)


@pytest.mark.parametrize("world", ["strict", "hostile"], indirect=True)
def test_an_edit_and_its_undo_in_two_processes(
    run: Run, world: World, demo: DemoClip, tmp_path: Path
) -> None:
    before, pictures = state_of(world), shown(world)
    told = last(run("edit", "--track", 1, "--feather", 2, "--seed", 5, "--json"))
    placed = told["placed"]
    assert (placed["track"], placed["start"], placed["end"]) == (3, START + FIRST, START + FIRST + FRAMES)
    assert placed["made_track"] is True
    assert (told["frames"], told["rate"], told["deliver"], told["format"]) == (
        FRAMES,
        "24/1",
        "patch",
        "prores4444",
    )
    assert (told["start_timecode"], told["max_abs_diff_outside"], told["seed"]) == ("01:00:00:05", 0, 5)
    result = tmp_path / "results" / "Reel 1" / "two-things-patch.mov"
    assert told["output"] == str(result)

    now = shown(world)
    inside = marked(demo, grow=3)
    for was, is_, mask, alpha in zip(pictures, now, inside, alphas(result), strict=True):
        assert np.array_equal(was[~mask], is_[~mask]), "a picture outside the region has changed"
        assert not alpha[~mask].any()
    changes = [np.abs(was - is_)[mask].max() for was, is_, mask in zip(pictures, now, inside, strict=True)]
    assert max(changes) > 0.1, "the region shows no edit"
    assert leftovers(tmp_path / "volume") == []

    assert world.project is not None
    assert world.project.current is not None
    names = [track.name for track in world.project.current.tracks["video"]]
    assert names == ["Video 1", "FA MASK", "FlowAnchor"]

    assert last(run("undo", "--json")) == {"undone": told["job"]}
    assert [np.array_equal(one, other) for one, other in zip(shown(world), pictures, strict=True)] == [
        True
    ] * FRAMES
    after = state_of(world)
    assert (after, after["bin"]) == (before, before["bin"])
    assert "resolve-nothing-placed" in run("undo", "--json", code=2).stdout


def test_left_to_the_daemon_and_placed_later(run: Run, world: World, tmp_path: Path) -> None:
    job = last(run("edit", "--track", 1, "--detach", "--json"))["job"]
    assert leftovers(tmp_path / "results") == []
    told = last(run("place", "--json"))
    assert told["job"] == job
    assert told["placed"]["track"] == 3
    again = last(run("edit", "--again", "--seed", 9, "--json"))
    assert again["seed"] == 9
    assert (again["placed"]["track"], again["placed"]["start"]) == (4, told["placed"]["start"])
    assert again["settings"] == told["settings"]
    run("place", job[:12], "--undo", "--json")
    assert last(run("undo", "--json"))["undone"] == again["job"]


def test_a_name_given_twice_changes_no_earlier_result(run: Run, world: World, tmp_path: Path) -> None:
    out = tmp_path / "shot.mov"
    told = last(run("edit", "--track", 1, "-o", out, "--json"))
    assert told["output"] == str(out)
    content, state, calls = out.read_bytes(), state_of(world), len(world.calls)
    for command in (("edit", "--track", 1, "--seed", 9), ("edit", "--again"), ("place", told["job"])):
        refused = last(run(*command, "-o", out, "--json", code=2))
        assert refused["error"]["code"] == "output-exists"
    assert out.read_bytes() == content
    assert state_of(world) == state
    assert not any(call.name == "AddRenderJob" for call in world.calls[calls:]), "it was exported in vain"


def test_a_name_given_with_detach_is_the_results_unless_it_is_taken_by_then(
    run: Run, world: World, tmp_path: Path
) -> None:
    out = tmp_path / "shot.mov"
    job = last(run("edit", "--track", 1, "-o", out, "--detach", "--json"))["job"]
    assert last(run("place", job, "--json"))["output"] == str(out)
    content = out.read_bytes()
    assert last(run("place", job, "--json"))["output"] == str(tmp_path / "shot-2.mov")
    assert out.read_bytes() == content
    assert leftovers(tmp_path / "results") == []


def test_a_part_with_a_box_as_a_whole_take(run: Run, world: World, tmp_path: Path) -> None:
    out = tmp_path / "named.mov"
    told = last(
        run(
            *(
                "edit",
                "--clip",
                "two-things.mkv",
                "--frames",
                "3-7",
                "--box",
                "10,12,20,20",
                "--deliver",
                "full",
            ),
            *("-o", out, "--no-place", "--json"),
        )
    )
    assert (told["frames"], told["output"], told["placed"]) == (5, str(out), None)
    assert told["deliver"] == "full"
    assert out.is_file()
    calls = len(world.calls)
    assert "output-name" in run("edit", "--track", 1, "-o", tmp_path / "x.mkv", "--json", code=2).stdout
    assert not any(call.name == "AddRenderJob" for call in world.calls[calls:]), "it was exported in vain"


def test_the_clips_own_file_gets_the_timelines_timecode(run: Run, world: World, demo: DemoClip) -> None:
    told = last(run("edit", "--track", 1, "--source-file", "--box", "10,12,20,20", "--json"))
    assert world.called("StartRendering") == []
    assert (told["frames"], told["start_timecode"]) == (FRAMES, "01:00:00:05")
    assert probe(Path(told["output"])).start_timecode == "01:00:00:05"
    assert told["placed"]["start"] == START + FIRST
    assert demo.clip.is_file()


POLYGON = """Composition { RenderRange = { 0, 11 }, Tools = ordered() { Polygon1 = PolylineMask { Inputs = {
    Polyline = Input { Value = Polyline { Closed = true, Points = {
        { X = -0.25, Y = -0.25 }, { X = 0.25, Y = -0.25 }, { X = 0.25, Y = 0.25 }, { X = -0.25, Y = 0.25 },
    } } } } } } }"""
MIDDLE = (16, 16, 32, 32)
"""The polygon's square in pixels."""


@pytest.mark.parametrize("source", ["fusion", "alpha", "matte"])
def test_a_region_from_each_place_on_the_timeline(
    run: Run, world: World, demo: DemoClip, tmp_path: Path, source: str
) -> None:
    look = Look(alpha=MIDDLE) if source == "alpha" else Look()
    more: dict[str, Any] = {"fusion": {"fusion": POLYGON}, "matte": {"mattes": [demo.edits[SQUARE].mask]}}
    clip = Clip(demo.clip, first=2, frames=FRAMES, name="other", look=look, **more.get(source, {}))
    world.add_timeline(Fraction(24), size=SIZE, clips=[clip], name="Reel 2")
    prompts = ("--source", demo.source_prompt, "--target", demo.edits[SQUARE].target_prompt)
    told = last(run("edit", "--clip", "other", "--mask-from", source, *prompts, "--feather", 0, "--json"))
    assert told["placed"]["track"] == 2
    changed = np.any([alpha > 127 for alpha in alphas(Path(told["output"]))], axis=0)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    found = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    if source == "matte":
        with av.open(str(demo.edits[SQUARE].mask)) as container:
            masks = [frame.to_ndarray(format="gray") > 127 for frame in container.decode(video=0)]
        assert np.array_equal(changed, np.any(masks[2 : 2 + FRAMES], axis=0))
    else:
        assert found == (16, 16, 48, 48)
    assert f'"mask":"{source}"' in next(iter(timeline_markers(world)))
    assert leftovers(tmp_path / "volume") == []
