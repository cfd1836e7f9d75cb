# SPDX-License-Identifier: Apache-2.0
"""Where the region comes from, in which order, and what is said when it is not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flowanchor_resolve.host import Probed, Region
from flowanchor_resolve.problems import ResolveProblem

from tests.blender.host import numbered
from tests.resolve.core.conftest import Hosting, Make
from tests.resolve.core.scene import EDITIONS, Clip, World, alphas, numbers, own_settings, probe, state_of
from tests.resolve.standin.model.item import Look

Footage = Callable[..., Path]
BUILDS = [pytest.param(*one, id="-".join(one[:2])) for one in EDITIONS]
BOX = (48, 24, 64, 32)
SQUARE = """Composition {
    RenderRange = { 0, 19 },
    Tools = ordered() {
        Polygon1 = PolylineMask {
            Inputs = { Polyline = Input { Value = Polyline { Closed = true, Points = {
                { X = -0.25, Y = -0.25 }, { X = 0.25, Y = -0.25 },
                { X = 0.25, Y = 0.25 }, { X = -0.25, Y = 0.25 },
            } }, }, },
        },
    },
}"""
CORNERS = [(48.0, 72.0), (144.0, 72.0), (144.0, 24.0), (48.0, 24.0)]


@pytest.fixture
def everything(footage: Footage) -> Clip:
    """A clip with alpha, a Fusion mask and a matte."""
    return Clip(
        footage(),
        at=0,
        frames=20,
        name="ours",
        look=Look(alpha=BOX),
        fusion=SQUARE,
        mattes=[footage()],
    )


def region_of(world: World, hosting: Hosting, out: Path, said: list[str], source: Any, **more: Any) -> Region:
    host = hosting(world, **more)
    return host.export_mask(host.select(clip="ours"), source, out, said.append)


def problem_of(*arguments: Any, **more: Any) -> ResolveProblem:
    with pytest.raises(ResolveProblem) as problem:
        region_of(*arguments, **more)
    return problem.value


@pytest.mark.parametrize("profile", ["strict", "hostile"])
@pytest.mark.parametrize(("version", "edition", "where"), BUILDS)
def test_a_clip_on_the_mask_track_is_rendered_alone(
    make: Make,
    hosting: Hosting,
    footage: Footage,
    everything: Clip,
    out: Path,
    volume: Path,
    said: list[str],
    version: str,
    edition: str,
    where: str,
    profile: str,
) -> None:
    world = make(version, edition, profile, where)
    mask = Clip(footage(), at=0, first=15, frames=20, track=2, name="mask")
    timeline = world.add_timeline(clips=[everything, mask])
    timeline.tracks["video"][1].name = "FA MASK"
    timeline.tracks["video"][1].enabled = False
    own_settings(world, volume)
    before = state_of(world)
    region = region_of(world, hosting, out, said, "auto")
    assert region.source == "track"
    (movie,) = region.movies
    assert numbers(movie.path) == list(range(15, 35))
    assert (movie.frames, movie.first, movie.in_alpha, movie.direct) == (20, 0, False, False)
    assert "The region is what is on the track FA MASK." in said
    assert state_of(world) == before


def test_frames_without_a_mask_clip_are_counted(
    make: Make, hosting: Hosting, footage: Footage, everything: Clip, out: Path, said: list[str]
) -> None:
    world = make()
    mask = Clip(footage(), at=5, frames=10, track=2)
    world.add_timeline(clips=[everything, mask]).tracks["video"][1].name = "FA MASK"
    region = region_of(world, hosting, out, said, "track")
    assert region.notes == ["10 of 20 frames have no clip on the track FA MASK."]


@pytest.mark.parametrize("profile", ["strict", "hostile"])
@pytest.mark.parametrize(("version", "edition", "where"), BUILDS)
def test_without_one_the_alpha_output_is_rendered(
    make: Make,
    hosting: Hosting,
    footage: Footage,
    everything: Clip,
    out: Path,
    said: list[str],
    version: str,
    edition: str,
    where: str,
    profile: str,
) -> None:
    world = make(version, edition, profile, where)
    world.add_timeline(clips=[Clip(footage(), frames=20, track=1), replace(everything, track=2)])
    region = region_of(world, hosting, out, said, "auto")
    assert region.source == "alpha"
    (movie,) = region.movies
    assert movie.in_alpha
    assert probe(movie.path).alpha
    left, top, across, down = BOX
    expected = np.zeros((numbered.HEIGHT, numbered.WIDTH), bool)
    expected[top : top + down, left : left + across] = True
    for plane in alphas(movie.path):
        assert ((plane > 127) == expected).all()


@pytest.mark.parametrize("profile", ["strict", "hostile"])
@pytest.mark.parametrize(("version", "edition", "where"), BUILDS)
def test_without_alpha_the_fusion_mask_is_read(
    make: Make,
    hosting: Hosting,
    everything: Clip,
    out: Path,
    said: list[str],
    version: str,
    edition: str,
    where: str,
    profile: str,
) -> None:
    world = make(version, edition, profile, where)
    world.add_timeline(clips=[replace(everything, look=Look())])
    region = region_of(world, hosting, out, said, "auto")
    assert region.source == "fusion"
    (polygon,) = region.polygons
    assert polygon.keyframes == [(0, CORNERS)]
    assert not region.movies
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("profile", ["strict", "hostile"])
def test_without_that_the_attached_matte_is_taken(
    make: Make, hosting: Hosting, footage: Footage, everything: Clip, out: Path, said: list[str], profile: str
) -> None:
    world = make("21.0.4", "studio", profile)
    world.add_timeline(clips=[replace(everything, look=Look(), fusion=None, first=6)])
    region = region_of(world, hosting, out, said, "auto")
    assert region.source == "matte"
    (movie,) = region.movies
    assert (movie.path, movie.first, movie.frames, movie.direct) == (footage(), 6, 20, True)


def test_without_any_it_is_said_what_was_looked_for(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make()
    world.add_timeline(clips=[Clip(footage(), frames=20, name="ours")])
    problem = problem_of(world, hosting, out, said, "auto")
    assert problem.code == "resolve-no-mask"
    for reason in ("no track named FA MASK", "nowhere transparent", "no Fusion composition", "no matte"):
        assert reason in problem.message
    assert list(out.iterdir()) == []


def test_a_source_that_is_named_is_the_only_one(
    make: Make, hosting: Hosting, footage: Footage, everything: Clip, out: Path, said: list[str]
) -> None:
    world = make()
    world.add_timeline(clips=[everything])
    assert region_of(world, hosting, out, said, "matte").source == "matte"
    assert region_of(world, hosting, out, said, "fusion").source == "fusion"
    assert region_of(world, hosting, out, said, "alpha").source == "alpha"
    assert problem_of(world, hosting, out, said, "track").code == "resolve-no-mask"


def test_a_render_without_alpha_says_what_to_add(
    make: Make, hosting: Hosting, everything: Clip, out: Path, said: list[str]
) -> None:
    world = make()
    world.add_timeline(clips=[everything])
    opaque = problem_of(
        world, hosting, out, said, "alpha", probe=lambda path: replace(probe(path), alpha=False)
    )
    assert opaque.code == "resolve-no-alpha"
    assert "Alpha Output" in opaque.action


def test_where_it_is_not_looked_alpha_is_not_guessed(
    make: Make, hosting: Hosting, everything: Clip, out: Path, said: list[str]
) -> None:
    """A probe that cannot look into pictures leaves "auto" to the other sources, without a render, and a wish
    for alpha as it is."""
    world = make()
    world.add_timeline(clips=[everything])

    def blind(path: Path) -> Probed:
        return replace(probe(path), transparent=None)

    more: dict[str, Any] = {"probe": blind, "sees_pictures": False}
    assert region_of(world, hosting, out, said, "auto", **more).source == "fusion"
    assert not world.called("StartRendering")
    assert region_of(world, hosting, out, said, "alpha", **more).source == "alpha"


@pytest.mark.parametrize("version", ["18.6", "20", "21.1"])
def test_a_mask_on_a_trimmed_clip_counts_from_its_first_frame(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str], version: str
) -> None:
    moving = SQUARE.replace(
        "Value = Polyline {", 'SourceOp = "P", Source = "Value", Unused = Polyline {'
    ).replace(
        "    },\n}",
        """ P = BezierSpline { KeyFrames = {
        [0] = { 0, Value = Polyline { Closed = true, Points = {
            { X = -0.25, Y = 0 }, { X = 0, Y = 0 }, { X = 0, Y = 0.25 } } } },
        [16] = { 1, Value = Polyline { Closed = true, Points = {
            { X = -0.25, Y = 0 }, { X = 0.25, Y = 0 }, { X = 0, Y = 0.25 } } } },
        } }, },\n}""",
    )
    world = make(version)
    clip = Clip(footage(), at=3, first=11, frames=20, name="ours", fusion=moving)
    world.add_timeline(clips=[clip])
    host = hosting(world)
    chosen = host.select(clip="ours")
    part = replace(chosen, start=chosen.start + 4, end=chosen.start + 12)
    region = host.export_mask(part, "fusion", out, said.append)
    assert bool(region.notes) == (version == "18.6")
    (polygon,) = region.polygons
    assert [frame for frame, _ in polygon.keyframes] == [0, 7]
    assert polygon.keyframes[0][1][1] == pytest.approx((96 + 48 * 4 / 16, 48))
    assert polygon.keyframes[1][1][1] == pytest.approx((96 + 48 * 11 / 16, 48))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"properties": {"ZoomX": 2.0, "ZoomY": 2.0}}, "ZoomX"),
        ({"properties": {"Pan": 5.0}}, "Pan"),
        ({"properties": {"RotationAngle": 5.0}}, "RotationAngle"),
    ],
)
def test_a_fusion_mask_on_a_moved_clip_is_refused(
    make: Make,
    hosting: Hosting,
    everything: Clip,
    out: Path,
    said: list[str],
    changes: dict[str, Any],
    word: str,
) -> None:
    world = make()
    world.add_timeline(clips=[replace(everything, **changes)])
    problem = problem_of(world, hosting, out, said, "fusion")
    assert problem.code == "fusion-placement"
    assert word in problem.message


def test_a_fusion_mask_on_a_picture_of_another_shape_is_refused(
    make: Make, hosting: Hosting, everything: Clip, out: Path, said: list[str]
) -> None:
    world = make()
    world.add_timeline(size=(192, 128), clips=[everything])
    assert problem_of(world, hosting, out, said, "fusion").code == "fusion-placement"
    world.add_timeline(name="Twice", size=(384, 192), clips=[everything])
    (polygon,) = region_of(world, hosting, out, said, "fusion").polygons
    assert polygon.keyframes == [(0, [(2 * x, 2 * y) for x, y in CORNERS])]
    unscaled = replace(everything, properties={"Scaling": 1})
    world.add_timeline(name="Unscaled", size=(384, 192), clips=[unscaled])
    assert "not scaled" in problem_of(world, hosting, out, said, "fusion").message


def test_two_compositions_with_masks_are_told(
    make: Make, hosting: Hosting, everything: Clip, out: Path, said: list[str]
) -> None:
    world = make()
    timeline = world.add_timeline(clips=[everything])
    item = timeline.tracks["video"][0].items[0]
    item.AddFusionComp()
    assert region_of(world, hosting, out, said, "fusion").source == "fusion"
    item.add_comp(SQUARE)
    assert problem_of(world, hosting, out, said, "fusion").code == "fusion-ambiguous"


def test_a_moving_mask_on_a_retimed_clip_is_refused(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    growing = (
        "Composition { Tools = ordered() { E = EllipseMask { Inputs = {"
        ' Width = Input { SourceOp = "W", Source = "Value", } } },'
        " W = BezierSpline { KeyFrames = { [0] = { 0.1 }, [9] = { 0.4 } } } } }"
    )
    world = make()
    clip = Clip(footage(), frames=10, speed=Fraction(2), name="ours", fusion=growing)
    world.add_timeline(clips=[clip])
    problem = problem_of(world, hosting, out, said, "fusion")
    assert problem.code == "fusion-placement"
    assert "retimed" in problem.message


def test_a_broken_composition_is_told(
    make: Make, hosting: Hosting, everything: Clip, out: Path, said: list[str]
) -> None:
    world = make()
    world.add_timeline(clips=[replace(everything, fusion="Composition { Tools = ")])
    assert problem_of(world, hosting, out, said, "fusion").code == "fusion-unreadable"
    assert list(out.iterdir()) == []


def test_a_matte_that_does_not_fit_is_told(
    make: Make, hosting: Hosting, footage: Footage, everything: Clip, out: Path, said: list[str]
) -> None:
    world = make()
    timeline = world.add_timeline(clips=[replace(everything, mattes=[footage(Fraction(24), 10)])])
    assert problem_of(world, hosting, out, said, "matte").code == "resolve-matte-placement"
    media = timeline.tracks["video"][0].items[0].media
    assert media is not None
    media.mattes = [str(footage())]
    timeline.tracks["video"][0].items[0].speed = Fraction(2)
    assert "retimed" in problem_of(world, hosting, out, said, "matte").message


def test_a_single_picture_is_a_matte_for_all_frames(
    make: Make, hosting: Hosting, everything: Clip, out: Path, tmp_path: Path, said: list[str]
) -> None:
    (still,) = numbered.write_images(tmp_path / "still", [numbered.picture(3)])
    world = make()
    world.add_timeline(clips=[replace(everything, mattes=[still])])
    host = hosting(world, probe=lambda path: replace(probe(path), frames=1) if path == still else probe(path))
    region = host.export_mask(host.select(clip="ours"), "matte", out, said.append)
    (movie,) = region.movies
    assert (movie.path, movie.first, movie.frames) == (still, 0, 1)


def test_a_clip_that_is_gone_is_told(
    make: Make, hosting: Hosting, everything: Clip, out: Path, said: list[str]
) -> None:
    world = make()
    timeline = world.add_timeline(clips=[everything])
    host = hosting(world)
    selection = host.select(clip="ours")
    timeline.tracks["video"][0].items.clear()
    with pytest.raises(ResolveProblem) as problem:
        host.export_mask(selection, "fusion", out, said.append)
    assert problem.value.code == "resolve-clip-gone"
