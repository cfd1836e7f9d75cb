# SPDX-License-Identifier: Apache-2.0
"""How fast files go in and results come out, in pieces and as streams."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from flowanchor.v1 import jobs_pb2, media_pb2
from flowanchor_client import Client

from flowanchor_daemon.cli.bench.machine import Machine

PIECE = 1 << 20


def random_file(path: Path, size: int) -> str:
    """A file that nothing can make smaller; its SHA-256."""
    digest, block = hashlib.sha256(), bytearray(os.urandom(PIECE))
    with path.open("wb") as file:
        for number in range(size // PIECE):
            block[:8] = number.to_bytes(8, "big")
            file.write(block)
            digest.update(block)
    return digest.hexdigest()


def upload_pieces(client: Client, path: Path, sha256: str) -> float:
    """Seconds of sending a file by UploadChunk, one after the other."""
    size, offset = path.stat().st_size, 0
    begun = time.perf_counter()
    with path.open("rb") as file:
        while data := file.read(PIECE):
            header = media_pb2.UploadHeader(sha256=sha256, total_bytes=size, offset=offset)
            state = client.upload_chunk(header, data)
            offset += len(data)
    assert state.complete
    return time.perf_counter() - begun


def upload_stream(machine: Machine, path: Path, sha256: str) -> float:
    """Seconds of sending a file by UploadMedia."""

    def parts() -> Iterator[media_pb2.UploadMediaRequest]:
        yield media_pb2.UploadMediaRequest(
            header=media_pb2.UploadHeader(sha256=sha256, total_bytes=path.stat().st_size)
        )
        with path.open("rb") as file:
            while data := file.read(PIECE):
                yield media_pb2.UploadMediaRequest(data=data)

    with machine.stubs() as (media, metadata):
        begun = time.perf_counter()
        answer = media.UploadMedia(parts(), timeout=600, metadata=metadata)
        seconds = time.perf_counter() - begun
    assert answer.media.complete
    return seconds


def download_pieces(client: Client, job: jobs_pb2.Job) -> float:
    """Seconds of receiving a job's result by DownloadChunk."""
    artifact, offset = job.artifacts[0], 0
    begun = time.perf_counter()
    while offset < artifact.bytes:
        offset += len(client.download_chunk(job.id, artifact.index, offset, PIECE).data)
    return time.perf_counter() - begun


def download_stream(machine: Machine, job: jobs_pb2.Job) -> float:
    """Seconds of receiving a job's result by DownloadArtifact."""
    request = media_pb2.DownloadArtifactRequest(job=job.id, artifact=job.artifacts[0].index)
    with machine.stubs() as (media, metadata):
        begun = time.perf_counter()
        received = 0
        for part in media.DownloadArtifact(request, timeout=600, metadata=metadata):
            received += len(part.data)
        seconds = time.perf_counter() - begun
    assert received == job.artifacts[0].bytes
    return seconds
