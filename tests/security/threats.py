# SPDX-License-Identifier: Apache-2.0
"""Media made to do harm: pictures and movies that declare more than they hold, media that point elsewhere.

Each is a few kilobytes, a megabyte at most.
"""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from pathlib import Path

import av

from tests.core.footage.clips import Recipe, write_movie
from tests.security import boxes

MPEG4_MOV = Recipe("plain.mov", "mpeg4", "yuv420p", {"bf": "0", "g": "10"})
_WIDTH, _HEIGHT = 64, 48
_PNG = b"\x89PNG\r\n\x1a\n"


def plain_movie(folder: Path, frames: int = 9) -> bytes:
    """A harmless MOV, its index behind its samples."""
    return write_movie(folder / "plain.mov", MPEG4_MOV, frames).read_bytes()


def pictures() -> dict[str, tuple[str, bytes]]:
    """Name -> (suffix, content) of pictures that would take gigabytes."""
    unpacked = _packed_zeros(1 << 28)
    return {
        "png of 50000 pixels a side": (".png", png(50_000, 50_000)),
        "bit map of 50000 pixels a side": (".png", png(50_000, 50_000, depth=1, colour=0)),
        "png with a profile of 256 MB": (".png", png(extra=chunk(b"iCCP", b"x\0\0" + unpacked))),
        "png with texts of 768 MB": (
            ".png",
            png(extra=b"".join(chunk(b"zTXt", b"k%d\0\0" % n + unpacked) for n in range(3))),
        ),
        "animated png of a billion frames": (
            ".png",
            png(extra=chunk(b"acTL", struct.pack(">II", 1 << 30, 0))),
        ),
        "bmp of 60000 pixels a side": (".bmp", _bmp(60_000, 60_000)),
        "tiff of 60000 pixels a side": (".tif", _tiff(60_000, 60_000)),
        "dpx of 60000 pixels a side": (".dpx", _dpx(60_000, 60_000)),
        "webp of 16383 pixels a side": (".webp", _webp(16_383, 16_383)),
        "jpeg of 65500 pixels a side": (".jpg", _jpeg(65_500, 65_500)),
    }


def movies(folder: Path) -> dict[str, tuple[str, bytes]]:
    """Name -> (suffix, content) of movies that declare more than they hold. `folder` is for work files."""
    plain = plain_movie(folder)
    long = plain_movie(folder, frames=300)
    return {
        "mov of 2^28 samples": (".mov", declared_samples(plain, 1 << 28)),
        "mov of 2^32 - 1 samples": (".mov", declared_samples(plain, (1 << 32) - 1)),
        "mov of 100000 edits of all of it": (".mov", declared_edits(long, 100_000)),
        "mov with a packed index": (".mov", boxes.packed_index(plain)),
        "mov of fragments without end": (".mp4", plain + endless_fragment()),
        "mov of png pictures with profiles of 256 MB": (".mov", movie_of_pngs(folder)),
        "avi of 60000 pixels a side": (".avi", _avi(folder, 60_000, 60_000)),
        "avi of 16000 pixels a side": (".avi", _avi(folder, 16_000, 16_000)),
        "y4m of 60000 pixels a side": (
            ".y4m",
            b"YUV4MPEG2 W60000 H60000 F25:1 Ip C420jpeg\nFRAME\n" + bytes(1000),
        ),
        "y4m of 16000 pixels a side": (
            ".y4m",
            b"YUV4MPEG2 W16000 H16000 F25:1 Ip C420jpeg\nFRAME\n" + bytes(1000),
        ),
        "ivf with a packet of 2 GB": (
            ".ivf",
            _ivf(60_000, 60_000) + struct.pack("<IQ", (1 << 31) - 1, 0) + b"x" * 9,
        ),
    }


def movie_of_pngs(folder: Path) -> bytes:
    """Three PNG pictures as the packets of a MOV, each with a profile of 256 MB."""
    path, picture = folder / "pngs.mov", png(extra=chunk(b"iCCP", b"x\0\0" + _packed_zeros(1 << 28)))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "rgb24"
        for number in range(3):
            packet = av.Packet(picture)
            packet.stream, packet.pts, packet.dts, packet.is_keyframe = stream, number, number, True
            packet.time_base = Fraction(1, 25)
            container.mux(packet)
    return path.read_bytes()


def with_cover(movie: bytes, picture: bytes) -> bytes:
    """A MOV with a PNG as its cover."""
    cover = boxes.box(b"covr", boxes.box(b"data", struct.pack(">II", 14, 0) + picture))
    handler = boxes.box(b"hdlr", bytes(8) + b"mdirappl" + bytes(10))
    tags = boxes.box(b"udta", boxes.box(b"meta", bytes(4) + handler + boxes.box(b"ilst", cover)))
    return boxes.rewrite(movie, b"moov", lambda content: content + tags)


def declared_samples(movie: bytes, count: int) -> bytes:
    """The movie with `count` samples of a byte each, all in one chunk."""
    movie = boxes.rewrite(movie, b"stsz", lambda _: struct.pack(">III", 0, 1, count))
    movie = boxes.rewrite(movie, b"stsc", lambda _: struct.pack(">IIIII", 0, 1, 1, count, 1))
    return boxes.rewrite(movie, b"stts", lambda _: struct.pack(">IIII", 0, 1, count, 1))


def declared_edits(movie: bytes, count: int) -> bytes:
    """The movie played `count` times by its edit list."""
    edit = struct.pack(">IiI", 10_000, 0, 1 << 16)
    return boxes.rewrite(movie, b"elst", lambda _: struct.pack(">II", 0, count) + edit * count)


def endless_fragment() -> bytes:
    """A fragment of 2^29 samples that takes a hundred bytes."""
    header = boxes.box(b"tfhd", struct.pack(">IIII", 0x000018, 1, 1, 1))
    run = boxes.box(b"trun", struct.pack(">II", 0, 1 << 29))
    fragment = boxes.box(b"traf", header + run)
    return boxes.box(b"moof", boxes.box(b"mfhd", struct.pack(">II", 0, 1)) + fragment)


def png(
    width: int = _WIDTH, height: int = _HEIGHT, depth: int = 8, colour: int = 2, extra: bytes = b""
) -> bytes:
    """A PNG that says it has this size; 64x48 of it is there, in black."""
    rows = zlib.compress((b"\0" + bytes(3 * _WIDTH)) * _HEIGHT)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return _PNG + chunk(b"IHDR", header) + extra + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _packed_zeros(size: int) -> bytes:
    packer, block = zlib.compressobj(9), bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(size >> 20)) + packer.flush()


def _bmp(width: int, height: int) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 1000, 0, 0, 54) + header + bytes(946)


def _tiff(width: int, height: int) -> bytes:
    fields = (
        (256, width),
        (257, height),
        (258, 8),
        (259, 5),
        (262, 1),
        (273, 200),
        (277, 1),
        (278, height),
        (279, 600),
    )
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in fields)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(fields)) + entries + bytes(1000)


def _dpx(width: int, height: int) -> bytes:
    head = b"SDPX" + struct.pack(">I", 2048) + b"V1.0".ljust(8, b"\0") + bytes(752)
    return head + struct.pack(">HHII", 0, 1, width, height) + bytes(2048)


def _webp(width: int, height: int) -> bytes:
    return (
        b"RIFF"
        + struct.pack("<I", 100)
        + b"WEBPVP8L"
        + struct.pack("<IBI", 80, 0x2F, width | height << 14)
        + bytes(80)
    )


def _jpeg(width: int, height: int) -> bytes:
    frame = struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\1\x11\0"
    tables = b"\xff\xdb" + struct.pack(">HB", 67, 0) + b"\1" * 64
    return (
        b"\xff\xd8"
        + tables
        + b"\xff\xc0"
        + frame
        + b"\xff\xda"
        + struct.pack(">HB", 8, 1)
        + b"\1\0\0\x3f\0"
        + bytes(200)
    )


def _avi(folder: Path, width: int, height: int) -> bytes:
    """Uncompressed pictures, whose size nothing but the header tells."""
    recipe = Recipe("raw.avi", "rawvideo", "yuv420p")
    content = bytearray(write_movie(folder / "raw.avi", recipe, 3).read_bytes())
    struct.pack_into("<ii", content, content.index(b"strf") + 12, width, height)
    return bytes(content)


def _ivf(width: int, height: int) -> bytes:
    return b"DKIF" + struct.pack("<HH4sHHIIII", 0, 32, b"VP80", width, height, 25, 1, (1 << 31) - 1, 0)


def growing_movie(folder: Path) -> bytes:
    """Four key frames of VP8, of which the last two say that they have 16383 pixels a side."""
    recipe = Recipe("vp8.ivf", "libvpx", "yuv420p", {"g": "1", "crf": "30", "b": "1M"})
    content = bytearray(write_movie(folder / "vp8.ivf", recipe, 4).read_bytes())
    at, number = 32, 0
    while at < len(content):
        (size,) = struct.unpack_from("<I", content, at)
        if number >= 2:
            struct.pack_into("<HH", content, at + 12 + 6, 16_383, 16_383)
        at, number = at + 12 + size, number + 1
    return bytes(content)


def references(folder: Path, address: str, target: Path) -> dict[str, bytes]:
    """Name -> content of media that would make FFmpeg open `address` (http://…) or the file `target`."""
    plain = plain_movie(folder)
    schema = 'xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011"'
    adaptation = f'<Representation id="0" bandwidth="1"><BaseURL>{address}</BaseURL></Representation>'
    manifest = (
        f'<MPD {schema} type="static" mediaPresentationDuration="PT1S"><Period>'
        f'<AdaptationSet mimeType="video/mp4">{adaptation}</AdaptationSet></Period></MPD>'
    )
    session = "o=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\n"
    playlist = "#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n"
    data = boxes.box(b"rdrf", struct.pack(">I4sI", 0, b"url ", len(address) + 1) + address.encode() + b"\0")
    return {
        "hls playlist of an address": ("#EXTM3U\n" + playlist.format(address)).encode(),
        "hls playlist of a file": ("#EXTM3U\n" + playlist.format(target)).encode(),
        "hls playlist behind a byte order mark": (
            "\ufeff#EXTM3U\n" + playlist.format(f"file://{target}")
        ).encode(),
        "hls playlist with a zero": ("#EXTM3U\n" + playlist.format(address)).encode() + b"\0\1",
        "concat script of a file": f"ffconcat version 1.0\nfile '{target}'\n".encode(),
        "concat script of an address": f"ffconcat version 1.0\nfile '{address}'\n".encode() + b"\0\1",
        "concat protocol": f"concat:{target}|{target}".encode(),
        "dash manifest": ('<?xml version="1.0"?>' + manifest).encode(),
        "dash manifest behind bytes that are no text": b"\1\2" + manifest.encode(),
        "session description": ("v=0\r\n" + session).encode(),
        "session description behind bytes that are no text": b"\1\r\n" + session.encode(),
        "rtsp address": f"rtsptext\nrtsp{address.removeprefix('http')}\n".encode(),
        "imf composition": f"<CompositionPlaylist><Id>{target}</Id></CompositionPlaylist>".encode() + b"\1",
        "list of addresses": f"{address}\n".encode(),
        "list of files": f"{target}\n".encode(),
        "mov with its samples at an address": boxes.rewrite(plain, b"dref", boxes.url_reference(address)),
        "mov without samples of its own": boxes.rewrite(
            boxes.without_samples(plain), b"dref", boxes.url_reference(address)
        ),
        "mov with its samples in a file": boxes.rewrite(plain, b"dref", boxes.alias_reference(str(target))),
        "mov that names another movie": boxes.box(b"ftyp", b"qt  \0\0\0\0qt  ")
        + boxes.box(b"moov", boxes.box(b"rmra", boxes.box(b"rmda", data))),
    }
