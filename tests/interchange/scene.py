# SPDX-License-Identifier: Apache-2.0
"""One small timeline, and what must be seen at each of its frames before and after an edit.

Track 1 shows frames 10 to 33 of the footage, six empty frames, then frames 60 to 89 ("two"); track 2 shows
frames 100 to 107 over the end of it ("top"). The footage's frames carry their numbers as bits, so that a
wrong frame is seen; edited frames carry a white mark besides.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from flowanchor_interchange.model import Result, Span
from flowanchor_interchange.timecode import Timecode

from tests.blender.host.numbered import HEIGHT, WIDTH, number_of, picture

_NAMES = "24000/1001", "24", "25", "30000/1001", "30", "48000/1001", "48", "50", "60000/1001", "60"
RATES = tuple(map(Fraction, _NAMES))
STARTS = (0, 1, 10)
"""Hours at which timelines start."""

FRAMES = 120
FIRST = Span(10, 34)
TWO = Span(60, 90)
TOP = Span(100, 108)
TWO_AT, TOP_AT, LENGTH = 30, 52, 60

EDITED = Span(5, 15)
"""Of the clip "two"."""


@dataclass(frozen=True)
class Scene:
    """The timeline at a rate and a start. `footage` is a file of that rate whose timecode is the start's, or
    `later` by some frames."""

    rate: Fraction
    hours: int
    footage: Path
    drop: bool = False
    later: int = 0

    @property
    def label(self) -> str:
        return f"{self.hours:02d}:00:00{';' if self.drop else ':'}00"

    @property
    def start(self) -> int:
        return Timecode.parse(self.label, self.rate, self.drop).frames

    @property
    def recorded(self) -> int:
        """The frame of the footage's start timecode."""
        return self.start + self.later

    @property
    def recorded_label(self) -> str:
        return str(Timecode(self.recorded, self.rate, self.drop))

    def result(self, path: Path, alpha: bool = False) -> Result:
        """What comes back for the edited frames of "two"."""
        return Result(
            path=path,
            record=EDITED.moved(TWO_AT),
            rate=self.rate,
            start=self.recorded + TWO.start + EDITED.start,
            size=(WIDTH, HEIGHT),
            alpha=alpha,
            facts={"job": "0123abcd", "seed": "7", "source": "a grey field", "target": 'a "white" field <&>'},
        )


def before(frame: int) -> int | None:
    """The number seen at a frame of the timeline without the result; None where it is black."""
    if TOP_AT <= frame < TOP_AT + TOP.duration:
        return TOP.start + frame - TOP_AT
    if frame < FIRST.duration:
        return FIRST.start + frame
    return TWO.start + frame - TWO_AT if TWO_AT <= frame < LENGTH else None


def after(frame: int) -> tuple[int | None, bool]:
    """The number and whether the edit's mark is seen at a frame of the timeline with the result."""
    return before(frame), EDITED.start <= frame - TWO_AT < EDITED.end


def seen(frame: npt.NDArray[Any]) -> tuple[int | None, bool]:
    """The same of a picture; -1 is a picture whose number cannot be read."""
    if frame.mean() < 10:
        return None, False
    number = number_of(frame)
    return -1 if number is None else number, bool(frame[2:12, WIDTH // 2 - 8 : WIDTH // 2 + 8].mean() > 200)


def write_footage(
    path: Path, rate: Fraction, label: str | None, span: Span, marked: bool = False, alpha: bool = False
) -> Path:
    """FFV1 of the numbers of a span, with a start timecode; `alpha`: the mark alone, all else transparent."""
    import av

    with av.open(str(path), "w") as container:
        if label is not None:
            container.metadata["timecode"] = label
        stream: Any = container.add_stream("ffv1", rate=rate)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "bgra" if alpha else "bgr0"
        for index, number in enumerate(range(span.start, span.end)):
            shown = _patch() if alpha else _picture(number, marked)
            frame = av.VideoFrame.from_ndarray(shown, "rgba" if alpha else "rgb24")
            frame.pts, frame.time_base = index, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@cache
def _picture(number: int, marked: bool) -> npt.NDArray[np.uint8]:
    whole = picture(number).copy()
    if marked:
        whole[:16, WIDTH // 2 - 12 : WIDTH // 2 + 12] = 255
    return whole


def _patch() -> npt.NDArray[np.uint8]:
    whole = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    whole[:16, WIDTH // 2 - 12 : WIDTH // 2 + 12] = 255
    return whole


def write_edited(scene: Scene, path: Path, alpha: bool = False) -> Path:
    """What an editor would give for the edited frames of "two": the same, marked; or only the mark."""
    label = str(Timecode(scene.result(path).start, scene.rate, scene.drop))
    return write_footage(path, scene.rate, label, EDITED.moved(TWO.start), True, alpha)
