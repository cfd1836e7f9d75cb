# SPDX-License-Identifier: Apache-2.0
"""FCPXML, as Final Cut Pro and Resolve write it. All times are exact fractions of seconds.

Nothing in it is called a track: items lie on a storyline or hang on one another in lanes, each on the clock
of what it hangs on. Here a lane is a track; the primary storyline is lane 0.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

from flowanchor_interchange import paths
from flowanchor_interchange.document import Node, parse
from flowanchor_interchange.model import Clip, Media, Span, Timeline, Track, Transition
from flowanchor_interchange.readers import common
from flowanchor_interchange.readers.fcpxml_parts import (
    ITEMS,
    Clock,
    Resources,
    item_duration,
    item_start,
    playing,
    seconds,
    sequence_of,
    spine_begin,
)
from flowanchor_interchange.timecode import can_drop, exact_rate

_NESTED = {"ref-clip": common.NESTED, "sync-clip": common.NESTED, "mc-clip": common.MULTICAM}
_OF_SOUND = {"adjust-volume", "adjust-panner", "adjust-loudness"}
_USUAL = {
    "adjust-conform": {"type": "fit"},
    "adjust-transform": {
        "enabled": "1",
        "position": "0 0",
        "scale": "1 1",
        "rotation": "0",
        "anchor": "0 0",
    },
    "adjust-blend": {"amount": "1"},
}
"""Adjustments and the values with which they change nothing, by the format's definition."""


def read(data: bytes, folder: Path, choices: common.Choices) -> Timeline:
    """The timeline of a document's project.

    Raises:
        TimelineProblem: it cannot be read.
    """
    root = parse(data)
    sequence = sequence_of(root, choices.name)
    resources = Resources(root)
    rate = resources.rate(sequence.get("format")) or choices.rate
    if rate is None:
        raise common.rate_unknown("The sequence")
    begin = seconds(sequence.get("tcStart", "0s"))
    start = common.whole(begin * rate)
    if start is None or start < 0:
        raise common.unreadable("its start is on no frame")
    reader = _Reader(resources, folder, rate)
    spine = sequence.child("spine")
    if spine is not None:
        reader.storyline(spine, Clock(Fraction(0), spine_begin(sequence)), 0)
    project = sequence.parent.get("name") if sequence.parent is not None else ""
    return Timeline(
        name=project,
        rate=rate,
        start=start,
        drop=sequence.get("tcFormat").upper() == "DF" and can_drop(rate),
        size=resources.size(sequence.get("format")),
        tracks=reader.tracks(),
        sound_tracks=len(reader.sound_lanes),
        relative=reader.relative,
    )


class _Reader:
    def __init__(self, resources: Resources, folder: Path, rate: Fraction) -> None:
        self._resources, self._folder, self._rate = resources, folder, rate
        self._clips: dict[int, list[Clip]] = {}
        self._transitions: dict[int, list[Transition]] = {}
        self.sound_lanes: set[int] = set()
        self.relative = False

    def tracks(self) -> tuple[Track, ...]:
        lanes = sorted({*self._clips, *self._transitions})
        return tuple(
            Track(
                number,
                "primary storyline" if lane == 0 else f"lane {lane}",
                tuple(sorted(self._clips.get(lane, []), key=lambda clip: clip.record.start)),
                tuple(self._transitions.get(lane, [])),
            )
            for number, lane in enumerate(lanes, 1)
        )

    def storyline(self, spine: Node, clock: Clock, lane: int) -> None:
        """Items one behind the other; `clock` is that of their offsets."""
        cursor = clock.record
        for node in spine.children:
            if node.tag == "transition":
                at = clock.at(seconds(node.get("offset"))) if node.get("offset") else cursor
                span, _ = self._span(at, seconds(node.get("duration", "0s")))
                self._transitions.setdefault(lane, []).append(
                    Transition(node.get("name") or "transition", span)
                )
            elif node.tag in ITEMS:
                at = clock.at(seconds(node.get("offset"))) if node.get("offset") else cursor
                self._item(node, at, lane)
                cursor = at + item_duration(playing(node), self._resources)

    def _span(self, at: Fraction, duration: Fraction) -> tuple[Span, bool]:
        """Frames of a time on the sequence, and whether it falls on whole ones."""
        ends = at * self._rate, (at + duration) * self._rate
        whole = all(common.whole(end) is not None for end in ends)
        return Span(max(0, round(ends[0])), round(ends[1])), whole

    def _item(self, node: Node, at: Fraction, lane: int) -> None:
        node = playing(node)
        local = Clock(at, item_start(node, self._resources))
        self._hanging(node, local, lane)
        if node.tag == "gap":
            return
        if self._is_sound(node):
            self.sound_lanes.add(lane)
            return
        record, whole = self._span(at, item_duration(node, self._resources))
        if record.duration <= 0:
            return
        media, start, obstacles = self._media(node, local.local)
        if not whole:
            obstacles.append(common.OFF_FRAMES)
        if at < 0:
            obstacles.append("it begins before the timeline does")
        first = start * self._rate
        if media is not None and common.whole(first) is None:
            obstacles.append(common.OFF_FRAMES)
        self._clips.setdefault(lane, []).append(
            Clip(
                node.get("name") or "clip",
                media,
                Span(round(first), round(first) + record.duration),
                record,
                node.get("enabled", "1") != "0",
                tuple(dict.fromkeys(obstacles)),
                tuple(self._effects(node)),
            )
        )

    def _hanging(self, node: Node, local: Clock, lane: int) -> None:
        for child in node.children:
            inner = int(child.get("lane")) if re.fullmatch(r"-?\d{1,6}", child.get("lane")) else 0
            if inner == 0:
                continue  # the item's own content
            at = local.at(seconds(child.get("offset"))) if child.get("offset") else local.record
            if child.tag == "spine":
                self.storyline(child, Clock(at, Fraction(0)), lane + inner)
            elif child.tag in ITEMS:
                self._item(child, at, lane + inner)

    def _is_sound(self, node: Node) -> bool:
        if node.tag == "audio" or node.get("srcEnable") == "audio":
            return True
        if node.tag == "asset-clip":
            asset = self._resources.find("asset", node.get("ref"))
            return asset is not None and asset.get("hasVideo", "0") != "1"
        return node.tag == "clip" and not any(child.tag == "video" for child in node.children)

    def _media(self, node: Node, start: Fraction) -> tuple[Media | None, Fraction, list[str]]:
        obstacles = [common.SPEED] if node.child("timeMap") is not None else []
        if node.tag in _NESTED:
            return None, start, [*obstacles, _NESTED[node.tag]]
        key = node.get("ref")
        if node.tag == "clip":
            inside = [
                child for child in node.children if child.tag in ("video", "spine") and not child.get("lane")
            ]
            if len(inside) != 1 or inside[0].tag != "video":
                return None, start, [*obstacles, common.NESTED]
            video = inside[0]
            if video.child("timeMap") is not None:
                obstacles.append(common.SPEED)
            key = video.get("ref")
            start += item_start(video, self._resources) - seconds(video.get("offset", "0s"))
        asset = self._resources.find("asset", key)
        if asset is None:
            return None, start, [*obstacles, common.GENERATOR]
        # Since 1.9 an asset names its file, its proxy or both, and a file is an original unless it says
        # otherwise: Apple's FCPXML DTD, `media-rep kind (original-media | proxy-media) "original-media"`.
        files = asset.all("media-rep")
        originals = [one for one in files if one.get("kind", "original-media") == "original-media"]
        url = (originals[0].get("src") if originals else "") or asset.get("src")
        length = seconds(asset.get("duration", "0s"))
        if length == 0 and node.tag != "asset-clip":
            obstacles.append(common.FREEZE)
        if not url:
            return None, start, [*obstacles, common.PROXY if files else common.NO_FILE]
        self.relative |= paths.is_relative(url)
        conform = node.child("conform-rate")
        rate = self._resources.rate(asset.get("format"))
        if conform is not None and conform.get("srcFrameRate"):
            rate = exact_rate(conform.get("srcFrameRate"))
        obstacles += common.rate_obstacles(rate, self._rate)
        begin = common.whole(seconds(asset.get("start", "0s")) * self._rate)
        frames = common.whole(length * self._rate) if length else None
        return Media(url, paths.local_path(url, self._folder), rate, begin, frames), start, obstacles

    def _effects(self, node: Node) -> list[str]:
        names = []
        for child in node.children:
            if child.tag in ("filter-video", "filter-video-mask") and child.get("enabled", "1") != "0":
                inner = child.child("filter-video")
                names.append(
                    child.get("name") or (inner.get("name") if inner is not None else "") or "an effect"
                )
            elif child.tag.startswith("adjust-") and not _changes_nothing(child):
                names.append(child.tag.removeprefix("adjust-"))
        return names


def _changes_nothing(adjustment: Node) -> bool:
    """Whether an adjustment leaves the picture as it is; programs write such ones for every clip."""
    if adjustment.tag in _OF_SOUND or adjustment.get("enabled", "1") == "0":
        return True
    if adjustment.get("conformType") == "conformNone":
        return True  # `adjust-colorConform`, which Final Cut Pro 10.7 writes for every clip
    usual = _USUAL.get(adjustment.tag)
    if usual is None or adjustment.children:
        return False
    return all(_same(value, usual.get(name)) for name, value in adjustment.attributes.items())


def _same(value: str, usual: str | None) -> bool:
    """Whether two values are alike, "1" and "1.0" included."""
    try:
        return usual is not None and [*map(float, value.split())] == [*map(float, usual.split())]
    except ValueError:
        return value == usual
