# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from flowanchor_core.geometry import Box, Geometry, Keyframe, Polygon, Scribble
from flowanchor_core.region_notices import notices_for_shapes

WIDTH, HEIGHT, FRAMES = 64, 48, 5


def said(*geometry: Geometry) -> list[tuple[str, str]]:
    return [(note.code, note.text) for note in notices_for_shapes(geometry, FRAMES, HEIGHT, WIDTH)]


def square(x: float, y: float, side: float) -> tuple[tuple[float, float], ...]:
    return ((x, y), (x + side, y), (x + side, y + side), (x, y + side))


@pytest.mark.parametrize(
    "shape",
    [
        Box(0, 0, WIDTH, HEIGHT),
        Box(-0.4, 0.2, WIDTH + 0.8, HEIGHT),  # a rounding error marks no pixel more
        Polygon((Keyframe(0, square(4, 4, 8)),)),
        # Leaves the picture only after the range has ended.
        Polygon(
            (
                Keyframe(0, square(4, 4, 8)),
                Keyframe(FRAMES - 1, square(30, 4, 8)),
                Keyframe(9, square(90, 4, 8)),
            )
        ),
        Scribble((Keyframe(0, ((0.5, 10), (40, 10))),), 6),  # a brush over the border is how one paints there
    ],
)
def test_a_shape_inside_the_picture_is_not_worth_a_word(shape: Geometry) -> None:
    assert said(shape) == []


def test_a_box_past_the_picture_is_told_with_what_is_left() -> None:
    ((code, text),) = said(Box(50, -4, 30, 12.5))
    assert code == "shape-cut"
    assert text == (
        "The box 50,-4,30,12.5 reaches past the 64x48 picture: "
        "only 50,0,14,8 (x,y,width,height) of it is used."
    )


def test_a_polygon_that_moves_out_of_the_picture_is_told() -> None:
    leaving = Polygon((Keyframe(0, square(40, 10, 8)), Keyframe(4, square(60, 10, 8))))
    ((code, text),) = said(leaving)
    assert code == "shape-cut"
    assert text.startswith("The polygon reaches past the 64x48 picture: only 40,10,24,8 ")


def test_one_shape_of_several_that_marks_nothing_is_told() -> None:
    stroke = Scribble((Keyframe(0, ((10, 60), (20, 60))),), 4)
    assert said(Box(4, 4, 8, 8), Box(100, 4, 8, 8), stroke) == [
        ("shape-outside", "The box 100,4,8,8 lies outside the 64x48 picture and marks nothing."),
        ("shape-outside", "The scribble (shape 3 of 3) lies outside the 64x48 picture and marks nothing."),
    ]
