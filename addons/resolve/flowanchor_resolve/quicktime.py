# SPDX-License-Identifier: Apache-2.0
"""What a QuickTime or MP4 file states of its picture, read with the standard library alone: inside Resolve
there is no FFmpeg to ask.

Source: Apple, QuickTime File Format (movie, media and sample table atoms; timecode media).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from flowanchor_resolve.frames import timecode_of_frame
from flowanchor_resolve.host import Probed
from flowanchor_resolve.problems import ResolveProblem

LARGEST_INDEX = 64_000_000  # bytes of "moov"; an hour of frames takes about one million
MOST_ATOMS = 10_000
_WITH_ALPHA = (b"ap4h", b"ap4x", b"png ", b"rle ")
_DROP_FRAME = 1


def probe(path: Path) -> Probed:
    """Look into a movie; see `flowanchor_resolve.host.Probe`.

    Raises:
        ResolveProblem: "render-unreadable", if it is no movie file of this kind, or not whole.
    """
    try:
        with path.open("rb") as file:
            return _read(file, path)
    except (OSError, ValueError, IndexError, struct.error) as failure:
        raise _unreadable(path, str(failure)) from failure


def _unreadable(path: Path, why: str) -> ResolveProblem:
    return ResolveProblem(
        "render-unreadable",
        f"The movie {path.name} cannot be read: {why}.",
        "Check that Resolve has rendered it to its end, then try again.",
    )


@dataclass(frozen=True)
class _Atom:
    kind: bytes
    content: memoryview


@dataclass(frozen=True)
class _Track:
    handler: bytes
    scale: int
    """Units of time a second."""
    entry: memoryview
    """The first sample description, from its size on."""
    durations: tuple[tuple[int, int], ...]
    """Runs of samples: how many, how long each."""
    offset: int | None
    """Where its first sample lies in the file."""

    @property
    def samples(self) -> int:
        return sum(count for count, _ in self.durations)


def _read(file: BinaryIO, path: Path) -> Probed:
    moov = _index(file)
    tracks = [_track(atom.content) for atom in _atoms(moov) if atom.kind == b"trak"]
    videos = [track for track in tracks if track.handler == b"vide"]
    if not videos:
        raise ValueError("it has no picture")
    video = videos[0]
    total = sum(count * length for count, length in video.durations)
    if not video.samples or not total or not video.scale:
        raise ValueError("it has no frames")
    width, height = struct.unpack_from(">HH", video.entry, 32)
    depth = struct.unpack_from(">H", video.entry, 82)[0]
    codec = bytes(video.entry[4:8])
    rate = Fraction(video.scale * video.samples, total)
    return Probed(
        frames=video.samples,
        rate=rate,
        width=width,
        height=height,
        alpha=codec in _WITH_ALPHA and depth == 32,
        start_timecode=_timecode(file, tracks, rate),
    )


def _index(file: BinaryIO) -> memoryview:
    """The content of the atom "moov", wherever in the file it lies."""
    size = file.seek(0, 2)
    place = 0
    for _ in range(MOST_ATOMS):
        if place + 8 > size:
            break
        file.seek(place)
        head = file.read(16)
        length, kind = struct.unpack_from(">I4s", head)
        start = 8
        if length == 1:
            length, start = struct.unpack_from(">Q", head, 8)[0], 16
        elif length == 0:
            length = size - place
        if length < start or place + length > size:
            raise ValueError("it is cut short")
        if kind == b"moov":
            if length > LARGEST_INDEX:
                raise ValueError("its index is too large")
            file.seek(place + start)
            return memoryview(file.read(length - start))
        place += length
    raise ValueError("it has no index; it is no movie or not whole")


def _atoms(content: memoryview) -> Iterator[_Atom]:
    place = 0
    for _ in range(MOST_ATOMS):
        if place + 8 > len(content):
            return
        length, kind = struct.unpack_from(">I4s", content, place)
        length = len(content) - place if length == 0 else length
        if length < 8 or place + length > len(content):
            return  # a terminator, or rubbish behind the atoms
        yield _Atom(kind, content[place + 8 : place + length])
        place += length


def _child(content: memoryview, *path: bytes) -> memoryview:
    for kind in path:
        found = next((atom.content for atom in _atoms(content) if atom.kind == kind), None)
        if found is None:
            raise ValueError(f"it lacks {kind.decode('ascii', 'replace')}")
        content = found
    return content


def _track(content: memoryview) -> _Track:
    media = _child(content, b"mdia")
    header = _child(media, b"mdhd")
    scale = struct.unpack_from(">I", header, 20 if header[0] == 1 else 12)[0]
    handler = bytes(_child(media, b"hdlr")[8:12])
    table = _child(media, b"minf", b"stbl")
    times = _child(table, b"stts")
    count = struct.unpack_from(">I", times, 4)[0]
    if 8 + 8 * count > len(times):
        raise ValueError("its times are cut short")
    durations = tuple(struct.unpack_from(">II", times, 8 + 8 * run) for run in range(count))
    return _Track(handler, scale, _child(table, b"stsd")[8:], durations, _first_offset(table))


def _first_offset(table: memoryview) -> int | None:
    for atom in _atoms(table):
        if atom.kind in (b"stco", b"co64") and struct.unpack_from(">I", atom.content, 4)[0]:
            return int(struct.unpack_from(">I" if atom.kind == b"stco" else ">Q", atom.content, 8)[0])
    return None


def _timecode(file: BinaryIO, tracks: list[_Track], rate: Fraction) -> str | None:
    """The start timecode, if there is a timecode track that fits the rate."""
    for track in tracks:
        if track.handler != b"tmcd" or track.offset is None:
            continue
        flags = struct.unpack_from(">I", track.entry, 20)[0]
        file.seek(track.offset)
        sample = file.read(4)
        if len(sample) == 4:
            return timecode_of_frame(struct.unpack(">I", sample)[0], rate, bool(flags & _DROP_FRAME))
    return None
