# SPDX-License-Identifier: Apache-2.0
"""Media that would take gigabytes, or make FFmpeg open something else, through a real daemon and engine."""

from __future__ import annotations

import http.server
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flowanchor.v1 import types_pb2

from tests.core.footage.clips import FFV1, write_movie
from tests.security import opened, threats
from tests.security.victim import Victim, memory_within

ENGINE_GROWTH = 400 << 20
"""Bytes the engine may take for any of these; the largest frame it accepts takes as much."""
DAEMON_GROWTH = 48 << 20


@pytest.fixture
def warm(victim: Victim) -> Victim:
    """A victim whose engine runs and has worked: what it takes now is not for torch."""
    victim.works()
    return victim


def as_clip(reference: types_pb2.MediaRef) -> types_pb2.Clip:
    if reference.suffix in (".png", ".bmp", ".tif", ".dpx", ".webp", ".jpg"):
        return types_pb2.Clip(images=types_pb2.ImageSequence(frames=[reference]))
    return types_pb2.Clip(movie=reference)


def test_pictures_that_declare_gigabytes(warm: Victim) -> None:
    with memory_within(warm.engine, ENGINE_GROWTH), memory_within(warm.daemon, DAEMON_GROWTH):
        for name, (suffix, content) in threats.pictures().items():
            clip = as_clip(warm.reference(content, suffix, name))
            failure = warm.failed(warm.edit(clip))
            assert failure.code in ("clip-unreadable", "too-large", "clip-damaged"), (name, failure)
            failure = warm.failed(warm.edit(masks=[clip]))
            assert failure.code in ("clip-unreadable", "too-large", "clip-damaged"), (name, failure)
    warm.works()


def test_movies_that_declare_gigabytes(warm: Victim, tmp_path: Path) -> None:
    with memory_within(warm.engine, ENGINE_GROWTH), memory_within(warm.daemon, DAEMON_GROWTH):
        for name, (suffix, content) in threats.movies(tmp_path).items():
            failure = warm.failed(warm.edit(as_clip(warm.reference(content, suffix, name))))
            assert failure.code in ("clip-unreadable", "too-large", "codec-unknown"), (name, failure)
    warm.works()


def test_a_cover_that_declares_gigabytes_is_not_looked_at(warm: Victim, tmp_path: Path) -> None:
    cover = threats.pictures()["png with a profile of 256 MB"][1]
    movie = threats.with_cover(threats.plain_movie(tmp_path), cover)
    with memory_within(warm.engine, ENGINE_GROWTH), memory_within(warm.daemon, DAEMON_GROWTH):
        assert warm.finished(warm.edit(as_clip(warm.reference(movie, ".mov")))).result.frames == 9


def test_a_movie_that_grows_on_its_way(warm: Victim, tmp_path: Path) -> None:
    """The frames that can be decoded are the clip; the others are never allocated."""
    movie = as_clip(warm.reference(threats.growing_movie(tmp_path), ".ivf"))
    with memory_within(warm.engine, ENGINE_GROWTH), memory_within(warm.daemon, DAEMON_GROWTH):
        assert warm.finished(warm.edit(movie)).result.frames == 2
        assert warm.failed(warm.edit(movie, last=3)).code in ("range-outside", "clip-truncated")


def test_a_sequence_of_one_picture_many_times(warm: Victim) -> None:
    """As many names for one file as a request may hold."""
    picture, most = warm.reference(threats.png(), ".png"), warm.client.info().limits.max_frames
    clip = types_pb2.Clip(images=types_pb2.ImageSequence(frames=[picture] * most))
    with memory_within(warm.engine, ENGINE_GROWTH), memory_within(warm.daemon, DAEMON_GROWTH):
        failure = warm.failed(warm.edit(clip, first=most - 1, last=most))
        assert failure.code == "range-outside"
    warm.works()


class Bait(http.server.ThreadingHTTPServer):
    """Something on the network that media point to. `calls` are the requests that arrived."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        super().__init__(("127.0.0.1", 0), _Answer)

    def process_request(self, request: object, client_address: object) -> None:
        self.calls.append(str(client_address))
        super().process_request(request, client_address)  # type: ignore[arg-type]


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing: the test looks at `Bait.calls`."""


@pytest.fixture
def bait() -> Iterator[Bait]:
    with Bait() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.skipif(not opened.AVAILABLE, reason="what is opened is watched by inotify, which is Linux's")
def test_media_that_refer_to_others(warm: Victim, bait: Bait, tmp_path: Path) -> None:
    """Refused under whatever name, and nobody ever asks for what they refer to."""
    target = write_movie(tmp_path / "secret.mkv", FFV1, 5)
    address = f"http://127.0.0.1:{bait.server_address[1]}/secret.mkv"
    with opened.watched(target) as accesses:
        for name, content in threats.references(tmp_path, address, target).items():
            for suffix in (".mov", ".png"):
                failure = warm.failed(warm.edit(as_clip(warm.reference(content, suffix, name))))
                allowed = ("media-kind", "clip-refers-elsewhere", "clip-unreadable")
                assert failure.code in allowed, (name, suffix, failure)
            mask = as_clip(warm.reference(content, ".png", name))
            assert warm.failed(warm.edit(masks=[mask])).code in allowed, name
        assert accesses() == []
    assert bait.calls == []
    assert warm.engine.net_connections("inet") == []
    warm.works()


@pytest.mark.skipif(not opened.AVAILABLE, reason="what is opened is watched by inotify, which is Linux's")
def test_the_baits_work(bait: Bait, tmp_path: Path) -> None:
    """The other half of the test above: had anybody asked, it would have shown."""
    target = write_movie(tmp_path / "secret.mkv", FFV1, 5)
    import av

    with opened.watched(target) as accesses, av.open(str(target)):
        assert accesses() != []
    with pytest.raises(av.FFmpegError):
        av.open(f"http://127.0.0.1:{bait.server_address[1]}/secret.mkv")
    assert len(bait.calls) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs a way to look into another process")
def test_the_daemon_opens_no_media_itself(warm: Victim) -> None:
    """No video library is in the daemon's process, whatever it was sent."""
    loaded = {Path(region.path).name for region in warm.daemon.memory_maps()}
    assert not [name for name in loaded if name.startswith(("libav", "libtorch", "cv2", "libswscale"))]
