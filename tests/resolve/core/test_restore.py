# SPDX-License-Identifier: Apache-2.0
"""However an export ends, Resolve is left as it was found, or it is said what was not put back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flowanchor_resolve.host import Probed
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.watch import Watch

from tests.resolve.core.conftest import Hosting, Make
from tests.resolve.core.scene import HOSTILE, QUICK, Clip, World, own_settings, probe, state_of

Footage = Callable[..., Path]


@pytest.fixture(params=["strict", "hostile"])
def world(make: Make, footage: Footage, volume: Path, request: pytest.FixtureRequest) -> World:
    """Three tracks, some off, marks set, a job in the queue, the Color page open, another timeline there."""
    world = make("21.1", "studio", request.param)
    world.add_timeline(name="Other", clips=[Clip(footage(), frames=5)])
    timeline = world.add_timeline(
        clips=[
            Clip(footage(), frames=30, track=1),
            Clip(footage(), frames=30, track=2, name="ours"),
            Clip(footage(), frames=30, track=3),
        ]
    )
    timeline.tracks["video"][0].enabled = False
    timeline.SetMarkInOut(2, 9, "all")
    own_settings(world, volume)
    assert world.project is not None
    assert world.project.AddRenderJob()
    world.app.page = "color"
    return world


def export(world: World, hosting: Hosting, out: Path, said: list[str], **more: Any) -> None:
    host = hosting(world, **more)
    host.export_range(host.select(clip="ours"), out, said.append)


def test_after_success(world: World, hosting: Hosting, out: Path, said: list[str]) -> None:
    before = state_of(world)
    export(world, hosting, out, said)
    assert state_of(world) == before


@pytest.mark.parametrize(
    ("fate", "code"),
    [
        ("fail", "resolve-render-failed"),
        ("cancel", "resolve-render-cancelled"),
        ("short", "resolve-render-differs"),
        ("hang", "resolve-render-stalled"),
    ],
)
def test_after_a_render_that_goes_wrong(
    world: World, hosting: Hosting, out: Path, volume: Path, said: list[str], fate: Any, code: str
) -> None:
    before = state_of(world)
    world.render_fate = fate
    with pytest.raises(ResolveProblem) as problem:
        export(world, hosting, out, said, watch=replace(QUICK, patience=0.3 if fate == "hang" else 120.0))
    assert problem.value.code == code
    assert state_of(world) == before
    assert not world.renderer.busy
    assert list(out.iterdir()) == []
    assert list(volume.iterdir()) == []


def test_the_words_of_a_failed_render_are_told(
    world: World, hosting: Hosting, out: Path, said: list[str]
) -> None:
    world.render_fate = "fail"
    with pytest.raises(ResolveProblem, match="the disk is full"):
        export(world, hosting, out, said)


@pytest.mark.parametrize("blow", [KeyboardInterrupt, SystemExit])
def test_after_an_interruption(
    world: World, hosting: Hosting, out: Path, volume: Path, said: list[str], blow: type[BaseException]
) -> None:
    before = state_of(world)
    world.render_fate = "hang"
    looks = 0

    def sleep(seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 5:
            raise blow
        time.sleep(seconds)

    with pytest.raises(blow):
        export(world, hosting, out, said, watch=replace(QUICK, sleep=sleep))
    assert state_of(world) == before
    assert not world.renderer.busy
    assert list(volume.iterdir()) == []


def test_after_a_file_that_cannot_be_read(
    world: World, hosting: Hosting, out: Path, volume: Path, said: list[str]
) -> None:
    before = state_of(world)

    def unreadable(path: Path) -> Probed:
        raise ResolveProblem("render-unreadable", "It cannot be read.", "Look at it.")

    with pytest.raises(ResolveProblem) as problem:
        export(world, hosting, out, said, probe=unreadable)
    assert problem.value.code == "render-unreadable"
    assert state_of(world) == before
    assert list(volume.iterdir()) == []


def test_after_a_file_without_the_codec(world: World, hosting: Hosting, out: Path, said: list[str]) -> None:
    before = state_of(world)
    with pytest.raises(ResolveProblem) as problem:
        export(world, hosting, out, said, probe=lambda path: replace(probe(path), width=99))
    assert problem.value.code == "resolve-render-differs"
    assert state_of(world) == before


def test_a_dialog_during_the_render_is_told_and_what_is_left_too(
    world: World, hosting: Hosting, out: Path, said: list[str]
) -> None:
    world.render_fate = "hang"
    looks = 0

    def sleep(seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            world.open_dialog("Licence")
        time.sleep(seconds)

    with pytest.raises(ResolveProblem) as problem:
        export(world, hosting, out, said, watch=replace(QUICK, sleep=sleep, silence=0.1, stopping=0.1))
    assert problem.value.code == "resolve-dialog-open"
    left = next(sentence for sentence in said if "put back" in sentence)
    assert "since a dialog is open" in left
    assert "FlowAnchor keep" in left
    assert any(sentence.startswith("Resolve's color page") for sentence in said)
    world.dismiss_dialog()
    assert world.project is not None
    assert any(name.startswith("FlowAnchor keep") for name in world.project.render.presets)


def test_an_export_that_was_cut_off_is_told_by_the_next(
    world: World, hosting: Hosting, out: Path, said: list[str]
) -> None:
    assert world.project is not None
    assert world.project.SaveAsNewRenderPreset("FlowAnchor keep 12345678")
    export(world, hosting, out, said)
    assert any("FlowAnchor keep 12345678" in sentence for sentence in said)


def test_versions_that_delete_no_presets_say_which_is_left(
    make: Make, footage: Footage, hosting: Hosting, out: Path, volume: Path, said: list[str]
) -> None:
    world = make("18.6", "studio", "strict")
    world.add_timeline(clips=[Clip(footage(), frames=30, name="ours")])
    own_settings(world, volume)
    before = state_of(world)
    export(world, hosting, out, said)
    assert state_of(world) == before
    assert any("deletes no render presets" in sentence for sentence in said)


def test_a_render_folder_of_the_users_outside_media_storage_is_not_touched_on_21(
    make: Make, footage: Footage, hosting: Hosting, out: Path, tmp_path: Path, said: list[str]
) -> None:
    world = make("21.0.4", "studio", "hostile")
    world.add_timeline(clips=[Clip(footage(), frames=30, name="ours")])
    own_settings(world, tmp_path)
    export(world, hosting, out, said)
    assert world.dialog is None
    assert any("the folder of renders" in sentence for sentence in said)


def test_a_render_in_progress_is_not_disturbed(
    world: World, hosting: Hosting, out: Path, said: list[str]
) -> None:
    assert world.project is not None
    world.render_fate = "hang"
    other = world.project.jobs[0]
    other.mode = 1
    world.renderer.start([other])
    with pytest.raises(ResolveProblem) as problem:
        export(world, hosting, out, said)
    assert problem.value.code == "resolve-rendering"
    assert world.renderer.busy


def test_a_status_in_another_language_is_understood(
    make: Make, footage: Footage, hosting: Hosting, out: Path, said: list[str]
) -> None:
    world = make("21.0.4", "studio", "hostile", traps=replace(HOSTILE, translated_status=True))
    world.add_timeline(clips=[Clip(footage(), frames=30, name="ours")])
    export(world, hosting, out, said)
    world.render_fate = "cancel"
    with pytest.raises(ResolveProblem) as problem:
        export(world, hosting, out, said, watch=replace(QUICK, stopping=0.1))
    assert problem.value.code == "resolve-render-cancelled"


def test_a_slow_render_that_moves_is_waited_for(
    world: World, hosting: Hosting, out: Path, said: list[str]
) -> None:
    world.frame_seconds = 0.02
    export(world, hosting, out, said, watch=Watch(every=0.01, patience=0.3))
    assert any("%" in sentence for sentence in said)
