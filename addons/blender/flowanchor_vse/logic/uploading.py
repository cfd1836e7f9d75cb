# SPDX-License-Identifier: GPL-3.0-or-later
"""Files to the daemon in small steps: hash them, ask what is missing, send that piece by piece."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from flowanchor.v1 import media_pb2
from flowanchor_client import DaemonUnreachable, ServiceFailure

from . import problems
from .transport import Transport
from .views import Problem

STEP_BYTES = 4 << 20
"""Read and hashed in a step at most: a few milliseconds' work."""
STEP_FILES = 16
"""Opened in a step at most."""
PIECE_BYTES = 1 << 20
STAT_AT_ONCE = 500
_MOST_REWINDS = 20


class UploadFailed(Exception):
    """An upload that cannot go on by itself."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


class Upload:
    """One edit's files on their way. `step` until `complete`."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = tuple(files)
        self._known: dict[Path, tuple[str, int]] = {}  # SHA-256 and size of what has been read
        self._reading: _Reading | None = None
        self._read = 0
        self._there: set[str] = set()  # hashes the daemon has
        self._asked: dict[str, int] = {}  # hashes it lacks, and what it has of each
        self._sent = 0
        self._rewinds = 0
        self._sizes = 0
        self._measured = False

    @property
    def sha256(self) -> Mapping[Path, str]:
        return {path: sha256 for path, (sha256, _) in self._known.items()}

    @property
    def hashed(self) -> bool:
        return len(self._known) == len(self._files)

    @property
    def complete(self) -> bool:
        return self.hashed and all(sha256 in self._there for sha256, _ in self._known.values())

    @property
    def progress(self) -> tuple[str, int, int]:
        """Phase ("hash" or "upload"), bytes done and bytes in all; the sizes are known as files are
        opened."""
        total = self._sizes
        if not self.hashed:
            return "hash", self._read, max(total, self._read)
        there = sum(size for sha256, size in self._known.values() if sha256 in self._there)
        return "upload", min(there + sum(self._asked.values()), total), total

    def forget_sent(self) -> None:
        """The daemon may have another memory now: ask again what it has. Nothing is hashed again."""
        self._there.clear()
        self._asked.clear()

    def step(self, transport: Transport, piece_bytes: int = 0) -> None:
        """One call, or up to STEP_BYTES read. `piece_bytes` is the most a message may hold; 0: PIECE_BYTES.

        Raises:
            UploadFailed: a file is gone, cannot be read, is empty or changed. ServiceFailure: from the call.
        """
        if not self.hashed:
            self._hash_some()
            return
        unknown = [
            sha256
            for sha256 in dict.fromkeys(sha256 for sha256, _ in self._known.values())
            if sha256 not in self._there and sha256 not in self._asked
        ]
        if unknown:
            for state in transport.stat_media(unknown[:STAT_AT_ONCE]):
                self._note(state)
            return
        for path, (sha256, size) in self._known.items():
            if sha256 not in self._there:
                self._send_piece(transport, path, sha256, size, min(piece_bytes or PIECE_BYTES, PIECE_BYTES))
                return

    def close(self) -> None:
        """Close what is open; `step` may go on afterwards."""
        if self._reading is not None:
            self._reading.file.close()
            self._reading = None

    def _hash_some(self) -> None:
        if not self._measured:
            self._measured = True
            self._sizes = sum(_size(path) for path in self._files[:1000])
        left = STEP_BYTES
        for _ in range(STEP_FILES):
            if self.hashed or left <= 0:
                return
            path = self._files[len(self._known)]
            try:
                left -= self._hash_part(path, left)
            except OSError as error:
                self.close()
                raise UploadFailed(problems.unreadable(path.name, error)) from error

    def _hash_part(self, path: Path, most: int) -> int:
        if self._reading is None or self._reading.path != path:
            self.close()
            self._reading = _Reading(path)
        reading = self._reading
        data = reading.file.read(most)
        reading.digest.update(data)
        reading.done += len(data)
        self._read += len(data)
        if len(data) < most:  # the end; a file that grows is told by its hash when it has been sent
            self.close()
            if reading.done == 0:
                error = OSError(0, "it is empty")
                raise UploadFailed(problems.unreadable(path.name, error))
            self._known[path] = (reading.digest.hexdigest(), reading.done)
            if self.hashed:
                self._sizes = sum(size for _, size in self._known.values())
        return len(data)

    def _send_piece(self, transport: Transport, path: Path, sha256: str, size: int, most: int) -> None:
        offset = self._asked.get(sha256, 0)
        try:
            with path.open("rb") as file:
                file.seek(offset)
                data = file.read(min(most, size - offset))
        except OSError as error:
            raise UploadFailed(problems.unreadable(path.name, error)) from error
        if not data and offset < size:
            raise UploadFailed(problems.changed(path.name))
        header = media_pb2.UploadHeader(sha256=sha256, total_bytes=size, offset=offset)
        try:
            state = transport.upload_chunk(header, data)
        except DaemonUnreachable:
            del self._asked[sha256]  # how much arrived is for the daemon to say
            raise
        except ServiceFailure as failure:
            if failure.code == "media-hash":
                raise UploadFailed(problems.changed(path.name)) from failure
            if failure.code != "media-offset":
                raise
            del self._asked[sha256]
            self._rewound(failure)
            return
        if not state.complete and state.received_bytes <= offset:
            self._rewound(None)
        self._note(state)

    def _note(self, state: media_pb2.MediaState) -> None:
        if state.complete:
            self._there.add(state.sha256)
            self._asked.pop(state.sha256, None)
        else:
            self._asked[state.sha256] = state.received_bytes

    def _rewound(self, failure: ServiceFailure | None) -> None:
        self._rewinds += 1
        if self._rewinds > _MOST_REWINDS:
            raise failure or ServiceFailure(
                "media-offset",
                "The daemon does not take the files.",
                "Look into the daemon's log, then try again.",
            )


class _Reading:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: BinaryIO = path.open("rb")
        self.digest = hashlib.sha256()
        self.done = 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # said when it is its turn to be read
