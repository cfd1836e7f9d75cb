# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flowanchor.v1 import jobs_pb2, media_pb2
from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.media import upload as media_upload
from flowanchor_daemon.media.quota import MediaLimits
from flowanchor_daemon.media.service import MediaService
from flowanchor_daemon.media.store import MediaStore

DATA = os.urandom(5000)
SHA = hashlib.sha256(DATA).hexdigest()
CONTEXT: Any = None  # the servicer raises; turning that into a status is the interceptor's work


@dataclass(frozen=True)
class Artifact:
    path: Path
    name: str
    kind: jobs_pb2.ArtifactKind.ValueType
    bytes: int
    sha256: str


@pytest.fixture
def service(tmp_path: Path) -> MediaService:
    result = tmp_path / "result.mkv"
    result.write_bytes(DATA)

    async def find(job: str, index: int) -> Artifact:
        if job != "job" or index != 0:
            raise ServiceError("artifact-unknown")
        return Artifact(result, "result.mkv", jobs_pb2.ARTIFACT_KIND_RESULT, len(DATA), SHA)

    limits = MediaLimits(max_media_bytes=100_000, max_chunk_bytes=1000)
    return MediaService(MediaStore(tmp_path / "media", limits), find)


def header(sha256: str = SHA, total: int = len(DATA), offset: int = 0) -> media_pb2.UploadHeader:
    return media_pb2.UploadHeader(sha256=sha256, total_bytes=total, offset=offset)


async def stream(messages: Iterable[media_pb2.UploadMediaRequest]) -> AsyncIterator[Any]:
    for message in messages:
        yield message


def upload(
    service: MediaService, data: bytes, start: media_pb2.UploadHeader | None = None
) -> media_pb2.MediaState:
    pieces = (media_pb2.UploadMediaRequest(data=data[at : at + 1000]) for at in range(0, len(data), 1000))
    messages = [media_pb2.UploadMediaRequest(header=start or header()), *pieces]
    return asyncio.run(service.UploadMedia(stream(messages), CONTEXT)).media


def code_of(call: Callable[[], Awaitable[object]]) -> str:
    async def awaited() -> None:
        await call()

    with pytest.raises(ServiceError) as caught:
        asyncio.run(awaited())
    return caught.value.code


def test_a_stream_is_stored_and_goes_on_where_it_broke_off(service: MediaService) -> None:
    assert upload(service, DATA[:2000]).received_bytes == 2000
    stat = asyncio.run(service.StatMedia(media_pb2.StatMediaRequest(sha256=[SHA, "0" * 64]), CONTEXT))
    assert [(state.complete, state.received_bytes) for state in stat.media] == [(False, 2000), (False, 0)]
    assert upload(service, DATA[2000:], header(offset=2000)).complete
    assert upload(service, b"").complete


def test_a_file_that_is_there_is_answered_before_any_data(service: MediaService) -> None:
    upload(service, DATA)

    async def only_header() -> AsyncIterator[Any]:
        yield media_pb2.UploadMediaRequest(header=header())
        raise AssertionError("the server asked for data it has")

    assert asyncio.run(service.UploadMedia(only_header(), CONTEXT)).media.complete


def test_pieces_one_by_one_make_the_file(service: MediaService) -> None:
    async def send() -> media_pb2.MediaState:
        for at in range(0, len(DATA), 1000):
            request = media_pb2.UploadChunkRequest(header=header(offset=at), data=DATA[at : at + 1000])
            state = (await service.UploadChunk(request, CONTEXT)).media
            assert state.received_bytes == at + 1000
        return state

    assert asyncio.run(send()).complete


BAD_HEADERS = {
    "short hash": (header(SHA[:-1]), "request-invalid"),
    "upper case": (header("A" * 64), "request-invalid"),
    "path": (header("../" * 21 + "a"), "request-invalid"),
    "newline": (header("a" * 63 + "\n"), "request-invalid"),
    "one too long": (header("a" * 64 + "\n"), "request-invalid"),
    "negative offset": (header(offset=-1), "request-invalid"),
    "empty": (header(total=0), "request-invalid"),
    "negative size": (header(total=-5), "request-invalid"),
    "too large": (header(total=100_001), "media-too-large"),
    "far too large": (header(total=2**62), "media-too-large"),
    "gap": (header(offset=10), "media-offset"),
}


@pytest.mark.parametrize(("bad", "code"), BAD_HEADERS.values(), ids=BAD_HEADERS.keys())
def test_a_bad_header_is_refused_and_leaves_nothing(
    service: MediaService, tmp_path: Path, bad: media_pb2.UploadHeader, code: str
) -> None:
    chunk = media_pb2.UploadChunkRequest(header=bad, data=b"x")
    messages = [media_pb2.UploadMediaRequest(header=bad), media_pb2.UploadMediaRequest(data=b"x")]
    assert code_of(lambda: service.UploadChunk(chunk, CONTEXT)) == code
    assert code_of(lambda: service.UploadMedia(stream(messages), CONTEXT)) == code
    assert [path for path in (tmp_path / "media").rglob("*") if path.is_file()] == []


def test_a_stream_out_of_order_is_refused(service: MediaService) -> None:
    head, data = media_pb2.UploadMediaRequest(header=header()), media_pb2.UploadMediaRequest(data=b"x")
    large = media_pb2.UploadMediaRequest(data=bytes(1001))
    cases: list[tuple[list[media_pb2.UploadMediaRequest], str]] = [
        ([], "request-invalid"),
        ([data], "request-invalid"),
        ([head, head], "request-invalid"),
        ([head, large], "request-too-large"),
    ]
    for messages, code in cases:
        assert code_of(partial(service.UploadMedia, stream(messages), CONTEXT)) == code


def test_stat_is_bounded(service: MediaService) -> None:
    many = media_pb2.StatMediaRequest(sha256=[SHA] * 1001)
    assert code_of(lambda: service.StatMedia(many, CONTEXT)) == "request-too-large"
    bad = media_pb2.StatMediaRequest(sha256=["../../x"])
    assert code_of(lambda: service.StatMedia(bad, CONTEXT)) == "request-invalid"


@pytest.mark.parametrize("offset", [0, 1, 999, 1000, 4999, 5000])
def test_downloads_begin_anywhere(service: MediaService, offset: int) -> None:
    async def get() -> list[media_pb2.DownloadArtifactResponse]:
        request = media_pb2.DownloadArtifactRequest(job="job", artifact=0, offset=offset)
        return [message async for message in service.DownloadArtifact(request, CONTEXT)]

    first, *rest = asyncio.run(get())
    assert (first.artifact.sha256, first.artifact.bytes, first.artifact.name) == (SHA, 5000, "result.mkv")
    assert b"".join(message.data for message in rest) == DATA[offset:]
    assert all(len(message.data) <= 1000 for message in rest)


def test_downloads_piece_by_piece(service: MediaService) -> None:
    async def get() -> bytes:
        received = b""
        while True:
            request = media_pb2.DownloadChunkRequest(
                job="job", artifact=0, offset=len(received), max_bytes=10**6 if received else 7
            )
            answer = await service.DownloadChunk(request, CONTEXT)
            if not answer.data:
                return received
            assert answer.artifact.sha256 == SHA
            assert len(answer.data) <= 1000
            received += answer.data

    assert asyncio.run(get()) == DATA


def test_bad_downloads_are_refused(service: MediaService, tmp_path: Path) -> None:
    cases = [
        (media_pb2.DownloadChunkRequest(job="job", artifact=0, offset=-1), "request-invalid"),
        (media_pb2.DownloadChunkRequest(job="job", artifact=0, offset=5001), "request-invalid"),
        (media_pb2.DownloadChunkRequest(job="job", artifact=0, max_bytes=-1), "request-invalid"),
        (media_pb2.DownloadChunkRequest(job="job", artifact=1), "artifact-unknown"),
    ]
    for request, code in cases:
        assert code_of(partial(service.DownloadChunk, request, CONTEXT)) == code
    (tmp_path / "result.mkv").unlink()  # the job was deleted meanwhile
    gone = media_pb2.DownloadChunkRequest(job="job", artifact=0)
    assert code_of(lambda: service.DownloadChunk(gone, CONTEXT)) == "artifact-unknown"


def test_an_upload_after_a_restart_waits_for_the_hash_alone(
    service: MediaService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_upload, "AT_ONCE", 100)
    (tmp_path / "media" / "partial" / SHA).write_bytes(DATA[:4000])
    slots = [media_upload._AT_WORK.acquire(), media_upload._AT_WORK.acquire()]

    async def send() -> None:
        request = media_pb2.UploadChunkRequest(header=header(offset=4000), data=DATA[4000:])
        sending = [asyncio.create_task(service.UploadChunk(request, CONTEXT)) for _ in range(3)]
        while (await stat()).received_bytes < len(DATA):
            await asyncio.sleep(0.01)
        assert not (await stat()).complete
        for _ in slots:
            media_upload._AT_WORK.release()
        for answer in await asyncio.gather(*sending):
            assert answer.media.complete

    async def stat() -> media_pb2.MediaState:
        return (await service.StatMedia(media_pb2.StatMediaRequest(sha256=[SHA]), CONTEXT)).media[0]

    asyncio.run(asyncio.wait_for(send(), 120))
