# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import struct
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flowanchor.v1 import types_pb2
from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.media.inputs import lay_out
from flowanchor_daemon.media.sniff import IMAGE_SUFFIXES, MOVIE_SUFFIXES, SUFFIXES, refers_elsewhere
from flowanchor_daemon.media.store import MediaStore

from flowanchor_core.footage import limits

MOVIE = b"\x00\x00\x00\x20ftypisom" + bytes(100)


def png(shade: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes([0, shade]))) + chunk(b"IEND", b"")
    )


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "media")


@pytest.fixture
def put(store: MediaStore) -> Callable[..., types_pb2.MediaRef]:
    def _put(data: bytes, suffix: str = ".mov", name: str = "") -> types_pb2.MediaRef:
        sha256 = hashlib.sha256(data).hexdigest()
        store.write(sha256, len(data), 0, data)
        return types_pb2.MediaRef(sha256=sha256, suffix=suffix, name=name)

    return _put


def sequence(frames: list[types_pb2.MediaRef], first: int = 0) -> types_pb2.Clip:
    return types_pb2.Clip(images=types_pb2.ImageSequence(frames=frames, first_number=first))


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(ServiceError) as caught:
        call()
    return caught.value.code


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_files_lie_under_names_of_our_own(store: MediaStore, put: Any, tmp_path: Path) -> None:
    folder = tmp_path / "job"
    frames = [put(png(shade), ".png") for shade in range(3)]
    edit = types_pb2.EditRequest(
        clip=types_pb2.Clip(movie=put(MOVIE)),
        masks=[sequence([frames[0]]), sequence(frames, 24), types_pb2.Clip(movie=put(MOVIE, ".mkv"))],
    )
    for _ in range(2):  # also after an attempt that was cut short
        clip, masks = lay_out(edit, store, folder)
    assert clip.path == str(folder / "clip.mov")
    assert [mask.path for mask in masks] == [
        str(folder / "mask0.png"),
        str(folder / "mask1"),
        str(folder / "mask2.mkv"),
    ]
    assert names(folder) == [
        "clip.mov",
        "mask0.png",
        "mask1/000024.png",
        "mask1/000025.png",
        "mask1/000026.png",
        "mask2.mkv",
    ]
    assert (folder / "clip.mov").stat().st_ino == store.path(edit.clip.movie.sha256).stat().st_ino
    assert (folder / "mask1/000026.png").read_bytes() == png(2)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_sequence_of_one_image_is_still_a_folder_when_it_is_the_clip(
    store: MediaStore, put: Any, tmp_path: Path
) -> None:
    clip, _ = lay_out(types_pb2.EditRequest(clip=sequence([put(png(1), ".png")], 7)), store, tmp_path / "job")
    assert clip.path == str(tmp_path / "job" / "clip")
    assert names(tmp_path / "job") == ["clip/000007.png"]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a\0b", "CON", "nul.mov", "x" * 300, "concat:a|b", "%04d.png"]
)
def test_names_of_clients_never_become_paths(store: MediaStore, put: Any, tmp_path: Path, name: str) -> None:
    edit = types_pb2.EditRequest(clip=types_pb2.Clip(movie=put(MOVIE, name=name)))
    before = set(tmp_path.rglob("*"))
    lay_out(edit, store, tmp_path / "job")
    made = set(tmp_path.rglob("*")) - before
    assert made == {tmp_path / "job", tmp_path / "job" / "clip.mov"}


@pytest.mark.parametrize(
    "suffix",
    ["", ".", ".m3u8", ".exe", ".mov/../../x", "/x.mov", ".MOV", ".mov\0", ".png", ".ffconcat", ".sdp"],
)
def test_a_suffix_that_is_not_listed_is_refused(
    store: MediaStore, put: Any, tmp_path: Path, suffix: str
) -> None:
    edit = types_pb2.EditRequest(clip=types_pb2.Clip(movie=put(MOVIE, suffix)))
    assert code_of(lambda: lay_out(edit, store, tmp_path / "job")) == "media-kind"
    assert names(tmp_path / "job") == []


REFERENCES = {
    "playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n/etc/passwd\n",
    "blank lines first": b"\n\n  #EXTM3U\n",
    "byte order mark": b"\xef\xbb\xbf#EXTM3U\n",
    "concat": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    "a zero after a concat header": b"ffconcat version 1.0\n#\0\nfile x\n",
    "session description": b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n",
    "manifest": b"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'/>",
    "bare manifest": b"<MPD profiles='urn:mpeg:dash:profile:isoff-live:2011'/>",
    "addresses": b"http://127.0.0.1:1/x.mp4\n",
    "quicktime reference": b"[Reference]\r\nRef1=http://127.0.0.1/x.mov\r\n",
    "file list": b"/etc/passwd\n/etc/hostname\n",
    "subtitles": b"1\n00:00:00,000 --> 00:00:01,000\nhello\n",
    "in other letters": "/étc/pässwd\n".encode(),
}


@pytest.mark.parametrize("content", REFERENCES.values(), ids=REFERENCES.keys())
def test_files_that_refer_to_others_are_refused_by_content(
    store: MediaStore, put: Any, tmp_path: Path, content: bytes
) -> None:
    for clip in (types_pb2.Clip(movie=put(content)), sequence([put(content, ".png")])):
        edit = types_pb2.EditRequest(clip=clip)
        assert code_of(partial(lay_out, edit, store, tmp_path / "job")) == "media-kind"
    assert names(tmp_path / "job") == []


def test_footage_is_not_taken_for_text() -> None:
    heads = [
        MOVIE,
        png(0),
        b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
        b"II*\x00\x08\x00\x00\x00",
        b"BM\x36\x00\x00\x00\x00\x00",
        b"RIFF\x24\x00\x00\x00WEBPVP8 ",
        b"SDPX\x00\x00\x08\x00",
        b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01",
        b"RIFF\x10\x00\x00\x00AVI LIST",
        b"G\x40\x00\x10\x00",
        b"\x00\x00\x01\xba\x44",
        b"\x06\x0e\x2b\x34\x02\x05",
        b"FLV\x01\x05\x00\x00\x00\x09",
        b"OggS\x00\x02",
        b"DKIF\x00\x00 \x00",
        b"YUV4MPEG2 W64 H64 F24:1 Ip A1:1 C420jpeg\nFRAME\n" + b"~" * 5000,
    ]
    assert [head for head in heads if refers_elsewhere(head)] == []


def test_the_suffixes_are_those_the_core_reads() -> None:
    assert IMAGE_SUFFIXES == limits.IMAGE_SUFFIXES
    assert not IMAGE_SUFFIXES & MOVIE_SUFFIXES
    assert set(SUFFIXES) == IMAGE_SUFFIXES | MOVIE_SUFFIXES


def test_a_sequence_of_several_suffixes_is_refused(store: MediaStore, put: Any, tmp_path: Path) -> None:
    frames = [put(png(0), ".png"), put(png(1), ".jpg")]
    edit = types_pb2.EditRequest(clip=sequence(frames))
    assert code_of(lambda: lay_out(edit, store, tmp_path / "job")) == "media-kind"


@pytest.mark.parametrize("first", [-1, 2**31 - 1])
def test_a_sequence_begins_at_a_number_that_can_be(
    store: MediaStore, put: Any, tmp_path: Path, first: int
) -> None:
    edit = types_pb2.EditRequest(clip=sequence([put(png(0), ".png")], first))
    assert code_of(lambda: lay_out(edit, store, tmp_path / "job")) == "request-invalid"


def test_a_clip_without_content_is_refused(store: MediaStore, tmp_path: Path) -> None:
    for clip in (types_pb2.Clip(), sequence([])):
        edit = types_pb2.EditRequest(clip=clip)
        assert code_of(partial(lay_out, edit, store, tmp_path / "job")) == "request-invalid"


def test_a_file_that_was_not_uploaded_is_named(store: MediaStore, tmp_path: Path) -> None:
    edit = types_pb2.EditRequest(
        clip=types_pb2.Clip(movie=types_pb2.MediaRef(sha256="0" * 64, suffix=".mov"))
    )
    assert code_of(lambda: lay_out(edit, store, tmp_path / "job")) == "media-missing"


def test_another_filesystem_gets_copies(
    store: MediaStore, put: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_link(source: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", no_link)
    edit = types_pb2.EditRequest(clip=types_pb2.Clip(movie=put(MOVIE)))
    clip, _ = lay_out(edit, store, tmp_path / "job")
    assert Path(clip.path).read_bytes() == MOVIE
    assert Path(clip.path).stat().st_ino != store.path(edit.clip.movie.sha256).stat().st_ino

    def full(source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    assert code_of(lambda: lay_out(edit, store, tmp_path / "job")) == "disk-full"
    assert names(tmp_path / "job") == []
