# SPDX-License-Identifier: Apache-2.0
"""What users have measured of a real Resolve's Deliver page beyond the table of traps: calls that are refused
for a while, keys that take others down with them, getters that switch pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flowanchor_resolve.problems import ResolveProblem

from tests.resolve.core.conftest import Hosting, Make
from tests.resolve.core.scene import Clip, World, numbers, own_settings, state_of

Footage = Callable[..., Path]


@pytest.fixture
def world(make: Make, footage: Footage, volume: Path) -> World:
    world = make(profile="hostile")
    world.add_timeline(clips=[Clip(footage(), at=10, first=5, frames=20, name="ours")])
    own_settings(world, volume)
    world.app.page = "color"
    return world


def exported(world: World, hosting: Hosting, out: Path, said: list[str]) -> list[int | None]:
    host = hosting(world)
    return numbers(host.export_range(host.select(clip="ours"), out, said.append).path)


def after(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, then: Callable[..., Any]) -> None:
    """Let a method of the model do something more: `then(plain, self, *arguments)`."""
    plain = getattr(owner, name)
    monkeypatch.setattr(owner, name, lambda self, *arguments: then(plain, self, *arguments))


def test_a_job_that_is_refused_right_after_the_page_was_opened_is_tried_again(
    world: World, hosting: Hosting, out: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = [0]

    def late(plain: Callable[..., str], self: Any) -> str:
        refused[0] += 1
        return "" if refused[0] % 3 else plain(self)

    after(monkeypatch, type(world.project), "AddRenderJob", late)
    before = state_of(world)
    assert exported(world, hosting, out, said) == list(range(5, 25))
    assert refused[0] >= 4
    assert state_of(world) == before


def test_a_job_that_is_always_refused_is_told(
    world: World, hosting: Hosting, out: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    after(monkeypatch, type(world.project), "AddRenderJob", lambda plain, self: "")
    with pytest.raises(ResolveProblem) as problem:
        exported(world, hosting, out, said)
    assert problem.value.message == "Resolve did not add a job to the render queue."


@pytest.mark.parametrize("key", ["ColorSpaceTag", "GammaTag", "PixelAspectRatio", "FrameRate"])
def test_a_key_that_is_refused_takes_no_other_down(
    world: World,
    hosting: Hosting,
    out: Path,
    said: list[str],
    key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def picky(plain: Callable[..., bool], self: Any, settings: dict[str, Any]) -> bool:
        return False if key in settings else plain(self, settings)

    after(monkeypatch, type(world.project), "SetRenderSettings", picky)
    assert exported(world, hosting, out, said) == list(range(5, 25))


def test_the_name_of_files_is_never_set(world: World, hosting: Hosting, out: Path, said: list[str]) -> None:
    """It could neither be read before nor cleared afterwards."""
    exported(world, hosting, out, said)
    assert world.called("SetRenderSettings")
    assert not [one for (one,) in world.called("SetRenderSettings") if "CustomName" in one]


def test_a_getter_that_switches_pages_costs_nobody_the_page(
    world: World, hosting: Hosting, out: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def switching(plain: Callable[..., Any], self: Any, *arguments: Any) -> Any:
        world.app.page = "deliver"
        return plain(self, *arguments)

    for name in ("GetCurrentRenderMode", "SetCurrentRenderMode", "SetRenderSettings", "AddRenderJob"):
        after(monkeypatch, type(world.project), name, switching)
    before = state_of(world)
    exported(world, hosting, out, said)
    assert state_of(world) == before


def test_a_page_that_comes_back_late_is_waited_for(
    world: World, hosting: Hosting, out: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [0]

    def late(plain: Callable[..., bool], self: Any, page: str) -> bool:
        asked[0] += 1
        return True if page == "color" and asked[0] < 4 else plain(self, page)

    after(monkeypatch, type(world.app), "OpenPage", late)
    exported(world, hosting, out, said)
    assert world.app.page == "color"
    assert not [sentence for sentence in said if "page" in sentence]


def test_a_page_that_never_comes_back_is_told(
    world: World, hosting: Hosting, out: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    after(
        monkeypatch,
        type(world.app),
        "OpenPage",
        lambda plain, self, page: True if page == "color" else plain(self, page),
    )
    exported(world, hosting, out, said)
    assert "Resolve's color page could not be opened again." in said


def test_a_playhead_that_a_render_moves_comes_back(
    world: World, hosting: Hosting, out: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.project is not None
    timeline = world.project.current
    assert timeline is not None
    timeline.playhead = timeline.start + 3

    def moving(plain: Callable[..., bool], self: Any, *arguments: Any) -> bool:
        timeline.playhead = timeline.start + 15
        return plain(self, *arguments)

    after(monkeypatch, type(world.project), "StartRendering", moving)
    exported(world, hosting, out, said)
    assert timeline.playhead == timeline.start + 3


def test_without_a_folder_of_renders_ours_is_not_left_behind(
    world: World, hosting: Hosting, out: Path, volume: Path, said: list[str]
) -> None:
    """No job can be added then, and none of the settings read; a folder that is there is left."""
    assert world.project is not None
    world.project.render.state.settings = {"ExportVideo": True, "ExportAudio": True}
    exported(world, hosting, out, said)
    assert world.project.render.state.settings["TargetDir"] == str(volume)
    assert not [sentence for sentence in said if "put back" in sentence]


def test_a_whole_timeline_stays_chosen(world: World, hosting: Hosting, out: Path, said: list[str]) -> None:
    assert world.project is not None
    world.project.render.state.settings |= {"SelectAllFrames": True}
    exported(world, hosting, out, said)
    assert world.project.render.state.settings["SelectAllFrames"]
