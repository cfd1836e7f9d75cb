# SPDX-License-Identifier: Apache-2.0
"""SMPTE timecode (ST 12-1) and frame rates as exact fractions, drop-frame and hours past 24 included.

`flowanchor_core.footage.timecode` reads the labels that movies carry, which end at midnight; add-ons do not
load the core, and timelines run on past 24 hours, so the two are separate. A test holds them to the same
answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from flowanchor_interchange.problems import TimelineProblem

_PATTERN = re.compile(r"(\d{1,4}):(\d{2}):(\d{2})([:;.,])(\d{2,3})")
_NEAR = Fraction(6, 1000)  # programs write 23.98 and 47.95
MAX_RATE = 1000


def exact_rate(stated: float | str | Fraction) -> Fraction:
    """The rate that a rounded one stands for: 23.976 and 23.98 are 24000/1001, 25.0 is 25.

    A rate counts as n * 1000/1001 if it is within 0.006 of that and closer to it than to a whole number.

    Raises:
        TimelineProblem: no number, or not between 1/1000 and 1000 frames a second.
    """
    try:
        rate = Fraction(stated)
    except (ValueError, OverflowError, ZeroDivisionError):
        raise _no_rate(stated) from None
    if not Fraction(1, 1000) <= rate <= MAX_RATE:
        raise _no_rate(stated)
    whole = round(rate)
    ntsc = Fraction(round(rate * 1001 / 1000) * 1000, 1001)
    if abs(rate - ntsc) < _NEAR and abs(rate - ntsc) < abs(rate - whole):
        return ntsc
    if whole and abs(rate - whole) < Fraction(1, 10_000):
        return Fraction(whole)
    return rate.limit_denominator(1001)


def _no_rate(stated: object) -> TimelineProblem:
    return TimelineProblem(
        "timeline-rate", f"'{str(stated)[:40]}' is no frame rate.", "Give one such as 25 or 24000/1001."
    )


def can_drop(rate: Fraction) -> bool:
    """Whether there is drop-frame counting at a rate: at 30000/1001 and its multiples alone."""
    return rate.denominator == 1001 and round(rate) % 30 == 0


@dataclass(frozen=True)
class Timecode:
    """The label of one frame. `frames` counts from 00:00:00:00, not negative; `rate` is frames a second."""

    frames: int
    rate: Fraction
    drop: bool = False

    def __post_init__(self) -> None:
        if self.frames < 0:
            raise TimelineProblem(
                "timecode",
                f"There is no timecode {self.frames} frames before zero.",
                "Start at zero or later.",
            )
        if self.nominal < 1:
            raise _no_rate(self.rate)
        if self.drop and not can_drop(self.rate):
            raise TimelineProblem(
                "timecode",
                f"There is no drop-frame timecode at {self.rate} frames a second.",
                "Use non-drop timecode; only 30000/1001 and its multiples drop.",
            )

    @classmethod
    def parse(cls, text: str, rate: Fraction, drop: bool | None = None) -> Timecode:
        """Read "01:00:00:00", or drop-frame "01:00:00;00", at `rate`.

        `drop` says how the label counts; None leaves it to its last separator, where a semicolon, a point or
        a comma mean drop-frame at rates that have it. Hours may go past 24.

        Raises:
            TimelineProblem: no timecode, or none at this rate (frame too high, a dropped label).
        """
        match = _PATTERN.fullmatch(text.strip())
        if match is None:
            raise _unread(text, rate)
        hours, minutes, seconds, frame = (int(match[group]) for group in (1, 2, 3, 5))
        nominal = round(rate)
        if nominal < 1 or minutes > 59 or seconds > 59 or frame >= nominal:
            raise _unread(text, rate)
        if drop is None:
            drop = match[4] != ":" and can_drop(rate)
        total_minutes = 60 * hours + minutes
        count = (60 * total_minutes + seconds) * nominal + frame
        if drop and can_drop(rate):
            dropped = nominal // 15
            if frame < dropped and seconds == 0 and minutes % 10:
                raise _unread(text, rate)
            count -= dropped * (total_minutes - total_minutes // 10)
        return cls(count, rate, drop)

    @property
    def nominal(self) -> int:
        """Frames that the label counts to a second: 24 at 24000/1001."""
        return round(self.rate)

    @property
    def seconds(self) -> Fraction:
        """Time since 00:00:00:00 in seconds, exact."""
        return self.frames / self.rate

    def advanced(self, frames: int) -> Timecode:
        """The label `frames` later; there is no midnight.

        Raises:
            TimelineProblem: it would be negative.
        """
        return Timecode(self.frames + frames, self.rate, self.drop)

    def __str__(self) -> str:
        count = self.frames
        if self.drop:
            dropped = self.nominal // 15
            ten_minutes = 600 * self.nominal - 9 * dropped
            tens, rest = divmod(count, ten_minutes)
            first = 60 * self.nominal
            extra = 0 if rest < first else 1 + (rest - first) // (first - dropped)
            count += dropped * (9 * tens + extra)
        seconds, frame = divmod(count, self.nominal)
        digits = 3 if self.nominal > 100 else 2
        separator = ";" if self.drop else ":"
        clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        return f"{clock}{separator}{frame:0{digits}d}"


def _unread(text: str, rate: Fraction) -> TimelineProblem:
    return TimelineProblem(
        "timecode",
        f"'{text[:40]}' is no timecode at {rate} frames a second.",
        "Check the timeline's frame rate and whether it counts drop-frame.",
    )
