# SPDX-License-Identifier: Apache-2.0
"""From a user's shapes to pixels, one frame at a time, with numpy alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from flowanchor_core.geometry import (
    Box,
    Geometry,
    Keyframe,
    Polygon,
    Scribble,
    bad_geometry,
    check_geometry,
)

_Numbers = NDArray[np.float64]
_AT_ONCE = 1 << 15  # places where a line may cross a row, looked at together
_PIECES = 256  # of a stroke, likewise


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
    # Every shape adds its runs of pixels to one picture of the ends of runs, so that a frame costs at most
    # points x rows + pixels, however large the shapes are and however many.
    still = np.zeros((height, width + 1), dtype=np.int32)
    moving = []
    for shape in shapes:
        if isinstance(shape, Box):
            _fill(still, _corners(shape))
        elif len(shape.keyframes) == 1:
            _add(still, shape, 0)
        else:
            moving.append(shape)
    mask = _covered(still)
    for frame in range(frames):
        if moving:
            ends = still.copy()
            for shape in moving:
                _add(ends, shape, frame)
            mask = _covered(ends)
        yield mask.copy()


def _add(ends: NDArray[np.int32], shape: Polygon | Scribble, frame: int) -> None:
    points = _points_at(shape.keyframes, frame)
    if isinstance(shape, Polygon):
        _fill(ends, points)
    else:
        _stroke(ends, points, shape.width / 2)


def _covered(ends: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Where more runs have begun than ended."""
    covered: NDArray[np.bool_] = np.cumsum(ends, axis=1)[:, :-1] > 0
    return covered


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


def _fill(ends: NDArray[np.int32], points: NDArray[np.float64]) -> None:
    """Even-odd fill of an outline: along each row of pixel centres a run begins at every other edge that is
    crossed and ends at the one after it."""
    width, flat = ends.shape[1] - 1, ends.reshape(-1)
    (x0, y0), (x1, y1) = points.T[:, :, None], np.roll(points, -1, axis=0).T[:, :, None]
    for rows in _row_blocks(ends, y0.min(), y0.max(), len(points)):
        centres = rows + 0.5
        edge, row = np.nonzero((y0 <= centres) != (y1 <= centres))
        x, y = x0[edge, 0], y0[edge, 0]
        crossing = x + (centres[row] - y) * (x1[edge, 0] - x) / (y1[edge, 0] - y)
        columns = np.clip(np.ceil(crossing - 0.5), 0, width).astype(np.int64)
        # An outline is closed, so it crosses a row an even number of times.
        crossings = np.sort(rows[row] * (width + 1) + columns)
        np.add.at(flat, crossings[0::2], 1)
        np.add.at(flat, crossings[1::2], -1)


def _stroke(ends: NDArray[np.int32], points: NDArray[np.float64], radius: float) -> None:
    """Cover the pixels whose centres lie within `radius` of the open line through `points`: along each row
    one run for every piece of the line, which is as long as the widest of the piece's band and two caps."""
    width, flat = ends.shape[1] - 1, ends.reshape(-1)
    first = points if len(points) == 1 else points[:-1]
    last = points if len(points) == 1 else points[1:]
    for at in range(0, len(first), _PIECES):
        (ax, ay), (bx, by) = first[at : at + _PIECES].T[:, :, None], last[at : at + _PIECES].T[:, :, None]
        low, high = min(ay.min(), by.min()) - radius, max(ay.max(), by.max()) + radius
        for rows in _row_blocks(ends, low, high, len(ax)):
            centres: _Numbers = rows.astype(np.float64) + 0.5
            runs = [_cap(ax, ay, centres, radius), _cap(bx, by, centres, radius)]
            runs.append(_band(ax, ay, bx - ax, by - ay, centres, radius))
            left = np.min([run[0] for run in runs], axis=0)
            right = np.max([run[1] for run in runs], axis=0)
            piece, row = np.nonzero(left <= right)
            start = np.clip(np.ceil(left[piece, row] - 0.5), 0, width).astype(np.int64)
            stop = np.clip(np.floor(right[piece, row] - 0.5) + 1, 0, width).astype(np.int64)
            np.add.at(flat, rows[row] * (width + 1) + start, 1)
            np.add.at(flat, rows[row] * (width + 1) + stop, -1)


def _cap(x: _Numbers, y: _Numbers, centres: _Numbers, radius: float) -> tuple[_Numbers, _Numbers]:
    """Ends of the run of a disc around x, y on each row; from inf to -inf where it does not reach."""
    square = radius**2 - (centres - y) ** 2
    half = np.sqrt(np.maximum(square, 0.0))
    return np.where(square >= 0, x - half, np.inf), np.where(square >= 0, x + half, -np.inf)


def _band(
    x: _Numbers, y: _Numbers, dx: _Numbers, dy: _Numbers, centres: _Numbers, radius: float
) -> tuple[_Numbers, _Numbers]:
    """As `_cap`, of the points beside the line from x, y by dx, dy: neither before nor behind it."""
    length, below = np.hypot(dx, dy), centres - y
    with np.errstate(divide="ignore", invalid="ignore"):  # a line along a row or column: `where` decides
        sides = np.sort([(below * dx - radius * length) / dy, (below * dx + radius * length) / dy], axis=0)
        bounds = np.sort([-below * dy / dx, (length**2 - below * dy) / dx], axis=0)
    within = (dx != 0) | (dy != 0)
    within = within & ((dy != 0) | (np.abs(below * dx) <= radius * length))
    within = within & ((dx != 0) | ((below * dy >= 0) & (below * dy <= length**2)))
    low = np.maximum(np.where(dy != 0, sides[0], -np.inf), np.where(dx != 0, bounds[0], -np.inf))
    high = np.minimum(np.where(dy != 0, sides[1], np.inf), np.where(dx != 0, bounds[1], np.inf))
    within = within & (low <= high)
    return np.where(within, x + low, np.inf), np.where(within, x + high, -np.inf)


def _row_blocks(ends: NDArray[np.int32], low: float, high: float, lines: int) -> Iterator[NDArray[np.int64]]:
    """The rows whose centres may lie between `low` and `high`, so many at once that `lines` x rows stay
    small."""
    top, bottom = (int(np.clip(value, 0, ends.shape[0])) for value in (np.floor(low), np.ceil(high)))
    step = max(1, _AT_ONCE // lines)
    for row in range(top, bottom, step):
        yield np.arange(row, min(row + step, bottom))
