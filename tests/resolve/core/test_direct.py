# SPDX-License-Identifier: Apache-2.0
"""The clip's own file is taken only when asked for and when nothing speaks against it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.resolve.core.conftest import Hosting, Make
from tests.resolve.core.scene import Clip, World, numbers
from tests.resolve.standin.model.item import Look

Footage = Callable[..., Path]


def exported(
    world: World, hosting: Hosting, out: Path, said: list[str], **more: Any
) -> tuple[bool, Path, int, list[str]]:
    host = hosting(world, source_files=True, **more)
    footage = host.export_range(host.select(clip="ours"), out, said.append)
    return footage.direct, footage.path, footage.first, said


@pytest.mark.parametrize("version", ["20", "21.0.4", "21.1"])
@pytest.mark.parametrize("profile", ["strict", "hostile"])
def test_an_untouched_clip_is_taken_as_it_is(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str], version: str, profile: str
) -> None:
    world = make(version, "studio", profile)
    world.add_timeline(clips=[Clip(footage(), at=4, first=7, frames=20, name="ours")])
    direct, path, first, _ = exported(world, hosting, out, said)
    assert (direct, path, first) == (True, footage(), 7)
    assert not world.called("AddRenderJob")
    assert numbers(path)[first : first + 20] == list(range(7, 27))


def test_it_is_rendered_unless_asked_for(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make()
    world.add_timeline(clips=[Clip(footage(), frames=20, name="ours")])
    host = hosting(world)
    assert not host.export_range(host.select(clip="ours"), out, said.append).direct


CHANGES: dict[str, dict[str, Any]] = {
    "Pan": {"properties": {"Pan": 3.0}},
    "ZoomX": {"properties": {"ZoomX": 1.5, "ZoomY": 1.5}},
    "FlipX": {"properties": {"FlipX": True}},
    "RotationAngle": {"properties": {"RotationAngle": 10.0}},
    "Opacity": {"properties": {"Opacity": 50.0}},
    "graded": {"look": Look(gain=0.5)},
    "Fusion": {"fusion_shows": "invert"},
    "retimed": {"speed": Fraction(2)},
}


@pytest.mark.parametrize("version", ["20", "21.1"])
@pytest.mark.parametrize("why", CHANGES)
def test_any_sign_of_a_difference_leads_to_a_render(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str], why: str, version: str
) -> None:
    world = make(version)
    world.add_timeline(clips=[Clip(footage(), frames=10, name="ours", **CHANGES[why])])
    direct, _, _, sentences = exported(world, hosting, out, said)
    assert not direct
    assert any(
        why in sentence for sentence in sentences if sentence.startswith("The range is rendered, since")
    )


def test_something_below_leads_to_a_render(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make()
    below = Clip(footage(), at=5, frames=2, track=1, name="below")
    timeline = world.add_timeline(clips=[below, Clip(footage(), frames=10, track=2, name="ours")])
    assert not exported(world, hosting, out, said)[0]
    timeline.tracks["video"][0].enabled = False
    assert exported(world, hosting, out, said)[0]


def test_another_rate_or_size_leads_to_a_render(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make()
    world.add_timeline(clips=[Clip(footage(Fraction(25)), frames=10, name="ours")])
    assert not exported(world, hosting, out, said)[0]
    assert any("frames a second" in sentence for sentence in said)
    world.add_timeline(name="Large", size=(384, 192), clips=[Clip(footage(), frames=10, name="ours")])
    assert not exported(world, hosting, out, said)[0]
    assert any("another size" in sentence for sentence in said)


def test_clip_attributes_lead_to_a_render(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make()
    world.add_timeline(clips=[Clip(footage(), frames=10, name="ours")])
    world.add_media(footage()).SetClipProperty("Data Level", "Full")
    assert not exported(world, hosting, out, said)[0]
    assert any("Data Level" in sentence for sentence in said)


def test_versions_that_tell_too_little_render(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make("18.6", "studio", "strict")
    world.add_timeline(clips=[Clip(footage(), frames=10, name="ours")])
    assert not exported(world, hosting, out, said)[0]
    assert any("does not tell" in sentence for sentence in said)


@pytest.mark.parametrize("science", ["davinciYRGBColorManagedv2", "acescct", ""])
def test_a_colour_managed_project_leads_to_a_render(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str], science: str
) -> None:
    world = make()
    world.add_timeline(clips=[Clip(footage(), frames=10, name="ours")])
    assert world.project is not None
    world.project.colour_science = science
    assert not exported(world, hosting, out, said)[0]
    assert any("colour managed" in sentence for sentence in said)
