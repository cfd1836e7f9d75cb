# SPDX-License-Identifier: Apache-2.0
"""Compositions as Fusion writes them, and what is read of their masks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from flowanchor_resolve.fusion.comp import comp_of
from flowanchor_resolve.fusion.masks import Found, Window, has_masks, read_masks
from flowanchor_resolve.fusion.text import parse
from flowanchor_resolve.problems import ResolveProblem
from hypothesis import given
from hypothesis import strategies as st

CORPUS = Path(__file__).parent / "corpus"
WIDE, HIGH = 1920, 1080
Points = Sequence[tuple[float, float]]


def corpus(name: str, first: float = 0, frames: int = 40) -> Found:
    return read(CORPUS.joinpath(name).read_text(encoding="utf-8"), first, frames)


def read(text: str, first: float = 0, frames: int = 40) -> Found:
    return read_masks(comp_of(parse(text)), Window(first, frames, WIDE, HIGH))


def one(tool: str, inputs: str, more: str = "", frames: int = 40) -> Found:
    return read(
        f"{{ Tools = ordered() {{ M = {tool} {{ Inputs = {{ {inputs} }} }}, {more} }} }}", frames=frames
    )


def box(points: Points) -> tuple[float, ...]:
    """Left, top, right, bottom."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def inside(points: Points, x: float, y: float) -> bool:
    """Whether a point is within a polygon, filled even-odd."""
    crossings = 0
    for (ax, ay), (bx, by) in zip(points, [*points[1:], points[0]], strict=True):
        if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
            crossings += 1
    return crossings % 2 == 1


def test_a_polygon_as_it_is_drawn() -> None:
    found = corpus("polygon.comp")
    (polygon,) = found.polygons
    ((frame, points),) = polygon.keyframes
    assert frame == 0
    assert box(points) == pytest.approx((480, 270, 1440, 810))
    assert all(
        min(abs(x - 480), abs(x - 1440)) < 0.01 or min(abs(y - 270), abs(y - 810)) < 0.01 for x, y in points
    )
    assert found.notes == []


def test_a_composition_without_masks() -> None:
    comp = comp_of(parse("Composition { RenderRange = { 5, 9 }, Tools = { MediaIn1 = MediaIn { } } }"))
    assert not has_masks(comp)
    assert list(comp.render_range or ()) == [5.0, 9.0]
    with pytest.raises(ResolveProblem) as problem:
        read_masks(comp, Window(0, 10, WIDE, HIGH))
    assert problem.value.code == "fusion-no-mask"


def test_keyed_shapes_are_placed_and_timed() -> None:
    """Frame 10 to 20 is straight and needs no keyframes between; 20 to 30 eases and is sampled."""
    found = corpus("roto.comp", first=5, frames=30)
    (polygon,) = found.polygons
    frames = [frame for frame, _ in polygon.keyframes]
    assert frames[0] == 0
    assert frames[-1] in (25, 29)
    assert {5, 15, 25} <= set(frames)
    assert not [frame for frame in frames if 5 < frame < 15]
    assert len([frame for frame in frames if 15 < frame < 25]) > 2
    assert len({len(points) for _, points in polygon.keyframes}) == 1
    shapes = dict(polygon.keyframes)
    # (-0.1, -0.1) of the picture, half as large, turned by 90 degrees against the clock, at (0.25, 0.75)
    x, y = -0.1 * WIDE / 2, -0.1 * HIGH / 2
    assert shapes[0][0] == pytest.approx((0.25 * WIDE - y, HIGH - (0.75 * HIGH + x)))
    assert shapes[5][0] == pytest.approx(shapes[0][0])


def test_masks_with_our_name_are_the_only_ones() -> None:
    assert len(corpus("roto.comp").polygons) == 1


def test_rectangles_and_ellipses_in_groups_and_chains() -> None:
    found = corpus("shapes.comp", frames=11)
    rectangle, ellipse = found.polygons
    assert box(rectangle.keyframes[0][1]) == pytest.approx((240, 540, 720, 1080))
    assert [frame for frame, _ in ellipse.keyframes] == [0, 10]
    first, last = (box(points) for _, points in ellipse.keyframes)
    assert first == pytest.approx((240, 30, 720, 510), abs=0.5)
    assert last == pytest.approx((1200, 30, 1680, 510), abs=0.5)
    assert found.notes == ["The SoftEdge of the Fusion mask Ellipse1 was left out; --feather softens edges."]


REASONS = {
    "Spline1": "BSplineMask",
    "Paint1": "PaintMask",
    "Wand1": "WandMask",
    "Many1": "MultiPoly",
    "Instance1": "instance of Fine1",
    "Formula1": "expression",
    "Path1": "Way1 (PolyPath)",
    "Shaken1": "Shake1 (PerturbNumber)",
    "Gone1": "Nobody",
    "Hollow1": "not filled",
    "Tilted1": "out of the picture's plane",
    "Open1": "not closed",
    "Empty1": "fewer than three points",
    "Curved1": "BSpline",
    "Cut1": "Subtract",
    "Knife1": "Subtract",
    "Silent1": "level of 0",
    "Tall1": "1080 x 1920",
    "Odd1": "no number",
    "Morph1": "different numbers of points",
    "Loop1": "Loop",
}


def test_what_cannot_be_read_is_said_by_name_beside_what_can() -> None:
    text = CORPUS.joinpath("unreadable.comp").read_text(encoding="utf-8")
    found = read(text.replace("Tools = ordered() {", "Tools = ordered() { Fine1 = RectangleMask { },", 1))
    assert len(found.polygons) == 1
    assert len(found.notes) == len(REASONS)
    for note, (name, reason) in zip(sorted(found.notes), sorted(REASONS.items()), strict=True):
        assert note.startswith(f"The Fusion mask {name} ")
        assert reason in note
        assert note.endswith(", and was left out.")


def test_with_nothing_that_can_be_read_the_first_reasons_are_told() -> None:
    with pytest.raises(ResolveProblem) as problem:
        corpus("unreadable.comp")
    assert problem.value.code == "fusion-no-mask"
    assert "Spline1 is a BSplineMask" in problem.value.message
    assert f"and {len(REASONS) - 2} more" in problem.value.message


@pytest.mark.parametrize(
    ("tool", "inputs", "expected"),
    [
        ("RectangleMask", "", (480, 270, 1440, 810)),
        ("EllipseMask", "", (480, 60, 1440, 1020)),
        ("RectangleMask", "Width = Input { Value = 1 }, Height = Input { Value = 1 }", (0, 0, 1920, 1080)),
        ("RectangleMask", "Angle = Input { Value = 90 }", (690, 60, 1230, 1020)),
        ("RectangleMask", "Center = Input { Value = { 0, 0 } }", (-480, 810, 480, 1350)),
        ("RectangleMask", "Size = Input { Value = 0.5 }", (720, 405, 1200, 675)),
    ],
)
def test_units_as_measured_on_resolve(tool: str, inputs: str, expected: tuple[float, ...]) -> None:
    (polygon,) = one(tool, inputs).polygons
    assert box(polygon.keyframes[0][1]) == pytest.approx(expected, abs=0.5)


@given(
    st.sampled_from(["RectangleMask", "EllipseMask"]),
    st.floats(0.05, 1.2),
    st.floats(0.05, 1.2),
    st.floats(-360, 360),
    st.floats(-0.2, 1.2),
    st.floats(-0.2, 1.2),
    st.data(),
)
def test_an_inverted_mask_is_what_is_outside(
    tool: str, width: float, height: float, angle: float, x: float, y: float, data: st.DataObject
) -> None:
    inputs = (
        f"Width = Input {{ Value = {width!r} }}, Height = Input {{ Value = {height!r} }},"
        f" Angle = Input {{ Value = {angle!r} }}, Center = Input {{ Value = {{ {x!r}, {y!r} }} }},"
    )
    (plain,) = one(tool, inputs).polygons
    (inverted,) = one(tool, inputs + "Invert = Input { Value = 1 }").polygons
    assert not inverted.invert
    for _ in range(20):
        px = data.draw(st.integers(0, WIDE - 1)) + 0.5
        py = data.draw(st.integers(0, HIGH - 1)) + 0.5
        assert inside(plain.keyframes[0][1], px, py) != inside(inverted.keyframes[0][1], px, py)


def test_an_animated_size_is_sampled_and_thinned() -> None:
    eased = "S = BezierSpline { KeyFrames = { [0] = { 1, RH = { 5, 1 } }, [20] = { 2, LH = { 15, 2 } } } }"
    (polygon,) = one("RectangleMask", 'Size = Input { SourceOp = "S", Source = "Value" }', eased).polygons
    frames = [frame for frame, _ in polygon.keyframes]
    assert frames[0] == 0
    assert 20 in frames
    assert 5 < len(frames) < 25
    even = "S = BezierSpline { KeyFrames = { [0] = { 1 }, [20] = { 2 } } }"
    (polygon,) = one("RectangleMask", 'Size = Input { SourceOp = "S", Source = "Value" }', even).polygons
    assert [frame for frame, _ in polygon.keyframes] == [0, 20, 39]


def test_a_turning_mask_stays_a_rectangle() -> None:
    turn = "S = BezierSpline { KeyFrames = { [0] = { 0 }, [36] = { 180 } } }"
    (polygon,) = one("RectangleMask", 'Angle = Input { SourceOp = "S", Source = "Value" }', turn).polygons
    for _, points in polygon.keyframes:
        assert math.dist(points[0], points[4]) == pytest.approx(math.hypot(960, 540), abs=0.1)


def test_too_many_coordinates_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowanchor_resolve.fusion.masks.MOST_COORDINATES", 7)
    with pytest.raises(ResolveProblem, match="too many points"):
        one("RectangleMask", "")
