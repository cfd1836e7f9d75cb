# SPDX-License-Identifier: Apache-2.0
"""The part of the picture that the model sees: where it lies, at what size, and the way there and back."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from flowanchor_core.errors import InputError
from flowanchor_core.footage.colour import Picture, to_rgb
from flowanchor_core.footage.mask_files import MaskTrack
from flowanchor_core.footage.matte import matte_of
from flowanchor_core.footage.planes import layout_of, samples
from flowanchor_core.footage.tags import ColourTags

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


@dataclass(frozen=True)
class Region:
    """A crop of a frame and the size at which the model sees it, fixed for a whole range.

    `grow` and `feather` (native pixels) shape the composite matte: see `matte.matte_of`.
    """

    crop: Crop
    frame_width: int
    frame_height: int
    model_width: int
    model_height: int
    grow: int = 0
    feather: int = 0

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the crop that lie inside the frame."""
        crop = self.crop
        bottom, right = (
            min(crop.y + crop.height, self.frame_height),
            min(crop.x + crop.width, self.frame_width),
        )
        return slice(crop.y, bottom), slice(crop.x, right)

    def cut(self, frame: av.VideoFrame, colour: ColourTags) -> Picture:
        """A decoded frame's crop at model size: float32 [model_height, model_width, 3], R'G'B' 0..1."""
        layout = layout_of(frame.format.name)
        parts = [
            view[component_window(self.window, layout.chroma if layout.subsampled(index) else (0, 0))]
            for index, view in enumerate(samples(frame))
        ]
        seen: Picture = np.clip(self._to_model(to_rgb(parts, layout, colour)), 0, 1)
        return seen

    def cut_mask(self, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """A native mask [H, W] at model size: the marked share of each pixel, float32 0..1."""
        seen: Picture = np.clip(self._to_model(mask[self.window].astype(np.float32)), 0, 1)
        return seen

    def place(self, edited: Picture) -> Picture:
        """An edited picture [model_height, model_width, 3] back at native size, cut to the window; 0..1."""
        if edited.shape[:2] != (self.model_height, self.model_width):
            raise ValueError(f"expected {self.model_height} x {self.model_width} pixels, got {edited.shape}")
        full = resize(np.asarray(edited, dtype=np.float32), self.crop.width, self.crop.height)
        rows, columns = self.window
        placed: Picture = np.clip(full[: rows.stop - rows.start, : columns.stop - columns.start], 0, 1)
        return placed

    def matte(self, mask: NDArray[np.bool_]) -> Picture:
        """The composite matte of a native mask [H, W], cut to the window: float32, 1 inside."""
        return matte_of(mask[self.window], self.grow, self.feather)

    def _to_model(self, picture: Picture) -> Picture:
        below, beside = self.crop.height - picture.shape[0], self.crop.width - picture.shape[1]
        if below or beside:
            edges = [(0, below), (0, beside), (0, 0)][: picture.ndim]
            picture = np.pad(picture, edges, mode="edge")
        return resize(picture, self.model_width, self.model_height)


def plan_region(
    track: MaskTrack,
    *,
    margin: float,
    size_of: Callable[[Crop], tuple[int, int]],
    grow: int = 0,
    feather: int = 0,
    minimum: tuple[int, int] = (SNAP, SNAP),
    aspect: Fraction | None = None,
) -> Region:
    """Region around all that is marked on any frame.

    Args:
        track: the masks of the range; at least one pixel is marked.
        margin: context kept on every side, as a share of the marked region's longer side.
        size_of: gives the model's (width, height) for a crop, usually a call of `model_size`.
        grow, feather: of the composite matte; the crop always holds all of it.
        minimum, aspect: see `plan_crop`.

    Raises:
        InputError: nothing is marked, or a number is negative.
    """
    if grow < 0 or feather < 0 or margin < 0:
        raise InputError("bad-region", "Margin, grow and feather cannot be negative.", "Use 0 or more.")
    bounds = track.require_marked("of this edit").bounds()
    assert bounds is not None
    around = max(grow + feather, round(margin * max(bounds[2] - bounds[0], bounds[3] - bounds[1])))
    crop = plan_crop(bounds, (track.width, track.height), around, minimum=minimum, aspect=aspect)
    width, height = size_of(crop)
    return Region(crop, track.width, track.height, width, height, grow, feather)


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


def resize(picture: Picture, width: int, height: int) -> Picture:
    """Resample [H, W] or [H, W, C]: area mean when shrinking, Lanczos when enlarging."""
    rows, columns = picture.shape[:2]
    if (columns, rows) == (width, height):
        return picture
    smaller = width * height < columns * rows
    interpolation = cv2.INTER_AREA if smaller else cv2.INTER_LANCZOS4
    resized: Picture = cv2.resize(picture, (width, height), interpolation=interpolation).astype(np.float32)
    return resized


def component_window(window: tuple[slice, slice], chroma: tuple[int, int]) -> tuple[slice, slice]:
    """The window of a component at chroma size; blocks cut by the frame's edge are included."""
    rows, columns = window
    return (
        slice(rows.start >> chroma[1], -(-rows.stop >> chroma[1])),
        slice(columns.start >> chroma[0], -(-columns.stop >> chroma[0])),
    )


def _up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
