# SPDX-License-Identifier: Apache-2.0
"""What an FCPXML document is made of: times, resources, items and what they say of their own time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from flowanchor_interchange.document import Node
from flowanchor_interchange.readers import common
from flowanchor_interchange.timecode import exact_rate

ITEMS = {
    "asset-clip",
    "clip",
    "video",
    "title",
    "ref-clip",
    "sync-clip",
    "mc-clip",
    "audition",
    "gap",
    "live-drawing",
    "audio",
}
_TIME = re.compile(r"(-?\d{1,18})(?:/(\d{1,18})|\.(\d{1,9}))?s")


def seconds(text: str) -> Fraction:
    """ "1001/24000s", "10s" or "3.5s" in seconds.

    Raises:
        TimelineProblem: it is no time.
    """
    found = _TIME.fullmatch(text.strip())
    if found is None or (found[2] is not None and int(found[2]) == 0):
        raise common.unreadable(f"'{text[:40]}' is no time")
    if found[3] is not None:
        return Fraction(f"{found[1]}.{found[3]}")
    return Fraction(int(found[1]), int(found[2] or 1))


def sequence_of(root: Node, name: str | None) -> Node:
    """The sequence of the only project in a document, or of that of a name."""
    if root.tag != "fcpxml":
        raise common.unreadable("it is no FCPXML")
    found = [
        (node.get("name"), sequence)
        for node in root.walk()
        if node.tag == "project" and (sequence := node.child("sequence")) is not None
    ]
    return common.chosen(found, name)


@dataclass(frozen=True)
class Clock:
    """Where on the sequence, in seconds from its start, a time of a local clock lies."""

    record: Fraction
    local: Fraction

    def at(self, time: Fraction) -> Fraction:
        return self.record + time - self.local


class Resources:
    """Formats, assets and effects by id."""

    def __init__(self, root: Node) -> None:
        block = root.child("resources")
        self._all = {node.get("id"): node for node in (block.children if block else ()) if node.get("id")}

    def find(self, tag: str, key: str) -> Node | None:
        node = self._all.get(key)
        return node if node is not None and node.tag == tag else None

    def rate(self, key: str) -> Fraction | None:
        """The rate of a format, None if it has none."""
        found = self.find("format", key)
        text = found.get("frameDuration") if found is not None else ""
        duration = seconds(text) if text else Fraction(0)
        return exact_rate(1 / duration) if duration > 0 else None

    def size(self, key: str) -> tuple[int, int] | None:
        """Width and height of a format, None if it does not state them."""
        found = self.find("format", key)
        return None if found is None else common.size(found.get("width"), found.get("height"))


def playing(node: Node) -> Node:
    """What plays of an item: of an audition the first of its clips, else the item itself.

    Apple's FCPXML reference, `audition`: the active item is exported as the container's first child.
    """
    if node.tag != "audition":
        return node
    return next((child for child in node.children if child.tag in ITEMS), node)


def spine_begin(sequence: Node) -> Fraction:
    """The time on the clock of the primary storyline's offsets at which the sequence begins, in seconds.

    That is its start timecode; but some writers let offsets begin at 0 (otio-fcpx-xml-lite-adapter 0.2.3),
    and nothing lies before a sequence.
    """
    begin = seconds(sequence.get("tcStart", "0s"))
    spine = sequence.child("spine")
    first = next((node for node in spine.children if node.tag in ITEMS), None) if spine is not None else None
    return min(begin, seconds(first.get("offset"))) if first is not None and first.get("offset") else begin


def item_duration(node: Node, resources: Resources) -> Fraction:
    """An item's length in seconds: what it states, else that of its asset."""
    if text := node.get("duration"):
        return seconds(text)
    asset = resources.find("asset", node.get("ref"))
    return seconds(asset.get("duration", "0s")) if asset is not None else Fraction(0)


def item_start(node: Node, resources: Resources) -> Fraction:
    """Where an item's own clock begins: what it states, else the start of its asset."""
    if text := node.get("start"):
        return seconds(text)
    asset = resources.find("asset", node.get("ref")) if node.tag in ("asset-clip", "video", "audio") else None
    return seconds(asset.get("start", "0s")) if asset is not None else Fraction(0)
