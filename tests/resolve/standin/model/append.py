# SPDX-License-Identifier: Apache-2.0
"""Putting clips of the pool on a timeline: at its end, or where a clipInfo says.

A clipInfo's `startFrame` and `endFrame` count source frames from 0, `endFrame` is exclusive; `recordFrame`
is absolute. A clip with sound takes an audio track along unless `mediaType` says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Any, Literal

from tests.resolve.standin.model.item import TimelineItem, link
from tests.resolve.standin.model.media import STILL_SECONDS, MediaPoolItem, Source
from tests.resolve.standin.model.track import Track

if TYPE_CHECKING:
    from tests.resolve.standin.model.timeline import Timeline
    from tests.resolve.standin.world import World

VIDEO, AUDIO = 1, 2
STILL_DIALOG = "The still's duration has been given as a range of frames."


@dataclass(frozen=True)
class Wish:
    """One clip to put down. `index` and `record` are None for the end of the first track."""

    media: MediaPoolItem
    first: int
    end: int
    index: int | None
    record: int | None
    kinds: tuple[Literal["video", "audio"], ...]


def append(world: World, timeline: Timeline, clips: Sequence[Any]) -> list[TimelineItem]:
    """Put clips down one after the other; those that cannot be are left out, or only said to be there,
    according to the traps that are set."""
    listed = clips[0] if len(clips) == 1 and isinstance(clips[0], list) else clips
    made: list[TimelineItem] = []
    for one in listed:
        if isinstance(one, Mapping) and _ranged_still(one) and world.manner.traps.still_modal:
            world.open_dialog(STILL_DIALOG)
            return made
        wish = _wish(world, timeline, one)
        if wish is not None:
            made.extend(_put(world, timeline, wish))
    return made


def _ranged_still(info: Mapping[str, Any]) -> bool:
    source = info["mediaPoolItem"].source
    return bool(source and source.still and ("startFrame" in info or "endFrame" in info))


def _wish(world: World, timeline: Timeline, clip: Any) -> Wish | None:
    info = clip if isinstance(clip, Mapping) else {"mediaPoolItem": clip}
    media = info["mediaPoolItem"]
    source = media.source
    if source is None:
        return None
    frames = _usable(timeline, source)
    first, end = int(info.get("startFrame", 0)), int(info.get("endFrame", frames))
    if world.manner.traps.inclusive_end and "endFrame" in info:
        end += 1
    if not 0 <= first < end <= frames:
        return None
    kind = info.get("mediaType")
    kinds: list[Literal["video", "audio"]] = []
    if source.width and kind != AUDIO:
        kinds.append("video")
    if source.audio and kind != VIDEO:
        kinds.append("audio")
    record = info.get("recordFrame")
    return Wish(
        media, first, end, info.get("trackIndex"), None if record is None else int(record), tuple(kinds)
    )


def _usable(timeline: Timeline, source: Source) -> int:
    return round(STILL_SECONDS * timeline.rate) if source.still else source.frames


def _put(world: World, timeline: Timeline, wish: Wish) -> list[TimelineItem]:
    source = wish.media.source
    assert source is not None
    exact = (wish.end - wish.first) * timeline.rate / source.rate
    if source.still:
        duration = wish.end - wish.first
    elif world.manner.traps.rate_floor:
        duration = floor(exact)
    else:
        duration = round(exact)
    made = []
    for kind in wish.kinds:
        index = wish.index or 1
        if kind == "audio":
            while len(timeline.tracks["audio"]) < index:
                timeline.AddTrack("audio", "stereo")
        track = timeline.track(kind, index)
        start = wish.record if wish.record is not None else _end_of(timeline, track)
        item = TimelineItem(world, timeline, wish.media, kind, start, duration, wish.first)
        if track is None:
            continue
        if not _land(world, track, item):
            if world.manner.traps.drops_occupied:
                made.append(item)  # said to be there, and on no track
            continue
        made.append(item)
    if len(made) > 1:
        link(made)
    return made[:1]


def _end_of(timeline: Timeline, track: Track | None) -> int:
    return max([timeline.start, *(one.end for one in track.items)]) if track else timeline.start


def _land(world: World, track: Track, item: TimelineItem) -> bool:
    """Whether an item came to lie on a track."""
    traps = world.manner.traps
    if track.locked:
        return False
    if track.occupied(item.start, item.end):
        if not (traps.drops_occupied and traps.shifts_occupied):
            return False
        item.start = track.free_from(item.start, item.duration)
    track.add(item)
    return True
