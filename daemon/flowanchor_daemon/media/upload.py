# SPDX-License-Identifier: Apache-2.0
"""The running hash of a partial file, and how it catches up with a file that was there before the daemon."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = 1 << 20
AT_ONCE = 32 << 20
"""Up to so many bytes are hashed while the call waits; more in a thread of their own, while further pieces
are taken and the disk is asked about them."""

_AT_WORK = threading.Semaphore(2)  # files that are read for their hash at a time


@dataclass
class Upload:
    """A partial file at work, `received` bytes of it on disk. `digest` covers the first `hashed` of them;
    while it is `catching_up` only that thread touches it. All but `users` is guarded by `lock`."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0
    received: int = 0
    hashed: int = 0
    unsynced: int = 0
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    catching_up: Future[None] | None = None

    def restart(self, received: int) -> None:
        """Begin anew with a file of `received` bytes of which nothing is known."""
        self.received, self.hashed, self.unsynced = received, 0, received
        self.digest, self.catching_up = hashlib.sha256(), None

    def add(self, data: memoryview) -> None:
        """Count bytes that were written; hash them if all before them are."""
        if self.hashed == self.received:
            self.digest.update(data)
            self.hashed += len(data)
        self.received += len(data)
        self.unsynced += len(data)

    def catch_up(self, file: Path) -> bool:
        """Have all of `file` hashed: at once if little is missing, else begin with it. Whether it is done.
        Raises OSError, also for what went wrong meanwhile."""
        if self.catching_up is not None:
            if not self.catching_up.done():
                return False
            ended, self.catching_up = self.catching_up, None
            ended.result()
        if self.hashed < self.received:
            if self.received - self.hashed > AT_ONCE:
                done: Future[None] = Future()
                self.catching_up = done
                reading = threading.Thread(
                    target=self._read, args=(file, done), name="media-hash", daemon=True
                )
                reading.start()
                return False
            with file.open("rb") as opened:
                opened.seek(self.hashed)
                while block := opened.read(BLOCK):
                    self.digest.update(block)
                    self.hashed += len(block)
        return True

    def _read(self, file: Path, done: Future[None]) -> None:
        """Hash until there is no more; gives up when the upload begins anew."""
        try:
            with _AT_WORK, file.open("rb") as opened:
                with self.lock:
                    digest, hashed = self.digest, self.hashed
                opened.seek(hashed)
                while True:
                    # Outside the lock: pieces are taken meanwhile.
                    block = opened.read(BLOCK)
                    digest.update(block)
                    hashed += len(block)
                    with self.lock:
                        if self.catching_up is not done:
                            break
                        self.hashed = hashed
                        if hashed >= self.received:
                            break
                        if not block and os.fstat(opened.fileno()).st_size <= hashed:
                            raise OSError(errno.EIO, "The file became shorter")
            done.set_result(None)
        except OSError as failure:
            done.set_exception(failure)
