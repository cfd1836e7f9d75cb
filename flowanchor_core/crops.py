# SPDX-License-Identifier: Apache-2.0
"""Which part of the picture the model sees, and at what size: plain arithmetic, without a picture library."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

SNAP = 16
Mode = Literal["detail", "fast"]


@dataclass(frozen=True)
class Crop:
    """A rectangle in native pixels. x, y, width and height are multiples of `SNAP`.

    It may reach over the frame's right and lower edge, where the model is shown the last pixel repeated.
    """

    x: int
    y: int
    width: int
    height: int


def plan_crop(
    bounds: tuple[int, int, int, int],
    frame_size: tuple[int, int],
    margin: int,
    multiple: int = SNAP,
    minimum: tuple[int, int] = (SNAP, SNAP),
    aspect: Fraction | None = None,
) -> Crop:
    """Smallest crop on the grid of `multiple` pixels that holds `bounds` and, inside the frame, `margin`
    around it.

    Args:
        bounds: left, top, right, bottom (exclusive) of the marked region, in native pixels.
        frame_size: (width, height) of the frame.
        margin: pixels kept on every side where the frame has them.
        multiple: x, y, width and height become multiples of it.
        minimum: (width, height) the crop has at least, even where the frame is smaller (it is then padded).
        aspect: width / height to come close to by widening one side as far as the frame allows; None: as it
            falls.
    """
    left, top, right, bottom = bounds
    spans = []
    for low, high, size in ((left, right, frame_size[0]), (top, bottom, frame_size[1])):
        spans.append((max(0, low - margin), min(size, high + margin)))
    wholes = [_up(max(size, least), multiple) for size, least in zip(frame_size, minimum, strict=True)]
    lengths = list(minimum)
    axes = _place_all(spans, lengths, wholes, multiple)
    if aspect is not None:
        wide, tall = axes[0][1], axes[1][1]
        lengths = [max(wide, math.ceil(tall * aspect)), max(tall, math.ceil(wide / aspect))]
        axes = _place_all(spans, lengths, wholes, multiple)
    return Crop(axes[0][0], axes[1][0], axes[0][1], axes[1][1])


def _place_all(
    spans: list[tuple[int, int]], lengths: list[int], wholes: list[int], multiple: int
) -> list[tuple[int, int]]:
    return [
        _place(low, high, length, whole, multiple)
        for (low, high), length, whole in zip(spans, lengths, wholes, strict=True)
    ]


def _place(low: int, high: int, length: int, whole: int, multiple: int) -> tuple[int, int]:
    """Start and length on the grid, inside 0..whole: holds low..high, at least `length`, as centred as it
    can be.
    """
    length = min(_up(max(length, high - low), multiple), whole)
    while True:
        earliest = max(0, _up(high - length, multiple))
        latest = min(low // multiple * multiple, whole - length)
        if earliest <= latest:
            centred = round((low + high - length) / 2 / multiple) * multiple
            return min(max(centred, earliest), latest), length
        length += multiple


def model_size(
    crop: Crop, budget: int, multiple: int = SNAP, mode: Mode = "detail", longest: int | None = None
) -> tuple[int, int]:
    """Width and height at which the model sees a crop.

    Args:
        crop: in native pixels.
        budget: pixels a frame the model was made for (Wan 1.3B: 832 * 480).
        multiple: pixels a token covers; both sides become multiples of it.
        mode: "detail" scales the crop up or down to the budget, "fast" keeps its scale and only scales down.
        longest: longest side allowed, if any.

    Returns:
        (width, height), each at least `multiple`, their product at most `budget`; the crop's aspect ratio
        as nearly as the grid allows.
    """
    scale = math.sqrt(budget / (crop.width * crop.height))
    if mode == "fast":
        scale = min(scale, 1.0)
    if longest is not None:
        scale = min(scale, longest / max(crop.width, crop.height))
    want = crop.width / crop.height
    # For crops so long that even one token across is too much at their aspect: the longest strip that fits.
    strip = min(budget // multiple, longest or budget, max(crop.width, crop.height))
    strip = max(multiple, strip // multiple * multiple)
    best = (strip, multiple) if want >= 1 else (multiple, strip)
    best_cost = math.inf
    ideal = crop.width * scale
    for columns in range(max(1, int(ideal / multiple) - 2), int(ideal / multiple) + 3):
        width = columns * multiple
        for rows in {max(1, math.floor(width / want / multiple)), max(1, math.ceil(width / want / multiple))}:
            height = rows * multiple
            if width * height > max(budget, multiple * multiple):
                continue
            if longest is not None and max(width, height) > max(longest, multiple):
                continue
            distortion = abs(math.log(width / height / want))
            shrink = abs(math.log(width * height / (crop.width * crop.height * scale * scale)))
            if (cost := distortion + 0.5 * shrink) < best_cost:
                best, best_cost = (width, height), cost
    return best


def _up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
