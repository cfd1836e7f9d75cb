# SPDX-License-Identifier: Apache-2.0
"""Which clip is edited, and which part of it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from flowanchor_resolve.problems import ResolveProblem

from tests.resolve.core.conftest import Hosting, Make
from tests.resolve.core.scene import SIZE, Clip, World

Footage = Callable[..., Path]


@pytest.fixture
def two(footage: Footage) -> list[Clip]:
    """Two clips one after the other on track 1, and one over them on track 2."""
    return [
        Clip(footage(), at=0, frames=10, name="first"),
        Clip(footage(), at=10, frames=10, name="second"),
        Clip(footage(), at=0, frames=20, track=2, name="over"),
    ]


def timeline_of(world: World) -> Any:
    assert world.project is not None
    return world.project.current


def problem_of(attempt: Callable[[], object]) -> str:
    with pytest.raises(ResolveProblem) as problem:
        attempt()
    return problem.value.code


def test_a_selection_tells_all_that_an_edit_needs(make: Make, hosting: Hosting, two: list[Clip]) -> None:
    world = make()
    timeline = world.add_timeline(rate=Fraction(24000, 1001), name="Cut 3", clips=two)
    selection = hosting(world).select(clip="second")
    assert (selection.project, selection.timeline, selection.timeline_id) == (
        "Feature",
        "Cut 3",
        timeline.uid,
    )
    assert (selection.name, selection.track) == ("second", 1)
    assert (selection.start, selection.end, selection.frames) == (86410, 86420, 10)
    assert (selection.timeline_start, selection.relative_start) == (86400, 10)
    assert (selection.rate, selection.drop_frame) == (Fraction(24000, 1001), False)
    assert (selection.width, selection.height) == SIZE
    assert selection.item_id == timeline.tracks["video"][0].items[1].uid


@pytest.mark.parametrize("profile", ["strict", "hostile"])
@pytest.mark.parametrize("version", ["21.0.4", "21.1"])
def test_the_selected_clip_is_taken_where_resolve_tells_it(
    make: Make, hosting: Hosting, two: list[Clip], version: str, profile: str
) -> None:
    world = make(version, "studio", profile)
    timeline = world.add_timeline(clips=two)
    world.select(timeline.tracks["video"][0].items[1])
    timeline.playhead = timeline.start
    assert hosting(world).select().name == "second"


@pytest.mark.parametrize("version", ["18.6", "20"])
def test_else_the_clip_under_the_playhead(
    make: Make, hosting: Hosting, two: list[Clip], version: str
) -> None:
    world = make(version, "studio", "strict")
    timeline = world.add_timeline(clips=two)
    world.select(timeline.tracks["video"][0].items[1])
    timeline.playhead = timeline.start + 3
    assert hosting(world).select().name == "over"
    assert not world.called("GetSelectedClips")


@pytest.mark.parametrize("profile", ["strict", "hostile"])
def test_masks_and_results_above_the_clip_are_not_what_is_meant(
    make: Make, hosting: Hosting, two: list[Clip], footage: Footage, profile: str
) -> None:
    world = make("21.1", "studio", profile)
    above = [Clip(footage(), frames=20, track=track, name=f"track {track}") for track in (3, 4, 5)]
    timeline = world.add_timeline(clips=[*two, *above])
    for track, name in ((3, "Titles"), (4, "fa mask"), (5, "FlowAnchor")):
        timeline.tracks["video"][track - 1].name = name
    timeline.tracks["video"][2].enabled = False
    timeline.playhead = timeline.start + 3
    host = hosting(world)
    assert host.select().name == "over"
    assert host.select(track=5).name == "track 5"
    timeline.tracks["video"][1].enabled = False
    assert host.select().name == "first"
    timeline.tracks["video"][0].items.clear()
    with pytest.raises(ResolveProblem, match="only masks and results"):
        host.select()


def test_with_nothing_selected_the_playhead_counts(make: Make, hosting: Hosting, two: list[Clip]) -> None:
    world = make("21.1")
    timeline = world.add_timeline(clips=two)
    timeline.playhead = timeline.start + 3
    assert hosting(world).select().name == "over"


def test_a_selected_transition_is_no_clip(make: Make, hosting: Hosting, two: list[Clip]) -> None:
    world = make("21.1")
    timeline = world.add_timeline(clips=two)
    over = timeline.tracks["video"][1].items[0]
    over.transition = True
    world.select(over, timeline.tracks["video"][0].items[0])
    assert hosting(world).select().name == "first"


def test_sound_selected_along_is_not_counted(make: Make, hosting: Hosting, two: list[Clip]) -> None:
    world = make("21.1")
    timeline = world.add_timeline(clips=two)
    timeline.AddTrack("audio", "stereo")
    world.select(timeline.tracks["video"][0].items[0])
    assert hosting(world).select().name == "first"


def test_a_track_means_the_clip_under_the_playhead_on_it(
    make: Make, hosting: Hosting, two: list[Clip]
) -> None:
    world = make()
    timeline = world.add_timeline(clips=two)
    timeline.playhead = timeline.start + 12
    assert hosting(world).select(track=1).name == "second"
    assert hosting(world).select(track=2).name == "over"


def test_a_clip_is_named_by_name_or_id(make: Make, hosting: Hosting, two: list[Clip]) -> None:
    world = make()
    timeline = world.add_timeline(clips=two)
    assert hosting(world).select(clip="first").start == timeline.start
    uid = timeline.tracks["video"][1].items[0].uid
    assert hosting(world).select(clip=uid).name == "over"
    assert hosting(world).select(clip="over", track=2).name == "over"


def test_what_cannot_be_told_apart_or_found_is_said(
    make: Make, hosting: Hosting, two: list[Clip], footage: Footage
) -> None:
    world = make("21.1")
    again = Clip(footage(), at=20, frames=5, name="first")
    timeline = world.add_timeline(clips=[*two, again])
    host = hosting(world)
    assert problem_of(lambda: host.select(clip="first")) == "resolve-clip-ambiguous"
    assert problem_of(lambda: host.select(clip="third")) == "resolve-clip-unknown"
    assert problem_of(lambda: host.select(clip="over", track=1)) == "resolve-clip-unknown"
    assert problem_of(lambda: host.select(track=3)) == "resolve-no-track"
    assert problem_of(lambda: host.select(track=0)) == "resolve-no-track"
    timeline.playhead = timeline.end
    assert problem_of(lambda: host.select()) == "resolve-no-clip"
    assert problem_of(lambda: host.select(track=1)) == "resolve-no-clip"
    world.select(*timeline.tracks["video"][0].items)
    assert problem_of(lambda: host.select()) == "resolve-clip-ambiguous"


def test_a_disabled_clip_is_refused(make: Make, hosting: Hosting, footage: Footage) -> None:
    world = make()
    world.add_timeline(clips=[Clip(footage(), frames=5, name="off", enabled=False)])
    assert problem_of(lambda: hosting(world).select(clip="off")) == "resolve-clip-disabled"


def test_without_project_or_timeline(make: Make, hosting: Hosting, footage: Footage) -> None:
    assert problem_of(lambda: hosting(make(project=None)).select()) == "resolve-no-project"
    assert problem_of(lambda: hosting(make()).select()) == "resolve-no-timeline"
    world = make(profile="hostile")
    world.add_timeline(clips=[Clip(footage(), frames=5)])
    host = hosting(world)
    world.close_timeline()
    assert problem_of(lambda: host.select()) == "resolve-no-timeline"


def test_a_dialog_is_told(make: Make, hosting: Hosting, two: list[Clip]) -> None:
    world = make(profile="hostile")
    world.add_timeline(clips=two)
    host = hosting(world)
    world.open_dialog("Media offline")
    assert problem_of(lambda: host.select()) == "resolve-dialog-open"
    world.dismiss_dialog()
    assert host.select(clip="first").frames == 10


@pytest.mark.parametrize(
    ("marks", "span"),
    [((12, 15), (86412, 86416)), ((5, 14), (86410, 86415)), ((0, 100), (86410, 86420))],
)
def test_in_and_out_marks_narrow_the_clip(
    make: Make, hosting: Hosting, two: list[Clip], marks: tuple[int, int], span: tuple[int, int]
) -> None:
    world = make("20", "studio", "hostile")
    timeline = world.add_timeline(clips=two)
    timeline.SetMarkInOut(*marks, "all")
    selection = hosting(world).select(clip="second")
    assert (selection.start, selection.end) == span


def test_marks_elsewhere_are_said(make: Make, hosting: Hosting, two: list[Clip]) -> None:
    world = make("20")
    timeline = world.add_timeline(clips=two)
    timeline.SetMarkInOut(0, 5, "all")
    assert problem_of(lambda: hosting(world).select(clip="second")) == "resolve-marks-outside"


def test_versions_that_tell_no_marks_give_the_whole_clip(
    make: Make, hosting: Hosting, two: list[Clip]
) -> None:
    world = make("19.1", "studio", "strict")
    timeline = world.add_timeline(clips=two)
    timeline.SetMarkInOut(12, 13, "all")
    assert hosting(world).select(clip="second").frames == 10
    assert not world.called("GetMarkInOut")


@pytest.mark.parametrize("version", ["21.0.4", "21.1"])
def test_a_marker_on_the_clip_carries_the_wish(
    make: Make, hosting: Hosting, two: list[Clip], version: str
) -> None:
    world = make(version)
    timeline = world.add_timeline(clips=two)
    item = timeline.tracks["video"][0].items[0]
    item.AddMarker(4, "Blue", "FlowAnchor", "shows: a red car\nshould show: a green car\nwords: green", 1)
    wish = hosting(world).select(clip="first").wish
    assert wish == {"source": "a red car", "target": "a green car", "words": "green"}


@pytest.mark.parametrize("profile", ["strict", "hostile"])
def test_selecting_changes_nothing(make: Make, hosting: Hosting, two: list[Clip], profile: str) -> None:
    world = make("21.1", "studio", profile)
    world.add_timeline(clips=two)
    hosting(world).select(clip="first")
    verbs = {call.name for call in world.calls}
    assert all(verb.startswith("Get") or verb == "IsStudio" for verb in verbs)
