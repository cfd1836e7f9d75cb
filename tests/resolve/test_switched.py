# SPDX-License-Identifier: Apache-2.0
"""The user opens another timeline in the middle of an edit or of a placement.

Render jobs and clips that are appended go to whichever timeline is open, whatever timeline the caller has in
his hand. So the edit is played again and again, and another timeline opened before each of its calls: the
pictures are those of the clip, the other timeline stays as it is, or it is told.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flowanchor_resolve.calls import Calls
from flowanchor_resolve.host import Placed
from flowanchor_resolve.opened import open_current
from flowanchor_resolve.place import Placement
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.watch import Watch

from tests.resolve.core.scene import footage, host_of, numbers, result_of, state_of, write_result
from tests.resolve.standin.world import Clip, World

SHOWN = [5, 6, 7, 8]
"""Numbers of the clip's pictures; the other timeline has others at the same frames."""
OCCURRENCES = 2
"""Of each method, so many calls are tried: the first ones."""


@dataclass
class Played:
    world: World
    said: list[str]
    other: Any
    ours: Any
    before: dict[str, Any]
    shown: list[int | None] | None = None
    placed: Placed | None = None
    problem: ResolveProblem | None = None


@pytest.fixture(scope="module")
def movie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return footage(tmp_path_factory.mktemp("footage"))


def play(movie: Path, folder: Path, part: str, switched: int | None = None) -> Played:
    """Export the clip's range, or place a result over it, the other timeline being opened before a call of
    this, by its number."""
    volume, out = folder / "volume", folder / "out"
    volume.mkdir(parents=True)
    out.mkdir()
    with World("21.0.4", profile="hostile", volumes=[volume]) as world:
        clips = [Clip(movie, frames=30), Clip(movie, at=200, frames=5, track=2)]
        other = world.add_timeline(clips=clips, name="other")
        ours = world.add_timeline(clips=[Clip(movie, at=10, first=5, frames=4, name="ours")], name="ours")
        said: list[str] = []
        host = host_of(world, said, watch=Watch(every=0.002, patience=5, settling=0.002))
        selection = host.select(clip="ours")
        result = result_of(write_result(out / "result.mov", selection.rate, selection.frames), selection)
        if part == "place":  # the file is in the media pool already, and is not taken out of it again
            host.undo(host.place(selection, result))
        played = Played(world, said, other, ours, state_of(world))
        if switched is not None:

            def switch() -> None:
                assert world.project is not None
                world.project.current = other

            world.at_call(len(world.calls) + switched, switch)
        first = len(world.calls)
        try:
            if part == "export":
                played.shown = numbers(host.export_range(selection, out, played.said.append).path)
            else:
                played.placed = host.place(selection, result)
        except ResolveProblem as problem:
            played.problem = problem
        del world.calls[:first]
    return played


@pytest.mark.parametrize("part", ["export", "place"])
def test_another_timeline_is_opened_in_the_middle(movie: Path, tmp_path: Path, part: str) -> None:
    undisturbed = play(movie, tmp_path / "first", part)
    assert undisturbed.problem is None
    assert (undisturbed.shown, undisturbed.placed is None) == (
        (SHOWN, True) if part == "export" else (None, False)
    )
    seen: Counter[str] = Counter()
    told = 0
    for number, call in enumerate(undisturbed.world.calls):
        seen[str(call)] += 1
        if seen[str(call)] > OCCURRENCES:
            continue
        played = play(movie, tmp_path / str(number), part, number)
        where = f"switched before call {number}, {call}: {played.problem}, {played.said}"
        after = state_of(played.world)
        assert after["timelines"][played.other.uid] == played.before["timelines"][played.other.uid], where
        assert played.shown in (None, SHOWN), where
        if played.problem is not None or part == "export":
            assert after["timelines"][played.ours.uid] == played.before["timelines"][played.ours.uid], where
        elif played.placed is not None:
            assert len(played.ours.items()) == 2, where
        if played.problem is not None:
            told += 1
            assert played.problem.code in ("resolve-timeline-closed", "resolve-place-differs"), where
            assert "could not be put back" not in " ".join(played.said), where
    assert told > 3


def test_the_timeline_that_the_user_has_opened_stays_open(movie: Path, tmp_path: Path) -> None:
    calls = [call.name for call in play(movie, tmp_path / "first", "export").world.calls]
    played = play(movie, tmp_path / "second", "export", calls.index("StartRendering") - 4)
    assert played.problem is not None
    assert "another one was opened" in played.problem.message
    assert played.world.project is not None
    assert played.world.project.current is played.other
    after = state_of(played.world)
    untold = {"settings": None, "timeline": None}  # settings that were never made cannot be taken back
    assert {**after, **untold} == {**played.before, **untold}


def test_a_clip_that_lies_nobody_knows_where_is_told(movie: Path) -> None:
    """It may be on whichever timeline was open: the user has to look."""
    with World("21.0.4") as world:
        other, ours = world.add_timeline(name="other"), world.add_timeline(clips=[Clip(movie)], name="ours")
        placement = Placement(open_current(Calls(world.scriptapp("Resolve"))), lambda text: None)
        (on_ours,) = ours.items()
        assert placement._remove_stray([])
        assert world.project is not None
        world.project.current = other
        assert placement._remove_stray([on_ours.uid])
        for ids in ([], [""], ["on a third timeline"], [on_ours.uid, "on a third timeline"]):
            assert not placement._remove_stray(ids)
