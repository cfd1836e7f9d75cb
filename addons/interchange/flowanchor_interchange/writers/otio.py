# SPDX-License-Identifier: Apache-2.0
"""OpenTimelineIO. Source frames are absolute: those of the file's timecode, which `available_range` states.

That is what the format asks for and what Resolve's import needs. Files are named by URL, or for Resolve,
which does not read these, by path; unless told, as the document's other clips are.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import opentimelineio as otio  # type: ignore[import-untyped]

from flowanchor_interchange.files import TimelineFile
from flowanchor_interchange.model import Result, Timeline
from flowanchor_interchange.paths import is_relative, local_path
from flowanchor_interchange.readers.otio import load, locate
from flowanchor_interchange.writers import common

Flavour = Literal["resolve", "any"] | None


def insert(source: TimelineFile, result: Result, flavour: Flavour) -> common.Written:
    """The document with the result on a new top track; every other value of it is as it was.

    Out of a bundle, that is with a result named by an absolute path, names of files in it become absolute.
    """
    plain = load(source.data)
    stack = locate(plain, source.choices.name)["tracks"]
    bare = _bare(plain) if flavour is None else flavour == "resolve"
    if source.bundle is not None and source.home is not None and result.path.is_absolute():
        bare = flavour == "resolve"
        _name_whole(plain, source.home, bare)
    track = json.loads(
        _track(common.Layer(result.track, True, (common.piece_of(result),)), result, bare).to_json_string()
    )
    children = stack["children"]
    video = [index for index, child in enumerate(children) if str(child.get("kind", "")) == "Video"]
    children.insert(video[-1] + 1 if video else 0, track)
    return common.Written(_dump(plain))


def write(timeline: Timeline, result: Result, known: common.Known, flavour: Flavour) -> common.Written:
    """A new document of the timeline with the result on top."""
    layers, notices = common.layers(timeline, result, known)
    bare = flavour == "resolve"
    whole = otio.schema.Timeline(timeline.name)
    whole.global_start_time = _time(timeline.start, timeline.rate)
    for layer in layers:
        whole.tracks.append(_track(layer, result, bare))
    return common.Written(_dump(json.loads(whole.to_json_string())), notices)


def _dump(plain: Any) -> bytes:
    return json.dumps(plain, indent=4, ensure_ascii=False).encode()


def _bare(plain: Any) -> bool:
    """Whether a document names files by path: whether most of its absolute names are no URLs."""
    urls, paths, waiting = 0, 0, [plain]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            url = value.get("target_url")
            if isinstance(url, str) and url:
                urls, paths = (urls + 1, paths) if "://" in url else (urls, paths + 1)
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return paths > urls


def _name_whole(plain: Any, home: Path, bare: bool) -> None:
    """Name files absolutely that are named from a folder."""
    waiting = [plain]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            for key in ("target_url", "target_url_base"):
                stated = value.get(key)
                if isinstance(stated, str) and stated and is_relative(stated):
                    path = local_path(stated, home)
                    if path is not None:
                        value[key] = str(path) if bare else path.as_uri()
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _time(frames: int, rate: Fraction) -> Any:
    return otio.opentime.RationalTime(frames, float(rate))


def _range(start: int, frames: int, rate: Fraction) -> Any:
    return otio.opentime.TimeRange(_time(start, rate), _time(frames, rate))


def _track(layer: common.Layer, result: Result, bare: bool) -> Any:
    track = otio.schema.Track(layer.name, kind=otio.schema.TrackKind.Video)
    track.enabled = layer.enabled
    for index, piece in enumerate(layer.pieces):
        if empty := common.gap_before(layer.pieces, index):
            track.append(otio.schema.Gap(source_range=_range(0, empty, result.rate)))
        track.append(_clip(piece, result, bare))
    return track


def _clip(piece: common.Piece, result: Result, bare: bool) -> Any:
    url = str(piece.path) if bare else _url(piece.path)
    available = _range(piece.start, piece.frames, result.rate)
    clip = otio.schema.Clip(
        piece.name,
        media_reference=otio.schema.ExternalReference(url, available),
        source_range=_range(piece.start + piece.first, piece.record.duration, result.rate),
    )
    clip.enabled = piece.enabled
    if piece.path == result.path:
        clip.metadata["flowanchor"] = dict(result.facts)
        marked = _range(piece.start, 1, result.rate)
        marker = otio.schema.Marker("FlowAnchor", marked, metadata={"flowanchor": dict(result.facts)})
        marker.comment = result.note
        clip.markers.append(marker)
    return clip


def _url(path: Path) -> str:
    return path.as_uri() if path.is_absolute() else str(path)
