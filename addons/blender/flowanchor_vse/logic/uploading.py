# SPDX-License-Identifier: GPL-3.0-or-later
"""Files to the daemon in small steps: hash them, ask what is missing, send that piece by piece."""

from __future__ import annotations

import hashlib
import itertools
from collections import deque
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
    """One edit's files on their way. `step` until `complete`. No step's work grows with the number of
    files."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = tuple(files)
        self._known: dict[Path, tuple[str, int]] = {}  # SHA-256 and size of what has been read
        self._reading: _Reading | None = None
        self._measured = 0  # files whose size is in the total
        self._total = 0
        self._read = 0
        self._once: dict[str, tuple[Path, int]] = {}  # a file and its size for each hash
        self._unasked: deque[str] = deque()  # hashes of which the daemon has not been asked
        self._lacking: deque[str] = deque()  # hashes it lacks
        self._received: dict[str, int] = {}  # what it has of each of those
        self._there = 0  # bytes it has of whole files
        self._sizes = 0  # of what has been read, each content once
        self._rewinds = 0

    @property
    def sha256(self) -> Mapping[Path, str]:
        return {path: sha256 for path, (sha256, _) in self._known.items()}

    @property
    def hashed(self) -> bool:
        return len(self._known) == len(self._files)

    @property
    def complete(self) -> bool:
        return self.hashed and not self._unasked and not self._lacking

    @property
    def progress(self) -> tuple[str, int, int]:
        """Phase ("hash" or "upload"), bytes done and bytes in all. Files of the same content count once when
        they are sent."""
        if not self.hashed:
            return "hash", self._read, max(self._total, self._read)
        now = self._received.get(self._lacking[0], 0) if self._lacking else 0
        return "upload", self._there + now, self._total

    def forget_sent(self) -> None:
        """The daemon may have another memory now: ask again what it has. Nothing is hashed again."""
        self._unasked = deque(self._once)
        self._lacking.clear()
        self._received.clear()
        self._there = 0

    def step(self, transport: Transport, piece_bytes: int = 0) -> None:
        """One call, or up to STEP_BYTES read. `piece_bytes` is the most a message may hold; 0: PIECE_BYTES.

        Raises:
            UploadFailed: a file is gone, cannot be read, is empty or changed. ServiceFailure: from the call.
        """
        if self._measured < len(self._files):
            self._measure_some()
        elif not self.hashed:
            self._hash_some()
        elif self._unasked:
            self._ask_some(transport)
        elif self._lacking:
            self._send_piece(transport, self._lacking[0], min(piece_bytes or PIECE_BYTES, PIECE_BYTES))

    def close(self) -> None:
        """Close what is open; `step` may go on afterwards."""
        if self._reading is not None:
            self._reading.file.close()
            self._reading = None

    def _measure_some(self) -> None:
        end = self._measured + STAT_AT_ONCE
        self._total += sum(_size(path) for path in self._files[self._measured : end])
        self._measured = end

    def _hash_some(self) -> None:
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
            sha256 = reading.digest.hexdigest()
            self._known[path] = (sha256, reading.done)
            if sha256 not in self._once:
                self._once[sha256] = (path, reading.done)
                self._sizes += reading.done
            if self.hashed:
                self._total = self._sizes
                self.forget_sent()
        return len(data)

    def _ask_some(self, transport: Transport) -> None:
        asked = list(itertools.islice(self._unasked, STAT_AT_ONCE))
        for state in transport.stat_media(asked):
            self._unasked.popleft()
            if state.complete:
                self._there += self._once[state.sha256][1]
            else:
                self._lacking.append(state.sha256)
                self._received[state.sha256] = state.received_bytes

    def _send_piece(self, transport: Transport, sha256: str, most: int) -> None:
        path, size = self._once[sha256]
        offset = self._received[sha256]
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
            self._ask_again(sha256)  # how much arrived is for the daemon to say
            raise
        except ServiceFailure as failure:
            if failure.code == "media-hash":
                raise UploadFailed(problems.changed(path.name)) from failure
            if failure.code != "media-offset":
                raise
            self._ask_again(sha256)
            self._rewound(failure)
            return
        if state.complete:
            self._lacking.popleft()
            self._there += size
            return
        if state.received_bytes <= offset:
            self._rewound(None)
        self._received[sha256] = state.received_bytes

    def _ask_again(self, sha256: str) -> None:
        self._lacking.popleft()
        self._unasked.appendleft(sha256)

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
