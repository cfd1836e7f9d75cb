# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames and rates. Blender says where a strip ends with the frame after its last, and where a render ends
with its last; ranges here always include both ends, and these are the only places that convert."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

LARGEST_DENOMINATOR = 100_000
"""Of a rate the daemon takes."""


@dataclass(frozen=True, order=True)
class FrameRange:
    """Scene frames `first` to `last`, both included; never empty."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"no frames from {self.first} to {self.last}")

    @classmethod
    def half_open(cls, start: int, end: int) -> FrameRange:
        """From Blender's strip numbers (`frame_final_start`, `frame_final_end`): `end` is not included."""
        return cls(start, end - 1)

    @property
    def end(self) -> int:
        """The frame after the last, as Blender's strips say it."""
        return self.last + 1

    @property
    def count(self) -> int:
        return self.last - self.first + 1

    def __contains__(self, frame: object) -> bool:
        return isinstance(frame, int) and self.first <= frame <= self.last

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.first, self.end))

    def index(self, frame: int) -> int:
        """Position of a scene frame in what is exported of the range, from 0; ValueError outside."""
        if frame not in self:
            raise ValueError(f"frame {frame} is not in {self.first} to {self.last}")
        return frame - self.first

    def frame(self, index: int) -> int:
        """Scene frame of a position in what was exported; ValueError outside."""
        if not 0 <= index < self.count:
            raise ValueError(f"there is no frame {index} of {self.count}")
        return self.first + index

    def moved(self, by: int) -> FrameRange:
        return FrameRange(self.first + by, self.last + by)

    def common(self, other: FrameRange) -> FrameRange | None:
        """Frames in both ranges; None if there are none."""
        first, last = max(self.first, other.first), min(self.last, other.last)
        return FrameRange(first, last) if first <= last else None


def exact_rate(fps: int, fps_base: float) -> Fraction:
    """Frames a second of a scene, exactly: 24 with base 1.001 is 24000/1001.

    Blender keeps the base as a 32-bit float; the simplest fraction that rounds to that float is meant by it.
    ValueError unless both are above 0 and finite.
    """
    if fps <= 0 or not math.isfinite(fps_base) or fps_base <= 0:
        raise ValueError(f"{fps} / {fps_base} is no frame rate")
    return (fps / _simplest(*_rounding_interval(fps_base))).limit_denominator(LARGEST_DENOMINATOR)


def _rounding_interval(value: float) -> tuple[Fraction, Fraction]:
    """Open-ended bounds of the numbers that are nearest to `value` among 32-bit floats."""
    (bits,) = struct.unpack("<I", struct.pack("<f", value))
    around = [Fraction(struct.unpack("<f", struct.pack("<I", bits + step))[0]) for step in (-1, 0, 1)]
    return (around[0] + around[1]) / 2, (around[1] + around[2]) / 2


def _simplest(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of the smallest denominator between two positive ones."""
    whole = math.floor(low)
    if whole + 1 < high or whole == low:
        return Fraction(whole if whole == low else whole + 1)
    rest = _simplest(1 / (high - whole), 1 / (low - whole))
    return whole + 1 / rest


@dataclass(frozen=True)
class StripSpan:
    """Where a strip's source frames lie on the timeline, at one source frame a scene frame.

    Attributes:
        content_start: scene frame at which the first source frame lies, trimmed away or not.
        content_length: source frames there are.
        start, end: what is seen, `end` not included; may go beyond the content, which then holds still.
        skipped: source frames before the first that the strip never shows (`animation_offset_start`).
    """

    content_start: float
    content_length: int
    start: int
    end: int
    skipped: int = 0

    @property
    def visible(self) -> FrameRange | None:
        """None for a strip trimmed to nothing."""
        return FrameRange.half_open(self.start, self.end) if self.end > self.start else None

    def source_index(self, frame: int) -> int | None:
        """Frame of the source file that is seen at a scene frame; None where nothing is seen."""
        if not self.start <= frame < self.end or self.content_length < 1:
            return None
        inside = math.floor(frame - self.content_start)
        return self.skipped + min(max(inside, 0), self.content_length - 1)

    def source_range(self, part: FrameRange) -> FrameRange | None:
        """Source frames seen over `part`, one after the other; None if they are no plain run of frames
        (frames held at an end, a start between frames, a part that is not visible)."""
        first, last = self.source_index(part.first), self.source_index(part.last)
        if first is None or last is None or self.content_start != math.floor(self.content_start):
            return None
        held = part.first < self.content_start or part.last >= self.content_start + self.content_length
        return None if held else FrameRange(first, last)
