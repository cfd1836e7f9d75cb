# SPDX-License-Identifier: Apache-2.0
"""The media store: files by the SHA-256 of their content.

    media/ab/ab12…      a whole file, hash checked
    media/partial/ab12… the beginning of one, waiting for the rest

Writing is append only: each piece goes to the file and into a running hash, nothing is kept in memory. A
piece that is there already changes nothing, so two clients that send the same file help each other instead
of corrupting it; a piece beyond the end is refused with the place to go on. After a restart the running hash
is made again from the disk, of a large file in the background: pieces are taken meanwhile. All methods block
and are safe to call from several threads.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.media.quota import MediaLimits, disk_full, human, is_disk_full
from flowanchor_daemon.media.room import Room
from flowanchor_daemon.media.upload import Upload

_PARTIAL = "partial"
_SYNC_BYTES = (
    64 << 20
)  # brought to the disk at a time, so that the last piece does not wait for all of a file
_UPLOADS_REMEMBERED = 256


@dataclass(frozen=True)
class MediaState:
    """What the store has of a file: all of it, or its first `received_bytes`."""

    sha256: str
    complete: bool
    received_bytes: int


class MediaStore:
    """See the module.

    Args:
        folder: made if missing, 0700.
        limits: what is accepted.
        keep: hashes of files that jobs refer to, asked before anything is evicted. Without it nothing is.
        results_bytes: bytes of job results, which share the quota.
    """

    def __init__(
        self,
        folder: Path,
        limits: MediaLimits | None = None,
        keep: Callable[[], set[str]] | None = None,
        results_bytes: Callable[[], int] | None = None,
    ) -> None:
        self.folder = folder
        self.limits = limits or MediaLimits()
        self._lock = threading.Lock()
        self._uploads: OrderedDict[str, Upload] = OrderedDict()
        _make_folder(folder)
        _make_folder(folder / _PARTIAL)
        self._room = Room(folder, self.limits, self._lock, self._at_work, keep, results_bytes or (lambda: 0))

    def attach(self, keep: Callable[[], set[str]], results_bytes: Callable[[], int]) -> None:
        """Give the rules of the constructor later: the queue is made after the store."""
        self._room.attach(keep, results_bytes)

    def stat(self, sha256: str) -> MediaState:
        """What is there of a file. A whole one is safe from eviction for the next `grace_seconds`."""
        if self._touch_whole(sha256):
            return MediaState(sha256, True, _size(self._whole(sha256)))
        return MediaState(sha256, False, _size(self._partial(sha256)))

    def path(self, sha256: str) -> Path:
        """Where a whole file lies, and marks it as used. ServiceError "media-missing"."""
        if not self._touch_whole(sha256):
            raise ServiceError("media-missing", sha256=sha256)
        whole = self._whole(sha256)
        with contextlib.suppress(OSError):  # the time of last use only orders eviction
            os.utime(whole)
        return whole

    def used_bytes(self) -> int:
        """Bytes of all media, partial ones included; results are not."""
        with self._lock:
            return self._room.used

    def write(self, sha256: str, total_bytes: int, offset: int, data: bytes) -> MediaState:
        """Take a piece of the file `sha256` of `total_bytes` that begins at `offset`; empty data only asks.

        Data that the store has already is skipped. When the last byte is there the hash is checked, and the
        file is synced and moved to its place; a state with all bytes that is not complete tells that the hash
        is still being made (see `hashing`).

        Raises:
            ServiceError: "media-too-large", "quota-full" or "disk-full" before anything of the piece is
                written (a disk that fills up while it is written: what was there before stays);
                "media-offset" (metadata `received`) for a piece beyond what is there; "media-hash" when more
                arrives than was announced, or the hash is another one and what had arrived is removed.
        """
        if not 1 <= total_bytes <= self.limits.max_media_bytes:
            raise ServiceError(
                "media-too-large",
                f"The file has {human(total_bytes)}; the daemon takes up to "
                f"{human(self.limits.max_media_bytes)}.",
                limit=self.limits.max_media_bytes,
            )
        with self._upload(sha256) as upload:
            if self._touch_whole(sha256):
                return MediaState(sha256, True, _size(self._whole(sha256)))
            self._resume(sha256, upload)
            if max(upload.received, offset + len(data)) > total_bytes:
                # Either announcement may be the wrong one, so what others have sent stays until it is old.
                if upload.received > total_bytes and self._is_old(sha256):
                    self._discard(sha256, upload)
                raise ServiceError("media-hash", "More arrived than the file was announced to have.")
            if offset > upload.received:
                raise ServiceError(
                    "media-offset",
                    f"The piece begins at byte {offset}; the file goes on at {upload.received}.",
                    received=upload.received,
                )
            fresh = memoryview(data)[upload.received - offset :]
            self._room.require(total_bytes - upload.received, sparing=sha256)
            if fresh:
                self._append(sha256, upload, fresh)
            if not upload.catch_up(self._partial(sha256)):
                return MediaState(sha256, False, upload.received)
            if upload.received == total_bytes:
                self._finish(sha256, upload)
                return MediaState(sha256, True, total_bytes)
            return MediaState(sha256, False, upload.received)

    def hashing(self, sha256: str) -> Future[None] | None:
        """What is done once a file's hash has caught up with what is there of it; None if it has."""
        with self._lock:
            upload = self._uploads.get(sha256)
        return None if upload is None else upload.catching_up

    def make_room(self, need: int, keep: Callable[[], set[str]] | None = None) -> None:
        """Have `need` more bytes fit: evict media no job refers to, longest unused first.

        Raises:
            ServiceError: "quota-full" or "disk-full" when that is not enough; nothing is evicted then that
                would not have helped.
        """
        self._room.require(need, keep)

    def room_left(self) -> int:
        """Bytes of the quota left for results; what `make_room` would evict for them counts."""
        return self._room.left()

    def _at_work(self, sha256: str) -> bool:
        upload = self._uploads.get(sha256)
        return upload is not None and upload.users > 0

    @contextlib.contextmanager
    def _upload(self, sha256: str) -> Iterator[Upload]:
        """The upload of a file, for one thread at a time."""
        with self._lock:
            upload = self._uploads.setdefault(sha256, Upload())
            self._uploads.move_to_end(sha256)
            upload.users += 1
        try:
            with upload.lock:
                yield upload
        finally:
            with self._lock:
                upload.users -= 1
                self._room.touch(sha256)
                idle = [name for name, entry in self._uploads.items() if entry.users == 0]
                for name in idle[: max(0, len(self._uploads) - _UPLOADS_REMEMBERED)]:
                    del self._uploads[name]

    def _resume(self, sha256: str, upload: Upload) -> None:
        """Bring `upload` to what the disk has: after a restart, or when the file was evicted meanwhile."""
        size = _size(self._partial(sha256))
        if upload.received != size:
            upload.restart(size)

    def _append(self, sha256: str, upload: Upload, data: memoryview) -> None:
        descriptor = os.open(
            self._partial(sha256), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
        )
        try:
            rest = data
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            if upload.unsynced + len(data) >= _SYNC_BYTES:
                os.fsync(descriptor)
                upload.unsynced = -len(data)
        except OSError as error:
            os.ftruncate(descriptor, upload.received)
            if is_disk_full(error):
                raise disk_full(shutil.disk_usage(self.folder).free, len(data)) from error
            raise
        finally:
            os.close(descriptor)
        upload.add(data)
        with self._lock:
            self._room.add(len(data))

    def _finish(self, sha256: str, upload: Upload) -> None:
        partial, whole = self._partial(sha256), self._whole(sha256)
        if upload.digest.hexdigest() != sha256:
            self._discard(sha256, upload)
            raise ServiceError("media-hash")
        try:
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            _make_folder(whole.parent)
            partial.rename(whole)
            _sync_folder(whole.parent)
        except OSError as error:
            if is_disk_full(error):
                raise disk_full(shutil.disk_usage(self.folder).free, upload.received) from error
            raise
        upload.restart(0)

    def _discard(self, sha256: str, upload: Upload) -> None:
        partial = self._partial(sha256)
        size = _size(partial)
        partial.unlink(missing_ok=True)
        upload.restart(0)
        with self._lock:
            self._room.add(-size)

    def _is_old(self, sha256: str) -> bool:
        return time.time() - self._partial(sha256).stat().st_mtime > self.limits.grace_seconds

    def _touch_whole(self, sha256: str) -> bool:
        """Whether a whole file is there; if so it is marked as used before anything can evict it."""
        with self._lock:
            if not self._whole(sha256).is_file():
                return False
            self._room.touch(sha256)
            return True

    def _whole(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256

    def _partial(self, sha256: str) -> Path:
        return self.folder / _PARTIAL / sha256


def _make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _sync_folder(folder: Path) -> None:
    """Put a rename on the disk for good, where the system can (Windows cannot open a folder)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
