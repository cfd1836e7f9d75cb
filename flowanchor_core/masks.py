# SPDX-License-Identifier: Apache-2.0
"""Masks: from a user's geometry to pixels, and from pixels to the transformer's token grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

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


def to_token_grid(mask: Tensor, stride_t: int = 4, token_h: int = 16, token_w: int = 16) -> Tensor:
    """Max-pool a pixel mask to the transformer's tokens (time, rows, columns; flattened: token order).

    Latent frame 0 sees pixel frame 0; latent frame j sees pixel frames `stride_t * (j-1) + 1 .. stride_t *
    j`. A token is in when any of its pixels, on any of its frames, is.

    Args:
        mask: [T, H, W], bool, or 0..1 where 0.5 and more counts as inside; T = stride_t * n + 1, H and W
            multiples of the token's size.
        stride_t: pixel frames a latent frame (Wan: 4).
        token_h, token_w: pixels a token covers (Wan: VAE stride 8 times patch 2).

    Returns:
        bool [F, H / token_h, W / token_w], F = 1 + (T - 1) / stride_t.

    Raises:
        InputError: the mask has another number of axes or does not fit the grid.
    """
    if mask.ndim != 3 or 0 in mask.shape:
        raise InputError(
            "mask-shape", f"The mask has shape {tuple(mask.shape)}.", "Give it as frames, height and width."
        )
    frames, height, width = mask.shape
    if (frames - 1) % stride_t or height % token_h or width % token_w:
        raise InputError(
            "mask-grid",
            f"A mask of {frames} frames of {width}x{height} does not fit tokens of {token_w}x{token_h} px.",
            f"Use {stride_t}n+1 frames and multiples of {token_w} by {token_h} pixels.",
        )
    inside = (mask if mask.dtype == torch.bool else mask >= 0.5).to(torch.float32)
    tokens = F.max_pool2d(inside[:, None], (token_h, token_w))[:, 0]
    first, rest = tokens[:1], tokens[1:]
    if len(rest):
        rest = rest.reshape(-1, stride_t, *rest.shape[1:]).amax(dim=1)
    return torch.cat([first, rest]) > 0


def rasterize(geometry: Geometry | Sequence[Geometry], frames: int, height: int, width: int) -> Tensor:
    """Draw shapes as one mask (their union): a pixel is inside when its centre is.

    Args:
        geometry: one shape or several; parts outside the picture are cut off.
        frames, height, width: size of the result, each at least 1.

    Returns:
        bool [frames, height, width].

    Raises:
        InputError: a size or a width that is not positive, a coordinate that is not finite, no keyframes,
            keyframes with differing point counts or repeated frames, a polygon of fewer than three points.
    """
    if min(frames, height, width) < 1:
        raise _bad_geometry(f"A mask of {frames} frames of {width}x{height} has no pixels.")
    shapes: Sequence[Geometry] = [geometry] if isinstance(geometry, Box | Polygon | Scribble) else geometry
    mask = np.zeros((frames, height, width), dtype=bool)
    for shape in shapes:
        if isinstance(shape, Box):
            mask |= _fill(_corners(shape), height, width)
            continue
        _check_keyframes(shape)
        for frame in range(frames):
            points = _points_at(shape.keyframes, frame)
            if isinstance(shape, Polygon):
                mask[frame] |= _fill(points, height, width)
            else:
                _stroke(mask[frame], points, shape.width / 2)
    return torch.from_numpy(mask)


def _bad_geometry(message: str) -> InputError:
    return InputError("mask-geometry", message, "Check the shape's numbers.")


def _corners(box: Box) -> NDArray[np.float64]:
    if not _usable([box.x, box.y, box.width, box.height]):
        raise _bad_geometry("A box has a coordinate that is not a number or too large.")
    if box.width <= 0 or box.height <= 0:
        raise _bad_geometry(f"The box {box.x},{box.y},{box.width},{box.height} has no area.")
    right, bottom = box.x + box.width, box.y + box.height
    return np.array([[box.x, box.y], [right, box.y], [right, bottom], [box.x, bottom]], dtype=np.float64)


def _usable(numbers: Sequence[float]) -> bool:
    """Whether all are finite and small enough that sums and products of them are exact enough."""
    return all(-_LARGEST <= number <= _LARGEST for number in numbers)


def _check_keyframes(shape: Polygon | Scribble) -> None:
    name = type(shape).__name__.lower()
    if not shape.keyframes:
        raise _bad_geometry(f"A {name} has no keyframes.")
    counts = {len(key.points) for key in shape.keyframes}
    if len(counts) > 1:
        raise _bad_geometry(f"The keyframes of a {name} have differing numbers of points.")
    if counts.pop() < (3 if isinstance(shape, Polygon) else 1):
        raise _bad_geometry(f"A {name} has too few points.")
    if len({key.frame for key in shape.keyframes}) < len(shape.keyframes):
        raise _bad_geometry(f"Two keyframes of a {name} share a frame.")
    if not all(_usable(point) for key in shape.keyframes for point in key.points):
        raise _bad_geometry(f"A {name} has a coordinate that is not a number or too large.")
    if not _usable([key.frame for key in shape.keyframes]):
        raise _bad_geometry(f"A {name} has a keyframe number that is too large.")
    if isinstance(shape, Scribble) and not 0 < shape.width <= _LARGEST:
        raise _bad_geometry("A scribble has a width that is not above 0, or too large.")


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
