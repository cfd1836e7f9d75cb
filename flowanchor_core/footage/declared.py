# SPDX-License-Identifier: Apache-2.0
"""What a file says of itself, checked before FFmpeg believes it.

FFmpeg takes memory for every sample that a MOV's tables declare and unpacks every profile and text in a PNG,
however small the file is; and a MOV may say that its samples lie in another file or at an address. Only the
tables are read here, no picture.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from flowanchor_core.errors import InputError
from flowanchor_core.footage import limits

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_MOST_UNPACKED: Final = 32 << 20
"""Bytes that all packed profiles and texts of one PNG may have; large print profiles have four million."""

_MOST_SAMPLES: Final = 2 * limits.MAX_FRAMES
"""Of all tracks, those of a track counted once for every edit of its edit list."""

_FEW_SAMPLES: Final = 1 << 20
"""So many cost FFmpeg less than 100 MB."""

_FIRST_BOXES: Final = frozenset(
    (
        b"ftyp",
        b"moov",
        b"mdat",
        b"wide",
        b"free",
        b"skip",
        b"pnot",
        b"udta",
        b"uuid",
        b"junk",
        b"PICT",
        b"styp",
    )
)
_LARGEST_INDEX: Final = 256 << 20
_DEEPEST: Final = 12
_TABLES: Final = frozenset((b"stco", b"co64", b"stss", b"stps", b"stsc", b"ctts", b"sdtp", b"sbgp"))
_LOOSE: Final = frozenset((b"stsd", b"meta"))  # have boxes at places that depend on what is in front of them
_PER_SAMPLE: Final = 0xF00  # flags of a track run: what it states for each sample


def check_declared(path: Path) -> bool:
    """Raise InputError for a file that refers to another one or declares far more than it can hold.

    Returns:
        whether the file is a MOV or MP4 whose boxes have been checked; no other may be opened as one.
    """
    with path.open("rb") as file:
        head = file.read(8)
        if head == _PNG:
            _check_png(file, path.name)
        if head[4:8] not in _FIRST_BOXES:
            return False
        _Movie(path.name, os.fstat(file.fileno()).st_size).check(file)
        return True


def _check_png(file: BinaryIO, name: str) -> None:
    unpacked = 0
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind not in (b"iCCP", b"zTXt", b"iTXt"):
            file.seek(length + 4, os.SEEK_CUR)
            continue
        content = file.read(length)
        file.seek(4, os.SEEK_CUR)
        for packed in _packed(kind, content):
            # One byte more than allowed is enough to know.
            with_limit = zlib.decompressobj()
            try:
                unpacked += len(with_limit.decompress(packed, _MOST_UNPACKED + 1 - unpacked))
            except zlib.error:
                continue  # FFmpeg leaves it out, too
            if unpacked > _MOST_UNPACKED:
                raise _too_much(name, "unpacks to far more than a picture needs")


def _packed(kind: bytes, content: bytes) -> Iterator[bytes]:
    _, separator, rest = content.partition(b"\0")
    if separator and kind == b"iTXt":
        if rest[:1] == b"\1":
            yield rest[2:].split(b"\0", 2)[-1]
    elif separator:
        yield rest[1:]


@dataclass
class _Track:
    """What the tables of one track say; of a table that stands there twice the worse."""

    samples: int = 0
    constant_size: int = 0
    edits: int = 1
    handlers: set[bytes] = field(default_factory=set)
    single_ticks: bool = True  # each sample lasts one tick, as those of uncompressed sound do

    def entries(self) -> int:
        """Entries of FFmpeg's index; uncompressed sound gets one for 1024 samples."""
        packed = self.single_ticks and self.handlers == {b"soun"}
        return (self.samples // 1024 if packed else self.samples) * self.edits


@dataclass
class _Movie:
    """Walks the boxes as FFmpeg does: children by their sizes, cut off at the end of what is around them."""

    name: str
    size: int
    tracks: list[_Track] = field(default_factory=lambda: [_Track()])
    in_runs: int = 0

    def check(self, file: BinaryIO) -> None:
        at = 0
        while at + 8 <= self.size:
            file.seek(at)
            head, end, kind = _box(file.read(16), 0, self.size - at)
            if kind != b"mdat" and kind != b"free":
                self._read(file, at + head, min(at + end, self.size), kind)
            elif kind == b"free":  # which FFmpeg takes for the index if it begins like one
                file.seek(at + 12)
                if file.read(4) in (b"mvhd", b"cmov"):
                    self._read(file, at + head, min(at + end, self.size), b"moov")
            at += max(end, 8)
        self._check_samples()

    def _read(self, file: BinaryIO, begin: int, end: int, kind: bytes) -> None:
        if end - begin > _LARGEST_INDEX:
            raise _too_much(self.name, "has a larger index than this version reads")
        file.seek(begin)
        content = file.read(end - begin)
        self._look(kind, content, 0, len(content), 1)

    def _walk(self, content: bytes, begin: int, end: int, depth: int) -> None:
        at = begin
        while at + 8 <= end and depth <= _DEEPEST:
            head, size, kind = _box(content, at, end - at)
            self._look(kind, content, at + head, min(at + size, end), depth + 1)
            at += max(size, 8)

    def _look(self, kind: bytes, content: bytes, begin: int, end: int, depth: int) -> None:
        if kind in _TABLES:
            return
        numbers = struct.Struct(">4I").unpack(content[begin : min(end, begin + 16)].ljust(16, b"\0"))
        track = self.tracks[-1]
        match kind:
            case b"trak":
                self.tracks.append(_Track())
                self._walk(content, begin, end, depth)
            case b"hdlr":
                track.handlers.add(content[begin + 8 : begin + 12])
            case b"stsz" | b"stz2":
                constant = numbers[1] if kind == b"stsz" else 0
                track.constant_size = max(track.constant_size, constant)
                track.samples = max(track.samples, numbers[2])
            case b"stts":
                track.single_ticks = track.single_ticks and numbers[1] == 1 and numbers[3] == 1
            case b"elst":
                track.edits = max(track.edits, numbers[1])
            case b"trun":
                self._count_run(numbers[0], numbers[1], end - begin)
            case b"dref":
                self._check_references(content, begin, end)
            case b"rdrf":
                raise _elsewhere(self.name)
            case b"cmov":
                raise _too_much(self.name, "has a packed index, which is not read")
            case _ if kind in _LOOSE:
                self._search(content, begin, end)
            case _:
                self._walk(content, begin, end, depth)

    def _check_samples(self) -> None:
        # A movie that was cut short promises some samples that are gone; that is for others to say.
        absent = any(
            track.constant_size * track.samples > self.size and track.entries() > _FEW_SAMPLES
            for track in self.tracks
        )
        if absent or sum(track.entries() for track in self.tracks) > _MOST_SAMPLES:
            raise _too_much(self.name, "declares more samples than it can hold")

    def _count_run(self, flags: int, samples: int, size: int) -> None:
        stated = 4 * (flags & _PER_SAMPLE).bit_count() * samples
        self.in_runs += samples
        if stated > size or self.in_runs > min(_MOST_SAMPLES, self.size):
            raise _too_much(self.name, "declares more samples than it can hold")

    def _check_references(self, content: bytes, begin: int, end: int) -> None:
        at = begin + 8
        while at + 12 <= end:
            head, size, _ = _box(content, at, end - at)
            contained = content[at + head + 3 : at + head + 4] == b"\1"
            if not contained and min(size, end - at) > head + 4:
                raise _elsewhere(self.name)
            at += max(size, 8)

    def _search(self, content: bytes, begin: int, end: int) -> None:
        """Boxes wherever they begin; these regions hold no tables of numbers that could look like some."""
        for kind in (b"stsz", b"stz2", b"elst", b"trun", b"dref", b"rdrf", b"cmov"):
            at = content.find(kind, begin + 4, end)
            while at >= 0:
                self._look(kind, content, at + 4, end, _DEEPEST)
                at = content.find(kind, at + 4, end)


def _box(content: bytes, at: int, room: int) -> tuple[int, int, bytes]:
    """(bytes of its head, bytes in all, kind) of the box at `at`; 0 as its size means all the room."""
    size, kind = struct.unpack_from(">I4s", content, at)
    if size == 1 and len(content) >= at + 16:
        return 16, struct.unpack_from(">Q", content, at + 8)[0], kind
    return 8, size or room, kind


def _too_much(name: str, problem: str) -> InputError:
    return InputError("clip-unreadable", f"{name} {problem}.", "Export the clip again.")


def _elsewhere(name: str) -> InputError:
    return InputError(
        "clip-refers-elsewhere",
        f"{name} has its pictures in another file.",
        "Export it as a self-contained movie.",
    )
