# SPDX-License-Identifier: Apache-2.0
"""Which clip of a timeline is edited, which of its frames, and which frames of its file these are.

A clip is edited only where the frames it shows are known exactly: at normal speed, forwards, from a file that
runs at the timeline's rate, and not under a transition. Anything else is refused in a sentence, because each
program has its own rule for which frames it shows then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from flowanchor_interchange.model import Clip, Span, Timeline, Track
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.readers.common import rate_obstacles
from flowanchor_interchange.timecode import Timecode

_LIST = "Look at its tracks and clips with `flowanchor timeline list`."
_RENDER = "Render it in your editing program, put the file in its place and export the timeline again."


@dataclass(frozen=True)
class Selection:
    """A clip, its track, and its number on that track, counted from 1."""

    track: Track
    number: int
    clip: Clip


def select(timeline: Timeline, clip: str, track: int | None = None) -> Selection:
    """Find a clip.

    Args:
        timeline: where.
        clip: its number on the track, from 1, else its name: so each clip can be chosen, whatever names are.
        track: number of the video track, from 1 at the bottom. None is the top one that has a clip; of a
            name the top one that has a clip of that name.

    Raises:
        TimelineProblem: no such track or clip, or several clips of that name.
    """
    if track is not None and not 1 <= track <= len(timeline.tracks):
        count = len(timeline.tracks)
        has = "no video track" if not count else "one video track" if count == 1 else f"{count} video tracks"
        raise TimelineProblem(
            "timeline-track", f"There is no video track {track}; the timeline has {has}.", _LIST
        )
    tracks = timeline.tracks[::-1] if track is None else timeline.tracks[track - 1 : track]
    tracks = tuple(one for one in tracks if one.clips)
    if not tracks:
        where = "The timeline" if track is None else f"Video track {track}"
        raise TimelineProblem("timeline-clip", f"{where} has no clips.", _LIST)
    top = tracks[0]
    number = int(clip) if re.fullmatch(r"\d{1,9}", clip) else 0
    if 1 <= number <= len(top.clips):
        return Selection(top, number, top.clips[number - 1])
    for one in tracks:
        named = [number for number, found in enumerate(one.clips, 1) if found.name == clip]
        if len(named) > 1:
            raise TimelineProblem(
                "timeline-clip",
                f"Track {one.number} has {len(named)} clips called '{clip[:60]}'.",
                f"Choose one by its number: {', '.join(map(str, named[:20]))}.",
            )
        if named:
            return Selection(one, named[0], one.clips[named[0] - 1])
    held = "one clip" if len(top.clips) == 1 else f"{len(top.clips)} clips"
    wanted = f"number {clip[:12]}" if clip.isdecimal() else f"called '{clip[:60]}'"
    raise TimelineProblem(
        "timeline-clip", f"There is no clip {wanted}; track {top.number} has {held}.", _LIST
    )


def frames_to_edit(selection: Selection, first: int = 0, last: int | None = None) -> Span:
    """The clip's frames to edit, counted from its first visible one.

    Args:
        selection: the clip.
        first, last: both included; None: to its visible end.

    Raises:
        TimelineProblem: the clip cannot be edited, has not all of these frames, or shows some of them under a
            transition.
    """
    clip = selection.clip
    if clip.obstacles:
        raise unsuitable(clip, clip.obstacles[0])
    length = clip.record.duration
    span = Span(first, length if last is None else last + 1)
    if span.duration < 1:
        raise TimelineProblem("timeline-frames", "The range of frames is empty.", "Give it as first-last.")
    if span.end > length:
        raise TimelineProblem(
            "timeline-frames",
            f"'{clip.name[:60]}' shows {length} frames, 0 to {length - 1}.",
            "Give frames of its visible part, counted from 0.",
        )
    for transition in selection.track.transitions:
        if transition.record.meets(span.moved(clip.record.start)):
            free = _free(selection)
            some = f"Edit frames {free.start}-{free.end - 1} with --frames." if free is not None else _RENDER
            raise TimelineProblem(
                "timeline-clip-unsuitable",
                f"Frames of '{clip.name[:60]}' lie under the transition '{transition.name[:40]}'.",
                some,
            )
    return span


def unsuitable(clip: Clip, why: str) -> TimelineProblem:
    """What is said of a clip that cannot be edited on the timeline."""
    return TimelineProblem(
        "timeline-clip-unsuitable", f"'{clip.name[:60]}' cannot be edited here: {why}.", _RENDER
    )


def _free(selection: Selection) -> Span | None:
    """The longest part of a clip that no transition covers, counted from its first visible frame."""
    clip = selection.clip
    covered = [one.record for one in selection.track.transitions if one.record.meets(clip.record)]
    marks = sorted((span.moved(-clip.record.start) for span in covered), key=lambda span: span.start)
    parts, cursor = [], 0
    for span in marks:
        parts.append(Span(cursor, span.start))
        cursor = max(cursor, span.end)
    parts.append(Span(cursor, clip.record.duration))
    longest = max(parts, key=lambda span: span.duration)
    return longest if longest.duration > 0 else None


@dataclass(frozen=True)
class Footage:
    """What a clip's file turned out to be: exact rate, frames, and the timecode of the first one, if any."""

    rate: Fraction
    frames: int
    start_timecode: str | None = None
    first_number: int = 0


@dataclass(frozen=True)
class InFile:
    """Frames of the file, from 0, and sentences about what was found out on the way."""

    frames: Span
    notices: tuple[str, ...] = ()


def frames_in_file(timeline: Timeline, clip: Clip, span: Span, footage: Footage) -> InFile:
    """Which frames of its file a clip shows.

    Args:
        timeline: the clip's.
        clip: one with a file.
        span: frames of the clip, from its first visible one.
        footage: what the file is.

    Raises:
        TimelineProblem: the file is of another rate or too short, or it is not clear which frames are meant.
    """
    media = clip.media
    if media is None:
        raise unsuitable(clip, "the timeline names no file for it")
    if why := rate_obstacles(footage.rate, timeline.rate):
        raise unsuitable(clip, why[0])
    wanted = span.moved(clip.source.start)
    stated = _start_of(footage)
    notices: tuple[str, ...] = ()
    if media.start is not None:
        begin = media.start
        if media.start and stated is not None and stated != media.start:
            says = f"The timeline says that the file of '{clip.name[:60]}' starts at frame {media.start}"
            notices = (f"{says}, the file says {stated}; frames are counted from the timeline's.",)
    elif clip.label is not None:
        begin = clip.source.start - first_of_label(clip.label, timeline.drop, footage)
    else:
        begin = _whichever(clip, wanted, footage, stated)
    found = wanted.moved(-begin)
    if media.first_number is not None:
        found = found.moved(media.first_number - footage.first_number)
    if found.start < 0 or found.end > footage.frames:
        raise TimelineProblem(
            "timeline-media-differs",
            f"'{clip.name[:60]}' shows frames {found.start} to {found.end - 1} of its file, which has "
            f"{footage.frames}.",
            "Name the right file with --media, or export the timeline again.",
        )
    return InFile(found, notices)


def first_of_label(label: str, drop: bool, footage: Footage) -> int:
    """The frame of a file, from 0, that a timecode names. Below 0 there is none.

    It counts drop-frame as the file's own start timecode does; `drop` holds for a file that has none.
    """
    start = footage.start_timecode
    if start is not None:
        drop = ";" in start
    frame = Timecode.parse(label, footage.rate, drop).frames
    begin = 0 if start is None else Timecode.parse(start, footage.rate).frames
    if frame < begin:  # past midnight, where the labels of a recording begin again
        frame += Timecode.parse("24:00:00:00", footage.rate, drop).frames
    return frame - begin


def _start_of(footage: Footage) -> int | None:
    if footage.start_timecode is None:
        return None
    return Timecode.parse(footage.start_timecode, footage.rate).frames


def _whichever(clip: Clip, wanted: Span, footage: Footage, stated: int | None) -> int:
    """Where the file begins in the clip's numbers if the timeline does not say: at 0 or at its timecode."""
    fitting = [
        begin for begin in {0, stated or 0} if wanted.start >= begin and wanted.end <= begin + footage.frames
    ]
    if len(fitting) == 2:
        raise TimelineProblem(
            "timeline-media-differs",
            f"It is not clear whether '{clip.name[:60]}' counts from 0 or from its file's timecode, "
            f"{footage.start_timecode}.",
            "Export the timeline with the available ranges of its media.",
        )
    return fitting[0] if fitting else stated or 0
