# SPDX-License-Identifier: Apache-2.0
"""What the tracks of an MLT XML document are: of picture or sound, switched off, a program's own."""

from __future__ import annotations

from dataclasses import replace

from flowanchor_interchange.document import Node
from flowanchor_interchange.model import Span, Track
from flowanchor_interchange.readers.mlt_parts import Parts, frames_of, properties


def is_black(service: Node) -> bool:
    """Whether it is what the lowest track lies on."""
    about = properties(service)
    colour = about.get("mlt_service") in ("color", "colour")
    return service.get("id") in ("black_track", "black", "background") or (
        service.tag == "producer" and colour
    )


def is_preview(service: Node) -> bool:
    """Whether it is what Kdenlive has rendered of its timeline, which lies above all tracks, switched off."""
    names = service.get("id"), properties(service).get("kdenlive:playlistid")
    return bool({"timeline_preview", "timeline_overlay"}.intersection(names))


def is_sound(service: Node, parts: Parts) -> bool:
    """Whether a track is one of sound: Kdenlive and Shotcut say so, others hide the picture of all of it.

    Kdenlive hides both of a track that is switched off, be it of picture or of sound
    (`constructTrackFromMelt` in its `meltBuilder.cpp`).
    """
    inner = [parts.services.get(track.get("producer")) for track in service.all("track")]
    about = [properties(node) for node in (service, *inner) if node is not None]
    if any("1" in (one.get("kdenlive:audio_track"), one.get("shotcut:audio")) for one in about):
        return True
    return hides(service, "video") or (hides(service, "both") and not parts.kdenlive)


def hides(service: Node, what: str) -> bool:
    """Whether a tractor hides this of all its tracks."""
    shown = service.all("track") if service.tag == "tractor" else []
    return bool(shown) and all(track.get("hide") == what for track in shown)


def with_compositions(track: Track, parts: Parts, index: int) -> Track:
    """The track with compositions that lie over it as effects of the clips they meet.

    `index` is the track's among all of the document. What a program adds by itself, so that tracks lie over
    each other at all, is none.
    """
    spans = []
    for node in parts.main.all("transition"):
        about = properties(node)
        own = "internal_added" in about or "1" in (about.get("always_active"), about.get("disable"))
        ends = [node.get(key) or about.get(key, "") for key in ("in", "out")]
        if own or about.get("b_track") != str(index) or about.get("mlt_service") == "mix" or not all(ends):
            continue
        first, last = (frames_of(end, parts.rate) for end in ends)
        name = about.get("kdenlive_id") or about.get("mlt_service") or "a composition"
        if last > 0:
            spans.append((Span(first, last + 1), name))
    clips = []
    for clip in track.clips:
        names = tuple(dict.fromkeys(name for span, name in spans if span.meets(clip.record)))
        clips.append(replace(clip, effects=clip.effects + names) if names else clip)
    return replace(track, clips=tuple(clips))
