# SPDX-License-Identifier: Apache-2.0
"""Edit decision lists. A list holds one video track, so the result is alone in its own, at its record time.

Imported on a track above the timeline's, it lies in its place. Nothing of the source is repeated in it.
"""

from __future__ import annotations

import re
from fractions import Fraction

from flowanchor_interchange.model import Result, Timeline
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.timecode import Timecode
from flowanchor_interchange.writers import common

_ALONE = (
    "An EDL holds one video track: this one holds the result alone. Import it on a track above the others."
)


def write(timeline: Timeline, result: Result) -> common.Written:
    """A list with the result alone.

    Raises:
        TimelineProblem: its frames take three digits, or the result's name has more than one line.
    """
    if re.search(r"[\t\n\r]", str(result.path)):
        raise common.unnameable(result.path)
    rate, drop = timeline.rate, timeline.drop
    length = result.record.duration
    # Whether a file's own timecode drops is its own matter, in a list that does and in one that does not.
    starts = (result.start, result.drop), (timeline.start + result.record.start, drop)
    times = [_label(first + more, rate, each) for first, each in starts for more in (0, length)]
    if any(len(time) != 11 for time in times):
        raise TimelineProblem(
            "timeline-place",
            f"An EDL cannot say {next(time for time in times if len(time) != 11)}.",
            "Write another format.",
        )
    lines = [
        f"TITLE: {_line(timeline.name or 'FlowAnchor')}",
        f"FCM: {'DROP FRAME' if drop else 'NON-DROP FRAME'}",
        "",
        f"001  FLOWANCH V     C        {' '.join(times)}",
        f"* FROM CLIP NAME: {result.path.name}",
        f"* SOURCE FILE: {result.path}",
        *(f"* COMMENT: {_line(f'{name}: {value}')}" for name, value in result.facts.items()),
    ]
    return common.Written("\n".join([*lines, ""]).encode(), (_ALONE,))


def _label(frame: int, rate: Fraction, drop: bool) -> str:
    """Timecode of a frame; labels begin again at midnight."""
    return str(Timecode(frame % Timecode.parse("24:00:00:00", rate, drop).frames, rate, drop))


def _line(text: str) -> str:
    return " ".join(text.split())
