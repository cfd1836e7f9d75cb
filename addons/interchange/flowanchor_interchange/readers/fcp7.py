# SPDX-License-Identifier: Apache-2.0
"""Final Cut Pro 7 XML (`xmeml`), as Premiere Pro, Resolve and many others write it.

Source frames are relative to the file. A clip whose `start` or `end` is -1 runs on under a transition; here
it ends at the transition's cut, which `alignment` places.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

from flowanchor_interchange import paths
from flowanchor_interchange.document import Node, parse
from flowanchor_interchange.model import Clip, Media, Span, Timeline, Track, Transition
from flowanchor_interchange.readers import common
from flowanchor_interchange.timecode import Timecode, can_drop


def sequence_of(root: Node, name: str | None) -> Node:
    """The sequence in a document: those within clips are nested ones and do not count."""
    found = []
    waiting = [root]
    while waiting:
        node = waiting.pop(0)
        if node.tag == "sequence" and node.child("media") is not None:
            found.append((node.value("name"), node))
        elif node.tag != "clipitem":
            waiting += node.children
    return common.chosen(found, name)


def read(data: bytes, folder: Path, choices: common.Choices) -> Timeline:
    """The timeline of a document.

    Raises:
        TimelineProblem: it cannot be read.
    """
    root = parse(data)
    return _Reader(root, folder).timeline(sequence_of(root, choices.name), choices)


def rate_of(node: Node | None) -> Fraction | None:
    """The rate an element states in its `rate`, if it does."""
    base = node.value("rate/timebase") if node is not None else ""
    if node is None or not base:
        return None
    rate = common.stated_rate(base)
    ntsc = node.value("rate/ntsc").upper() == "TRUE"
    return rate * 1000 / 1001 if ntsc and rate.denominator == 1 else rate


class _Reader:
    def __init__(self, root: Node, folder: Path) -> None:
        self._folder = folder
        # An element with an id is written out once and then only named.
        self._written = {
            (node.tag, node.get("id")): node for node in root.walk() if node.get("id") and node.children
        }
        self._stated: list[str] = []

    def timeline(self, sequence: Node, choices: common.Choices) -> Timeline:
        rate = rate_of(sequence) or choices.rate
        if rate is None:
            raise common.rate_unknown("The sequence")
        drop = sequence.value("timecode/displayformat").upper() == "DF" and can_drop(rate)
        if frame := sequence.value("timecode/frame"):
            start = _integer(frame, "the sequence's start")
        elif label := sequence.value("timecode/string"):
            start = Timecode.parse(label, rate, drop).frames
        else:
            start = 0
        video = sequence.child("media/video")
        sound = sequence.child("media/audio")
        pictures = sequence.child("media/video/format/samplecharacteristics")
        tracks = [] if video is None else video.all("track")
        read = tuple(self._track(track, number, rate) for number, track in enumerate(tracks, 1))
        return Timeline(
            name=sequence.value("name"),
            rate=rate,
            start=max(0, start),
            drop=drop,
            size=size_of(pictures),
            tracks=read,
            sound_tracks=0 if sound is None else len(sound.all("track")),
            relative=any(paths.is_relative(url) for url in self._stated),
        )

    def _track(self, track: Node, number: int, rate: Fraction) -> Track:
        items = [
            node for node in track.children if node.tag in ("clipitem", "generatoritem", "transitionitem")
        ]
        clips: list[Clip] = []
        transitions: list[Transition] = []
        for index, node in enumerate(items):
            if node.tag == "transitionitem":
                name = node.value("effect/name") or node.value("name") or "transition"
                start, end = (_integer(node.value(tag), f"a transition's {tag}") for tag in ("start", "end"))
                transitions.append(Transition(name, Span(start, end)))
                continue
            around = (
                items[index - 1] if index else None,
                items[index + 1] if index + 1 < len(items) else None,
            )
            if (clip := self._clip(node, around, rate)) is not None:
                clips.append(clip)
        enabled = track.value("enabled", "TRUE").upper() != "FALSE"
        name = track.get("MZ.TrackName") or f"V{number}"
        clips.sort(key=lambda clip: clip.record.start)
        return Track(number, name, tuple(clips), tuple(transitions), enabled)

    def _clip(self, node: Node, around: tuple[Node | None, Node | None], rate: Fraction) -> Clip | None:
        name = node.value("name") or "clip"
        start, end, begin = (
            _integer(node.value(tag, "-1"), f"{tag} of '{name[:60]}'") for tag in ("start", "end", "in")
        )
        first, last = start, end  # with what lies under transitions
        if start < 0:
            start, covered = _cut(around[0], name)
            first = covered.start
        if end < 0:
            end, covered = _cut(around[1], name)
            last = covered.end
        out = _integer(node.value("out", "-1"), f"out of '{name[:60]}'")  # -1: it is not said
        retimed = out != -1 and out - begin != last - first
        begin += start - first
        if end <= start:
            return None  # programs leave clips of no length behind
        own = rate_of(node) or rate
        media, obstacles = self._media(node, own, rate)
        if retimed and media is not None:
            obstacles.append(common.SPEED)
        if begin < 0 or node.value("stillframe").upper() == "TRUE":
            obstacles.append(common.FREEZE)
            begin = max(0, begin)
        effects: list[str] = []
        for effect in (found for part in node.all("filter") for found in part.all("effect")):
            if effect.value("effectid").lower() in ("timeremap", "time remap"):
                obstacles += _speed(effect)
            elif part_enabled(effect.parent):
                effects.append(effect.value("name") or effect.value("effectid") or "an effect")
        return Clip(
            name,
            media,
            Span(begin, begin + end - start),
            Span(start, end),
            node.value("enabled", "TRUE").upper() != "FALSE",
            tuple(dict.fromkeys(obstacles)),
            tuple(effects),
        )

    def _media(self, node: Node, own: Fraction, rate: Fraction) -> tuple[Media | None, list[str]]:
        if node.tag == "generatoritem":
            return None, [common.GENERATOR]
        if node.child("sequence") is not None:
            return None, [common.NESTED]
        if node.child("multiclip") is not None:
            return None, [common.MULTICAM]
        file = node.child("file")
        if file is not None and not file.children:
            file = self._written.get(("file", file.get("id")), file)
        if file is None or not file.value("pathurl"):
            generated = file is not None and bool(file.value("mediaSource"))
            return None, [common.GENERATOR if generated else common.NO_FILE]
        obstacles = list(common.rate_obstacles(own, rate))
        stated = rate_of(file) or own
        if not obstacles:
            obstacles += common.rate_obstacles(stated, rate)
        if node.child("subclipinfo") is not None:
            obstacles.append("it is a subclip")
        length = file.value("duration")
        frames = int(length) if re.fullmatch(r"\d{1,12}", length) else None
        url = file.value("pathurl")
        self._stated.append(url)
        return Media(url, paths.local_path(url, self._folder), stated, 0, frames), obstacles


def size_of(characteristics: Node | None) -> tuple[int, int] | None:
    """Width and height of `samplecharacteristics`, if it has both."""
    if characteristics is None:
        return None
    return common.size(characteristics.value("width"), characteristics.value("height"))


def part_enabled(node: Node | None) -> bool:
    """Whether an element is not switched off."""
    return node is None or node.value("enabled", "TRUE").upper() != "FALSE"


def _speed(effect: Node) -> list[str]:
    values = {one.value("parameterid"): one.value("value") for one in effect.all("parameter")}
    backwards = values.get("reverse", "FALSE").upper() == "TRUE" or values.get("speed", "100").startswith("-")
    try:
        plain = float(values.get("speed", "100")) == 100 and values.get("variablespeed", "0") in (
            "0",
            "FALSE",
        )
    except ValueError:
        plain = False
    return [common.REVERSED] if backwards else [] if plain else [common.SPEED]


def _cut(transition: Node | None, name: str) -> tuple[int, Span]:
    """Where the cut under a transition lies, and where the transition does."""
    if transition is None or transition.tag != "transitionitem":
        raise common.unreadable(f"'{name[:60]}' runs on under a transition that is not there")
    start, end = (_integer(transition.value(tag), f"a transition's {tag}") for tag in ("start", "end"))
    alignment = transition.value("alignment", "center")
    if alignment.startswith("start"):
        return start, Span(start, end)
    if alignment.startswith("end"):
        return end, Span(start, end)
    return start + (end - start) // 2, Span(start, end)


def _integer(text: str, what: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise common.unreadable(f"{what} is '{text[:20]}'") from None
