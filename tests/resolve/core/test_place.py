# SPDX-License-Identifier: Apache-2.0
"""Results lie on the timeline frame on frame, everything else stays, and all of it can be undone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from flowanchor_resolve.host import Selection
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.resolve_host import ResolveHost

from tests.resolve.core.conftest import Hosting, Make
from tests.resolve.core.scene import (
    EDITIONS,
    HOSTILE,
    RATES,
    STARTS,
    Clip,
    World,
    bins,
    numbers,
    result_of,
    state_of,
    write_result,
)

Footage = Callable[..., Path]
BUILDS = [pytest.param(*one, id="-".join(one[:2])) for one in EDITIONS]


def scene(world: World, footage: Footage, hosting: Hosting, **more: Any) -> tuple[ResolveHost, Selection]:
    world.add_timeline(
        clips=[
            Clip(footage(), at=0, frames=10, name="before"),
            Clip(footage(), at=10, first=5, frames=20, name="ours"),
            Clip(footage(), at=30, frames=10, name="after"),
        ],
        **more,
    )
    host = hosting(world)
    return host, host.select(clip="ours")


@pytest.fixture
def movie(tmp_path: Path) -> Callable[..., Path]:
    def made(frames: int = 20, rate: Fraction = Fraction(24), name: str = "edit.mov") -> Path:
        return write_result(tmp_path / name, rate, frames)

    return made


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
    host, selection = scene(world, footage, hosting)
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
    host, selection = scene(world, footage, hosting)
    first = host.place(selection, result_of(movie(), selection))
    later = host.select(clip="after")
    second = host.place(later, result_of(movie(10, name="second.mov"), later))
    assert (first.track, second.track, second.made_track) == (2, 2, False)
    host.undo(first)
    assert len(world.project.current.tracks["video"]) == 2  # type: ignore[union-attr]
    host.undo(second)
    assert len(world.project.current.tracks["video"]) == 2  # type: ignore[union-attr]


@pytest.mark.parametrize("spoilt", ["occupied", "locked", "off", "below", "renamed"])
def test_else_a_new_track_on_top(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path], spoilt: str
) -> None:
    world = make(profile="hostile")
    host, selection = scene(world, footage, hosting)
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
    host, selection = scene(world, footage, hosting)
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
    host, selection = scene(world, footage, hosting)
    timeline = world.project.current  # type: ignore[union-attr]
    assert timeline is not None
    timeline.AddMarker(10, "Red", "Mine", "", 1)
    placed = host.place(selection, result_of(movie(), selection))
    assert timeline.markers[10].name == "Mine"
    assert timeline.markers[11].custom == placed.marker
    host.undo(placed)
    assert list(timeline.markers) == [10]


def test_with_a_marker_on_every_frame_all_is_taken_back(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make(profile="hostile")
    host, selection = scene(world, footage, hosting)
    timeline = world.project.current  # type: ignore[union-attr]
    assert timeline is not None
    for frame in range(10, 30):
        timeline.AddMarker(frame, "Red", "Mine", "", 1)
    before = state_of(world)
    with pytest.raises(ResolveProblem) as problem:
        host.place(selection, result_of(movie(), selection))
    assert problem.value.code == "resolve-marker"
    assert state_of(world) == before
    assert bins(world)["/FlowAnchor/Timeline 1"] == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"path": Path("edit.png")}, "resolve-still"),
        ({"path": Path("frames.%04d.png")}, "resolve-still"),
        ({"path": Path("nowhere.mov")}, "resolve-result-gone"),
    ],
)
def test_results_that_are_no_movie_change_nothing(
    make: Make, hosting: Hosting, footage: Footage, tmp_path: Path, changes: dict[str, Any], code: str
) -> None:
    world = make()
    host, selection = scene(world, footage, hosting)
    (tmp_path / "edit.png").write_bytes(b"x")
    world.calls.clear()
    result = result_of(tmp_path / changes["path"], selection)
    with pytest.raises(ResolveProblem) as problem:
        host.place(selection, result)
    assert problem.value.code == code
    assert not world.calls


@pytest.mark.parametrize(
    ("frames", "rate"),
    [(19, Fraction(24)), (21, Fraction(24)), (20, Fraction(24000, 1001)), (20, Fraction(25))],
)
def test_results_of_another_length_or_rate_change_nothing(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path], frames: int, rate: Fraction
) -> None:
    world = make()
    host, selection = scene(world, footage, hosting)
    world.calls.clear()
    with pytest.raises(ResolveProblem) as problem:
        host.place(selection, result_of(movie(frames, rate), selection))
    assert problem.value.code == "resolve-result-differs"
    assert not world.calls


def test_a_patch_without_alpha_changes_nothing(make: Make, hosting: Hosting, footage: Footage) -> None:
    world = make()
    host, selection = scene(world, footage, hosting)
    with pytest.raises(ResolveProblem) as problem:
        host.place(selection, result_of(footage(Fraction(24), 20, ".mov"), selection, deliver="patch"))
    assert problem.value.code == "resolve-result-differs"


def test_a_clip_that_has_moved_is_told(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make()
    host, selection = scene(world, footage, hosting)
    world.project.current.tracks["video"][0].items[1].start += 1  # type: ignore[union-attr]
    before = state_of(world)
    with pytest.raises(ResolveProblem) as problem:
        host.place(selection, result_of(movie(), selection))
    assert problem.value.code == "resolve-clip-moved"
    assert state_of(world) == before


def test_a_clip_one_frame_too_long_is_taken_back(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    """A Resolve that includes endFrame would take a longer movie one frame too long; ours has no such frame,
    so it refuses, and that is told as well."""
    world = make("18.6", "studio", "hostile", traps=replace(HOSTILE, inclusive_end=True))
    host, selection = scene(world, footage, hosting)
    before = state_of(world)
    with pytest.raises(ResolveProblem) as problem:
        host.place(selection, result_of(movie(), selection))
    assert problem.value.code == "resolve-place-differs"
    assert state_of(world) == before


@pytest.mark.parametrize("change", ["longer", "later", "shift", "extra", "gone"])
def test_any_difference_is_taken_back_and_said(
    make: Make,
    hosting: Hosting,
    footage: Footage,
    movie: Callable[..., Path],
    change: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = make(profile="lenient")
    host, selection = scene(world, footage, hosting)
    timeline = world.project.current  # type: ignore[union-attr]
    pool = type(world.project.pool)  # type: ignore[union-attr]
    assert timeline is not None
    plain = pool.AppendToTimeline

    def append(self: Any, *clips: Any) -> Any:
        made = plain(self, *clips)
        if change == "longer":
            made[0].duration += 1
        elif change == "later":
            made[0].start += 1
        elif change == "shift":
            timeline.tracks["video"][0].items[2].start += 4
        elif change == "extra":
            world.add_clip(timeline, Clip(footage(), at=60, frames=3))
        else:
            timeline.tracks["video"][0].items.pop()
        return made

    monkeypatch.setattr(pool, "AppendToTimeline", append)
    before = state_of(world)
    with pytest.raises(ResolveProblem) as problem:
        host.place(selection, result_of(movie(), selection))
    assert problem.value.code == "resolve-place-differs"
    after = state_of(world)
    assert len(after["timelines"][timeline.uid]["tracks"]["video"]) == 1
    assert not after["timelines"][timeline.uid]["markers"]
    if change in ("longer", "later", "extra"):
        assert after == before
    else:
        assert "Ctrl Z" in problem.value.action
        assert "after" in problem.value.message


def test_an_interruption_takes_all_back(
    make: Make,
    hosting: Hosting,
    footage: Footage,
    movie: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = make(profile="hostile")
    host, selection = scene(world, footage, hosting)
    before = state_of(world)

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("flowanchor_resolve.place.add_marker", interrupted)
    with pytest.raises(KeyboardInterrupt):
        host.place(selection, result_of(movie(), selection))
    assert state_of(world) == before
    assert bins(world)["/FlowAnchor/Timeline 1"] == []


def test_what_cannot_be_taken_back_is_said(
    make: Make,
    hosting: Hosting,
    footage: Footage,
    movie: Callable[..., Path],
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = make(profile="hostile")
    host, selection = scene(world, footage, hosting)

    def dialog(*arguments: object) -> None:
        world.open_dialog("Media offline")
        raise ResolveProblem("resolve-marker", "No marker.", "Look.")

    monkeypatch.setattr("flowanchor_resolve.place.add_marker", dialog)
    with pytest.raises(ResolveProblem) as problem:
        host.place(selection, result_of(movie(), selection))
    assert "Not all of it could be taken back" in problem.value.action
    assert any("could not be opened again" in sentence for sentence in said)


def test_undo_finds_a_result_that_was_moved_to_another_frame(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make()
    host, selection = scene(world, footage, hosting)
    before = state_of(world)
    placed = host.place(selection, result_of(movie(), selection))
    world.project.current.tracks["video"][1].items[0].start += 50  # type: ignore[union-attr]
    host.undo(placed)
    assert state_of(world) == before


def test_undo_of_what_is_not_there_is_said(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make()
    host, selection = scene(world, footage, hosting)
    placed = host.place(selection, result_of(movie(), selection))
    host.undo(placed)
    with pytest.raises(ResolveProblem) as problem:
        host.undo(placed)
    assert problem.value.code == "resolve-not-placed"


def test_undo_on_a_locked_track_is_said_and_changes_nothing(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make(profile="hostile")
    host, selection = scene(world, footage, hosting)
    placed = host.place(selection, result_of(movie(), selection))
    world.project.current.tracks["video"][1].locked = True  # type: ignore[union-attr]
    before = state_of(world)
    with pytest.raises(ResolveProblem) as problem:
        host.undo(placed)
    assert problem.value.code == "resolve-undo"
    assert "Unlock" in problem.value.action
    assert state_of(world) == before


def test_undo_leaves_a_track_that_others_use(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make()
    host, selection = scene(world, footage, hosting)
    placed = host.place(selection, result_of(movie(), selection))
    timeline = world.project.current  # type: ignore[union-attr]
    assert timeline is not None
    world.add_clip(timeline, Clip(footage(), at=0, frames=3, track=2))
    host.undo(placed)
    assert len(timeline.tracks["video"][1].items) == 1


def test_what_is_placed_can_be_asked_for_again(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make("21.1")
    host, selection = scene(world, footage, hosting)
    result = result_of(movie(), selection, settings={"words": "green", "preset": "final", "seed": 7})
    placed = host.place(selection, result)
    assert host.placed() == [(placed, result)]
    world.select(world.project.current.tracks["video"][1].items[0])  # type: ignore[union-attr]
    assert host.select().wish == {"source": "a red car", "target": "a green car", "words": "green"}


def test_results_whose_clip_is_gone_are_not_listed(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make()
    host, selection = scene(world, footage, hosting)
    host.place(selection, result_of(movie(), selection))
    timeline = world.project.current  # type: ignore[union-attr]
    assert timeline is not None
    timeline.AddMarker(0, "Red", "Mine", "", 1, "flowanchor:nonsense")
    timeline.tracks["video"][1].items.clear()
    assert host.placed() == []


def test_names_that_resolve_refuses_are_made_safe(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make("21.1", "studio", "hostile")
    host, selection = scene(world, footage, hosting, name='Cut 1/2: "x"')
    host.place(selection, result_of(movie(), selection))
    assert bins(world)["/FlowAnchor/Cut 1-2- -x-"] == ["edit.mov"]


def test_a_result_in_another_process_is_undone_from_its_marker(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make(profile="hostile")
    host, selection = scene(world, footage, hosting)
    before = state_of(world)
    host.place(selection, result_of(movie(), selection))
    world.add_timeline(name="Another", clips=[Clip(footage(), frames=4)])
    other = hosting(world)
    assert other.placed() == []
    world.project.SetCurrentTimeline(world.project.timelines[0])  # type: ignore[union-attr]
    ((placed, _),) = hosting(world).placed()
    world.project.SetCurrentTimeline(world.project.timelines[1])  # type: ignore[union-attr]
    hosting(world).undo(placed)
    after = state_of(world)
    uid = selection.timeline_id
    assert after["timelines"][uid] == before["timelines"][uid]
    assert after["timeline"] != uid
