# SPDX-License-Identifier: Apache-2.0
"""A timeline as all formats have it in common. Pure data; frames are integers, ranges half-open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from flowanchor_interchange.timecode import Timecode


@dataclass(frozen=True)
class Span:
    """Frames `start` to `end`, the latter not included."""

    start: int
    end: int

    @property
    def duration(self) -> int:
        return self.end - self.start

    def moved(self, frames: int) -> Span:
        """The same number of frames, `frames` later."""
        return Span(self.start + frames, self.end + frames)

    def meets(self, other: Span) -> bool:
        """Whether the two have a frame in common."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class Media:
    """The file behind a clip.

    `path` is where it should lie on this machine, None if the timeline names no file; `stated` is how the
    timeline writes it. `rate` is the file's frames a second, `frames` its length, where the timeline says so.
    `start` is the number of the file's first frame in the numbers that a clip's source counts in: 0 where
    these are relative to the file, that of its start timecode where they are absolute, None where the
    timeline does not say. Of images `first_number` is the number in the name of the first one.
    """

    stated: str
    path: Path | None
    rate: Fraction | None = None
    start: int | None = None
    frames: int | None = None
    kind: Literal["movie", "images"] = "movie"
    first_number: int | None = None


@dataclass(frozen=True)
class Clip:
    """A piece of media on a track.

    `source` counts frames at the media's rate, in the numbers `Media.start` tells; `record` counts frames at
    the timeline's rate from the timeline's first one. Both have the clip's visible length; where a transition
    lies over its ends, that is up to the cut. `obstacles` are sentences that say what keeps it from being
    edited; `effects` are the names of what is laid over its picture without keeping it from that. `label` is
    the timecode of its first source frame, where the format has that alone: whether it counts drop-frame is
    then for the file to say, and `source` only a reading of it.
    """

    name: str
    media: Media | None
    source: Span
    record: Span
    enabled: bool = True
    obstacles: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    label: str | None = None


@dataclass(frozen=True)
class Transition:
    """A dissolve, wipe or fade; `record` is where it is seen, over the ends of the clips beside it."""

    name: str
    record: Span


@dataclass(frozen=True)
class Track:
    """A video track: clips in the order of their record. `number` counts from 1, bottom to top."""

    number: int
    name: str
    clips: tuple[Clip, ...] = ()
    transitions: tuple[Transition, ...] = ()
    enabled: bool = True

    @property
    def gaps(self) -> tuple[Span, ...]:
        """Where the track is empty before its last clip."""
        found, cursor = [], 0
        for clip in self.clips:
            if clip.record.start > cursor:
                found.append(Span(cursor, clip.record.start))
            cursor = max(cursor, clip.record.end)
        return tuple(found)


@dataclass(frozen=True)
class Timeline:
    """`rate` is frames a second, exact; `start` the number of the first frame (86400 for 01:00:00:00 at 24);
    `drop` whether labels count drop-frame. `tracks` are those of video, bottom to top; of sound it is only
    known how many tracks there are. `size` is width and height in pixels where the format states them.
    `relative` tells that media is named by paths relative to the timeline's own folder. `notices` are
    sentences the user should see."""

    name: str
    rate: Fraction
    start: int = 0
    drop: bool = False
    size: tuple[int, int] | None = None
    tracks: tuple[Track, ...] = ()
    sound_tracks: int = 0
    relative: bool = False
    notices: tuple[str, ...] = ()

    @property
    def duration(self) -> int:
        """Frames to the end of the last clip."""
        return max((clip.record.end for track in self.tracks for clip in track.clips), default=0)

    def label(self, frame: int) -> str:
        """Timecode of a frame counted from the timeline's first one."""
        return str(Timecode(self.start + frame, self.rate, self.drop))


@dataclass(frozen=True)
class Result:
    """An edited clip to be put on a track of its own above all others.

    `path` is absolute. `record` counts frames from the timeline's first one; the file has exactly as many, at
    the timeline's rate. `start` is the frame that the file's start timecode labels, 0 where it has none, and
    `drop` whether that counts drop-frame.
    `size` is width and height in pixels. `alpha`: the picture is a patch to be laid over the source. `facts`
    say how it was made (job, seed, prompts) and are kept with the clip where the format can.
    """

    path: Path
    record: Span
    rate: Fraction
    start: int
    size: tuple[int, int]
    alpha: bool
    facts: Mapping[str, str]
    drop: bool = False
    track: str = "FlowAnchor"

    @property
    def note(self) -> str:
        """The facts in one line."""
        return ", ".join(f"{name}: {value}" for name, value in self.facts.items())
