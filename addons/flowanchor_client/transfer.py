# SPDX-License-Identifier: Apache-2.0
"""Files to the daemon and back, in pieces: a transfer goes on where it broke off, arrivals are checked."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from flowanchor.v1 import jobs_pb2, media_pb2, types_pb2

from flowanchor_client.errors import ServiceFailure

PIECE_BYTES = 1 << 20
STAT_AT_ONCE = 1000
_MOST_REWINDS = 20

Progress = Callable[[int, int], None]
"""Called with the bytes that are done and the bytes in all."""


class Calls(Protocol):
    """The calls a transfer is made of; the client repeats them itself when the daemon was restarted."""

    def stat_media(self, hashes: Sequence[str]) -> list[media_pb2.MediaState]: ...
    def upload_chunk(self, header: media_pb2.UploadHeader, data: bytes) -> media_pb2.MediaState: ...
    def download_chunk(
        self, job: str, artifact: int, offset: int, max_bytes: int
    ) -> media_pb2.DownloadChunkResponse: ...


def hash_file(path: Path, progress: Progress | None = None) -> tuple[str, int]:
    """SHA-256 (64 lower-case hexadecimal digits) and size of a file, read in pieces."""
    digest, done = hashlib.sha256(), 0
    with _readable(path), path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        while piece := file.read(PIECE_BYTES):
            digest.update(piece)
            done += len(piece)
            if progress is not None:
                progress(done, max(done, size))
    return digest.hexdigest(), done


def upload_files(
    calls: Calls, paths: Sequence[Path], piece_bytes: int, progress: Progress | None = None
) -> list[str]:
    """Send files that the daemon does not have yet; gives their SHA-256 in order.

    Args:
        calls: a client.
        paths: files of at least a byte.
        piece_bytes: bytes in one message.
        progress: told bytes done and bytes of all files; reading a file to know it is half of its work.

    Raises:
        ServiceFailure: a file cannot be read or changes on the way, or the daemon refuses it.
    """
    total = sum(_size(path) for path in paths)
    known: list[tuple[str, int]] = []
    read = done = 0

    def tell(received: int) -> None:
        if progress is not None:
            progress((read + received) // 2, total)

    for path in paths:
        known.append(hash_file(path, lambda part, _: tell(part)))
        read += known[-1][1]
        tell(0)
    total = read
    sent: set[str] = set()
    for begin in range(0, len(paths), STAT_AT_ONCE):
        part = slice(begin, begin + STAT_AT_ONCE)
        states = calls.stat_media([sha256 for sha256, _ in known[part]])
        for path, (sha256, size), state in zip(paths[part], known[part], states, strict=True):
            if not state.complete and sha256 not in sent:
                _send(calls, path, sha256, size, state.received_bytes, piece_bytes, tell, done)
            sent.add(sha256)
            done += size
            tell(done)
    return [sha256 for sha256, _ in known]


def _size(path: Path) -> int:
    with _readable(path):
        return path.stat().st_size


def _send(
    calls: Calls,
    path: Path,
    sha256: str,
    size: int,
    offset: int,
    piece_bytes: int,
    tell: Callable[[int], None],
    before: int,
) -> None:
    """Send a file from `offset` on; `tell` hears of the bytes at the daemon, of it and the `before` ones."""
    rewinds = 0
    with _readable(path), path.open("rb") as file:
        while True:
            file.seek(offset)
            data = file.read(piece_bytes)
            if not data and offset < size:
                raise _changed(path)
            header = media_pb2.UploadHeader(sha256=sha256, total_bytes=size, offset=offset)
            try:
                state = calls.upload_chunk(header, data)
            except ServiceFailure as failure:
                if failure.code == "media-hash":
                    raise _changed(path) from failure
                if failure.code != "media-offset":
                    raise
                state = calls.stat_media([sha256])[0]
            if state.complete:
                return
            # Once it has every byte the daemon may still be reading them for their hash.
            if state.received_bytes <= offset < size:  # the daemon lost what it had, or is told too much
                rewinds += 1
                if rewinds > _MOST_REWINDS:
                    raise ServiceFailure(
                        "media-offset",
                        f"The daemon does not take {path.name} beyond {state.received_bytes} bytes.",
                        "Look into the daemon's log, then try again.",
                    )
            offset = state.received_bytes
            tell(before + offset)


def download_file(
    calls: Calls, job: str, artifact: jobs_pb2.Artifact, target: Path, progress: Progress | None = None
) -> None:
    """Fetch an artifact to `target`, which it replaces once it is whole, checked and on the disk.

    Until then it lies under a temporary name beside it; nothing of it is left when anything fails.

    Raises:
        ServiceFailure: what arrived is not what was made, the disk is full, `target` cannot be written.
    """
    temporary = temporary_beside(target.parent, target.suffix)
    with writing(target.parent):
        try:
            receive(calls, job, artifact, temporary, progress)
            os.replace(temporary, target)
            sync_folder(target.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def receive(
    calls: Calls, job: str, artifact: jobs_pb2.Artifact, path: Path, progress: Progress | None = None
) -> None:
    """Fetch an artifact into the new file `path`, checked and on the disk; half of it may be left."""
    digest, offset = hashlib.sha256(), 0
    with path.open("xb") as file:
        while offset < artifact.bytes:
            data = calls.download_chunk(job, artifact.index, offset, PIECE_BYTES).data
            if not data:
                break
            file.write(data)
            digest.update(data)
            offset += len(data)
            if progress is not None:
                progress(offset, artifact.bytes)
        file.flush()
        os.fsync(file.fileno())
    if offset != artifact.bytes or digest.hexdigest() != artifact.sha256:
        raise ServiceFailure(
            "media-hash",
            f"What arrived of {artifact.name} is not what the daemon has made.",
            "Fetch it again; if that fails too, retry the job.",
        )


def temporary_beside(folder: Path, suffix: str = "") -> Path:
    """A name in `folder` for something that is not whole yet."""
    return folder / f".flowanchor-{secrets.token_hex(6)}.partial{suffix}"


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn the system's write failures into one plain sentence."""
    try:
        yield
    except OSError as failure:
        if failure.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise ServiceFailure(
                "disk-full",
                f"The disk filled up while the result was written to {folder}.",
                "Nothing was left behind; free some space, then fetch it again.",
                types_pb2.FAILURE_KIND_DELIVERY,
            ) from failure
        reason = failure.strerror or type(failure).__name__
        raise ServiceFailure(
            "write-failed",
            f"The result could not be written to {folder} ({reason}).",
            "Check the folder and its permissions, then fetch it again.",
            types_pb2.FAILURE_KIND_DELIVERY,
        ) from failure


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as failure:
        raise ServiceFailure(
            "clip-unreadable",
            f"{path.name} could not be read ({failure.strerror or type(failure).__name__}).",
            "Check the file and its permissions.",
            types_pb2.FAILURE_KIND_INPUT,
        ) from failure


def _changed(path: Path) -> ServiceFailure:
    return ServiceFailure(
        "media-hash",
        f"{path.name} changed while it was sent.",
        "Wait until whatever writes it is done, then try again.",
        types_pb2.FAILURE_KIND_INPUT,
    )
