# SPDX-License-Identifier: Apache-2.0
"""Closed Bezier outlines, and how they become polygons.

Points are in pixels from a mask's centre, y up. An outline is a list of vertices, each with the offsets of
its two handles; a handle of 0, 0 is none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from flowanchor_resolve.fusion.comp import CannotRead
from flowanchor_resolve.fusion.text import Table

TOLERANCE = 0.25
"""Pixels a polygon may be away from its curve."""
MOST_PIECES = 200
MOST_POINTS = 20_000


@dataclass(frozen=True)
class Vertex:
    """A point of an outline, with where its left and right handles are, seen from it."""

    x: float
    y: float
    left: tuple[float, float] = (0.0, 0.0)
    right: tuple[float, float] = (0.0, 0.0)

    def mixed(self, other: Vertex, share: float) -> Vertex:
        """`share` of the way to another vertex."""

        def mix(a: float, b: float) -> float:
            return a + (b - a) * share

        return Vertex(
            mix(self.x, other.x),
            mix(self.y, other.y),
            (mix(self.left[0], other.left[0]), mix(self.left[1], other.left[1])),
            (mix(self.right[0], other.right[0]), mix(self.right[1], other.right[1])),
        )

    def moved(self, size: float, degrees: float, x: float, y: float) -> Vertex:
        """Scaled, turned against the clock and moved, in this order."""
        cos, sin = size * math.cos(math.radians(degrees)), size * math.sin(math.radians(degrees))

        def turned(point: tuple[float, float]) -> tuple[float, float]:
            return point[0] * cos - point[1] * sin, point[0] * sin + point[1] * cos

        middle = turned((self.x, self.y))
        return Vertex(middle[0] + x, middle[1] + y, turned(self.left), turned(self.right))


def outline_of(value: Table, width: int, height: int) -> list[Vertex]:
    """The outline in a `Polyline { Closed = true, Points = { ... } }`.

    Fusion counts from the mask's centre, across in widths of the picture and up in heights of it; handles
    likewise, from their point.

    Raises:
        CannotRead: it is open, no Bezier outline, or too long.
    """
    unknown = {str(key) for key in value.named} - {"Closed", "Points"}
    if unknown:
        raise CannotRead(f'has an outline with "{sorted(unknown)[0]}"')
    points = value.table("Points")
    entries = [] if points is None else [*points.listed, *_in_order(points)]
    if len(entries) > MOST_POINTS:
        raise CannotRead(f"has more than {MOST_POINTS} points")
    if len(entries) < 3:
        raise CannotRead("has fewer than three points")
    if value.named.get("Closed") is not True:
        raise CannotRead("is not closed")
    return [_vertex(entry, width, height) for entry in entries]


def pieces(outlines: Sequence[Sequence[Vertex]]) -> list[int]:
    """Into how many straight pieces each side of an outline is cut, enough for all outlines given.

    The bound is Wang's: n = sqrt(6/8 * largest second difference / tolerance) for a cubic.
    """
    counts = [1] * len(outlines[0])
    for outline in outlines:
        for side, (a, b) in enumerate(zip(outline, [*outline[1:], outline[0]], strict=True)):
            p = _controls(a, b)
            bend = max(
                math.hypot(p[i + 2][0] - 2 * p[i + 1][0] + p[i][0], p[i + 2][1] - 2 * p[i + 1][1] + p[i][1])
                for i in (0, 1)
            )
            if a.right == (0.0, 0.0) and b.left == (0.0, 0.0):
                continue  # straight, if unevenly travelled
            needed = math.ceil(math.sqrt(0.75 * bend / TOLERANCE))
            counts[side] = max(counts[side], min(needed, MOST_PIECES), 1)
    return counts


def flattened(outline: Sequence[Vertex], counts: Sequence[int]) -> list[tuple[float, float]]:
    """The outline as a polygon, each side cut into its number of pieces at even steps of the curve's
    parameter; so polygons of outlines between two others lie between theirs."""
    points: list[tuple[float, float]] = []
    for a, b, count in zip(outline, [*outline[1:], outline[0]], counts, strict=True):
        p0, p1, p2, p3 = _controls(a, b)
        for step in range(count):
            t = step / count
            s = 1 - t
            weights = s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
            points.append(
                (
                    sum(w * p[0] for w, p in zip(weights, (p0, p1, p2, p3), strict=True)),
                    sum(w * p[1] for w, p in zip(weights, (p0, p1, p2, p3), strict=True)),
                )
            )
    return points


def ellipse(radius_x: float, radius_y: float, count: int) -> list[Vertex]:
    """An ellipse about the centre as a polygon of `count` points, on the curve."""
    turns = [2 * math.pi * index / count for index in range(count)]
    return [Vertex(radius_x * math.cos(turn), radius_y * math.sin(turn)) for turn in turns]


def ellipse_points(radius: float) -> int:
    """How many points keep a polygon within the tolerance of a circle."""
    if radius <= 1:
        return 16
    return max(16, min(720, math.ceil(math.pi / math.acos(1 - min(TOLERANCE / radius, 1.0)))))


def rectangle(width: float, height: float, rounding: float) -> list[Vertex]:
    """A rectangle about the centre. `rounding` 0 to 1 is the corners' radius as a share of half the shorter
    side; it has eight vertices whatever that is."""
    x, y = width / 2, height / 2
    radius = min(max(rounding, 0.0), 1.0) * min(x, y)
    handle = radius * 4 / 3 * (math.sqrt(2) - 1)  # of a quarter circle, to 0.03 % of its radius
    corners = []
    for sign_x, sign_y in ((1, 1), (-1, 1), (-1, -1), (1, -1)):
        side = Vertex(sign_x * x, sign_y * (y - radius))
        edge = Vertex(sign_x * (x - radius), sign_y * y)
        along_side, along_edge = (0.0, sign_y * handle), (sign_x * handle, 0.0)
        if sign_x == sign_y:
            corners += [
                Vertex(side.x, side.y, right=along_side),
                Vertex(edge.x, edge.y, left=along_edge),
            ]
        else:
            corners += [
                Vertex(edge.x, edge.y, right=along_edge),
                Vertex(side.x, side.y, left=along_side),
            ]
    return corners


def _controls(a: Vertex, b: Vertex) -> tuple[tuple[float, float], ...]:
    return (
        (a.x, a.y),
        (a.x + a.right[0], a.y + a.right[1]),
        (b.x + b.left[0], b.y + b.left[1]),
        (b.x, b.y),
    )


def _in_order(table: Table) -> list[object]:
    numbered = [(key, value) for key, value in table.named.items() if isinstance(key, float)]
    if len(numbered) != len(table.named):
        raise CannotRead("has points that are not numbered")
    return [value for _, value in sorted(numbered, key=lambda pair: pair[0])]


def _vertex(entry: object, width: int, height: int) -> Vertex:
    if not isinstance(entry, Table):
        raise CannotRead("has a point that is no point")

    def scaled(across: str, up: str) -> tuple[float, float]:
        x, y = entry.number(across) or 0.0, entry.number(up) or 0.0
        if not (math.isfinite(x) and math.isfinite(y)):
            raise CannotRead("has a point that is no number")
        return x * width, y * height

    middle = scaled("X", "Y")
    return Vertex(middle[0], middle[1], scaled("LX", "LY"), scaled("RX", "RY"))
