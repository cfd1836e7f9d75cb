# SPDX-License-Identifier: Apache-2.0
"""A large upload goes through the daemon without staying in its memory, by either of the two ways."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import psutil
import pytest
from flowanchor import rendezvous
from flowanchor.v1 import media_pb2, media_pb2_grpc
from flowanchor_client import Client, transfer

from tests.faults.harness import Machine, required

GROWTH = 64 << 20
PIECE = 1 << 20


def in_chunks(client: Client, path: Path, look: Callable[[], None]) -> None:
    client.upload(path, lambda done, total: look())


def in_a_stream(client: Client, path: Path, look: Callable[[], None]) -> None:
    sha256, size = transfer.hash_file(path)

    def messages() -> Iterator[media_pb2.UploadMediaRequest]:
        yield media_pb2.UploadMediaRequest(header=media_pb2.UploadHeader(sha256=sha256, total_bytes=size))
        with path.open("rb") as file:
            while data := file.read(PIECE):
                look()
                yield media_pb2.UploadMediaRequest(data=data)

    found = required(rendezvous.Discovery.read(rendezvous.runtime_folder()), "no daemon")
    with grpc.insecure_channel(found.address) as channel:
        state = media_pb2_grpc.MediaStub(channel).UploadMedia(
            messages(), metadata=((rendezvous.TOKEN_KEY, rendezvous.bearer(found.token)),)
        )
    assert state.media.complete
    assert client.stat_media([sha256])[0].complete


def upload(
    machine: Machine, folder: Path, size: int, way: Callable[[Client, Path, Callable[[], None]], None]
) -> None:
    if shutil.disk_usage(machine.state).free < size + (3 << 30):
        pytest.skip(f"the disk has no room for {size} bytes")
    path = folder / "large.mov"
    with path.open("wb") as file:
        file.write(way.__name__.encode())
        file.truncate(size)  # a hole: what is tested costs the reader nothing
    with machine.client() as client:
        daemon = psutil.Process(required(machine.daemon(), "no daemon").pid)
        # One small upload first: what code and buffers take once is no growth.
        small = folder / "small.mov"
        small.write_bytes(b"small" * (PIECE // 5))
        client.upload(small)
        before = peak = daemon.memory_info().rss

        def look() -> None:
            nonlocal peak
            peak = max(peak, daemon.memory_info().rss)

        way(client, path, look)
        look()
        print(f"{way.__name__}: {size >> 20} MiB, {before >> 20} MiB before, at most {peak >> 20} MiB")
        assert peak - before < GROWTH


@pytest.mark.parametrize("way", [in_chunks, in_a_stream])
def test_a_large_upload_leaves_the_memory_flat(
    machine: Machine, tmp_path: Path, way: Callable[[Client, Path, Callable[[], None]], None]
) -> None:
    upload(machine, tmp_path, 256 << 20, way)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("way", [in_chunks, in_a_stream])
def test_two_gigabytes_leave_the_memory_flat(
    machine: Machine, tmp_path: Path, way: Callable[[Client, Path, Callable[[], None]], None]
) -> None:
    upload(machine, tmp_path, 2 << 30, way)
