# SPDX-License-Identifier: Apache-2.0
"""Shapes that mark a region, and whether their numbers make sense. Standard library only: a request is made
and checked by programs that load neither numpy nor torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flowanchor_core.errors import InputError

Point = tuple[float, float]
"""x, y in pixels, the origin at the outer corner of the top left pixel; that pixel's centre is (0.5, 0.5)."""


@dataclass(frozen=True)
class Box:
    """An axis-parallel rectangle on every frame; x, y of the top left corner, in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Keyframe:
    """Points of an outline or a stroke at a frame (0-based within the range)."""

    frame: int
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Polygon:
    """A closed outline, filled even-odd. Points move linearly between keyframes and hold still outside."""

    keyframes: tuple[Keyframe, ...]


@dataclass(frozen=True)
class Scribble:
    """A stroke with round caps, `width` pixels wide; keyframes as for a polygon, one point makes a dot."""

    keyframes: tuple[Keyframe, ...]
    width: float


Geometry = Box | Polygon | Scribble

_LARGEST = 1e9
"""Farthest coordinate, in pixels either way; whole numbers may be of any length, floats are not."""


def check_geometry(shape: Geometry) -> None:
    """Raise InputError if a shape cannot be drawn: a size or width that is not positive, a coordinate that is
    not finite or beyond 1e9 pixels, no keyframes, keyframes with differing point counts or repeated frames, a
    polygon of fewer than three points."""
    if isinstance(shape, Box):
        _check_box(shape)
    else:
        _check_keyframes(shape)


def bad_geometry(message: str) -> InputError:
    return InputError("mask-geometry", message, "Check the shape's numbers.")


def _check_box(box: Box) -> None:
    if not _usable([box.x, box.y, box.width, box.height]):
        raise bad_geometry("A box has a coordinate that is not a number or too large.")
    if box.width <= 0 or box.height <= 0:
        raise bad_geometry(f"The box {box.x},{box.y},{box.width},{box.height} has no area.")


def _usable(numbers: Sequence[float]) -> bool:
    """Whether all are finite and small enough that sums and products of them are exact enough."""
    return all(-_LARGEST <= number <= _LARGEST for number in numbers)


def _check_keyframes(shape: Polygon | Scribble) -> None:
    name = type(shape).__name__.lower()
    if not shape.keyframes:
        raise bad_geometry(f"A {name} has no keyframes.")
    counts = {len(key.points) for key in shape.keyframes}
    if len(counts) > 1:
        raise bad_geometry(f"The keyframes of a {name} have differing numbers of points.")
    if counts.pop() < (3 if isinstance(shape, Polygon) else 1):
        raise bad_geometry(f"A {name} has too few points.")
    if len({key.frame for key in shape.keyframes}) < len(shape.keyframes):
        raise bad_geometry(f"Two keyframes of a {name} share a frame.")
    if not all(_usable(point) for key in shape.keyframes for point in key.points):
        raise bad_geometry(f"A {name} has a coordinate that is not a number or too large.")
    if not _usable([key.frame for key in shape.keyframes]):
        raise bad_geometry(f"A {name} has a keyframe number that is too large.")
    if isinstance(shape, Scribble) and not 0 < shape.width <= _LARGEST:
        raise bad_geometry("A scribble has a width that is not above 0, or too large.")
