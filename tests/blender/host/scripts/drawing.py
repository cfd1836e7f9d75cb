# SPDX-License-Identifier: Apache-2.0
"""Masks for checks: drawn and keyed as a user does, in pixels of the picture."""

from __future__ import annotations

from typing import Any

import bpy

from tests.blender.host.scripts.bench import HEIGHT, WIDTH, scene

SIDE = max(WIDTH, HEIGHT)
LOW = (SIDE - HEIGHT) / 2
"""How far the mask's square reaches below the picture, in pixels."""


def square(mask: Any, left: float, right: float, top: float, bottom: float) -> Any:
    """A rectangle of pixels of the picture, drawn in the mask's own space."""
    layer = mask.layers[0] if len(mask.layers) else mask.layers.new(name="layer")
    spline = layer.splines.new()
    spline.points.add(3)
    spline.use_cyclic = True
    move(spline, left, right, top, bottom)
    return spline


def move(spline: Any, left: float, right: float, top: float, bottom: float) -> None:
    corners = [(left, top), (left, bottom), (right, bottom), (right, top)]
    for point, (x, y) in zip(spline.points, corners, strict=True):
        place = (x / SIDE, (HEIGHT - y + LOW) / SIDE)
        point.handle_type = "VECTOR"
        point.co = place
        point.handle_left = point.handle_right = place


def key(mask: Any, frame: int, left: float) -> None:
    """Key its shape, moved, as the user does with I in the mask editor."""
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    area.type = "IMAGE_EDITOR"
    area.spaces.active.mode = "MASK"
    area.spaces.active.mask = mask
    scene().frame_set(frame)  # which moves the shape as it is keyed there
    move(mask.layers[0].splines[0], left, left + 40, 20, 60)
    view_area = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=view_area):
        bpy.ops.mask.select_all(action="SELECT")
        bpy.ops.mask.shape_key_insert()


def drawn(name: str = "region") -> tuple[Any, Any]:
    mask = bpy.data.masks.new(name)
    spline = square(mask, 40, 80, 20, 60)
    return mask, spline
