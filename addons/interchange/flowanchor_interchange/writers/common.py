# SPDX-License-Identifier: Apache-2.0
"""What writers share: what a new document can carry of a timeline, and what it says about the rest."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from flowanchor_interchange.document import clean
from flowanchor_interchange.model import Clip, Media, Result, Span, Timeline
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.selection import Footage, first_of_label
from flowanchor_interchange.timecode import Timecode

Known = Mapping[Path, Footage]
"""Files of a timeline that were looked at, and what they are."""


@dataclass(frozen=True)
class Written:
    """A document's bytes, and sentences about what it does not hold."""

    data: bytes
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Piece:
    """A clip that a new document can hold. `first` is its first frame counted from the file's first one, 0;
    `start` the frame that the file's timecode gives that one, 0 if it has none; `frames` the file's length,
    at least what is shown. `drop`: its timecode counts drop-frame."""

    name: str
    path: Path
    record: Span
    first: int
    start: int
    frames: int
    enabled: bool
    drop: bool = False


@dataclass(frozen=True)
class Layer:
    """A video track of a new document, its pieces in order."""

    name: str
    enabled: bool
    pieces: tuple[Piece, ...]


def layers(timeline: Timeline, result: Result, known: Known) -> tuple[list[Layer], tuple[str, ...]]:
    """All tracks of a new document, bottom to top, the result's own on top; and what is left out."""
    notices: list[str] = []
    left_out: list[str] = []
    found = []
    for track in timeline.tracks:
        pieces = []
        for clip in track.clips:
            piece = _piece(clip, timeline.drop, known)
            if piece is None:
                left_out.append(f"'{clip.name[:40]}' in track {track.number}")
            else:
                pieces.append(piece)
        _check_apart(track.number, pieces)
        found.append(Layer(track.name, track.enabled, tuple(pieces)))
    if left_out:
        notices.append(f"Not carried over, their places are empty: {', '.join(left_out[:20])}.")
    if names := sorted({one.name for track in timeline.tracks for one in track.transitions}):
        notices.append(f"Transitions became cuts: {', '.join(names[:20])}.")
    if names := sorted({name for track in timeline.tracks for clip in track.clips for name in clip.effects}):
        notices.append(f"Effects were left out: {', '.join(names[:20])}.")
    if timeline.sound_tracks:
        notices.append("The tracks of sound were left out.")
    found.append(Layer(result.track, True, (piece_of(result),)))
    return found, tuple(notices)


def _check_apart(track: int, pieces: list[Piece]) -> None:
    """Raise TimelineProblem for pieces, in order, that lie over each other, which most formats cannot say."""
    for before, behind in itertools.pairwise(pieces):
        if before.record.meets(behind.record):
            raise TimelineProblem(
                "timeline-place",
                f"'{before.name[:60]}' and '{behind.name[:60]}' lie over each other in track {track}.",
                "Give the new timeline the ending of the old one.",
            )


def shown_layers(timeline: Timeline, result: Result, known: Known) -> tuple[list[Layer], tuple[str, ...]]:
    """`layers` for formats that cannot switch a clip off: those that are, are left out."""
    found, notices = layers(timeline, result, known)
    hidden = [piece.name for layer in found for piece in layer.pieces if not piece.enabled]
    if hidden:
        named = ", ".join(f"'{name[:40]}'" for name in hidden[:20])
        notices += (f"Clips that are switched off were left out: {named}.",)
    kept = [replace(layer, pieces=tuple(one for one in layer.pieces if one.enabled)) for layer in found]
    return kept, notices


def piece_of(result: Result) -> Piece:
    """The result as a piece of a track."""
    length = result.record.duration
    return Piece(result.path.name, result.path, result.record, 0, result.start, length, True, result.drop)


def _piece(clip: Clip, drop: bool, known: Known) -> Piece | None:
    media = clip.media
    if media is None or media.path is None or media.kind != "movie" or clip.obstacles:
        return None
    if not can_name(media.path):
        return None
    footage = known.get(media.path)
    start = _start(media, footage)
    if start is None:
        return None
    if clip.label is not None and footage is not None:
        try:
            first = first_of_label(clip.label, drop, footage)
        except TimelineProblem:
            return None  # no timecode as its file counts
    else:
        first = clip.source.start - (media.start if media.start is not None else start)
        if media.start is None and first < 0:
            first = clip.source.start
    if first < 0:
        return None
    frames = footage.frames if footage is not None else media.frames
    shown = first + clip.record.duration
    if footage is not None and footage.start_timecode is not None:
        drop = ";" in footage.start_timecode
    frames = max(frames or 0, shown)
    return Piece(clip.name, media.path, clip.record, first, start, frames, clip.enabled, drop)


def _start(media: Media, footage: Footage | None) -> int | None:
    """The frame of a file's start timecode; None if that would have to be known and is not."""
    if footage is not None:
        label = footage.start_timecode
        return 0 if label is None else Timecode.parse(label, footage.rate).frames
    return media.start  # 0 as well where the timeline counts from the file's beginning


def can_name(path: Path) -> bool:
    """Whether a timeline can hold a path: not if it has letters that are none, or control characters."""
    return clean(path) == str(path)


def without_relative(timeline: Timeline, source: Path, out: Path) -> None:
    """Raise TimelineProblem if a copy of a document at `out` would not find its media any more."""
    if timeline.relative and source.absolute().parent.resolve() != out.absolute().parent.resolve():
        raise TimelineProblem(
            "timeline-place",
            f"{source.name[:80]} names its media relative to its own folder.",
            f"Write the new timeline into {source.absolute().parent}.",
        )


def unnameable(path: Path) -> TimelineProblem:
    """What is said of a result whose path a timeline cannot hold."""
    return TimelineProblem(
        "timeline-place",
        f"A timeline cannot name {path}: its name has characters that are no letters.",
        "Name another file or folder with --media-out.",
    )


def gap_before(pieces: tuple[Piece, ...], index: int) -> int:
    """Empty frames before a piece."""
    return pieces[index].record.start - (pieces[index - 1].record.end if index else 0)
