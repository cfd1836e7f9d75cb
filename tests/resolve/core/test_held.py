# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C, or another failure, in the middle of putting Resolve back."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flowanchor_resolve.held import held, put_back

from tests.resolve.core.conftest import Hosting, Make
from tests.resolve.core.scene import Clip, World, own_settings, placing, result_of, state_of

Footage = Callable[..., Path]


@pytest.fixture(autouse=True)
def ctrl_c_raises() -> Iterator[None]:
    """As in a terminal; what runs in the background of a shell has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


def ctrl_c_and_before(world: World, name: str, then: Callable[[], None]) -> Callable[[], None]:
    """A Ctrl-C, and something else before the next call of `name`."""

    def act() -> None:
        world.before(name, then)
        ctrl_c()

    return act


def test_the_first_waits_and_the_second_leaves() -> None:
    done: list[int] = []

    def work(times: int) -> None:
        with held():
            for _ in range(times):
                ctrl_c()
            done.append(times)

    for times in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            work(times)
    assert done == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_thread_has_nothing_to_hold() -> None:
    seen: list[str] = []

    def work() -> None:
        with held():
            seen.append("worked")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == ["worked"]


def test_one_that_fails_keeps_none_from_its_turn() -> None:
    left: list[str] = []
    turns: list[str] = []

    def fail() -> bool:
        raise ValueError("Resolve gave nonsense")

    def work() -> bool:
        turns.append("second")
        return True

    put_back([("first", fail), ("second", work), ("third", lambda: False)], left.extend)
    assert (turns, left) == (["second"], ["first", "third"])


@pytest.fixture
def world(make: Make, footage: Footage, volume: Path) -> World:
    world = make("21.1", "studio", "hostile")
    timeline = world.add_timeline(clips=[Clip(footage(), frames=30, name="ours")])
    timeline.SetMarkInOut(2, 9, "all")
    own_settings(world, volume)
    world.app.page = "color"
    return world


@pytest.mark.parametrize(
    "again_at", ["DeleteRenderJob", "LoadRenderPreset", "DeleteRenderPreset", "OpenPage"]
)
def test_ctrl_c_twice_during_an_export_puts_all_back(
    world: World, hosting: Hosting, out: Path, volume: Path, said: list[str], again_at: str
) -> None:
    before = state_of(world)
    host = hosting(world)
    selection = host.select(clip="ours")
    world.before("StartRendering", ctrl_c_and_before(world, again_at, ctrl_c))
    with pytest.raises(KeyboardInterrupt):
        host.export_range(selection, out, said.append)
    assert state_of(world) == before
    assert list(volume.iterdir()) == []
    assert not [sentence for sentence in said if "put back" in sentence]


def test_a_third_one_leaves_and_says_what_remains(
    world: World, hosting: Hosting, out: Path, said: list[str]
) -> None:
    host = hosting(world)
    selection = host.select(clip="ours")

    def leave() -> None:
        ctrl_c()
        ctrl_c()

    world.before("StartRendering", ctrl_c_and_before(world, "LoadRenderPreset", leave))
    with pytest.raises(KeyboardInterrupt):
        host.export_range(selection, out, said.append)
    (left,) = [sentence for sentence in said if "put back" in sentence]
    assert "the render settings, the range of renders, the folder of renders" in left
    assert "FlowAnchor keep" in left
    assert "which tracks are on" not in left
    assert world.app.page == "color"


@pytest.mark.parametrize("at", ["SetCurrentFolder", "DeleteClips", "DeleteTrack"])
def test_ctrl_c_while_a_placement_is_taken_back(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path], at: str
) -> None:
    world = make("21.0.4", profile="hostile")
    host, selection = placing(world, footage, hosting)
    world.app.page = "color"
    before = state_of(world)
    world.before("Timeline.AddMarker", ctrl_c_and_before(world, at, ctrl_c))
    with pytest.raises(KeyboardInterrupt):
        host.place(selection, result_of(movie(), selection))
    assert state_of(world) == before


def test_ctrl_c_when_a_result_is_placed_comes_too_late(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    """Or its file would be removed, which the timeline then refers to."""
    world = make("21.0.4", profile="hostile")
    host, selection = placing(world, footage, hosting)
    world.app.page = "color"
    world.before("TimelineItem.AddMarker", lambda: world.before("OpenPage", ctrl_c))
    placed = host.place(selection, result_of(movie(), selection))
    assert (placed.start, placed.end) == (selection.start, selection.end)
    assert world.app.page == "color"
