# SPDX-License-Identifier: Apache-2.0
"""Results as takes: the clip keeps its length and its original, and nothing is finalised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from flowanchor_resolve.problems import ResolveProblem

from tests.resolve.core.conftest import Hosting, Make
from tests.resolve.core.scene import EDITIONS, Clip, World, numbers, own_settings, result_of, state_of

Footage = Callable[..., Path]
BUILDS = [pytest.param(*one, id="-".join(one[:2])) for one in EDITIONS]


@pytest.fixture
def result(footage: Footage) -> Path:
    """Twenty numbered frames, counted from 0."""
    return footage(Fraction(24), 20, ".mov")


def scene(world: World, footage: Footage) -> Any:
    return world.add_timeline(
        clips=[
            Clip(footage(), at=10, first=5, frames=20, name="ours"),
            Clip(footage(), at=30, frames=10, name="after"),
        ]
    )


@pytest.mark.parametrize("profile", ["strict", "hostile"])
@pytest.mark.parametrize(("version", "edition", "where"), BUILDS)
def test_a_take_is_added_selected_and_taken_away_again(
    make: Make,
    hosting: Hosting,
    footage: Footage,
    result: Path,
    out: Path,
    volume: Path,
    version: str,
    edition: str,
    where: str,
    profile: str,
) -> None:
    world = make(version, edition, profile, where)
    timeline = scene(world, footage)
    own_settings(world, volume)
    host = hosting(world)
    selection = host.select(clip="ours")
    before = state_of(world)
    placed = host.place(selection, result_of(result, selection), as_take=True)
    assert (placed.take, placed.track, placed.made_track) == (2, 1, False)
    assert (placed.start, placed.end) == (selection.start, selection.end)
    assert len(timeline.tracks["video"]) == 1
    assert not world.called("FinalizeTake")
    assert numbers(host.export_range(selection, out, print).path) == list(range(20))
    assert [one.take for one, _ in host.placed()] == [2]
    host.undo(placed)
    assert state_of(world) == before
    assert numbers(host.export_range(selection, out, print).path) == list(range(5, 25))


def test_a_part_of_a_clip_is_no_take(make: Make, hosting: Hosting, footage: Footage, result: Path) -> None:
    world = make()
    scene(world, footage)
    host = hosting(world)
    selection = replace(host.select(clip="ours"), start=86415)
    short = result_of(footage(Fraction(24), 15, ".mov"), selection)
    before = state_of(world)
    with pytest.raises(ResolveProblem) as problem:
        host.place(selection, short, as_take=True)
    assert problem.value.code == "resolve-take-range"
    assert state_of(world) == before


@pytest.mark.parametrize("change", ["shorter", "shift", "refused", "unselected"])
def test_a_take_that_changes_anything_is_taken_away_again(
    make: Make,
    hosting: Hosting,
    footage: Footage,
    result: Path,
    change: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = make(profile="lenient")
    timeline = scene(world, footage)
    item, after = timeline.tracks["video"][0].items
    kind = type(item)
    plain = kind.AddTake

    def add(self: Any, *arguments: Any) -> bool:
        if change == "refused":
            return True
        answer = bool(plain(self, *arguments))
        if change == "shorter":
            self.duration -= 1
        elif change == "shift":
            after.start += 1
        else:
            self.SelectTakeByIndex(1)
        return answer

    monkeypatch.setattr(kind, "AddTake", add)
    host = hosting(world)
    selection = host.select(clip="ours")
    before = state_of(world)
    if change == "unselected":
        assert host.place(selection, result_of(result, selection), as_take=True).take == 2
        assert item.GetSelectedTakeIndex() == 2
        return
    with pytest.raises(ResolveProblem) as problem:
        host.place(selection, result_of(result, selection), as_take=True)
    assert problem.value.code == "resolve-take-differs"
    assert not item.takes
    if change != "shift":
        assert state_of(world) == before


def test_a_clip_that_has_takes_keeps_them(
    make: Make, hosting: Hosting, footage: Footage, result: Path
) -> None:
    world = make(profile="hostile")
    timeline = scene(world, footage)
    item = timeline.tracks["video"][0].items[0]
    own = world.add_media(footage(Fraction(24), 20, ".mkv"))
    assert item.AddTake(own)
    host = hosting(world)
    selection = host.select(clip="ours")
    placed = host.place(selection, result_of(result, selection), as_take=True)
    assert (placed.take, item.GetTakesCount()) == (3, 3)
    host.undo(placed)
    assert item.GetTakesCount() == 2
    with pytest.raises(ResolveProblem) as problem:
        host.undo(placed)
    assert problem.value.code == "resolve-not-placed"
