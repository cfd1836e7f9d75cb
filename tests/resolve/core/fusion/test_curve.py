# SPDX-License-Identifier: Apache-2.0
"""Outlines become polygons that stay within half a pixel of them."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from flowanchor_resolve.fusion import curve
from flowanchor_resolve.fusion.curve import Vertex
from hypothesis import given, settings
from hypothesis import strategies as st

lengths = st.floats(-500, 500)
offsets = st.tuples(lengths, lengths) | st.just((0.0, 0.0))
vertices = st.builds(Vertex, lengths, lengths, offsets, offsets)
outlines = st.lists(vertices, min_size=3, max_size=6)


def along(a: Vertex, b: Vertex, t: float) -> tuple[float, float]:
    """A point of a cubic, by repeated halving of its control points (de Casteljau's way)."""
    points = [
        (a.x, a.y),
        (a.x + a.right[0], a.y + a.right[1]),
        (b.x + b.left[0], b.y + b.left[1]),
        (b.x, b.y),
    ]
    while len(points) > 1:
        points = [(p[0] + (q[0] - p[0]) * t, p[1] + (q[1] - p[1]) * t) for p, q in pairwise(points)]
    return points[0]


def distance(point: tuple[float, float], a: tuple[float, float], b: tuple[float, float]) -> float:
    """Of a point from a straight piece."""
    across, down = b[0] - a[0], b[1] - a[1]
    length = across * across + down * down
    share = 0.0
    if length:
        share = min(max(((point[0] - a[0]) * across + (point[1] - a[1]) * down) / length, 0.0), 1.0)
    return math.hypot(point[0] - a[0] - across * share, point[1] - a[1] - down * share)


@settings(max_examples=40)
@given(outlines)
def test_a_polygon_stays_within_half_a_pixel_of_its_curve(outline: list[Vertex]) -> None:
    counts = curve.pieces([outline])
    polygon = curve.flattened(outline, counts)
    assert len(polygon) == sum(counts)
    place = 0
    for a, b, count in zip(outline, [*outline[1:], outline[0]], counts, strict=True):
        corners = [*polygon[place : place + count], polygon[(place + count) % len(polygon)]]
        place += count
        for step in range(count):
            for part in range(1, 5):
                point = along(a, b, (step + part / 5) / count)
                assert distance(point, corners[step], corners[step + 1]) <= 0.5


@given(outlines, st.floats(0, 1), st.data())
def test_polygons_between_two_outlines_lie_between_their_polygons(
    one: list[Vertex], share: float, data: Any
) -> None:
    other = data.draw(st.lists(vertices, min_size=len(one), max_size=len(one)))
    counts = curve.pieces([one, other])
    between = [a.mixed(b, share) for a, b in zip(one, other, strict=True)]
    for p, q, r in zip(
        curve.flattened(one, counts),
        curve.flattened(other, counts),
        curve.flattened(between, counts),
        strict=True,
    ):
        assert math.hypot(p[0] + (q[0] - p[0]) * share - r[0], p[1] + (q[1] - p[1]) * share - r[1]) < 1e-6


@given(st.floats(0.5, 5000), st.floats(0.5, 5000))
def test_an_ellipse_is_within_half_a_pixel(x: float, y: float) -> None:
    points = [(v.x, v.y) for v in curve.ellipse(x, y, curve.ellipse_points(max(x, y)))]
    for a, b in zip(points, [*points[1:], points[0]], strict=True):
        assert (a[0] / x) ** 2 + (a[1] / y) ** 2 == pytest.approx(1)
        turn = math.atan2((a[1] + b[1]) / y, (a[0] + b[0]) / x)
        middle = (x * math.cos(turn), y * math.sin(turn))
        assert distance(middle, a, b) <= 0.5


@given(st.floats(1, 3000), st.floats(1, 3000))
def test_a_sharp_rectangle(width: float, height: float) -> None:
    outline = curve.rectangle(width, height, 0.0)
    points = {(abs(x), abs(y)) for x, y in curve.flattened(outline, curve.pieces([outline]))}
    assert points == {(width / 2, height / 2)}


@given(st.floats(10, 3000), st.floats(10, 3000), st.floats(0.01, 1.0))
def test_a_rounded_rectangle(width: float, height: float, rounding: float) -> None:
    """Its corners are arcs of the radius, of half a pixel and the 0.03 % of a Bezier arc."""
    radius = rounding * min(width, height) / 2
    outline = curve.rectangle(width, height, rounding)
    for x, y in curve.flattened(outline, curve.pieces([outline])):
        inner_x, inner_y = width / 2 - radius, height / 2 - radius
        if abs(x) > inner_x and abs(y) > inner_y:
            away = math.hypot(abs(x) - inner_x, abs(y) - inner_y)
            assert away == pytest.approx(radius, abs=0.5 + 0.0003 * radius)
        else:
            assert abs(x) == pytest.approx(width / 2) or abs(y) == pytest.approx(height / 2)


@given(vertices, st.floats(0.01, 10), st.floats(-720, 720), lengths, lengths)
def test_moving_keeps_shapes(vertex: Vertex, size: float, degrees: float, x: float, y: float) -> None:
    moved = vertex.moved(size, degrees, x, y)
    assert math.hypot(moved.x - x, moved.y - y) == pytest.approx(
        size * math.hypot(vertex.x, vertex.y), rel=1e-6, abs=1e-6
    )
    assert math.hypot(*moved.left) == pytest.approx(size * math.hypot(*vertex.left), rel=1e-6, abs=1e-6)


def test_a_quarter_turn_goes_against_the_clock() -> None:
    moved = Vertex(1, 0).moved(2, 90, 10, 20)
    assert (moved.x, moved.y) == pytest.approx((10, 22))
