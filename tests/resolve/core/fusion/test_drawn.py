# SPDX-License-Identifier: Apache-2.0
"""Masks read from compositions, drawn by the editing core: the pixels are those that Fusion would mark."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from flowanchor_resolve.fusion.comp import comp_of
from flowanchor_resolve.fusion.masks import Window, read_masks
from flowanchor_resolve.fusion.text import parse
from flowanchor_resolve.host import Polygon
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from flowanchor_core.drawing import draw
from flowanchor_core.geometry import Keyframe
from flowanchor_core.geometry import Polygon as Shape

CORPUS = Path(__file__).parent / "corpus"
WIDE, HIGH = 320, 180
Mask = NDArray[np.bool_]


def polygons(text: str, first: float = 0, frames: int = 1) -> list[Polygon]:
    return read_masks(comp_of(parse(text)), Window(first, frames, WIDE, HIGH)).polygons


def drawn(found: list[Polygon], frames: int = 1) -> list[Mask]:
    shapes = [
        Shape(tuple(Keyframe(frame, tuple((x, y) for x, y in points)) for frame, points in polygon.keyframes))
        for polygon in found
    ]
    return list(draw(shapes, frames, HIGH, WIDE))


def one(tool: str, inputs: str) -> Mask:
    return drawn(polygons(f"{{ Tools = ordered() {{ M = {tool} {{ Inputs = {{ {inputs} }} }} }} }}"))[0]


def grid() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fusion's coordinates of pixel centres: across and up, in pixels from the lower left corner."""
    x, y = np.meshgrid(np.arange(WIDE) + 0.5, HIGH - (np.arange(HIGH) + 0.5))
    return x, y


sizes = st.floats(0.05, 0.9)
places = st.floats(0.1, 0.9)


@settings(max_examples=30)
@given(places, places, sizes, sizes, st.floats(-180, 180), st.booleans())
def test_an_ellipse(x: float, y: float, wide: float, high: float, angle: float, inverted: bool) -> None:
    mask = one(
        "EllipseMask",
        f"Center = Input {{ Value = {{ {x}, {y} }} }}, Width = Input {{ Value = {wide} }},"
        f" Height = Input {{ Value = {high} }}, Angle = Input {{ Value = {angle} }},"
        f" Invert = Input {{ Value = {int(inverted)} }}",
    )
    across, up = grid()
    across, up = across - x * WIDE, up - y * HIGH
    turn = np.radians(angle)
    along = across * np.cos(turn) + up * np.sin(turn)
    beside = -across * np.sin(turn) + up * np.cos(turn)
    a, b = wide * WIDE / 2, high * WIDE / 2
    reach = np.hypot(along / a, beside / b)
    margin = 0.75 / min(a, b)
    assert (mask[reach < 1 - margin] != inverted).all()
    assert (mask[reach > 1 + margin] == inverted).all()


@settings(max_examples=30)
@given(places, places, sizes, sizes, st.floats(-180, 180), st.booleans())
def test_a_rectangle(x: float, y: float, wide: float, high: float, angle: float, inverted: bool) -> None:
    mask = one(
        "RectangleMask",
        f"Center = Input {{ Value = {{ {x}, {y} }} }}, Width = Input {{ Value = {wide} }},"
        f" Height = Input {{ Value = {high} }}, Angle = Input {{ Value = {angle} }},"
        f" Invert = Input {{ Value = {int(inverted)} }}",
    )
    across, up = grid()
    across, up = across - x * WIDE, up - y * HIGH
    turn = np.radians(angle)
    along = np.abs(across * np.cos(turn) + up * np.sin(turn)) - wide * WIDE / 2
    beside = np.abs(-across * np.sin(turn) + up * np.cos(turn)) - high * HIGH / 2
    outside = np.maximum(along, beside)
    assert (mask[outside < -0.01] != inverted).all()
    assert (mask[outside > 0.01] == inverted).all()


@pytest.mark.parametrize("name", ["roto.comp", "shapes.comp", "polygon.comp"])
def test_every_frame_is_as_if_it_were_read_alone(name: str) -> None:
    """Keyframes, easing, thinning and the window's place come out right if no frame differs from itself."""
    text = CORPUS.joinpath(name).read_text(encoding="utf-8")
    first, frames = 5, 30
    together = drawn(polygons(text, first, frames), frames)
    assert any((a != b).any() for a, b in pairwise(together)) == (name != "polygon.comp")
    for frame, mask in enumerate(together):
        alone = drawn(polygons(text, first + frame))[0]
        assert (mask != alone).sum() <= 12, frame
        assert mask.any()
