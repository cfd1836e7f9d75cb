# SPDX-License-Identifier: Apache-2.0
"""From a user's shapes to pixels, one frame at a time, with numpy alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from flowanchor_core.geometry import Box, Geometry, Keyframe, Polygon, bad_geometry, check_geometry


def draw(
    geometry: Geometry | Sequence[Geometry], frames: int, height: int, width: int
) -> Iterator[NDArray[np.bool_]]:
    """Draw shapes as one mask (their union): a pixel is inside when its centre is.

    Args:
        geometry: one shape or several; parts outside the picture are cut off.
        frames, height, width: size of the mask, each at least 1.

    Returns:
        The mask of one frame after the other, bool [height, width], each an array of its own.

    Raises:
        InputError: at once, before the first frame: a size that is not positive, or a shape that
            `check_geometry` refuses.
    """
    if min(frames, height, width) < 1:
        raise bad_geometry(f"A mask of {frames} frames of {width}x{height} has no pixels.")
    shapes: Sequence[Geometry] = geometry if isinstance(geometry, Sequence) else [geometry]
    for shape in shapes:
        check_geometry(shape)
    return _frames(shapes, frames, height, width)


def reach(shape: Geometry, frames: int) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a shape over all of its frames, in pixels; a stroke counts by its centre
    line."""
    if isinstance(shape, Box):
        return shape.x, shape.y, shape.x + shape.width, shape.y + shape.height
    # Points move linearly between keyframes, so the extremes lie at those, or at the ends of the range.
    telling = {0, frames - 1, *(key.frame for key in shape.keyframes if 0 < key.frame < frames)}
    points = np.concatenate([_points_at(shape.keyframes, frame) for frame in telling])
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def _frames(shapes: Sequence[Geometry], frames: int, height: int, width: int) -> Iterator[NDArray[np.bool_]]:
    still = np.zeros((height, width), dtype=np.bool_)
    for shape in shapes:
        if isinstance(shape, Box):
            still |= _fill(_corners(shape), height, width)
    moving = [shape for shape in shapes if not isinstance(shape, Box)]
    for frame in range(frames):
        mask = still.copy()
        for shape in moving:
            points = _points_at(shape.keyframes, frame)
            if isinstance(shape, Polygon):
                mask |= _fill(points, height, width)
            else:
                _stroke(mask, points, shape.width / 2)
        yield mask


def _corners(box: Box) -> NDArray[np.float64]:
    right, bottom = box.x + box.width, box.y + box.height
    return np.array([[box.x, box.y], [right, box.y], [right, bottom], [box.x, bottom]], dtype=np.float64)


def _points_at(keyframes: Sequence[Keyframe], frame: int) -> NDArray[np.float64]:
    """Points [P, 2] at a frame, each coordinate interpolated linearly and held outside the keyframes."""
    ordered = sorted(keyframes, key=lambda key: key.frame)
    times = np.array([key.frame for key in ordered], dtype=np.float64)
    tracks = np.array([key.points for key in ordered], dtype=np.float64).reshape(len(ordered), -1)
    values = [np.interp(frame, times, tracks[:, column]) for column in range(tracks.shape[1])]
    return np.array(values, dtype=np.float64).reshape(-1, 2)


def _fill(points: NDArray[np.float64], height: int, width: int) -> NDArray[np.bool_]:
    """Even-odd fill: along each row of pixel centres, every edge that is crossed flips all centres to its
    right."""
    flips = np.zeros((height, width + 1), dtype=np.int32)
    centres = np.arange(height) + 0.5
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        rows = np.flatnonzero((y0 <= centres) != (y1 <= centres))
        if rows.size:
            crossing = x0 + (centres[rows] - y0) * (x1 - x0) / (y1 - y0)
            columns = np.clip(np.ceil(crossing - 0.5), 0, width).astype(np.int64)
            flips[rows, columns] += 1
    inside: NDArray[np.bool_] = np.cumsum(flips, axis=1)[:, :width] % 2 == 1
    return inside


def _stroke(mask: NDArray[np.bool_], points: NDArray[np.float64], radius: float) -> None:
    """Set the pixels of `mask` whose centres lie within `radius` of the open line through `points`."""
    height, width = mask.shape
    ends = points if len(points) == 1 else points[1:]
    for start, end in zip(points, ends, strict=False):
        low = np.floor(np.minimum(start, end) - radius)
        high = np.ceil(np.maximum(start, end) + radius)
        left, top = int(np.clip(low[0], 0, width)), int(np.clip(low[1], 0, height))
        right, bottom = int(np.clip(high[0], 0, width)), int(np.clip(high[1], 0, height))
        x = np.arange(left, right)[None, :] + 0.5 - start[0]
        y = np.arange(top, bottom)[:, None] + 0.5 - start[1]
        dx, dy = end - start
        along = np.clip((x * dx + y * dy) / max(dx * dx + dy * dy, 1e-12), 0.0, 1.0)
        distance = (x - along * dx) ** 2 + (y - along * dy) ** 2
        mask[top:bottom, left:right] |= distance <= radius**2
