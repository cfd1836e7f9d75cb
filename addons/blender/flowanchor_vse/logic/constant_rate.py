# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a movie file shows its frames at one constant rate from its first moment on, and says
which colours its values mean, read from its tables.

Only MP4 and QuickTime say so in a way that can be read without a decoder. None is the answer whenever there
is the least doubt; the caller then renders the frames through Blender.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, NamedTuple

_LARGEST_TABLES = 64 << 20
"""Bytes of tables that are read; an hour of video takes about 2 MB."""
_MOST_FRAMES = 10_000_000
_OPAQUE = frozenset(
    {b"avc1", b"avc3", b"hvc1", b"hev1", b"av01", b"vp09", b"mp4v", b"apco", b"apcs", b"apcn", b"apch"}
)
"""Codecs whose pictures have no alpha."""
_SINGLE = frozenset({b"tkhd", b"mdhd", b"elst", b"stsd", b"stts", b"ctts"})
_CONTAINERS = frozenset({b"trak", b"mdia", b"minf", b"stbl", b"edts"})


class Timing(NamedTuple):
    """Frames there are, their exact rate, the picture's size in pixels, and whether the file states that its
    colours are those of Rec.709 in limited range; where it does not, readers guess, each in its own way."""

    frames: int
    rate: Fraction
    width: int
    height: int
    rec709: bool


def constant_timing(path: Path) -> Timing | None:
    """The file's timing if every frame of its one video track is shown for the same time, in order, from 0
    on."""
    try:
        with path.open("rb") as file:
            return _timing(_movie_tables(file))
    except (OSError, struct.error, ValueError, ZeroDivisionError, KeyError, IndexError, StopIteration):
        return None


def _movie_tables(file: BinaryIO) -> bytes:
    """The payload of the box `moov`; ValueError if there is not exactly one, or the movie is in fragments."""
    size = file.seek(0, 2)
    at = 0
    found = b""
    while at + 8 <= size:
        file.seek(at)
        length, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if length == 1:
            length, head = struct.unpack(">Q", file.read(8))[0], 16
        elif length == 0:
            length = size - at
        if length < head or kind == b"moof":
            raise ValueError("not a plain movie")
        if kind == b"moov":
            if found or length > _LARGEST_TABLES:
                raise ValueError("no movie that is read here")
            file.seek(at + head)
            found = file.read(length - head)
            if len(found) != length - head:
                raise ValueError("cut off")
        at += length
    return found


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if length < 8 or at + length > len(data):
            raise ValueError("a damaged box")
        yield kind, data[at + 8 : at + length]
        at += length


def _tree(data: bytes) -> dict[bytes, bytes]:
    """Boxes of one track by kind, containers opened; ValueError if one that is read comes twice."""
    found: dict[bytes, bytes] = {}
    for kind, payload in _boxes(data):
        inside = _tree(payload) if kind in _CONTAINERS else {kind: payload}
        if found.keys() & inside.keys() & _SINGLE:
            raise ValueError("a box that comes twice")
        found |= inside
    return found


def _timing(moov: bytes) -> Timing | None:
    boxes = list(_boxes(moov))
    if any(kind == b"mvex" for kind, _ in boxes):
        return None
    movie_scale = _scale(next(payload for kind, payload in boxes if kind == b"mvhd"))
    tracks = [tree for kind, payload in boxes if kind == b"trak" and b"vmhd" in (tree := _tree(payload))]
    if len(tracks) != 1:
        return None
    (track,) = tracks
    scale = _scale(track[b"mdhd"])
    stts = _entries(track[b"stts"], ">II")
    if len({delta for _, delta in stts}) != 1 or stts[0][1] == 0:
        return None
    frames, delta = sum(count for count, _ in stts), stts[0][1]
    if frames > _MOST_FRAMES:
        return None
    shown = _shown_times(track, frames, delta)
    if shown is None or not _whole(track.get(b"elst"), shown, frames * delta, Fraction(movie_scale, scale)):
        return None
    _, kind, width, height = struct.unpack_from(">I4s24xHH", track[b"stsd"], 8)
    inner = _description(track)
    if not _plain(track, kind, dict(inner)):
        return None
    return Timing(frames, Fraction(scale, delta), width, height, _rec709(inner))


def _description(track: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """The boxes of the first sample description, which follow its 86 fixed bytes."""
    (length,) = struct.unpack_from(">I", track[b"stsd"], 8)
    return list(_boxes(_without_tail(track[b"stsd"][8 + 86 : 8 + length])))


def _rec709(inner: list[tuple[bytes, bytes]]) -> bool:
    """Whether the one colour box states primaries, transfer, matrix (each 1: Rec.709) and a limited range.
    QuickTime's own kind of it, `nclc`, says nothing of the range."""
    return [box for kind, box in inner if kind == b"colr"] == [struct.pack(">4s3HB", b"nclx", 1, 1, 1, 0)]


def _scale(header: bytes) -> int:
    """Time units a second, from `mvhd` or `mdhd`."""
    return int(struct.unpack_from(">I", header, 20 if header[0] == 1 else 12)[0])


def _entries(table: bytes, form: str) -> list[tuple[int, ...]]:
    (count,) = struct.unpack_from(">I", table, 4)
    size = struct.calcsize(form)
    return [struct.unpack_from(form, table, 8 + index * size) for index in range(count)]


def _shown_times(track: dict[bytes, bytes], frames: int, delta: int) -> int | None:
    """Time of the first frame shown, if all follow at steps of `delta`."""
    if b"ctts" not in track:
        return 0
    offsets = [
        offset for count, offset in _entries(track[b"ctts"], ">Ii") for _ in range(min(count, frames + 1))
    ]
    if len(offsets) != frames:
        return None
    times = sorted(index * delta + offset for index, offset in enumerate(offsets))
    steady = all(times[index] == times[0] + index * delta for index in range(frames))
    return times[0] if steady else None


def _whole(edits: bytes | None, first: int, duration: int, to_movie: Fraction) -> bool:
    """Whether the edit list, if there is one, shows the whole track once, from its first frame on."""
    if edits is None:
        return first == 0
    entries = _entries(edits, ">QqI" if edits[0] == 1 else ">IiI")
    if len(entries) != 1:
        return False
    length, start, rate = entries[0]
    return start == first and rate == 1 << 16 and length >= int(duration * to_movie)


def _plain(track: dict[bytes, bytes], kind: bytes, inner: dict[bytes, bytes]) -> bool:
    """Whether the picture is shown as it is stored: one sample description, no rotation, square pixels."""
    (descriptions,) = struct.unpack_from(">I", track[b"stsd"], 4)
    header = track[b"tkhd"]
    matrix = struct.unpack_from(">9i", header, 52 if header[0] == 1 else 40)
    upright = matrix == (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    wide, high = struct.unpack(">II", inner[b"pasp"]) if b"pasp" in inner else (1, 1)
    return descriptions == 1 and kind in _OPAQUE and upright and wide == high and b"clap" not in inner


def _without_tail(data: bytes) -> bytes:
    """Some writers end a description with four zero bytes."""
    return data[:-4] if len(data) % 4 == 0 and data.endswith(b"\0\0\0\0") and not _fits(data) else data


def _fits(data: bytes) -> bool:
    at = 0
    while at + 8 <= len(data):
        at += max(struct.unpack_from(">I", data, at)[0], 8)
    return at == len(data)
