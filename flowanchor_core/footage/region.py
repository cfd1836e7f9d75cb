# SPDX-License-Identifier: Apache-2.0
"""The part of the picture that the model sees: where it lies, at what size, and the way there and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from flowanchor_core.crops import SNAP, Crop, plan_crop
from flowanchor_core.errors import InputError
from flowanchor_core.footage.colour import Picture, to_rgb
from flowanchor_core.footage.mask_files import MaskTrack
from flowanchor_core.footage.matte import matte_of
from flowanchor_core.footage.planes import layout_of, samples
from flowanchor_core.footage.tags import ColourTags


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
