# SPDX-License-Identifier: Apache-2.0
"""FCPXML. All times are exact multiples of the frame's duration, such as 1001/24000s.

There are no tracks: what lies above hangs on an item of the primary storyline, in a lane, at a time on that
item's own clock. The result hangs on the item over which it begins, in a lane above all others.
"""

from __future__ import annotations

import re
from fractions import Fraction
from xml.etree.ElementTree import Element

from flowanchor_interchange import paths
from flowanchor_interchange.document import Node, Splice, appended, make, parse, placed, source, spliced
from flowanchor_interchange.files import TimelineFile
from flowanchor_interchange.model import Result, Timeline
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.readers.fcpxml_parts import (
    ITEMS,
    Resources,
    item_duration,
    item_start,
    playing,
    seconds,
    sequence_of,
    spine_begin,
)
from flowanchor_interchange.writers import common

VERSION = "1.9"  # the first in which assets name their files as all later ones do

_BEHIND = {
    "marker",
    "chapter-marker",
    "rating",
    "keyword",
    "analysis-marker",
    "hidden-clip-marker",
    "audio-channel-source",
    "audio-role-source",
    "sync-source",
    "filter-video",
    "filter-video-mask",
    "filter-audio",
    "metadata",
    "reserved",
}
"""What stands behind hanging items in an item, by the format's definition."""


def time(frames: Fraction | int, rate: Fraction) -> str:
    """A number of frames as the format writes times: "1001/24000s", "2s"."""
    return in_seconds(frames / rate)


def in_seconds(value: Fraction) -> str:
    """Seconds as the format writes them."""
    return f"{value}s"


def insert(file: TimelineFile, result: Result) -> common.Written:
    """The document with the result in a lane above all others; all other bytes of it are as they were."""
    root = parse(file.data)
    sequence = sequence_of(root, file.choices.name)
    spine, block = sequence.child("spine"), root.child("resources")
    if spine is None or block is None:
        raise TimelineProblem("timeline-place", "The sequence is empty.", "Write another format.")
    resources = Resources(root)
    used = {node.get("id") for node in root.walk()}
    asset_id, format_id = (_unused(f"r-flowanchor{part}", used) for part in ("", "-format"))
    shared = (
        resources.size(sequence.get("format")) == result.size
        and resources.rate(sequence.get("format")) == result.rate
    )
    new = [] if shared else [_format(format_id, result.rate, result.size)]
    splices = [
        appended(
            file.data,
            block,
            *new,
            _asset(asset_id, sequence.get("format") if shared else format_id, result, root.get("version")),
        )
    ]
    lane = 1 + max(
        (int(node.get("lane")) for node in sequence.walk() if re.fullmatch(r"\d+", node.get("lane"))),
        default=0,
    )
    splices.append(_hang(file.data, spine, spine_begin(sequence), resources, asset_id, lane, result))
    return common.Written(spliced(file.data, splices))


def _hang(
    data: bytes, spine: Node, begin: Fraction, resources: Resources, asset: str, lane: int, result: Result
) -> Splice:
    at = begin + result.record.start / result.rate
    cursor = begin
    for node in spine.children:
        if node.tag not in ITEMS:
            continue
        offset = seconds(node.get("offset")) if node.get("offset") else cursor
        node = playing(node)
        cursor = offset + item_duration(node, resources)
        if offset <= at < cursor:
            inside = item_start(node, resources) + at - offset
            before = next((child for child in node.children if child.tag in _BEHIND), None)
            return placed(data, node, before, _clip(asset, in_seconds(inside), lane, result))
    if at < cursor:
        raise TimelineProblem(
            "timeline-place",
            "Nothing lies on the primary storyline where the result begins.",
            "Write another format.",
        )
    # Behind the storyline's end: an empty place to hang it on.
    empty = in_seconds(at - cursor + result.record.duration / result.rate)
    gap = make("gap", None, name="Gap", offset=in_seconds(cursor), start="0s", duration=empty)
    gap.append(_clip(asset, in_seconds(at - cursor), lane, result))
    return appended(data, spine, gap)


def _unused(name: str, used: set[str]) -> str:
    number, found = 1, name
    while found in used:
        number += 1
        found = f"{name}-{number}"
    return found


def _format(name: str, rate: Fraction, size: tuple[int, int]) -> Element:
    duration = 1 / rate
    text = f"{duration.numerator}/{duration.denominator}s"
    return make("format", None, id=name, frameDuration=text, width=size[0], height=size[1])


def _asset(name: str, form: str, result: Result, version: str) -> Element:
    about = {
        "id": name,
        "name": result.path.stem,
        "start": time(result.start, result.rate),
        "duration": time(result.record.duration, result.rate),
        "hasVideo": "1",
        "format": form,
        "videoSources": "1",
    }
    return _named(about, paths.url_of(result.path), version)


def _named(about: dict[str, str], url: str, version: str) -> Element:
    """An asset with its file, which it names itself up to version 1.8."""
    found = re.match(r"(\d+)\.(\d+)", version)
    if found is not None and (int(found[1]), int(found[2])) < (1, 9):
        return make("asset", None, src=url, **about)
    return make("asset", None, make("media-rep", None, kind="original-media", src=url), **about)


def _clip(asset: str, offset: str, lane: int, result: Result) -> Element:
    start = time(result.start, result.rate)
    frame = time(1, result.rate)
    return make(
        "asset-clip",
        None,
        make("note", result.note),
        make("marker", None, start=start, duration=frame, value="FlowAnchor", note=result.note),
        ref=asset,
        lane=lane,
        offset=offset,
        name=result.path.stem,
        start=start,
        duration=time(result.record.duration, result.rate),
        srcEnable="video",
    )


def write(timeline: Timeline, result: Result, known: common.Known) -> common.Written:
    """A new document of the timeline with the result on top."""
    layers, notices = common.layers(timeline, result, known)
    rate = timeline.rate
    size = timeline.size or result.size
    block = make("resources", None, _format("r1", rate, size))
    if result.size != size:
        block.append(_format("r2", rate, result.size))
    assets: dict[str, str] = {str(result.path): "r-flowanchor"}
    for layer in layers[:-1]:
        for piece in layer.pieces:
            if str(piece.path) in assets:
                continue
            name = assets[str(piece.path)] = f"r{len(assets) + 2}"
            longest = max(p.frames for one in layers for p in one.pieces if p.path == piece.path)
            about = {
                "id": name,
                "name": piece.path.stem,
                "start": time(piece.start, rate),
                "duration": time(longest, rate),
                "hasVideo": "1",
                "format": "r1",
                "videoSources": "1",
            }
            url = paths.url_of(piece.path) if piece.path.is_absolute() else str(piece.path)
            block.append(_named(about, url, VERSION))
    block.append(_asset("r-flowanchor", "r1" if result.size == size else "r2", result, VERSION))
    spine = _spine(layers, timeline, result, assets)
    sequence = make(
        "sequence",
        None,
        spine,
        format="r1",
        duration=time(max(timeline.duration, result.record.end), rate),
        tcStart=time(timeline.start, rate),
        tcFormat="DF" if timeline.drop else "NDF",
    )
    project = make("project", None, sequence, name=timeline.name or "Timeline")
    event = make("event", None, project, name="FlowAnchor")
    text = source(make("fcpxml", None, block, make("library", None, event), version=VERSION))
    return common.Written(
        b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n' + text + b"\n", notices
    )


def _spine(layers: list[common.Layer], timeline: Timeline, result: Result, assets: dict[str, str]) -> Element:
    """The lowest layer as the primary storyline, without holes, and all others hanging on it."""
    rate, first = timeline.rate, timeline.start
    end = max(timeline.duration, result.record.end)
    spine = make("spine")
    anchors: list[tuple[int, int, Fraction, Element]] = []  # record start and end, local start, element

    def gap(start: int, until: int) -> None:
        if until > start:
            duration = time(until - start, rate)
            element = make(
                "gap", None, name="Gap", offset=time(first + start, rate), start="0s", duration=duration
            )
            spine.append(element)
            anchors.append((start, until, Fraction(0), element))

    cursor = 0
    for piece in layers[0].pieces if len(layers) > 1 else ():
        gap(cursor, piece.record.start)
        local = Fraction(piece.start + piece.first) / rate
        offset = time(first + piece.record.start, rate)
        element = _plain(piece, assets[str(piece.path)], rate, layers[0].enabled, offset=offset)
        spine.append(element)
        anchors.append((piece.record.start, piece.record.end, local, element))
        cursor = piece.record.end
    gap(cursor, end)
    for lane, layer in enumerate(layers[1:] if len(layers) > 1 else layers, 1):
        for piece in layer.pieces:
            start, _, local, anchor = next(one for one in anchors if one[0] <= piece.record.start < one[1])
            offset = in_seconds(local + (piece.record.start - start) / rate)
            if piece.path == result.path:
                anchor.append(_clip("r-flowanchor", offset, lane, result))
            else:
                anchor.append(
                    _plain(piece, assets[str(piece.path)], rate, layer.enabled, lane=lane, offset=offset)
                )
    return spine


def _plain(piece: common.Piece, asset: str, rate: Fraction, shown: bool, **place: object) -> Element:
    hidden = {} if piece.enabled and shown else {"enabled": "0"}
    start = time(piece.start + piece.first, rate)
    duration = time(piece.record.duration, rate)
    return make(
        "asset-clip",
        None,
        ref=asset,
        **place,
        name=piece.name,
        start=start,
        duration=duration,
        **hidden,
        srcEnable="video",
    )
