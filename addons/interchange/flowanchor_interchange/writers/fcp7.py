# SPDX-License-Identifier: Apache-2.0
"""Final Cut Pro 7 XML. Source frames are relative to the file, whose timecode stands beside it."""

from __future__ import annotations

from fractions import Fraction
from xml.etree.ElementTree import Element

from flowanchor_interchange import paths
from flowanchor_interchange.document import appended, make, parse, source, spliced, unused
from flowanchor_interchange.files import TimelineFile
from flowanchor_interchange.model import Result, Timeline
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.readers.fcp7 import sequence_of
from flowanchor_interchange.timecode import Timecode
from flowanchor_interchange.writers import common


def insert(file: TimelineFile, result: Result) -> common.Written:
    """The document with the result on a new top track; all other bytes of it are as they were."""
    root = parse(file.data)
    video = sequence_of(root, file.choices.name).child("media/video")
    if video is None:
        raise TimelineProblem("timeline-place", "The sequence has no video.", "Write another format.")
    urls = [node.text.strip() for node in root.walk() if node.tag == "pathurl"]
    piece = common.piece_of(result)
    names = [unused(file.data, f"flowanchor-{part}") for part in ("clip", "file")]
    clip = _clip(piece, result, names, next(iter(urls), ""))
    track = make("track", None, make("enabled", "TRUE"), make("locked", "FALSE"), clip)
    return common.Written(spliced(file.data, [appended(file.data, video, track)]))


def write(timeline: Timeline, result: Result, known: common.Known) -> common.Written:
    """A new document of the timeline with the result on top."""
    layers, notices = common.layers(timeline, result, known)
    width, height = timeline.size or result.size
    picture = make(
        "samplecharacteristics", None, _rate(timeline.rate), make("width", width), make("height", height)
    )
    video = make("video", None, make("format", None, picture))
    files: dict[str, str] = {}
    count = 0
    for layer in layers:
        track = make("track", None, make("enabled", _boolean(layer.enabled)), make("locked", "FALSE"))
        for piece in layer.pieces:
            count += 1
            new = str(piece.path) not in files
            name = files.setdefault(str(piece.path), f"file-{len(files) + 1}")
            track.append(_clip(piece, result, [f"clipitem-{count}", name], "", new))
        video.append(track)
    sequence = make(
        "sequence",
        None,
        make("name", timeline.name or "Timeline"),
        make("duration", max(timeline.duration, result.record.end)),
        _rate(timeline.rate),
        _timecode(timeline.start, timeline.rate, timeline.drop),
        make("media", None, video),
        id="sequence-1",
    )
    text = source(make("xmeml", None, sequence, version="5"))
    return common.Written(
        b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE xmeml>\n' + text + b"\n", notices
    )


def _boolean(value: bool) -> str:
    return "TRUE" if value else "FALSE"


def _rate(rate: Fraction) -> Element:
    if rate not in (round(rate), Fraction(round(rate) * 1000, 1001)):
        raise TimelineProblem(
            "timeline-place",
            f"Final Cut Pro 7 XML has no rate of {rate} frames a second.",
            "Write another format.",
        )
    return make("rate", None, make("timebase", round(rate)), make("ntsc", _boolean(rate.denominator != 1)))


def _timecode(frame: int, rate: Fraction, drop: bool) -> Element:
    return make(
        "timecode",
        None,
        _rate(rate),
        make("string", Timecode(frame, rate, drop)),
        make("frame", frame),
        make("displayformat", "DF" if drop else "NDF"),
    )


def _clip(piece: common.Piece, result: Result, names: list[str], like: str, new: bool = True) -> Element:
    own = piece.path == result.path
    parts = [
        make("name", piece.name),
        make("enabled", _boolean(piece.enabled)),
        make("duration", piece.frames),
        _rate(result.rate),
        make("start", piece.record.start),
        make("end", piece.record.end),
        make("in", piece.first),
        make("out", piece.first + piece.record.duration),
    ]
    if own and result.alpha:
        parts.append(make("alphatype", "straight"))
    parts.append(_file(piece, result, names[1], like) if new else make("file", id=names[1]))
    if own:
        facts = [
            make(f"mastercomment{index}", f"{key}: {value}")
            for index, (key, value) in enumerate(list(result.facts.items())[:4], 1)
        ]
        parts.append(make("comments", None, *facts))
        mark = [
            make("name", "FlowAnchor"),
            make("comment", result.note),
            make("in", piece.first),
            make("out", -1),
        ]
        parts.append(make("marker", None, *mark))
    return make("clipitem", None, *parts, id=names[0])


def _file(piece: common.Piece, result: Result, name: str, like: str) -> Element:
    media = []
    if piece.path == result.path:
        width, height = result.size
        sample = make(
            "samplecharacteristics", None, _rate(result.rate), make("width", width), make("height", height)
        )
        media = [make("media", None, make("video", None, sample))]
    else:
        media = [make("media", None, make("video"))]
    url = paths.url_of(piece.path, like) if piece.path.is_absolute() else str(piece.path)
    return make(
        "file",
        None,
        make("name", piece.path.name),
        make("pathurl", url),
        _rate(result.rate),
        make("duration", piece.frames),
        _timecode(piece.start, result.rate, piece.drop),
        *media,
        id=name,
    )
