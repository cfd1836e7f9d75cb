# SPDX-License-Identifier: Apache-2.0
"""Masks: from a movie, a sequence, an image or an array to one bit a pixel for each frame of a range."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowanchor_core.errors import InputError
from flowanchor_core.footage import colour, media, planes, sequences
from flowanchor_core.footage.decode import check_range, read_frames
from flowanchor_core.footage.probe import ClipInfo, probe, probe_sequence

INSIDE = 0.5
"""A mask's pixel counts as inside from this value up (0..1): compression noise stays outside."""


class MaskTrack:
    """The region a user marked, frame by frame of a range; kept as bits, so that 4K fits in memory.

    `track[i]` is the mask of the range's i-th frame, bool [H, W]; `a | b` is the union of two tracks.
    """

    def __init__(self, packed: list[NDArray[np.uint8]], height: int, width: int) -> None:
        self._packed = packed
        self.height = height
        self.width = width

    @classmethod
    def of(cls, frames: Iterator[NDArray[Any]] | NDArray[Any], height: int, width: int) -> MaskTrack:
        """From masks [H, W] in order (or one [T, H, W]): bool, or 0..1 of which 0.5 and more is inside."""
        packed = [np.packbits(mask if mask.dtype == np.bool_ else mask >= INSIDE, axis=1) for mask in frames]
        return cls(packed, height, width)

    def __len__(self) -> int:
        return len(self._packed)

    def __getitem__(self, index: int) -> NDArray[np.bool_]:
        return np.unpackbits(self._packed[index], axis=1, count=self.width).view(np.bool_)

    def __iter__(self) -> Iterator[NDArray[np.bool_]]:
        return (self[index] for index in range(len(self)))

    def __or__(self, other: MaskTrack) -> MaskTrack:
        if (len(self), self.height, self.width) != (len(other), other.height, other.width):
            raise ValueError("masks of different sizes or lengths have no union")
        joined = [a | b for a, b in zip(self._packed, other._packed, strict=True)]
        return MaskTrack(joined, self.height, self.width)

    def bounds(self) -> tuple[int, int, int, int] | None:
        """Left, top, right and bottom (exclusive) of all marks on any frame, None without any."""
        union = np.zeros((self.height, self.width), dtype=np.bool_)
        for mask in self:
            union |= mask
        rows, columns = np.flatnonzero(union.any(axis=1)), np.flatnonzero(union.any(axis=0))
        if not rows.size:
            return None
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1

    def require_marked(self, name: str) -> MaskTrack:
        """Itself, or InputError if no pixel is marked on any frame."""
        if not any(bits.any() for bits in self._packed):
            raise InputError(
                "mask-empty",
                f"The mask {name} marks nothing in this range.",
                "Paint the object white on black, or choose frames where it is marked.",
            )
        return self


def open_mask(path: Path | str, clip: ClipInfo, first: int, last: int) -> MaskTrack:
    """Read a mask for frames `first` to `last` of `clip`: white marks the region.

    Transparent pixels count as black.

    A movie or a sequence (folder or pattern) as long as the clip is cut to the range, one as long as the
    range is taken whole; a single image holds for every frame.

    Raises:
        InputError: the mask is missing or unreadable, of another size or length, or marks nothing in the
        range.
    """
    path = Path(path)
    media.refuse_unreachable(path)
    check_range(clip, first, last)
    if path.is_file() and sequences.is_image(path):
        mask = probe_sequence(sequences.ImageSequence((path,), 0), path)
    else:
        mask = probe(path)
    if (mask.width, mask.height) != (clip.width, clip.height):
        raise InputError(
            "mask-size",
            f"The mask {path.name} is {mask.width}x{mask.height}, the clip {clip.width}x{clip.height}.",
            "Export the mask at the clip's size.",
        )
    count = last - first + 1
    start = _start(mask, clip, first, count)
    if mask.frames == 1 and count > 1:
        still = next(iter(read_values(mask, 0, 0)))
        frames: Iterator[NDArray[np.float32]] = (still for _ in range(count))
    else:
        frames = read_values(mask, start, start + count - 1)
    return MaskTrack.of(frames, clip.height, clip.width).require_marked(path.name)


def read_mask(path: Path | str, clip: ClipInfo, first: int, last: int) -> NDArray[np.float32]:
    """`open_mask` as one float32 array [T, H, W] of zeros and ones, for short ranges."""
    return np.stack([mask.astype(np.float32) for mask in open_mask(path, clip, first, last)])


def read_values(mask: ClipInfo, first: int, last: int) -> Iterator[NDArray[np.float32]]:
    """The mask's brightness (times its alpha if it has one) for each frame, float32 [H, W] 0..1."""
    for frame in read_frames(mask, first, last):
        components, layout = planes.samples(frame), mask.layout
        if layout.family == "rgb":
            value = colour.to_rgb(components, layout, mask.colour).max(axis=-1)
        else:
            gray = replace(layout, family="gray")
            value = colour.to_rgb(components[:1], gray, mask.colour)[..., 0]
        if layout.alpha:
            value = value * (components[-1].astype(np.float32) / np.float32(layout.peak))
        yield value


def _start(mask: ClipInfo, clip: ClipInfo, first: int, count: int) -> int:
    if mask.frames == 1 or mask.frames == count:
        return 0
    if mask.frames == clip.frames:
        return first
    raise InputError(
        "mask-length",
        f"The mask {mask.path.name} has {mask.frames} frames; the clip has {clip.frames}, the range {count}.",
        "Give a mask for the whole clip, for exactly the range, or a single image.",
    )
