# SPDX-License-Identifier: Apache-2.0
"""Frame numbers, rates and timecodes, the way Resolve counts them.

The one place where the three ways of counting meet: timeline items and renders use record frames, which are
absolute (01:00:00:00 at 24 frames a second is 86400); markers and in and out marks count from the timeline's
first frame; some ends are included and some not. Everything else of this package uses half-open ranges of
record frames.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flowanchor_resolve.problems import ResolveProblem

_TIMECODE = re.compile(r"(\d{1,3})[:;.](\d{2})[:;.](\d{2})([:;.])(\d{2,3})")
_TOLERANCE = 0.006  # rates are told with two or three decimals, rounded or cut off


@dataclass(frozen=True)
class Span:
    """A half-open range of record frames."""

    start: int
    end: int

    @property
    def frames(self) -> int:
        return self.end - self.start

    def overlap(self, other: Span) -> Span | None:
        """What both have in common, if they do."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Span(start, end) if start < end else None

    def covers(self, other: Span) -> bool:
        return self.start <= other.start and other.end <= self.end

    def marks(self) -> tuple[int, int]:
        """MarkIn and MarkOut of a render: record frames, the last one included."""
        return self.start, self.end - 1


def to_relative(frame: int, timeline_start: int) -> int:
    """A record frame as markers count it."""
    return frame - timeline_start


def to_record(frame: int, timeline_start: int) -> int:
    """A marker's frame as items count it."""
    return frame + timeline_start


def span_of_marks(answer: Any, timeline_start: int, whole: Span) -> Span | None:
    """The range between the timeline's in and out marks, as `GetMarkInOut` tells them.

    Args:
        answer: such as {"video": {"in": 0, "out": 134}}, relative frames, the last one included; keys are
            missing where nothing is set.
        timeline_start: record frame of the timeline's first frame.
        whole: where the range begins or ends if only one mark is set.

    Returns:
        None if no mark is set.
    """
    if not isinstance(answer, Mapping):
        return None
    marks = answer.get("video") or answer.get("all") or {}
    first, last = marks.get("in"), marks.get("out")
    if first is None and last is None:
        return None
    start = whole.start if first is None else to_record(int(first), timeline_start)
    end = whole.end if last is None else to_record(int(last), timeline_start) + 1
    return Span(start, max(start, end))


def parse_rate(text: Any) -> tuple[Fraction, bool]:
    """The exact rate behind a "timelineFrameRate" or "FPS", and whether it counts drop frame.

    "23.976" is 24000/1001, "29.97 DF" is 30000/1001 with drop frame, "24", "24.0" and 24.0 are 24.

    Raises:
        ResolveProblem: "resolve-rate", if it is no rate.
    """
    match = re.fullmatch(r"\s*(\d+(?:[.,]\d+)?)\s*(?:fps)?\s*(DF|NDF)?\s*", str(text), re.IGNORECASE)
    value = float(match.group(1).replace(",", ".")) if match else 0.0
    nearest = round(value)
    if match and 1 <= value <= 1000:
        drop = (match.group(2) or "").upper() == "DF"
        if abs(value - nearest) < 0.0005:
            return Fraction(nearest), drop
        if nearest > value and abs(value - nearest * 1000 / 1001) < _TOLERANCE:
            return Fraction(nearest * 1000, 1001), drop
    raise ResolveProblem(
        "resolve-rate",
        f'Resolve states a frame rate of "{text}", which is no rate we know.',
        "Set the timeline to one of Resolve's standard frame rates.",
    )


def nominal(rate: Fraction) -> int:
    """Frames that a second of timecode counts: 30 for 29.97."""
    return -(-rate.numerator // rate.denominator)


def frame_of_timecode(timecode: str, rate: Fraction, drop: bool) -> int:
    """The frame number of a timecode: 01:00:00:00 is 86400 at 24 and at 23.976, 107892 at 29.97 drop frame.

    Raises:
        ResolveProblem: "resolve-timecode", if it is none.
    """
    match = _TIMECODE.fullmatch(timecode.strip())
    base = nominal(rate)
    if match is None or int(match.group(5)) >= base or int(match.group(2)) > 59 or int(match.group(3)) > 59:
        raise ResolveProblem(
            "resolve-timecode",
            f'Resolve states a timecode of "{timecode}", which cannot be read.',
            "Check the timeline's start timecode.",
        )
    hours, minutes, seconds, frames = (int(match.group(part)) for part in (1, 2, 3, 5))
    minutes += 60 * hours
    number = (minutes * 60 + seconds) * base + frames
    return number - _dropped(base) * (minutes - minutes // 10) if drop else number


def timecode_of_frame(frame: int, rate: Fraction, drop: bool) -> str:
    """The timecode of a frame number; the last separator is ";" with drop frame. Past midnight they begin
    anew."""
    base = nominal(rate)
    frame %= a_day(rate, drop)
    if drop:
        a_minute, ten_minutes = 60 * base - _dropped(base), 600 * base - 9 * _dropped(base)
        tens, rest = divmod(frame, ten_minutes)
        past = max(0, (rest - 60 * base) // a_minute + 1) if rest >= 60 * base else 0
        frame += _dropped(base) * (9 * tens + past)
    seconds, frames = divmod(frame, base)
    width = len(str(base - 1))
    return (
        f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        f"{';' if drop else ':'}{frames:0{width}d}"
    )


def is_timecode_of(told: str | None, timecode: str) -> bool:
    """Whether a movie's start timecode is this one, however it writes drop frame."""
    return told is not None and told.replace(";", ":") == timecode.replace(";", ":")


def a_day(rate: Fraction, drop: bool) -> int:
    """How many frames 24 hours of timecode count."""
    base = nominal(rate)
    return 86_400 * base - (24 * 54 * _dropped(base) if drop else 0)


def _dropped(base: int) -> int:
    """Frame numbers left out at the start of a minute that is no tenth: 2 at 29.97, 4 at 59.94."""
    return base // 15


def whole(value: Any) -> int:
    """A frame number that Resolve may tell as a float.

    Raises:
        ResolveProblem: "resolve-refused", if it is none.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool) and float(value).is_integer():
        return int(value)
    raise ResolveProblem(
        "resolve-refused", f'Resolve gave "{value}" for a frame number.', "Look at Resolve, then try again."
    )
