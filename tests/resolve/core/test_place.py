# SPDX-License-Identifier: Apache-2.0
"""Results lie on the timeline frame on frame, and everything else stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from tests.resolve.core.conftest import Hosting, Make
from tests.resolve.core.scene import (
    EDITIONS,
    RATES,
    STARTS,
    Clip,
    bins,
    numbers,
    placing,
    result_of,
    state_of,
)

Footage = Callable[..., Path]
BUILDS = [pytest.param(*one, id="-".join(one[:2])) for one in EDITIONS]


@pytest.mark.parametrize("profile", ["strict", "lenient", "hostile"])
@pytest.mark.parametrize(("version", "edition", "where"), BUILDS)
def test_a_result_is_placed_and_undone(
    make: Make,
    hosting: Hosting,
    footage: Footage,
    movie: Callable[..., Path],
    version: str,
    edition: str,
    where: str,
    profile: str,
) -> None:
    world = make(version, edition, profile, where)
    host, selection = placing(world, footage, hosting)
    assert world.project is not None
    world.app.page = "color"
    before = state_of(world)
    placed = host.place(selection, result_of(movie(), selection, deliver="patch"))
    timeline = world.project.current
    assert timeline is not None
    (item,) = timeline.tracks["video"][1].items
    assert (item.start, item.end, item.first) == (selection.start, selection.end, 0)
    assert timeline.tracks["video"][1].name == "FlowAnchor"
    assert (placed.item_id, placed.track, placed.start, placed.end) == (item.uid, 2, 86410, 86430)
    assert placed.made_track
    assert bins(world)["/FlowAnchor/Timeline 1"] == ["edit.mov"]
    after = state_of(world)
    for same in ("page", "bin", "queue", "dialog", "timeline"):
        assert after[same] == before[same]
    (mark,) = timeline.markers.items()
    assert mark[0] == 10
    assert mark[1].custom == placed.marker
    assert mark[1].note == "shows: a red car\nshould show: a green car\nwords: green"
    host.undo(placed)
    assert state_of(world) == before


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("rate", RATES, ids=str)
def test_what_is_placed_is_seen_frame_on_frame(
    make: Make,
    hosting: Hosting,
    footage: Footage,
    movie: Callable[..., Path],
    out: Path,
    rate: Fraction,
    start: str,
) -> None:
    """The result's frames count 0, 1, 2 from the selection's first: render what is seen of it."""
    world = make(profile="hostile")
    timeline = world.add_timeline(
        rate=rate, start_timecode=start, clips=[Clip(footage(rate, 12), at=3, first=2, frames=8, name="ours")]
    )
    host = hosting(world)
    selection = replace(host.select(clip="ours"), start=timeline.start + 5, end=timeline.start + 9)
    result = footage(rate, 4, ".mov")
    placed = host.place(selection, result_of(result, selection))
    shown = host.export_range(host.select(clip=placed.item_id), out, print)
    assert numbers(shown.path) == [0, 1, 2, 3]
    whole = replace(host.select(clip="ours"), track=placed.track)
    assert numbers(host.export_range(whole, out, print).path) == [2, 3, 0, 1, 2, 3, 8, 9]


def test_a_free_track_of_ours_is_used_again(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make(profile="hostile")
    host, selection = placing(world, footage, hosting)
    first = host.place(selection, result_of(movie(), selection))
    later = host.select(clip="after")
    second = host.place(later, result_of(movie(10, name="second.mov"), later))
    assert (first.track, second.track, second.made_track) == (2, 2, True)
    host.undo(first)
    assert len(world.project.current.tracks["video"]) == 2  # type: ignore[union-attr]
    host.undo(second)
    assert len(world.project.current.tracks["video"]) == 1  # type: ignore[union-attr]


@pytest.mark.parametrize("spoilt", ["occupied", "locked", "off", "below", "renamed"])
def test_else_a_new_track_on_top(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path], spoilt: str
) -> None:
    world = make(profile="hostile")
    host, selection = placing(world, footage, hosting)
    timeline = world.project.current  # type: ignore[union-attr]
    assert timeline is not None
    timeline.AddTrack("video")
    track = timeline.tracks["video"][1]
    track.name = "FlowAnchor"
    if spoilt == "occupied":
        world.add_clip(timeline, Clip(footage(), at=12, frames=3, track=2))
    elif spoilt == "locked":
        track.locked = True
    elif spoilt == "off":
        track.enabled = False
    elif spoilt == "renamed":
        track.name = "FlowAnchor old"
    else:
        world.add_clip(timeline, Clip(footage(), at=12, frames=3, track=3))
    top = len(timeline.tracks["video"]) + 1
    placed = host.place(selection, result_of(movie(), selection))
    assert (placed.track, placed.made_track) == (top, True)
    assert timeline.tracks["video"][-1].name == "FlowAnchor"


def test_a_second_result_over_the_first_lies_above_it(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make(profile="hostile")
    host, selection = placing(world, footage, hosting)
    first = host.place(selection, result_of(movie(), selection))
    second = host.place(selection, result_of(movie(name="b.mov"), selection, job="job-2"))
    assert (first.track, second.track) == (2, 3)
    jobs = [result.job for _, result in host.placed()]
    assert jobs == ["job-1", "job-2"]
    host.undo(second)
    host.undo(first)
    assert host.placed() == []


def test_a_taken_marker_frame_is_left_to_its_marker(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make()
    host, selection = placing(world, footage, hosting)
    timeline = world.project.current  # type: ignore[union-attr]
    assert timeline is not None
    timeline.AddMarker(10, "Red", "Mine", "", 1)
    placed = host.place(selection, result_of(movie(), selection))
    assert timeline.markers[10].name == "Mine"
    assert timeline.markers[11].custom == placed.marker
    host.undo(placed)
    assert list(timeline.markers) == [10]


def test_names_that_resolve_refuses_are_made_safe(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make("21.1", "studio", "hostile")
    host, selection = placing(world, footage, hosting, name='Cut 1/2: "x"')
    host.place(selection, result_of(movie(), selection))
    assert bins(world)["/FlowAnchor/Cut 1-2- -x-"] == ["edit.mov"]
