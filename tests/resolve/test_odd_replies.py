# SPDX-License-Identifier: Apache-2.0
"""Whatever Resolve answers in the place of an answer, it is worked around or told, and never a traceback.

Exports, placements and their undoing are played again and again, with one reply of each kind of call being
something else: what Resolve has for failure (None, False, "", {}), or what no version is known to give.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.resolve_host import ResolveHost
from flowanchor_resolve.watch import Watch

from tests.resolve.core.scene import footage, probe, result_of, state_of, write_result
from tests.resolve.odd import Odd
from tests.resolve.standin.world import Clip, World

VALUES: list[object] = [None, False, "", {}, "odd", True, [None]]
COMPOSITION = """Composition { RenderRange = { 0, 3 }, Tools = ordered() {
    A = RectangleMask { Inputs = { Width = Input { SourceOp = "S" } } },
    S = BezierSpline { KeyFrames = { [0] = { 0.2 }, [3] = { 0.5 } } } } }"""
WATCH = Watch(every=0.002, patience=0.5, settling=0.002, silence=0.3, stopping=0.3)


@dataclass
class Played:
    calls: list[str]
    changed: list[str]
    """What is not as it was."""
    said: list[str] = field(default_factory=list)
    problem: ResolveProblem | None = None


@pytest.fixture(scope="module")
def movie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return footage(tmp_path_factory.mktemp("footage"))


def play(movie: Path, result: Path, folder: Path, part: str, odd: Odd) -> Played:
    out = folder / "out"
    out.mkdir(parents=True)
    said: list[str] = []
    problem = None
    with World("21.0.4", profile="lenient", volumes=[folder]) as world:
        clips = [Clip(movie, at=10, first=5, frames=4, fusion=COMPOSITION), Clip(movie, frames=30, track=2)]
        timeline = world.add_timeline(clips=clips)
        timeline.tracks["video"][1].name = "FA MASK"
        timeline.playhead += 12
        before = state_of(world)
        try:
            own: Any = odd.wrap(world.scriptapp("Resolve"))
            host = ResolveHost(own, probe, say=said.append, watch=WATCH, source_files=part == "source")
            selection = host.select()
            if part in ("export", "source"):
                host.export_range(selection, out, said.append)
            elif part == "fusion":
                host.export_mask(selection, "fusion", out, said.append)
            else:
                placed = host.place(selection, result_of(result, selection), part == "take")
                assert [one for one, _ in host.placed()] or odd.at is not None
                host.undo(placed)
        except ResolveProblem as failure:
            problem = failure
        after = state_of(world)
    told = {"settings", "dialog"}  # settings cannot be read, so that some cannot be put back
    return Played(
        odd.calls, [key for key in before if key not in told and after[key] != before[key]], said, problem
    )


@pytest.mark.parametrize("part", ["export", "source", "fusion", "place", "take"])
def test_a_reply_is_another(movie: Path, tmp_path: Path, part: str) -> None:
    result = write_result(tmp_path / "result.mov", Fraction(24), 4)
    undisturbed = play(movie, result, tmp_path / "first", part, Odd())
    assert (undisturbed.problem, undisturbed.changed) == (None, [])
    tried = 0
    for name in dict.fromkeys(undisturbed.calls):
        for number, value in enumerate(VALUES):
            at = undisturbed.calls.index(name)
            played = play(movie, result, tmp_path / f"{name}-{number}", part, Odd(at, value))
            where = f"{name} answers {value!r}"
            if played.problem is not None:
                assert played.problem.message.endswith("."), where
                assert played.problem.action.endswith("."), where
            elif played.changed:
                said = [text for text in played.said if not text.startswith("Resolve renders")]
                assert said, f"{where}: {played.changed}"
            tried += 1
    assert tried > 20 * len(VALUES)
