# SPDX-License-Identifier: Apache-2.0
"""Traps of asking Resolve, and of staying inside it; see test_rendering.py."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from flowanchor_resolve.problems import ResolveProblem

from tests.resolve.core.conftest import Hosting, Make
from tests.resolve.core.scene import result_of, state_of
from tests.resolve.core.traps.conftest import PACKAGE, Footage, timeline_of


@pytest.mark.parametrize("start", ["00:00:00:00", "01:00:00:00", "10:00:00:00"])
def test_markers_and_marks_are_relative_and_items_absolute(
    make: Make, hosting: Hosting, footage: Footage, movie: Path, start: str
) -> None:
    world = make("20", "studio", "hostile")
    timeline = timeline_of(world, footage, start_timecode=start)
    timeline.SetMarkInOut(10, 29, "all")
    host = hosting(world)
    selection = host.select(clip="ours")
    assert (selection.start - timeline.start, selection.frames) == (10, 20)
    placed = host.place(selection, result_of(movie, selection))
    assert list(timeline.markers) == [10]
    assert placed.start == timeline.start + 10


def test_versions_before_20_are_not_asked_for_marks(make: Make, hosting: Hosting, footage: Footage) -> None:
    world = make("19.1", "studio", "strict")
    timeline_of(world, footage)
    assert hosting(world).select(clip="ours").frames == 20
    assert not world.called("GetMarkInOut")


@pytest.mark.parametrize("version", ["18.6", "19.1"])
def test_no_studio_only_call_is_made_on_the_free_edition(
    make: Make, hosting: Hosting, footage: Footage, movie: Path, out: Path, said: list[str], version: str
) -> None:
    world = make(version, "free", "hostile", "in-app")
    timeline_of(world, footage)
    host = hosting(world)
    selection = host.select(clip="ours")
    host.export_range(selection, out, said.append)
    with pytest.raises(ResolveProblem):
        host.export_mask(selection, "auto", out, said.append)
    host.undo(host.place(selection, result_of(movie, selection)))
    host.undo(host.place(selection, result_of(movie, selection), as_take=True))
    assert host.placed() == []
    assert world.dialog is None


def test_nothing_that_runs_inside_resolve_stays_there() -> None:
    """Of what a script inside Resolve can reach, endless loops are those of readers and of the wait for a
    render, which ends; nothing starts threads, timers or servers."""
    inside = _reachable({"inapp", "poke", "resolve_host"})
    assert {"resolve_host", "deliver", "watch", "place"} <= inside
    endless, banned = set(), set()
    for name in inside:
        tree = ast.parse(PACKAGE.joinpath(*name.split(".")).with_suffix(".py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.While) and isinstance(node.test, ast.Constant):
                endless.add(name)
            if isinstance(node, ast.Import | ast.ImportFrom):
                modules = {alias.name for alias in node.names} | {getattr(node, "module", "")}
                banned |= modules & {"threading", "asyncio", "socketserver", "sched", "multiprocessing"}
    assert endless <= {"watch", "fusion.text"}
    assert not banned


def test_a_dialog_is_told_as_what_it_is(
    make: Make, hosting: Hosting, footage: Footage, movie: Path, out: Path, said: list[str]
) -> None:
    world = make(profile="hostile")
    timeline_of(world, footage)
    host = hosting(world)
    selection = host.select(clip="ours")
    before = state_of(world)
    world.open_dialog("Media offline")
    attempts: list[Callable[[], object]] = [
        lambda: host.select(),
        lambda: host.export_range(selection, out, said.append),
        lambda: host.export_mask(selection, "auto", out, said.append),
        lambda: host.place(selection, result_of(movie, selection)),
        lambda: host.placed(),
        lambda: hosting(world),
    ]
    for attempt in attempts:
        with pytest.raises(ResolveProblem) as problem:
            attempt()
        assert problem.value.code == "resolve-dialog-open"
        assert "A dialog is open in Resolve" in problem.value.message
    world.dismiss_dialog()
    assert state_of(world) == before


def _reachable(names: set[str]) -> set[str]:
    """Modules of the package that these import, themselves included."""
    found: set[str] = set()
    pending = set(names)
    while pending:
        name = pending.pop()
        path = PACKAGE.joinpath(*name.split(".")).with_suffix(".py")
        if name in found or not path.is_file():
            continue
        found.add(name)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("flowanchor_resolve"):
                inner = (node.module or "").removeprefix("flowanchor_resolve").lstrip(".")
                pending |= {inner} if inner else {alias.name for alias in node.names}
                pending |= {f"{inner}.{alias.name}" for alias in node.names if inner}
    return found
