# SPDX-License-Identifier: Apache-2.0
"""Timelines as people and as programs read them."""

from __future__ import annotations

import sys
from typing import Any

from flowanchor_interchange.files import FORMATS, TimelineFile
from flowanchor_interchange.model import Clip, Track
from flowanchor_interchange.problems import TimelineProblem, printable
from flowanchor_interchange.readers.common import rate_obstacles
from flowanchor_interchange.selection import Selection, frames_to_edit
from rich.console import Console
from rich.table import Table

from flowanchor_daemon.cli.timeline.media import there


def as_plain(source: TimelineFile) -> dict[str, Any]:
    """A timeline for `--json`; frames count from its first one, tracks go from bottom to top."""
    timeline = source.timeline
    rate = timeline.rate
    return {
        "file": str(source.path),
        "format": source.format,
        "name": timeline.name,
        "rate": f"{rate.numerator}/{rate.denominator}",
        "start": timeline.label(0),
        "drop_frame": timeline.drop,
        "size": None if timeline.size is None else list(timeline.size),
        "frames": timeline.duration,
        "notices": list(timeline.notices),
        "tracks": [
            {
                "track": track.number,
                "name": track.name,
                "enabled": track.enabled,
                "clips": [_clip(source, track, number, clip) for number, clip in enumerate(track.clips, 1)],
                "transitions": [
                    {"name": one.name, "first": one.record.start, "last": one.record.end - 1}
                    for one in track.transitions
                ],
            }
            for track in timeline.tracks
        ],
    }


def _clip(source: TimelineFile, track: Track, number: int, clip: Clip) -> dict[str, Any]:
    media, timeline = clip.media, source.timeline
    return {
        "clip": number,
        "name": clip.name,
        "start": timeline.label(clip.record.start),
        "first": clip.record.start,
        "last": clip.record.end - 1,
        "frames": clip.record.duration,
        "media": None if media is None else str(media.path or media.stated),
        "enabled": clip.enabled,
        "effects": list(clip.effects),
        "obstacle": obstacle(source, track, number),
    }


def obstacle(source: TimelineFile, track: Track, number: int) -> str | None:
    """What keeps a clip, or some of its frames, from being edited; None if nothing on the timeline does."""
    clip = track.clips[number - 1]
    if clip.obstacles:
        return "; ".join(clip.obstacles)
    if clip.media is not None and clip.media.path is None:
        return f"'{clip.media.stated[:120]}' is no file here"
    if clip.media is not None and (other := rate_obstacles(clip.media.rate, source.timeline.rate)):
        return other[0]
    path = None if clip.media is None else clip.media.path
    packed = path is not None and source.bundle is not None and source.bundle.holds(path)
    if clip.media is not None and clip.media.kind == "movie" and not packed and path and not there(path):
        return "its file is not there"
    try:
        frames_to_edit(Selection(track, number, clip))
    except TimelineProblem as problem:
        return f"{problem.message} {problem.action}"
    return None


def print_table(source: TimelineFile, console: Console | None = None) -> None:
    """What the timeline is, then a line a clip, the top track first, as editing programs show them."""
    timeline = source.timeline
    # Where nobody looks at a screen, lines are as long as they are.
    width = None if sys.stdout.isatty() else 400
    screen = console or Console(highlight=False, markup=False, width=width)
    size = "" if timeline.size is None else f", {timeline.size[0]}x{timeline.size[1]}"
    about = f"{FORMATS[source.format]}, {timeline.rate} frames a second{size}"
    length = f"from {timeline.label(0)} on, {timeline.duration} frames"
    screen.print(f"{printable(timeline.name) or source.path.name}: {about}, {length}")
    table = Table(box=None, pad_edge=False, header_style="")
    for heading in ("TRACK", "CLIP", "NAME", "AT", "FRAMES", "MEDIA"):
        table.add_column(heading, no_wrap=True)
    table.add_column("NOT EDITABLE BECAUSE", overflow="fold")
    for track in reversed(timeline.tracks):
        for number, clip in enumerate(track.clips, 1):
            media = clip.media
            file = "" if media is None else media.stated.replace("\\", "/").rpartition("/")[2]
            table.add_row(
                f"{track.number} {printable(track.name[:20])}" + ("" if track.enabled else " (off)"),
                str(number),
                printable(clip.name[:40]) + ("" if clip.enabled else " (off)"),
                timeline.label(clip.record.start),
                str(clip.record.duration),
                printable(file[:40]),
                printable(obstacle(source, track, number) or ""),
            )
    screen.print(table)
    for notice in timeline.notices:
        screen.print(printable(notice))
