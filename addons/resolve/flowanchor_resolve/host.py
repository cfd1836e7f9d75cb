# SPDX-License-Identifier: Apache-2.0
"""What an edit needs of an editing program, and the plain data that goes between the two.

Frames are whole numbers and ranges half-open (`end` is the first frame after) unless a name says otherwise.
Record frames are absolute, as Resolve counts timeline items: 01:00:00:00 at 24 frames a second is 86400.
Rates are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal, Protocol

from flowanchor_resolve.frames import to_relative

MaskSource = Literal["auto", "track", "alpha", "fusion", "matte"]
"""Where the region comes from: a clip on a track "FA MASK", the picture's alpha, a polygon of the clip's
Fusion composition, a matte attached to the clip; "auto" takes the first of these that is there."""

Say = Callable[[str], None]
"""Told in plain words what is being done."""


@dataclass(frozen=True)
class Selection:
    """One clip on a timeline, as the user has chosen it."""

    project: str
    timeline: str
    timeline_id: str
    item_id: str
    name: str
    track: int
    """Video track, from 1 at the bottom."""
    start: int
    end: int
    """Record frames of the part to edit, within the clip."""
    timeline_start: int
    """Record frame of the timeline's first frame."""
    rate: Fraction
    """Of the timeline, frames a second."""
    drop_frame: bool
    width: int
    height: int
    """Of the timeline, pixels."""
    wish: Mapping[str, str] = field(default_factory=dict)
    """What the user wrote into a FlowAnchor marker of the clip: "source", "target", "words" (see
    wishes.py)."""

    clip_start: int | None = None
    """Record frame of the whole clip's first frame, and `clip_offset` the frame of its source that is there,
    as far as they are told: by them it is seen later whether the clip was moved or slipped."""
    clip_offset: float | None = None

    @property
    def frames(self) -> int:
        return self.end - self.start

    @property
    def relative_start(self) -> int:
        """Frames from the timeline's beginning, as markers count."""
        return to_relative(self.start, self.timeline_start)


@dataclass(frozen=True)
class Footage:
    """A movie that shows a selection, frame on frame."""

    path: Path
    first: int
    """Frame of the movie that is the selection's first, from 0."""
    frames: int
    direct: bool
    """The clip's own file, since it is provably the same; else rendered by us, and ours to remove."""
    in_alpha: bool = False
    """Of a region: what counts is the movie's alpha, not its brightness."""


@dataclass(frozen=True)
class Polygon:
    """An outline over time, in pixels of the exported picture; keyframes count from the selection's first
    frame.

    All keyframes have as many points. Between keyframes points move linearly, outside they hold still, as in
    `flowanchor.v1.Polygon`.
    """

    keyframes: Sequence[tuple[int, Sequence[tuple[float, float]]]]
    invert: bool = False


@dataclass(frozen=True)
class Region:
    """What marks the region: movies that are white inside, as long as the selection or of a single frame, or
    outlines. All of them together are the region."""

    source: MaskSource
    movies: Sequence[Footage] = ()
    polygons: Sequence[Polygon] = ()
    notes: Sequence[str] = ()
    """What was left out or approximated, a sentence each."""


@dataclass(frozen=True)
class Result:
    """An edit that is done: a movie at the timeline's exact rate, as long as the selection."""

    path: Path
    frames: int
    deliver: Literal["patch", "full"]
    job: str
    seed: int
    source_prompt: str
    target_prompt: str
    settings: Mapping[str, object] = field(default_factory=dict)
    """Enough to ask for the same edit again: the options as typed (kept in the marker)."""


@dataclass(frozen=True)
class Placed:
    """A result on the timeline, as read back from it. Enough, as JSON, to undo it in another process."""

    timeline_id: str
    item_id: str
    track: int
    start: int
    end: int
    made_track: bool
    """The track was made for it, or for another result on it, and goes with the last of them."""
    media_id: str
    marker: str
    """customData of its marker on the timeline."""
    take: int = 0
    """Its number among the clip's takes, from 1; 0: it is a clip of its own."""


class Host(Protocol):
    """An editing program, as an edit sees it. Every method raises ResolveProblem when it cannot, and leaves
    the program's pages, marks, tracks, bins and render settings as they were, on failure too."""

    def select(self, track: int | None = None, clip: str | None = None) -> Selection:
        """The clip to edit: the one named (`clip` its name or id, on `track`), else the selected one, else
        the one under the playhead. In and out marks, where the program tells them, narrow the range."""

    def export_range(self, selection: Selection, folder: Path, say: Say) -> Footage:
        """Pictures of the selection, as graded, retimed and composed. New files go into `folder`."""

    def export_mask(self, selection: Selection, source: MaskSource, folder: Path, say: Say) -> Region:
        """The region the user has marked."""

    def place(self, selection: Selection, result: Result, as_take: bool = False) -> Placed:
        """Put a result over the selection, frame on frame; read back and undone if it is not there
        exactly."""

    def undo(self, placed: Placed) -> None:
        """Take a placed result off the timeline again, with its marker and, if it is empty then, its
        track."""

    def placed(self) -> Sequence[tuple[Placed, Result]]:
        """The results on the current timeline, as their markers tell."""

    def taken_off(self, placed: Placed) -> bool:
        """Whether a result that was placed on the current timeline is no longer there, whoever took it
        off; False for other timelines, where it is not looked."""


@dataclass(frozen=True)
class Probed:
    """What a movie file states of itself."""

    frames: int
    rate: Fraction
    width: int
    height: int
    alpha: bool
    """Its pixel format carries alpha."""
    start_timecode: str | None
    transparent: bool | None = None
    """Some pixel of some frame is not opaque; None: it was not looked."""

    def unlike(self, selection: Selection) -> tuple[str, object, object] | None:
        """The first thing in which the movie does not fit a selection: what, how it is, how it was to be."""
        expected = {
            "frames": (self.frames, selection.frames),
            "frames a second": (self.rate, selection.rate),
            "pixels wide": (self.width, selection.width),
            "pixels high": (self.height, selection.height),
        }
        return next(((what, *both) for what, both in expected.items() if both[0] != both[1]), None)


Probe = Callable[[Path], Probed]
"""Looks into a movie file; raises ResolveProblem ("render-unreadable") if it is none."""
