# SPDX-License-Identifier: Apache-2.0
"""Results are found again by their markers, undone, and asked for again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flowanchor_resolve.problems import ResolveProblem

from tests.resolve.core.conftest import Hosting, Make
from tests.resolve.core.scene import (
    Clip,
    placing,
    result_of,
    state_of,
)

Footage = Callable[..., Path]


def test_undo_finds_a_result_that_was_moved_to_another_frame(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make()
    host, selection = placing(world, footage, hosting)
    before = state_of(world)
    placed = host.place(selection, result_of(movie(), selection))
    world.project.current.tracks["video"][1].items[0].start += 50  # type: ignore[union-attr]
    host.undo(placed)
    assert state_of(world) == before


def test_undo_of_what_is_not_there_is_said(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make()
    host, selection = placing(world, footage, hosting)
    placed = host.place(selection, result_of(movie(), selection))
    host.undo(placed)
    with pytest.raises(ResolveProblem) as problem:
        host.undo(placed)
    assert problem.value.code == "resolve-not-placed"


def test_undo_on_a_locked_track_is_said_and_changes_nothing(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make(profile="hostile")
    host, selection = placing(world, footage, hosting)
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
    host, selection = placing(world, footage, hosting)
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
    host, selection = placing(world, footage, hosting)
    result = result_of(movie(), selection, settings={"words": "green", "preset": "final", "seed": 7})
    placed = host.place(selection, result)
    assert host.placed() == [(placed, result)]
    world.select(world.project.current.tracks["video"][1].items[0])  # type: ignore[union-attr]
    assert host.select().wish == {"source": "a red car", "target": "a green car", "words": "green"}


def test_results_whose_clip_is_gone_are_not_listed(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make()
    host, selection = placing(world, footage, hosting)
    host.place(selection, result_of(movie(), selection))
    timeline = world.project.current  # type: ignore[union-attr]
    assert timeline is not None
    timeline.AddMarker(0, "Red", "Mine", "", 1, "flowanchor:nonsense")
    timeline.tracks["video"][1].items.clear()
    assert host.placed() == []


def test_a_result_whose_marker_was_removed_is_found_by_that_on_its_clip(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make()
    host, selection = placing(world, footage, hosting)
    before = state_of(world)
    result = result_of(movie(), selection)
    placed = host.place(selection, result)
    world.project.current.markers.clear()  # type: ignore[union-attr]
    assert host.placed() == [(placed, result)]
    host.undo(placed)
    assert state_of(world) == before


def test_on_a_duplicated_timeline_its_own_results_are_meant(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make(profile="hostile")
    host, selection = placing(world, footage, hosting)
    placed = host.place(
        selection, result_of(movie(), selection, settings={"track": 1, "item": selection.item_id})
    )
    project = world.project
    assert project is not None
    original, copy = project.current, project.current.DuplicateTimeline("v2")  # type: ignore[union-attr]
    assert original is not None
    assert copy is not None
    project.SetCurrentTimeline(copy)
    ((found, result),) = host.placed()
    assert (found.timeline_id, found.start, found.track) == (copy.uid, placed.start, placed.track)
    assert result.settings["item"] == copy.tracks["video"][0].items[1].uid
    before = state_of(world)["timelines"][original.uid]
    host.undo(found)
    assert [len(track.items) for track in copy.tracks["video"]] == [3]
    assert copy.markers == {}
    assert state_of(world)["timelines"][original.uid] == before


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_results_on_one_track_go_in_any_order(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path], order: tuple[int, int]
) -> None:
    world = make()
    host, selection = placing(world, footage, hosting)
    other = host.select(clip="after")
    before = state_of(world)
    results = [
        host.place(selection, result_of(movie(name="a.mov"), selection)),
        host.place(other, result_of(movie(10, name="b.mov"), other, job="job-2")),
    ]
    assert [one.track for one in results] == [2, 2]
    for number in order:
        host.undo(results[number])
    assert state_of(world) == before


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_results_over_one_clip_go_in_any_order(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path], order: tuple[int, int]
) -> None:
    world = make()
    host, selection = placing(world, footage, hosting)
    before = state_of(world)
    results = [
        host.place(selection, result_of(movie(name=f"{job}.mov"), selection, job=job))
        for job in ("one", "two")
    ]
    assert [one.track for one in results] == [2, 3]
    for number in order:
        host.undo(results[number])
    assert state_of(world) == before


def test_a_result_in_another_process_is_undone_from_its_marker(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make(profile="hostile")
    host, selection = placing(world, footage, hosting)
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
