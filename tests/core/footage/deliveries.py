# SPDX-License-Identifier: Apache-2.0
"""Deliveries as tests make them, and the clip they are made of."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from flowanchor_core.footage import ClipInfo, Delivery, DeliveryWriter, Proof, probe, read_frames
from flowanchor_core.footage.colour import Picture, frame_to_rgb
from flowanchor_core.footage.composite import composite
from tests.core.footage.clips import (
    H264,
    marked,
    region_of,
    write_movie,
)

FULL = [
    ("ffv1", "o.mkv"),
    ("h264", "o.mp4"),
    ("h264", "o.mov"),
    ("h264", "o.mkv"),
    ("prores", "o.mov"),
    ("png", "o"),
]
PATCH = [("prores4444", "o.mov"), ("png", "o")]


def edits(writer: DeliveryWriter, clip: ClipInfo, first: int, last: int) -> Iterator[Picture]:
    """The region of each frame, inverted: a change that depends on the frame."""
    for frame in read_frames(clip, first, last):
        yield 1 - writer.region.cut(frame, clip.colour)


def deliver(delivery: Delivery, clip: ClipInfo, first: int, last: int) -> Proof:
    delivery.preflight(clip, first, last)
    track = marked(last - first + 1, clip.height, clip.width)
    with delivery.open(clip, first, last, region_of(track), track) as writer:
        for edited in edits(writer, clip, first, last):
            writer.write(edited)
        assert list(writer.verify()) == list(range(1, last - first + 2))
    assert writer.proof is not None
    return writer.proof


def expected_full(clip: ClipInfo, first: int, last: int) -> list[Picture]:
    """The composite, frame by frame, as R'G'B'."""
    track = marked(last - first + 1, clip.height, clip.width)
    region = region_of(track)
    result = []
    for index, frame in enumerate(read_frames(clip, first, last)):
        edited = region.place(1 - region.cut(frame, clip.colour))
        full = composite(frame, edited, region.matte(track[index]), region.window, clip.colour)
        result.append(frame_to_rgb(full, clip.colour))
    return result


def sounding_clip(folder: Path) -> ClipInfo:
    """40 frames with sound, timecode and colour tags."""
    return probe(
        write_movie(
            folder / "clip.mp4",
            H264,
            40,
            Fraction(24),
            sound="aac",
            timecode="01:00:00:00",
            tags=(1, 1, 1, 1),
        )
    )
