# SPDX-License-Identifier: Apache-2.0
"""OpenTimelineIO's own format (.otio), read by OpenTimelineIO.

The format states no frame rate of the timeline: that of the global start time counts, else the one that all
items share, else what the user says. It states no drop-frame either: a start that is a full minute only when
counted drop-frame is one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio  # type: ignore[import-untyped]

from flowanchor_interchange import paths
from flowanchor_interchange.model import Clip, Media, Span, Timeline, Track, Transition
from flowanchor_interchange.readers import common
from flowanchor_interchange.timecode import Timecode, can_drop, exact_rate

MAX_DEPTH = 200
_INSPECTOR = {"Transform", "Cropping", "Composite", "Dynamic Zoom", "Stabilization", "Lens Correction"}


def load(data: bytes) -> Any:
    """The JSON of a file as plain values.

    Raises:
        TimelineProblem: not JSON, nested too deeply, or with numbers that are not finite.
    """
    try:
        plain = json.loads(data)
    except (ValueError, RecursionError) as failure:
        raise common.unreadable("it is no JSON") from failure
    waiting = [(plain, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise common.unreadable("it is nested too deeply")
        if isinstance(value, float) and not math.isfinite(value):
            raise common.unreadable("it holds a number that is none")
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        waiting += [(one, depth + 1) for one in inner if isinstance(one, dict | list | float)]
    return plain


def locate(plain: Any, name: str | None) -> dict[str, Any]:
    """The JSON object of the timeline in a file: the root, or one in a collection."""
    found: list[tuple[str, dict[str, Any]]] = []
    waiting = [plain]
    while waiting:
        value = waiting.pop(0)
        if not isinstance(value, dict):
            continue
        schema = str(value.get("OTIO_SCHEMA", ""))
        if schema.startswith("Timeline."):
            found.append((str(value.get("name") or ""), value))
        elif schema.startswith(("SerializableCollection.", "SerializeableCollection.")):
            waiting += value.get("children") or []
    return common.chosen(found, name)


def read(data: bytes, folder: Path, choices: common.Choices) -> Timeline:
    """The timeline of an .otio file.

    Raises:
        TimelineProblem: it cannot be read, or its rate is unknown.
    """
    plain = locate(load(data), choices.name)
    try:
        # Written anew, so that what is read is the very object that was looked at.
        timeline = otio.core.deserialize_json_from_string(json.dumps(plain))
    except (otio.exceptions.OTIOError, ValueError, TypeError, LookupError, RuntimeError) as failure:
        # What the library says are its own internals' words.
        raise common.unreadable("OpenTimelineIO does not understand it") from failure
    if not isinstance(timeline, otio.schema.Timeline) or timeline.tracks is None:
        raise common.unreadable("it holds no timeline")
    if timeline.tracks.source_range is not None:
        raise common.unreadable("its stack of tracks is trimmed, which no editing program shows alike")
    rate = choices.rate or _rate(timeline)
    start = timeline.global_start_time
    first = Fraction(0) if start is None else Fraction(start.value) * rate / exact_rate(start.rate)
    if common.whole(first) is None or first < 0:
        raise common.unreadable("its start is on no frame")
    tracks, reader = timeline.video_tracks(), _Tracks(folder, rate, timeline.tracks.effects)
    return Timeline(
        name=timeline.name,
        rate=rate,
        start=round(first),
        drop=_drops(round(first), rate),
        tracks=tuple(reader.track(track, number) for number, track in enumerate(tracks, 1)),
        sound_tracks=len(timeline.audio_tracks()),
        relative=any(paths.is_relative(url) for url in _urls(timeline)),
    )


def _urls(timeline: otio.schema.Timeline) -> list[str]:
    urls = []
    for clip in timeline.find_clips():
        reference = clip.media_reference
        if isinstance(reference, otio.schema.ExternalReference):
            urls.append(reference.target_url or "")
        elif isinstance(reference, otio.schema.ImageSequenceReference):
            urls.append(reference.target_url_base or "")
    return [url for url in urls if url]


def _rate(timeline: otio.schema.Timeline) -> Fraction:
    if timeline.global_start_time is not None:
        return exact_rate(timeline.global_start_time.rate)
    rates = set()
    for track in timeline.tracks:
        for item in track if isinstance(track, otio.schema.Track) else []:
            if isinstance(item, otio.core.Item) and item.source_range is not None:
                rates.add(exact_rate(item.source_range.duration.rate))
    if len(rates) == 1:
        return rates.pop()
    raise common.rate_unknown("The timeline")


def _drops(start: int, rate: Fraction) -> bool:
    if not start or not can_drop(rate):
        return False
    minute = ("00:00", "00;00", "00:000", "00;000")
    plain, dropped = (str(Timecode(start, rate, drop)) for drop in (False, True))
    return dropped.endswith(minute) and not plain.endswith(minute)


def _effect(effect: otio.schema.Effect) -> str | None:
    """An effect's name; None if it changes nothing. Resolve names each "Resolve Effect", and writes those of
    its inspector for every clip, without parameters where nothing was set."""
    about = effect.metadata.get("Resolve_OTIO")
    if about is None or not hasattr(about, "get"):
        return effect.name or effect.effect_name or "an effect"
    name = str(about.get("Effect Name") or effect.name or "an effect")
    unset = name in _INSPECTOR and not about.get("Parameters")
    return None if unset or about.get("Enabled") is False else name


def _effects(effects: Iterable[otio.schema.Effect]) -> tuple[list[str], list[str]]:
    """What of some effects keeps a clip from being edited, and the names of the others."""
    obstacles, names = [], []
    for effect in effects:
        if isinstance(effect, otio.schema.FreezeFrame):
            obstacles.append(common.FREEZE)
        elif isinstance(effect, otio.schema.LinearTimeWarp):
            if effect.time_scalar != 1:
                obstacles.append(common.REVERSED if effect.time_scalar < 0 else common.SPEED)
        elif isinstance(effect, otio.schema.TimeEffect):
            obstacles.append(common.SPEED)
        elif (name := _effect(effect)) is not None:
            names.append(name)
    return obstacles, names


class _Tracks:
    """Reads tracks. `whole` are effects that lie on the stack of all of them; those that do not change its
    time lie on the result as well, and are none of a clip's."""

    def __init__(self, folder: Path, rate: Fraction, whole: Iterable[otio.schema.Effect]) -> None:
        self._folder, self._rate = folder, rate
        self._whole = [effect for effect in whole if isinstance(effect, otio.schema.TimeEffect)]
        self._laid_over: list[otio.schema.Effect] = []

    def track(self, track: otio.schema.Track, number: int) -> Track:
        clips: list[Clip] = []
        transitions: list[Transition] = []
        if track.source_range is not None:
            raise common.unreadable(f"its track {number} is trimmed, which no editing program shows alike")
        self._laid_over = [*track.effects, *self._whole]
        cursor = Fraction(0)
        for item in track:
            if isinstance(item, otio.schema.Transition):
                before, behind = self._frames(item.in_offset), self._frames(item.out_offset)
                span = Span(max(0, round(cursor - before)), round(cursor + behind))
                transitions.append(Transition(item.name or item.transition_type or "transition", span))
                continue
            try:
                duration = self._frames(item.trimmed_range().duration)
            except (otio.exceptions.OTIOError, NotImplementedError) as failure:
                raise common.unreadable(f"'{item.name}' in track {number} has no length") from failure
            if not isinstance(item, otio.schema.Gap) and duration > 0:
                clips.append(self._clip(item, cursor, duration))
            cursor += duration
        return Track(number, track.name, tuple(clips), tuple(transitions), track.enabled)

    def _frames(self, time: otio.opentime.RationalTime | None) -> Fraction:
        """A time in the timeline's frames."""
        return Fraction(0) if time is None else Fraction(time.value) * self._rate / exact_rate(time.rate)

    def _clip(self, item: otio.core.Item, cursor: Fraction, duration: Fraction) -> Clip:
        obstacles, effects = _effects([*item.effects, *self._laid_over])
        start, end = common.whole(cursor), common.whole(cursor + duration)
        if start is None or end is None:
            obstacles.append(common.OFF_FRAMES)
        record = Span(round(cursor), round(cursor + duration))
        if not isinstance(item, otio.schema.Clip):
            return Clip(
                item.name,
                None,
                Span(0, record.duration),
                record,
                item.enabled,
                (common.NESTED,),
                tuple(effects),
            )
        media, source, more = self._media(item, record.duration)
        obstacles += more
        return Clip(item.name, media, source, record, item.enabled, tuple(obstacles), tuple(effects))

    def _media(self, clip: otio.schema.Clip, length: int) -> tuple[Media | None, Span, list[str]]:
        reference, shown = clip.media_reference, clip.trimmed_range()
        available = reference.available_range if reference is not None else None
        # The source counts in its own rate; where the file's is stated apart from it, that is the file's.
        counted = exact_rate(shown.start_time.rate)
        rate = exact_rate(available.start_time.rate) if available is not None else counted
        first = Fraction(shown.start_time.value) * rate / counted
        source = Span(round(first), round(first) + length)
        obstacles = list(common.rate_obstacles(rate, self._rate))
        if common.whole(first) is None:
            obstacles.append(common.OFF_FRAMES)
        begin = frames = None
        if available is not None:
            begin = common.whole(available.start_time.value)
            frames = common.whole(
                Fraction(available.duration.value) * rate / exact_rate(available.duration.rate)
            )
        if isinstance(reference, otio.schema.ImageSequenceReference):
            return self._images(reference, begin, frames), source, obstacles
        if not isinstance(reference, otio.schema.ExternalReference) or not reference.target_url:
            generated = isinstance(reference, otio.schema.GeneratorReference)
            return None, source, [*obstacles, common.GENERATOR if generated else common.NO_FILE]
        url = reference.target_url
        path = paths.local_path(url, self._folder)
        return Media(url, path, rate, begin, frames), source, obstacles

    def _images(
        self, reference: otio.schema.ImageSequenceReference, begin: int | None, frames: int | None
    ) -> Media:
        digits = reference.frame_zero_padding
        place = f"%0{digits}d" if digits else "%d"
        name = f"{reference.name_prefix}{place}{reference.name_suffix}"
        base = reference.target_url_base or ""
        stated = f"{base}{'' if not base or base.endswith('/') else '/'}{name}"
        folder = paths.local_path(base, self._folder) if base else self._folder
        path = None if folder is None or reference.frame_step != 1 else folder / name
        rate = exact_rate(reference.rate) if reference.rate else None
        return Media(stated, path, rate, begin, frames, "images", reference.start_frame)
