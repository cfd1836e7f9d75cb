# SPDX-License-Identifier: Apache-2.0
"""MLT XML, as Shotcut, Flowblade and `melt` use it, and Kdenlive's project files, which are MLT XML as well.

Source frames are relative to the file, and `out` is included.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from flowanchor_interchange import paths
from flowanchor_interchange.document import Node
from flowanchor_interchange.model import Clip, Media, Span, Timeline, Track, Transition
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.readers import common
from flowanchor_interchange.readers.mlt_parts import Parts, frames_of, parts_of, properties
from flowanchor_interchange.readers.mlt_tracks import hides, is_black, is_preview, is_sound, with_compositions
from flowanchor_interchange.timecode import exact_rate

_FILES = ("avformat", "avformat-novalidate", "")
_SOUND = re.compile(r"audio|volume|panner|channel|ladspa|sox|rubberband|loudness|normali[sz]e")


def read(data: bytes, folder: Path, choices: common.Choices) -> Timeline:
    """The timeline of a document.

    Raises:
        TimelineProblem: it cannot be read.
    """
    parts = parts_of(data, choices.name)
    reader = _Reader(parts, folder)
    tracks: list[Track] = []
    sound = 0
    for index, (service, hidden) in enumerate(zip(parts.tracks, parts.hidden, strict=True)):
        if is_sound(service, parts):
            sound += 1
        elif not is_black(service) and not is_preview(service):
            off = hidden or hides(service, "both")
            track = reader.track(service, len(tracks) + 1, off)
            tracks.append(with_compositions(track, parts, index))
    about = properties(parts.main)
    return Timeline(
        name=about.get("kdenlive:clipname") or _title(parts),
        rate=parts.rate,
        size=parts.size,
        tracks=tuple(tracks),
        sound_tracks=sound,
        relative=reader.relative,
    )


def _title(parts: Parts) -> str:
    """The document's title; Shotcut puts its own name and version there."""
    titles = (parts.root.get("title"), parts.main.get("title"))
    return next((title for title in titles if title and not title.startswith("Shotcut version")), "")


def _stated_rate(about: dict[str, str]) -> Fraction | None:
    """A file's frames a second as the program found them, None if it does not say so. Not always exact."""
    rate = f"{about.get('meta.media.frame_rate_num', '')}/{about.get('meta.media.frame_rate_den', '')}"
    if not re.fullmatch(r"[1-9]\d{0,8}/[1-9]\d{0,8}", rate):
        return None
    try:
        return exact_rate(rate)
    except TimelineProblem:
        return None  # as of cover pictures, which have 90000


def _has_proxy(about: dict[str, str]) -> bool:
    """Whether Kdenlive plays a clip by a proxy; "-" says that it has none."""
    return about.get("kdenlive:proxy", "-") not in ("", "-")


def _originals(services: Iterable[Node]) -> dict[str, str]:
    """The original file of each clip of Kdenlive's bin that has a proxy, by the clip's number."""
    found = [about for about in map(properties, services) if _has_proxy(about)]
    return {
        about["kdenlive:id"]: about["kdenlive:originalurl"]
        for about in found
        if about.get("kdenlive:id") and about.get("kdenlive:originalurl")
    }


class _Reader:
    def __init__(self, parts: Parts, folder: Path) -> None:
        self._parts, self._rate = parts, parts.rate
        base = parts.root.get("root")
        self._folder = folder / base if base else folder
        self._absolute = bool(base) and not paths.is_relative(base)
        self._originals = _originals(parts.services.values())
        self.relative = False

    def track(self, service: Node, number: int, hidden: bool) -> Track:
        about = properties(service)
        name = about.get("kdenlive:track_name") or about.get("shotcut:name") or f"V{number}"
        clips: list[Clip] = []
        transitions: list[Transition] = []
        if service.tag == "tractor" and service.all("track"):
            for track in service.all("track"):
                playlist = self._parts.services.get(track.get("producer"))
                if playlist is not None:
                    self._playlist(playlist, clips, transitions)
            for node in service.all("transition"):
                transitions += self._mix(node)
            clips = _cut_at_mixes(sorted(clips, key=lambda clip: clip.record.start), transitions)
            inner = [self._parts.services.get(track.get("producer")) for track in service.all("track")]
        else:
            self._playlist(service, clips, transitions)
            inner = []
        whole = [node for node in (service, *inner) if node is not None]
        effects = tuple(dict.fromkeys(name for node in whole for name in self._effects(node)))
        frozen = (common.FREEZE,) if _freezes(*whole) else ()
        clips = [
            replace(clip, effects=clip.effects + effects, obstacles=clip.obstacles + frozen) for clip in clips
        ]
        return Track(number, name, tuple(clips), tuple(transitions), not hidden)

    def _mix(self, node: Node) -> list[Transition]:
        about = properties(node)
        if "in" not in node.attributes and "in" not in about:
            return []
        ends = [frames_of(node.get(key) or about.get(key, "0"), self._rate) for key in ("in", "out")]
        return [Transition("mix", Span(ends[0], ends[1] + 1))]

    def _playlist(self, playlist: Node, clips: list[Clip], transitions: list[Transition]) -> None:
        cursor = 0
        for node in playlist.children:
            if node.tag == "blank":
                cursor += frames_of(node.get("length"), self._rate)
            elif node.tag == "entry":
                producer = self._parts.services.get(node.get("producer"))
                if producer is None:
                    producer = next((one for one in node.children if one.get("id")), None)
                if producer is None:
                    raise common.unreadable(f"the clip '{node.get('producer')[:40]}' is not there")
                begin, end = self._range(node, producer)
                repeat = int(node.get("repeat")) if node.get("repeat").isdecimal() else 1
                length = (end - begin) * max(1, repeat)
                record = Span(cursor, cursor + length)
                cursor += length
                about = properties(producer)
                if "shotcut:transition" in about:
                    transitions.append(Transition(about["shotcut:transition"] or "transition", record))
                elif length > 0:
                    clips.append(self._clip(node, producer, Span(begin, begin + length), record, repeat))

    def _range(self, node: Node, producer: Node) -> tuple[int, int]:
        about = properties(producer)
        begin = node.get("in") or producer.get("in") or about.get("in", "0")
        end = node.get("out") or producer.get("out") or about.get("out", "")
        first = frames_of(begin, self._rate)
        if end:
            return first, frames_of(end, self._rate) + 1
        if length := about.get("length", ""):
            return first, frames_of(length, self._rate)
        raise common.unreadable(f"the clip '{node.get('producer')[:40]}' has no length")

    def _clip(self, node: Node, producer: Node, source: Span, record: Span, repeat: int) -> Clip:
        about = properties(producer)
        obstacles: list[str] = []
        service = about.get("mlt_service", "")
        resource = about.get("resource", "")
        original, proxied = self._original(about)
        if proxied and service in _FILES:  # what is played is then a small copy, and that is not to be edited
            resource = original
        stem = re.split(r"[/\\]", resource)[-1]
        name = about.get("kdenlive:clipname") or about.get("shotcut:caption") or stem or producer.get("id")
        if repeat > 1:
            obstacles.append("it is repeated in place")
        if producer.get("in") and frames_of(producer.get("in"), self._rate):
            obstacles.append("its file is trimmed twice")
        media = None
        if producer.tag in ("tractor", "playlist", "multitrack") or service in ("xml", "consumer"):
            obstacles.append(common.NESTED)
        elif service == "timewarp":
            speed = resource.partition(":")[0]
            obstacles.append(common.REVERSED if speed.startswith("-") else common.SPEED)
        elif service in ("qimage", "pixbuf"):
            obstacles.append(common.FREEZE)
        elif service not in _FILES:
            obstacles.append(common.GENERATOR)
        elif not resource:
            obstacles.append(common.PROXY if proxied else common.NO_FILE)
        else:
            self.relative |= paths.is_relative(resource) and not self._absolute
            rate = None if proxied else _stated_rate(about)
            media = Media(resource, paths.local_path(resource, self._folder), rate, 0)
        if any(properties(link).get("mlt_service") == "timeremap" for link in producer.all("link")):
            obstacles.append(common.SPEED)
        if _freezes(node, producer):
            obstacles.append(common.FREEZE)
        if about.get("force_fps"):
            obstacles.append("its file's frame rate is overridden")
        return Clip(
            name,
            media,
            source,
            record,
            enabled=about.get("set.test_image") != "1",
            obstacles=tuple(dict.fromkeys(obstacles)),
            effects=tuple(self._effects(node) + self._effects(producer)),
        )

    def _original(self, about: dict[str, str]) -> tuple[str, bool]:
        """The original of a clip that is shown by a proxy, "" if nothing names it; and whether it is.

        Kdenlive names it with the bin's clip alone. Shotcut puts originals back where it saves a project, but
        writes its own properties `shotcut:proxy` and `shotcut:resource` where it exports with proxies (names
        of mltframework/shotcut, `src/shotcut_mlt_properties.h`).
        """
        if about.get("shotcut:proxy") == "1":
            return about.get("shotcut:resource", ""), True
        if not _has_proxy(about):
            return "", False
        number = about.get("kdenlive:id", "")
        return about.get("kdenlive:originalurl") or self._originals.get(number, ""), True

    def _effects(self, node: Node) -> list[str]:
        found = []
        for one in node.all("filter"):
            about = properties(one)
            name = (
                about.get("kdenlive_id")
                or about.get("shotcut:filter")
                or about.get("mlt_service", "an effect")
            )
            if (
                about.get("disable") != "1"
                and about.get("internal_added") is None
                and not _SOUND.search(name)
            ):
                found.append(name)
        return found


def _freezes(*nodes: Node) -> bool:
    """Whether a filter of theirs shows one frame in the place of others."""
    filters = [properties(one) for node in nodes for one in node.all("filter")]
    return any(one.get("mlt_service") == "freeze" and one.get("disable") != "1" for one in filters)


def _cut_at_mixes(clips: list[Clip], transitions: list[Transition]) -> list[Clip]:
    """Clips that lie over each other in a mix end, and begin, in its middle."""
    cut: list[Clip] = []
    for clip in clips:
        if cut and cut[-1].record.meets(clip.record):
            before = cut[-1]
            overlap = Span(clip.record.start, min(before.record.end, clip.record.end))
            middle = overlap.start + overlap.duration // 2
            cut[-1] = _trimmed(before, before.record.start, middle)
            clip = _trimmed(clip, middle, clip.record.end)
            if not any(one.record.meets(overlap) for one in transitions):
                transitions.append(Transition("mix", overlap))
        cut.append(clip)
    return cut


def _trimmed(clip: Clip, start: int, end: int) -> Clip:
    offset = start - clip.record.start
    source = Span(clip.source.start + offset, clip.source.start + offset + end - start)
    return Clip(clip.name, clip.media, source, Span(start, end), clip.enabled, clip.obstacles, clip.effects)
