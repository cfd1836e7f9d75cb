# SPDX-License-Identifier: Apache-2.0
"""Whatever happens in the middle of an edit, the user is told in plain words, and of what is left undone.

The edit (select, export, place) is played once to see its calls; then again and again with something
happening just before one of them: a dialog opens, the user closes the timeline, Resolve ends. The undo of a
result likewise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flowanchor_resolve.host import Placed
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.watch import Watch

from tests.resolve.core.scene import footage, host_of, result_of, state_of, write_result
from tests.resolve.standin.world import Clip, World

HAPPENINGS: dict[str, Callable[[World], object]] = {
    "a dialog opens": lambda world: world.open_dialog("Save the project?"),
    "the timeline is closed": World.close_timeline,
    "Resolve ends": World.quit,
}
OCCURRENCES = 2
"""Of each method, so many calls are tried: the first ones."""


@dataclass
class Played:
    """How one run of the edit went."""

    world: World
    before: dict[str, Any]
    said: list[str]
    placed: Placed | None = None
    problem: ResolveProblem | None = None


@pytest.fixture(scope="module")
def movie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return footage(tmp_path_factory.mktemp("footage"))


def play(movie: Path, folder: Path, happening: tuple[int, Callable[[World], object]] | None) -> Played:
    """Select, export and place on a hostile Resolve, in folders of its own."""
    volume, out = folder / "volume", folder / "out"
    volume.mkdir(parents=True)
    out.mkdir()
    with World("21.0.4", profile="hostile", volumes=[volume]) as world:
        timeline = world.add_timeline(clips=[Clip(movie, at=10, first=5, frames=4)])
        timeline.playhead += 12
        played = Played(world, state_of(world), [])
        if happening is not None:
            number, action = happening
            world.at_call(number, lambda: action(world))
        try:
            host = host_of(world, played.said, watch=Watch(every=0.002, patience=0.5, settling=0.002))
            selection = host.select()
            host.export_range(selection, out, played.said.append)
            movie_file = write_result(out / "result.mov", selection.rate, selection.frames)
            played.placed = host.place(selection, result_of(movie_file, selection))
        except ResolveProblem as problem:
            played.problem = problem
    return played


def test_undisturbed_it_is_placed(movie: Path, tmp_path: Path) -> None:
    played = play(movie, tmp_path, None)
    assert played.problem is None
    assert played.placed is not None
    assert (played.placed.start, played.placed.end) == (86410, 86414)


@pytest.mark.parametrize("happening", HAPPENINGS)
def test_something_happens_in_the_middle(movie: Path, tmp_path: Path, happening: str) -> None:
    calls = play(movie, tmp_path / "first", None).world.calls
    seen: Counter[str] = Counter()
    tried = 0
    for number, call in enumerate(calls):
        seen[str(call)] += 1
        if seen[str(call)] > OCCURRENCES:
            continue
        tried += 1
        played = play(movie, tmp_path / str(number), (number, HAPPENINGS[happening]))
        where = f"{happening} before call {number}, {call}"
        if played.problem is not None:
            assert played.problem.message.endswith("."), where
            assert played.problem.action.endswith("."), where
        else:
            placed = [
                (item.start, item.end)
                for timeline in played.world.project.timelines  # type: ignore[union-attr]
                for item in timeline.items()
            ]
            assert played.placed is not None, where
            assert (played.placed.start, played.placed.end) in placed, where
        left = _left_behind(played)
        assert not left or played.problem is not None or played.said, f"{where}: {left} and nothing is said"
    assert tried > 80


@pytest.mark.parametrize("as_take", [False, True], ids=["track", "take"])
@pytest.mark.parametrize("happening", HAPPENINGS)
def test_something_happens_in_the_middle_of_an_undo(
    movie: Path, tmp_path: Path, happening: str, as_take: bool
) -> None:
    result = write_result(tmp_path / "result.mov", Fraction(24), 4)
    number = last = 0
    while number <= last:
        with World("21.0.4", profile="hostile", volumes=[tmp_path]) as world:
            timeline = world.add_timeline(clips=[Clip(movie, at=10, first=5, frames=4, name="ours")])
            host = host_of(world, watch=Watch(every=0.002, patience=0.5, settling=0.002))
            before = state_of(world)["timelines"]
            selection = host.select(clip="ours")
            placed = host.place(selection, result_of(result, selection), as_take)
            first = len(world.calls)
            if number:
                world.at_call(first + number - 1, partial(HAPPENINGS[happening], world))
            problem = None
            try:
                host.undo(placed)
            except ResolveProblem as failure:
                problem = failure
            last = last or len(world.calls) - first
            where = f"{happening} before call {number} of the undo, {world.calls[first + number - 1]}"
            if problem is None:
                assert state_of(world)["timelines"] == before, (
                    f"{where}: something is left and nothing is said"
                )
            elif len(timeline.items()) == 1 and timeline.markers and not as_take:
                assert "by hand" in problem.action, f"{where}: {problem}"
            assert number or problem is None
        number += 1
    assert last > 20


def _left_behind(played: Played) -> list[str]:
    """What is not as it was, besides a placed result, settings of the Deliver page that Resolve does not
    tell, and which timeline is open."""
    after = state_of(played.world)
    meant = {"settings", "dialog", "timeline", *(["timelines"] if played.placed else [])}
    return [key for key in played.before if key not in meant and after[key] != played.before[key]]
