# SPDX-License-Identifier: Apache-2.0
"""Strokes pixel by pixel, and what shapes of very many points cost."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flowanchor_core.drawing import draw
from flowanchor_core.geometry import Box, Geometry, Keyframe, Point, Polygon, Scribble

_HEIGHT, _WIDTH = 15, 20
_coordinate = st.one_of(st.integers(-6, 50).map(lambda half: half / 2), st.floats(-3, 23))


def squares_of_distances(points: Sequence[Point]) -> np.ndarray:
    """Of each pixel's centre from the line through the points."""
    centres = np.stack(np.meshgrid(np.arange(_WIDTH), np.arange(_HEIGHT)), axis=-1) + 0.5
    nearest = np.full((_HEIGHT, _WIDTH), np.inf)
    for start, end in zip(points, points[1:] or points, strict=False):
        line = np.subtract(end, start)
        along = np.clip((centres - start) @ line / max(line @ line, 1e-300), 0, 1)[..., None]
        nearest = np.minimum(nearest, ((centres - start - along * line) ** 2).sum(axis=-1))
    return nearest


@given(st.lists(st.tuples(_coordinate, _coordinate), min_size=1, max_size=5), st.floats(0.3, 30))
@example([(3.0, 5.0), (12.0, 5.0)], 1)
@example([(5.0, 3.0), (5.0, 12.0)], 1)
@example([(5.5, 5.5), (5.5, 5.5)], 2)
def test_a_stroke_holds_the_pixels_within_half_its_width(points: list[Point], width: float) -> None:
    (mask,) = draw(Scribble((Keyframe(0, tuple(points)),), width), 1, _HEIGHT, _WIDTH)
    squares = squares_of_distances(points)
    # On the very edge rounding decides.
    assert mask[squares < (width / 2) ** 2 - 1e-6].all()
    assert not mask[squares > (width / 2) ** 2 + 1e-6].any()


_ZIGZAG = tuple((float(x % 640), float(x % 2 * 360)) for x in range(20_000))
_LARGE = ((0.0, 0.0), (640.0, 0.0), (0.0, 360.0))


@pytest.mark.parametrize(
    "shapes",
    [
        Scribble((Keyframe(0, _ZIGZAG),), 1e9),
        Scribble((Keyframe(0, _ZIGZAG),), 1),
        [Box(0, 0, 640, 360)] * 20_000,
        [Polygon((Keyframe(0, _LARGE),))] * 10_000,
    ],
    ids=["wide stroke", "thin stroke", "boxes", "polygons"],
)
def test_the_size_of_shapes_costs_nothing_however_many(shapes: Geometry | list[Geometry]) -> None:
    begun = time.process_time()
    assert sum(number * number % 7 for number in range(2_000_000))
    measure = time.process_time() - begun
    (mask,) = draw(shapes, 1, 360, 640)
    assert mask.any()
    # Pixel by pixel a stroke of these takes more than a minute, and this sum a fifth of a second.
    assert time.process_time() - begun < 100 * measure


def test_what_holds_still_is_drawn_once() -> None:
    still = Scribble((Keyframe(0, _ZIGZAG[:2000]),), 3)
    begun = time.process_time()
    first = next(iter(draw(still, 1, 360, 640)))
    once = time.process_time() - begun
    begun = time.process_time()
    for mask in draw(still, 100, 360, 640):
        assert np.array_equal(mask, first)
        mask[:] = False  # each is an array of its own
    assert time.process_time() - begun < 20 * once + 0.5
