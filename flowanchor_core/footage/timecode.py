# SPDX-License-Identifier: Apache-2.0
"""SMPTE timecode: read, count and write labels, drop-frame included (SMPTE ST 12-1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

_PATTERN = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})([:;.])(\d{1,3})")


@dataclass(frozen=True)
class Timecode:
    """A label of one frame. `frames` counts from 00:00:00:00; `nominal` is the frame rate it counts."""

    frames: int
    nominal: int
    drop: bool

    @classmethod
    def parse(cls, text: str, rate: Fraction) -> Timecode | None:
        """Read "01:00:00:00" or, drop-frame, "01:00:00;00" at `rate`; None if it is no label at that rate.

        A semicolon (or dot) counts as drop-frame only at 30000/1001 and its multiples; elsewhere nothing is
        dropped.
        """
        match = _PATTERN.fullmatch(text.strip())
        nominal = round(rate)
        if match is None or nominal < 1:
            return None
        hours, minutes, seconds, frame = (int(match[group]) for group in (1, 2, 3, 5))
        if hours > 23 or minutes > 59 or seconds > 59 or frame >= nominal:
            return None
        drop = match[4] != ":" and rate.denominator == 1001 and nominal % 30 == 0
        total_minutes = 60 * hours + minutes
        count = (60 * total_minutes + seconds) * nominal + frame
        if drop:
            per_minute = nominal // 15
            if frame < per_minute and seconds == 0 and minutes % 10:
                return None  # a label that drop-frame counting skips
            count -= per_minute * (total_minutes - total_minutes // 10)
        return cls(count, nominal, drop)

    def advanced(self, frames: int) -> Timecode:
        """The label `frames` later, past midnight from zero again."""
        per_day = 24 * 3600 * self.nominal - (self.nominal // 15 * (24 * 54) if self.drop else 0)
        return Timecode((self.frames + frames) % per_day, self.nominal, self.drop)

    def __str__(self) -> str:
        count = self.frames
        if self.drop:
            per_minute = self.nominal // 15
            ten_minutes = 600 * self.nominal - 9 * per_minute
            tens, rest = divmod(count, ten_minutes)
            first_minute = 60 * self.nominal
            extra = 0 if rest < first_minute else 1 + (rest - first_minute) // (first_minute - per_minute)
            count += per_minute * (9 * tens + extra)
        seconds, frame = divmod(count, self.nominal)
        separator = ";" if self.drop else ":"
        digits = 3 if self.nominal > 100 else 2
        return (
            f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{separator}{frame:0{digits}d}"
        )


def advance(text: str | None, rate: Fraction, frames: int) -> str | None:
    """`text` moved on by `frames` frames, or None where there is no usable timecode."""
    start = None if text is None else Timecode.parse(text, rate)
    return None if start is None else str(start.advanced(frames))
