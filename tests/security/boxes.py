# SPDX-License-Identifier: Apache-2.0
"""MOV files taken apart into boxes and put together again, to make files that no encoder would write."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

Rewrite = Callable[[bytes], bytes]

_PARENTS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"edts"})


def rewrite(movie: bytes, kind: bytes, change: Rewrite) -> bytes:
    """`movie` with the content of every box `kind` changed; the boxes around it get their new sizes.

    The movie's index must lie behind its samples, as encoders write it: samples keep their places.
    """
    out = bytearray()
    at = 0
    while at < len(movie):
        size, name = struct.unpack_from(">I4s", movie, at)
        head, end = 8, at + size
        if size == 1:
            head, end = 16, at + struct.unpack_from(">Q", movie, at + 8)[0]
        content = movie[at + head : end]
        if name == kind:
            out += box(name, change(content))
        elif name in _PARENTS:
            out += box(name, rewrite(content, kind, change))
        else:
            out += movie[at:end]
        at = end
    return bytes(out)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def without_samples(movie: bytes) -> bytes:
    """The movie with its samples left out, as one has that refers to them in another file. Offsets stay."""
    out = bytearray()
    at = 0
    while at < len(movie):
        size, name = struct.unpack_from(">I4s", movie, at)
        size = size if size > 1 else struct.unpack_from(">Q", movie, at + 8)[0]
        out += box(b"mdat", b"") if name == b"mdat" else movie[at : at + size]
        at += size
    return bytes(out)


def url_reference(address: str) -> Rewrite:
    """Content of `dref`: the samples lie at `address`."""
    entry = box(b"url ", b"\0\0\0\0" + address.encode() + b"\0")
    return lambda _: struct.pack(">II", 0, 1) + entry


def alias_reference(path: str) -> Rewrite:
    """Content of `dref`: a Macintosh alias of the file at the absolute `path`, which FFmpeg can follow."""
    name = path.rpartition("/")[2].encode()
    alias = bytearray(150)
    struct.pack_into(">IHHH", alias, 0, 0, 150, 2, 0)  # application, size, version, kind: a file
    alias[10] = 5
    alias[11:16] = b"Macin"
    alias[50] = min(len(name), 63)
    alias[51 : 51 + min(len(name), 63)] = name[:63]
    struct.pack_into(">hh", alias, 130, 1, 1)  # levels up from the alias and down to its target
    target = path.encode()
    for tag, text in ((2, target.replace(b"/", b":")), (18, target.lstrip(b"/")), (19, b"/")):
        alias += struct.pack(">HH", tag, len(text)) + text + b"\0" * (len(text) % 2)
    alias += struct.pack(">hH", -1, 0)
    struct.pack_into(">H", alias, 4, len(alias))
    entry = box(b"alis", b"\0\0\0\0" + bytes(alias))
    return lambda _: struct.pack(">II", 0, 1) + entry


def packed_index(movie: bytes) -> bytes:
    """The movie with its index packed, as old QuickTime did; it says that it unpacks to a gigabyte."""
    out = bytearray()
    at = 0
    while at < len(movie):
        size, name = struct.unpack_from(">I4s", movie, at)
        whole = movie[at : at + size]
        if name == b"moov":
            packed = struct.pack(">I", 1 << 30) + zlib.compress(whole)
            whole = box(b"moov", box(b"cmov", box(b"dcom", b"zlib") + box(b"cmvd", packed)))
        out += whole
        at += size
    return bytes(out)
