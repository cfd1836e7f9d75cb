# SPDX-License-Identifier: Apache-2.0
"""MLT XML. Source frames are relative to the file; the timeline starts at 0, whatever its timecode.

The result gives its picture alone, so that the sound of what lies below goes on. A patch needs a transition
that lays it over; a document that has such ones gets another of the kind it uses.
"""

from __future__ import annotations

from fractions import Fraction
from xml.etree.ElementTree import Element

from flowanchor_interchange.document import Node, Splice, appended, make, placed, source, spliced, unused
from flowanchor_interchange.files import TimelineFile
from flowanchor_interchange.model import Result, Timeline
from flowanchor_interchange.readers.mlt_parts import parts_of, properties
from flowanchor_interchange.writers import common

_ITS_OWN = {"in", "out", "a_track", "b_track", "disable", "geometry", "rect"}
"""What a transition between tracks has of its own, which another one is not to have from it."""

_NO_TIMECODE = "MLT timelines start at 0: the start timecode {0} was left out."


def prop(name: str, value: object) -> Element:
    """A property element."""
    return make("property", value, name=name)


def insert(file: TimelineFile, result: Result) -> common.Written:
    """The document with the result on a new top track; all other bytes of it are as they were."""
    parts = parts_of(file.data, file.choices.name)
    clip, track = (unused(file.data, f"flowanchor-{name}") for name in ("clip", "track"))
    new = [
        producer(clip, common.piece_of(result), result),
        _playlist(track, [(clip, common.piece_of(result))], result.track),
    ]
    data, main = file.data, parts.main
    host = main if main.all("track") else main.child("multitrack")
    if main.tag != "tractor" or host is None:
        # A playlist is played by itself: a tractor behind it shows both.
        shown = [make("track", None, producer=name) for name in (main.get("id"), track)]
        over = [overlay({}, 1)] if result.alpha else []
        whole = make("tractor", None, *shown, *over, id=unused(data, "flowanchor-tractor"))
        return common.Written(spliced(data, [appended(data, parts.root, *new, whole)]))
    like = overlays(main)
    count = len(parts.tracks)
    if like:
        over = [overlay(properties(_example(like)), count)]
    else:
        # Without such transitions the topmost picture hides all others: then each track needs one.
        over = [overlay({}, index) for index in range(1, count + 1)] if result.alpha else []
    splices = [placed(data, parts.root, top_of(main), *new), shown_in(data, host, track)]
    if over:
        splices.append(appended(data, main, *over))
    return common.Written(spliced(data, splices))


def shown_in(data: bytes, host: Node, track: str) -> Splice:
    """Show one more service in a tractor, above its other tracks."""
    behind = host.children[host.children.index(host.all("track")[-1]) + 1 :]
    return placed(data, host, behind[0] if behind else None, make("track", None, producer=track))


def top_of(node: Node) -> Node:
    """The element below the document's root that an element is in."""
    while node.parent is not None and node.parent.parent is not None:
        node = node.parent
    return node


def overlays(main: Node) -> list[Node]:
    """A tractor's transitions that lay a track's picture over those below."""
    services = ("composite", "qtblend", "frei0r.cairoblend", "movit.overlay", "affine")
    return [node for node in main.all("transition") if properties(node).get("mlt_service") in services]


def _example(like: list[Node]) -> Node:
    """The last of such transitions that is not switched off, if one is not."""
    active = [node for node in like if properties(node).get("disable") != "1"]
    return (active or like)[-1]


def overlay(like: dict[str, str], track: int) -> Element:
    """A transition that lays a track over those below, with the properties of another one if there is one.

    Where and when that one lays its track is its own matter. If it is switched off, its track is what others
    are laid on: so Shotcut marks its bottom track.
    """
    about = like or {"mlt_service": "composite", "fill": "1", "always_active": "1", "progressive": "1"}
    below = about.get("b_track" if about.get("disable") == "1" else "a_track", "0")
    about = {name: value for name, value in about.items() if name not in _ITS_OWN}
    ends = prop("a_track", below), prop("b_track", track)
    return make("transition", None, *ends, *(prop(*pair) for pair in about.items()))


def producer(name: str, piece: common.Piece, result: Result, **more: object) -> Element:
    """The service that plays a file."""
    own = piece.path == result.path
    about: dict[str, object] = {
        "length": piece.frames,
        "eof": "pause",
        "resource": piece.path,
        "mlt_service": "avformat",
        "seekable": 1,
        **({"audio_index": -1} if own else {}),
        **({f"flowanchor:{key}": value for key, value in result.facts.items()} if own else {}),
        **more,
    }
    element = make("producer", None, *(prop(*pair) for pair in about.items()), id=name)
    element.attrib.update({"in": "0", "out": str(piece.frames - 1)})
    return element


def _playlist(name: str, pieces: list[tuple[str, common.Piece]], title: str) -> Element:
    return playlist(name, pieces, prop("shotcut:video", 1), prop("shotcut:name", title))


def playlist(name: str, pieces: list[tuple[str, common.Piece]], *about: Element) -> Element:
    """A track: blanks and entries, whose `out` is included."""
    element = make("playlist", None, *about, id=name)
    only = tuple(piece for _, piece in pieces)
    for index, (clip, piece) in enumerate(pieces):
        if empty := common.gap_before(only, index):
            element.append(make("blank", None, length=empty))
        entry = make("entry", None, producer=clip)
        entry.attrib.update({"in": str(piece.first), "out": str(piece.first + piece.record.duration - 1)})
        element.append(entry)
    return element


def profile(rate: Fraction, size: tuple[int, int]) -> Element:
    """Picture size and rate of a document, square pixels, Rec.709."""
    aspect = Fraction(*size)
    return make(
        "profile",
        None,
        description=f"{size[0]}x{size[1]} {float(rate):.3f} fps",
        width=size[0],
        height=size[1],
        progressive=1,
        sample_aspect_num=1,
        sample_aspect_den=1,
        display_aspect_num=aspect.numerator,
        display_aspect_den=aspect.denominator,
        frame_rate_num=rate.numerator,
        frame_rate_den=rate.denominator,
        colorspace=709,
    )


def notices_of(timeline: Timeline, more: tuple[str, ...]) -> tuple[str, ...]:
    """What is said of every document of this kind."""
    return (_NO_TIMECODE.format(timeline.label(0)), *more) if timeline.start else more


def write(timeline: Timeline, result: Result, known: common.Known) -> common.Written:
    """A new document of the timeline with the result on top."""
    layers, notices = common.shown_layers(timeline, result, known)
    producers: list[Element] = []
    playlists: list[Element] = []
    names: dict[str, str] = {}
    main = make("tractor", None, make("track", None, producer="background"), id="timeline")
    for number, layer in enumerate(layers, 1):
        pieces = []
        for piece in layer.pieces:
            name = names.setdefault(str(piece.path), f"clip{len(names)}")
            if len(names) > len(producers):
                producers.append(producer(name, longest(piece, layers), result))
            pieces.append((name, piece))
        playlists.append(_playlist(f"track{number}", pieces, layer.name))
        track = make("track", None, producer=f"track{number}")
        if not layer.enabled:
            track.set("hide", "video")
        main.append(track)
    black, background = _background(max(timeline.duration, result.record.end))
    if result.alpha:
        main.extend(overlay({}, index) for index in range(1, len(layers) + 1))
    picture = profile(timeline.rate, timeline.size or result.size)
    root = make("mlt", None, picture, black, background, *producers, *playlists, main)
    root.attrib.update({"LC_NUMERIC": "C", "title": timeline.name, "version": "7.12.0"})
    text = source(root)
    return common.Written(
        b'<?xml version="1.0" encoding="utf-8"?>\n' + text + b"\n", notices_of(timeline, notices)
    )


def _background(length: int) -> tuple[Element, Element]:
    """Black for where there is nothing: MLT shows white there."""
    about = {
        "length": length,
        "eof": "pause",
        "resource": 0,
        "mlt_service": "color",
        "mlt_image_format": "rgb",
    }
    black = make("producer", None, *(prop(*pair) for pair in about.items()), id="black")
    entry = make("entry", None, producer="black")
    for element in (black, entry):
        element.attrib.update({"in": "0", "out": str(length - 1)})
    return black, make("playlist", None, entry, id="background")


def longest(piece: common.Piece, layers: list[common.Layer]) -> common.Piece:
    """The piece of the same file with the greatest length of it."""
    same = [one for layer in layers for one in layer.pieces if one.path == piece.path]
    return max(same, key=lambda one: one.frames)
