# SPDX-License-Identifier: Apache-2.0
"""What became of the shapes a user drew: the picture cuts them off at its borders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flowanchor_core.drawing import draw, reach
from flowanchor_core.footage import MaskTrack
from flowanchor_core.geometry import Box, Geometry
from flowanchor_core.progress import Notice

_SLACK = 0.5
"""Pixels a shape may reach over a border without marking a pixel there: a pixel counts by its centre."""


def notices_for_shapes(
    geometry: Sequence[Geometry], frames: int, height: int, width: int
) -> Iterator[Notice]:
    """A notice for each shape that reaches past a picture of `width` x `height` pixels on any of the frames,
    with what is left of it. Raises nothing for shapes that `check_geometry` has passed."""
    for number, shape in enumerate(geometry, 1):
        left, top, right, bottom = reach(shape, frames)
        if min(left, top, width - right, height - bottom) >= -_SLACK:
            continue
        name = _named(shape, number, len(geometry))
        still = 1 if isinstance(shape, Box) else frames
        marked = MaskTrack.of(draw(shape, still, height, width), height, width).bounds()
        if marked is None:
            yield Notice(
                "shape-outside", f"{name} lies outside the {width}x{height} picture and marks nothing."
            )
            continue
        x, y = marked[:2]
        rest = f"{x},{y},{marked[2] - x},{marked[3] - y}"
        yield Notice(
            "shape-cut",
            f"{name} reaches past the {width}x{height} picture: "
            f"only {rest} (x,y,width,height) of it is used.",
        )


def _named(shape: Geometry, number: int, count: int) -> str:
    if isinstance(shape, Box):
        numbers = (shape.x, shape.y, shape.width, shape.height)
        return f"The box {','.join(_plain(value) for value in numbers)}"
    name = type(shape).__name__.lower()
    return f"The {name}" if count == 1 else f"The {name} (shape {number} of {count})"


def _plain(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
