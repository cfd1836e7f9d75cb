# SPDX-License-Identifier: Apache-2.0
"""Kdenlive projects. A clip stands in the bin and, under the same number, on a track of two playlists.

New documents have the form of 22.12, which later versions read and convert; a result goes into documents of
either form, with one timeline or with sequences.
"""

from __future__ import annotations

import json
import re
import uuid
from xml.etree.ElementTree import Element

from flowanchor_interchange.document import Node, appended, make, placed, source, spliced, unused
from flowanchor_interchange.files import TimelineFile
from flowanchor_interchange.model import Result, Timeline
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.readers.mlt_parts import parts_of, properties
from flowanchor_interchange.writers import common
from flowanchor_interchange.writers.mlt import (
    longest,
    notices_of,
    overlay,
    playlist,
    producer,
    profile,
    prop,
    shown_in,
    top_of,
)

_OVERLAY = {
    "compositing": "0",
    "distort": "0",
    "rotate_center": "0",
    "mlt_service": "qtblend",
    "kdenlive_id": "qtblend",
    "internal_added": "237",
    "always_active": "1",
}
"""How Kdenlive lays its tracks over each other; the number marks what it looks after itself."""


def insert(file: TimelineFile, result: Result) -> common.Written:
    """The project with the result in its bin and on a new top track; all other bytes are as they were.

    A sequence that is stated several times gets the track each time.
    """
    data = file.data
    parts = parts_of(data, file.choices.name)
    tray = parts.services.get("main_bin")
    if tray is None or parts.main.tag != "tractor" or not parts.main.all("track"):
        raise TimelineProblem(
            "timeline-place", "The project has no bin or no tracks.", "Write another format."
        )
    number = _next_number(parts.root)
    piece = common.piece_of(result)
    # Numbers at their ends, as all names that Kdenlive gives have.
    tray_name = unused(data, "flowanchor-bin0")
    splices = [
        placed(data, parts.root, top_of(tray), _in_bin(tray_name, piece, result, number)),
        appended(data, tray, _entry(tray_name, piece)),
    ]
    stated = [one for one in (parts.main, *parts.copies) if one.all("track")]
    for index, main in enumerate(stated):
        names = {
            part: unused(data, f"flowanchor-{part}{index}") for part in ("clip", "playlist", "empty", "track")
        }
        kept = [node for node in main.all("transition") if properties(node).get("internal_added") == "237"]
        pictures = [node for node in kept if properties(node).get("mlt_service") not in ("mix", "")]
        like = properties(pictures[-1]) if pictures else _OVERLAY
        splices += [
            placed(
                data,
                parts.root,
                top_of(main),
                _on_track(names["clip"], piece, result, number),
                *_track(names, [(names["clip"], piece, number)], result.track),
            ),
            shown_in(data, main, names["track"]),
            appended(data, main, overlay(like, len(main.all("track")))),
        ]
    return common.Written(spliced(data, splices))


def _next_number(root: Node) -> int:
    """A number that no clip and no folder of the bin has."""
    numbers = [1]
    for node in root.walk():
        if node.tag == "property":
            name = node.get("name")
            text = (
                node.text
                if name == "kdenlive:id"
                else name.rpartition(".")[2]
                if name.startswith("kdenlive:folder.")
                else ""
            )
            if re.fullmatch(r"\d{1,9}", text.strip()):
                numbers.append(int(text))
    return max(numbers) + 1


def _in_bin(name: str, piece: common.Piece, result: Result, number: int) -> Element:
    about: dict[str, object] = {
        "kdenlive:id": number,
        "kdenlive:control_uuid": _control(piece, number),
        "kdenlive:clipname": piece.path.name,
        "kdenlive:folderid": -1,
    }
    if piece.path == result.path:
        about["kdenlive:markers"] = json.dumps([{"comment": result.note, "pos": 0, "type": 0}])
    return producer(name, piece, result, **about)


def _on_track(name: str, piece: common.Piece, result: Result, number: int) -> Element:
    about: dict[str, object] = {
        "kdenlive:id": number,
        "kdenlive:control_uuid": _control(piece, number),
        "kdenlive:clipname": piece.path.name,
        "set.test_audio": 1,
    }
    return producer(name, piece, result, **about)


def _control(piece: common.Piece, number: int) -> str:
    """What newer versions know a clip on a track by, and an older one by its number: 25.12 wrote the bin's
    clip and the tracks' with the same one (KDE/kdenlive-test-suite, `projects/avfilter-fade.kdenlive`)."""
    return f"{{{uuid.uuid5(uuid.NAMESPACE_URL, f'{piece.path}#{number}')}}}"


def _entry(name: str, piece: common.Piece) -> Element:
    entry = make("entry", None, producer=name)
    entry.attrib.update({"in": "0", "out": str(piece.frames - 1)})
    return entry


def _track(
    names: dict[str, str], pieces: list[tuple[str, common.Piece, int]], title: str, shown: bool = True
) -> list[Element]:
    full = playlist(names["playlist"], [(clip, piece) for clip, piece, _ in pieces])
    for entry, (_, _, number) in zip(full.findall("entry"), pieces, strict=True):
        entry.append(prop("kdenlive:id", number))
    tracks = [make("track", None, producer=names[part]) for part in ("playlist", "empty")]
    for track in tracks:
        track.set("hide", "audio" if shown else "both")
    about = {
        "kdenlive:trackheight": 67,
        "kdenlive:timeline_active": 1,
        "kdenlive:collapsed": 0,
        "kdenlive:track_name": title,
    }
    whole = make("tractor", None, *(prop(*pair) for pair in about.items()), *tracks, id=names["track"])
    return [full, make("playlist", None, id=names["empty"]), whole]


def write(timeline: Timeline, result: Result, known: common.Known) -> common.Written:
    """A new project of the timeline with the result on top."""
    layers, notices = common.shown_layers(timeline, result, known)
    length = max(timeline.duration, result.record.end)
    tray = make("playlist", None, id="main_bin")
    about = {
        "version": "1.04",
        "kdenliveversion": "22.12.3",
        "decimalPoint": ".",
        "activeTrack": len(layers) - 1,
        "audioTarget": -1,
        "videoTarget": len(layers),
        "disablepreview": 0,
        "seekOffset": 30000,
        "zoom": 8,
    }
    tray.extend(prop(f"kdenlive:docproperties.{name}", value) for name, value in about.items())
    tray.append(prop("xml_retain", 1))
    in_bin: list[Element] = []
    on_tracks: list[Element] = []
    numbers: dict[str, int] = {}
    black = make("producer", None, *(prop(*pair) for pair in _black(length).items()), id="black_track")
    black.attrib.update({"in": "0", "out": str(length - 1)})
    main = make("tractor", None, id="timeline", global_feed=1)
    main.attrib.update({"in": "0", "out": str(length - 1)})
    main.append(make("track", None, producer="black_track"))
    for index, layer in enumerate(layers, 1):
        pieces = []
        for piece in layer.pieces:
            number = numbers.setdefault(str(piece.path), len(numbers) + 2)
            whole = longest(piece, layers)
            if len(in_bin) < len(numbers):
                in_bin.append(_in_bin(f"bin{number}", whole, result, number))
                tray.append(_entry(f"bin{number}", whole))
            name = f"clip{number}-track{index}"
            if not any(one.get("id") == name for one in on_tracks):
                on_tracks.append(_on_track(name, whole, result, number))
            pieces.append((name, piece, number))
        names = {
            "playlist": f"playlist{2 * index}",
            "empty": f"playlist{2 * index + 1}",
            "track": f"track{index}",
        }
        on_tracks += _track(names, pieces, layer.name, layer.enabled)
        main.append(make("track", None, producer=names["track"]))
    for index in range(1, len(layers) + 1):
        main.append(overlay(_OVERLAY, index))
    root = make(
        "mlt",
        None,
        profile(timeline.rate, timeline.size or result.size),
        *in_bin,
        tray,
        black,
        *on_tracks,
        main,
    )
    root.attrib.update({"LC_NUMERIC": "C", "producer": "main_bin", "version": "7.12.0"})
    text = source(root)
    return common.Written(
        b'<?xml version="1.0" encoding="utf-8"?>\n' + text + b"\n", notices_of(timeline, notices)
    )


def _black(length: int) -> dict[str, object]:
    return {
        "length": length,
        "eof": "continue",
        "resource": "black",
        "aspect_ratio": 1,
        "mlt_service": "color",
        "mlt_image_format": "rgba",
        "set.test_audio": 0,
    }
