# SPDX-License-Identifier: Apache-2.0
"""Check the shapes that mark an edit's region."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flowanchor.v1 import system_pb2, types_pb2

from flowanchor_daemon.queue.fields import finite, invalid, too_large, whole

_FARTHEST: Final = 1e9  # the core's own limit, in pixels either way
_MOST_FRAME: Final = 4_000_000


def check_shapes(shapes: Sequence[types_pb2.Geometry], limits: system_pb2.Limits) -> None:
    """Refuse shapes that cannot be drawn, or that have too many points in all (a box counts as one)."""
    most = limits.max_geometry_points
    if _count(shapes, most) > most:
        raise too_large("geometry", most, "points")
    for index, shape in enumerate(shapes):
        field = f"geometry[{index}]"
        match shape.WhichOneof("shape"):
            case "box":
                _check_box(f"{field}.box", shape.box)
            case "polygon":
                _check_keyframes(f"{field}.polygon", shape.polygon.keyframes, 3)
            case "scribble":
                _check_keyframes(f"{field}.scribble", shape.scribble.keyframes, 1)
                finite(f"{field}.scribble.width", shape.scribble.width, 0, _FARTHEST, above=True)
            case _:
                raise invalid(field, "has no shape")


def _count(shapes: Sequence[types_pb2.Geometry], most: int) -> int:
    """Shapes, keyframes and points, as far as `most`: looking at an empty message costs fifty times it."""
    count = len(shapes)
    for shape in shapes if count <= most else ():
        for keyframes in (shape.polygon.keyframes, shape.scribble.keyframes):
            count += len(keyframes)
            if count > most:
                return count
            count += sum(len(keyframe.points) for keyframe in keyframes)
    return count


def _check_box(field: str, box: types_pb2.Box) -> None:
    finite(f"{field}.x", box.x, -_FARTHEST, _FARTHEST)
    finite(f"{field}.y", box.y, -_FARTHEST, _FARTHEST)
    finite(f"{field}.width", box.width, 0, _FARTHEST, above=True)
    finite(f"{field}.height", box.height, 0, _FARTHEST, above=True)


def _check_keyframes(field: str, keyframes: Sequence[types_pb2.Keyframe], least: int) -> None:
    if not keyframes:
        raise invalid(field, "has no keyframes")
    points, seen = len(keyframes[0].points), set()
    if points < least:
        raise invalid(field, f"has keyframes of fewer than {least} points")
    for keyframe in keyframes:
        whole(f"{field}.keyframes.frame", keyframe.frame, 0, _MOST_FRAME)
        if keyframe.frame in seen:
            raise invalid(field, f"has two keyframes at frame {keyframe.frame}")
        seen.add(keyframe.frame)
        if len(keyframe.points) != points:
            raise invalid(field, "has keyframes with differing numbers of points")
        for point in keyframe.points:
            finite(f"{field}.points.x", point.x, -_FARTHEST, _FARTHEST)
            finite(f"{field}.points.y", point.y, -_FARTHEST, _FARTHEST)
