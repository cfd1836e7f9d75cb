# SPDX-License-Identifier: Apache-2.0
"""The Media service: uploads into the store, downloads of what jobs have made."""

from __future__ import annotations

import asyncio
import inspect
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import grpc.aio
from flowanchor.v1 import jobs_pb2, media_pb2, media_pb2_grpc

from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.media.store import MediaState, MediaStore

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_STATS = 1000
_WRITERS = 4
_HASH_SECONDS = 10.0
"""How long a call waits for the hash of a file that has all its bytes, as after a restart of the daemon."""
_Context = grpc.aio.ServicerContext[Any, Any]


class ArtifactFile(Protocol):
    """A result of a job as it lies on disk."""

    @property
    def path(self) -> Path: ...
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> jobs_pb2.ArtifactKind.ValueType: ...
    @property
    def bytes(self) -> int: ...
    @property
    def sha256(self) -> str: ...


FindArtifact = Callable[[str, int], ArtifactFile | Awaitable[ArtifactFile]]


class MediaService(media_pb2_grpc.MediaServicer):
    """See media.proto. `artifacts` finds a result by job and index; ServiceError "job-unknown" or
    "artifact-unknown" if there is none."""

    def __init__(self, media: MediaStore, artifacts: FindArtifact) -> None:
        self._media = media
        self._artifacts = artifacts
        self._writers = ThreadPoolExecutor(_WRITERS, "upload")
        self._chunk = media.limits.max_chunk_bytes

    async def StatMedia(
        self, request: media_pb2.StatMediaRequest, context: _Context
    ) -> media_pb2.StatMediaResponse:
        if len(request.sha256) > _MOST_STATS:
            raise ServiceError("request-too-large", f"A call asks for up to {_MOST_STATS} files.")
        hashes = [_hash(text) for text in request.sha256]
        states = await asyncio.to_thread(lambda: [self._media.stat(sha256) for sha256 in hashes])
        return media_pb2.StatMediaResponse(media=[_state(state) for state in states])

    async def UploadMedia(
        self, request_iterator: AsyncIterator[media_pb2.UploadMediaRequest], context: _Context
    ) -> media_pb2.UploadMediaResponse:
        first = await anext(request_iterator, None)
        if first is None or first.WhichOneof("part") != "header":
            raise ServiceError("request-invalid", "An upload begins with its header.")
        header, offset = first.header, first.header.offset
        state = await self._write(header, offset, b"")  # says no before the client sends a byte
        if state.complete:
            return media_pb2.UploadMediaResponse(media=_state(state))
        async for message in request_iterator:
            if message.WhichOneof("part") != "data":
                raise ServiceError("request-invalid", "An upload has one header, then data.")
            state = await self._write(header, offset, message.data)
            offset += len(message.data)
            if state.complete:
                break
        while not state.complete and state.received_bytes == header.total_bytes:
            state = await self._write(header, state.received_bytes, b"")
        return media_pb2.UploadMediaResponse(media=_state(state))

    async def UploadChunk(
        self, request: media_pb2.UploadChunkRequest, context: _Context
    ) -> media_pb2.UploadChunkResponse:
        state = await self._write(request.header, request.header.offset, request.data)
        return media_pb2.UploadChunkResponse(media=_state(state))

    async def DownloadArtifact(
        self, request: media_pb2.DownloadArtifactRequest, context: _Context
    ) -> AsyncIterator[media_pb2.DownloadArtifactResponse]:
        found = await self._find(request.job, request.artifact, request.offset)
        artifact, offset = _artifact(request.artifact, found), request.offset
        yield media_pb2.DownloadArtifactResponse(artifact=artifact)
        while data := await asyncio.to_thread(_read, found.path, offset, self._chunk):
            yield media_pb2.DownloadArtifactResponse(data=data)
            offset += len(data)

    async def DownloadChunk(
        self, request: media_pb2.DownloadChunkRequest, context: _Context
    ) -> media_pb2.DownloadChunkResponse:
        if request.max_bytes < 0:
            raise ServiceError("request-invalid", "max_bytes is negative.")
        found = await self._find(request.job, request.artifact, request.offset)
        size = min(request.max_bytes or self._chunk, self._chunk)
        data = await asyncio.to_thread(_read, found.path, request.offset, size)
        return media_pb2.DownloadChunkResponse(artifact=_artifact(request.artifact, found), data=data)

    async def _write(self, header: media_pb2.UploadHeader, offset: int, data: bytes) -> MediaState:
        sha256 = _hash(header.sha256)
        if offset < 0:
            raise ServiceError("request-invalid", "An offset is negative.")
        if header.total_bytes < 1:
            raise ServiceError("request-invalid", "An empty file cannot be uploaded.")
        if len(data) > self._chunk:
            raise ServiceError(
                "request-too-large", f"A piece holds up to {self._chunk} bytes.", limit=self._chunk
            )
        # In threads of their own: what other calls need stays free while uploads wait for a slow disk.
        loop, piece = asyncio.get_running_loop(), (sha256, header.total_bytes, offset, data)
        state = await loop.run_in_executor(self._writers, self._media.write, *piece)
        hashing = self._media.hashing(sha256)
        if not state.complete and state.received_bytes == header.total_bytes and hashing is not None:
            # All is there, so that the client can only ask again: it need not do so at once.
            await asyncio.wait((asyncio.wrap_future(hashing),), timeout=_HASH_SECONDS)
            piece = (sha256, header.total_bytes, state.received_bytes, b"")
            state = await loop.run_in_executor(self._writers, self._media.write, *piece)
        return state

    async def _find(self, job: str, index: int, offset: int) -> ArtifactFile:
        found = self._artifacts(job, index)
        artifact = await found if inspect.isawaitable(found) else found
        if not 0 <= offset <= artifact.bytes:
            raise ServiceError("request-invalid", f"The offset lies outside the {artifact.bytes} bytes.")
        return artifact


def _hash(text: str) -> str:
    if _SHA256.fullmatch(text) is None:
        raise ServiceError("request-invalid", "A SHA-256 is 64 lower-case hexadecimal digits.")
    return text


def _state(state: MediaState) -> media_pb2.MediaState:
    return media_pb2.MediaState(
        sha256=state.sha256, complete=state.complete, received_bytes=state.received_bytes
    )


def _artifact(index: int, found: ArtifactFile) -> jobs_pb2.Artifact:
    return jobs_pb2.Artifact(
        index=index, kind=found.kind, name=found.name, bytes=found.bytes, sha256=found.sha256
    )


def _read(path: Path, offset: int, size: int) -> bytes:
    """A piece of a result; ServiceError "artifact-unknown" if its job was deleted meanwhile."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise ServiceError("artifact-unknown") from None
    try:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, size)
    finally:
        os.close(descriptor)
