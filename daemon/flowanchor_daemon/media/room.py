# SPDX-License-Identifier: Apache-2.0
"""Room in the media store: what is used, what was used lately, and what goes when the quota is reached."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from flowanchor_daemon.media.quota import MediaLimits, check_free, quota_full

_TOUCHES_REMEMBERED = 10_000
_RESULTS_SECONDS = 1.0

Keep = Callable[[], set[str]]


@dataclass(frozen=True)
class _File:
    """A file of the store: its bytes, time of last use and number of names."""

    path: Path
    bytes: int
    used: float
    links: int


class Room:
    """Keeps the store within its quota and the disk above its floor.

    Args:
        folder: of the store; each file lies in a folder of it and is called by its hash.
        limits: the quota, the floor and the time of grace.
        lock: of the store; guards the files' coming and going. `touch` and `add` are called with it held.
        at_work: whether an upload is writing the file of that hash.
        keep: hashes that are never evicted; None: nothing is.
        results_bytes: bytes of what shares the quota.
    """

    def __init__(
        self,
        folder: Path,
        limits: MediaLimits,
        lock: threading.Lock,
        at_work: Callable[[str], bool],
        keep: Keep | None,
        results_bytes: Callable[[], int],
    ) -> None:
        self._folder = folder
        self._limits = limits
        self._lock = lock
        self._at_work = at_work
        self._keep = keep
        self._results_bytes = results_bytes
        self._results = (-_RESULTS_SECONDS, 0)
        self._touched: dict[str, float] = {}
        self._prune_at = _TOUCHES_REMEMBERED
        self.used = sum(file.bytes for file in self._files())

    def attach(self, keep: Keep, results_bytes: Callable[[], int]) -> None:
        self._keep, self._results_bytes = keep, results_bytes
        self._results = (-_RESULTS_SECONDS, 0)

    def add(self, size: int) -> None:
        """Count bytes that came (or went, below 0)."""
        self.used += size

    def touch(self, sha256: str) -> None:
        """Keep a file from eviction for the time of grace."""
        self._touched[sha256] = time.monotonic()
        if len(self._touched) > self._prune_at:
            self._forget_touches()
            self._prune_at = max(_TOUCHES_REMEMBERED, 2 * len(self._touched))

    def require(self, need: int, keep: Keep | None = None, sparing: str | None = None) -> None:
        """Have `need` more bytes fit, evicting what may go except `sparing`.

        Raises:
            ServiceError: "quota-full" or "disk-full"; nothing goes that would not have helped.
        """
        self._within_quota(need, keep or self._keep, sparing)
        check_free(self._folder, need, self._limits.free_floor_bytes)

    def left(self) -> int:
        """Bytes of the quota that more could take once all that may go is evicted; below 0 if it is
        exceeded."""
        evictable = sum(file.bytes for file in self._evictable(self._keep, None))
        return self._limits.max_store_bytes - self.used - self._results_bytes() + evictable

    def _within_quota(self, need: int, keep: Keep | None, sparing: str | None) -> None:
        limit = self._limits.max_store_bytes
        if self.used + self._recent_results() + need <= limit:
            return
        results = self._results_bytes()
        excess = self.used + results + need - limit
        if excess <= 0:
            return
        victims = self._evictable(keep, sparing)
        if sum(victim.bytes for victim in victims) >= excess:
            for victim in victims:
                if excess > 0 and self._evict(victim):
                    excess -= victim.bytes
        if excess > 0:
            raise quota_full(self.used, results, need, limit)

    def _evict(self, file: _File) -> bool:
        with self._lock:
            if self._in_use(file.path.name) or not file.path.exists():
                return False
            file.path.unlink()
            self.used -= file.bytes
            return True

    def _evictable(self, keep: Keep | None, sparing: str | None) -> list[_File]:
        """Files that may go, longest unused first. One with a second name is laid out for a job: it stays."""
        if keep is None:
            return []
        kept = keep()
        with self._lock:
            self._forget_touches()
            found = [
                file
                for file in self._files()
                if file.links == 1
                and (name := file.path.name) not in kept
                and name != sparing
                and not self._in_use(name)
            ]
        return sorted(found, key=lambda file: file.used)

    def _in_use(self, name: str) -> bool:
        return name in self._touched or self._at_work(name)

    def _recent_results(self) -> int:
        """Bytes of results as of the last second: every piece of an upload asks."""
        asked, results = self._results
        if time.monotonic() - asked >= _RESULTS_SECONDS:
            results = self._results_bytes()
            self._results = (time.monotonic(), results)
        return results

    def _forget_touches(self) -> None:
        oldest = time.monotonic() - self._limits.grace_seconds
        self._touched = {name: at for name, at in self._touched.items() if at > oldest}

    def _files(self) -> Iterator[_File]:
        for folder in self._folder.iterdir():
            for path in folder.iterdir() if folder.is_dir() else ():
                try:
                    status = path.stat()
                except FileNotFoundError:  # moved to its place or evicted since
                    continue
                yield _File(path, status.st_size, status.st_mtime, status.st_nlink)
