# SPDX-License-Identifier: Apache-2.0
"""What is asked of a timeline, and what was made of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from flowanchor_interchange.model import Span

from flowanchor_core.progress import EditResult


@dataclass(frozen=True)
class Wish:
    """What is asked of a timeline on the command line. `first` and `last` are frames of the clip, from its
    first visible one, both included; None is to its end."""

    clip: str
    out: Path
    track: int | None = None
    first: int = 0
    last: int | None = None
    media: Path | None = None
    media_out: Path | None = None
    deliver: Literal["full", "patch"] = "full"
    out_format: str | None = None
    flavour: Literal["resolve", "any"] | None = None


@dataclass(frozen=True)
class Done:
    """What was made: the edited frames and the timeline they lie on. `start` is the timecode of their first
    frame on it, `record` their frames counted from the timeline's first one."""

    result: EditResult
    timeline: Path
    track: int
    track_name: str
    clip: str
    start: str
    record: Span
    notices: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The edit's own keys, its notices and the timeline's together, and what was placed where."""
        plain = self.result.to_json()
        plain["notices"] = [*self.result.notices, *self.notices]
        plain["timeline"] = {
            "output": str(self.timeline),
            "track": self.track,
            "track_name": self.track_name,
            "clip": self.clip,
            "start": self.start,
            "first": self.record.start,
            "last": self.record.end - 1,
        }
        return plain
