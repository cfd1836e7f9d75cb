# SPDX-License-Identifier: Apache-2.0
"""What is known of jobs only while the daemon lives: progress, previews, and who waits for a change.

Revisions: a job's revision is (epoch << 32 | counter), the epoch being counted up at each start of the
daemon. It grows with each change and never depends on a clock. After a restart every job counts as changed
once, so a client that saw more than the disk did is put right.

A watcher is one future, whatever happens while it is not looking: it is told that there is news, and reads
the job as it stands then. There is no backlog to grow.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import jobs_pb2


@dataclass
class _Live:
    """A running job's present attempt."""

    progress: jobs_pb2.Progress = field(default_factory=jobs_pb2.Progress)
    preview: bytes = b""
    preview_revision: int = 0


class Board:
    """For the event loop's thread alone."""

    def __init__(self, epoch: int) -> None:
        self._base = epoch << 32
        self._latest = self._base
        self._revisions: dict[str, int] = {}
        self._live: dict[str, _Live] = {}
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._closed = False

    def next_revision(self) -> int:
        """Larger than any revision before, also of earlier daemons."""
        self._latest += 1
        return self._latest

    @property
    def latest(self) -> int:
        """The newest revision of any job."""
        return self._latest

    @property
    def base(self) -> int:
        """Revision of every job that has not changed since the daemon started."""
        return self._base

    def snapshot(self) -> dict[str, int]:
        """The revisions of all other jobs."""
        return dict(self._revisions)

    @property
    def watchers(self) -> int:
        """How many calls wait for a change."""
        return sum(map(len, self._waiting.values()))

    def revision(self, job: str) -> int:
        """Read it before the job: then a change in between is told once too often, never once too little."""
        return self._revisions.get(job, self._base)

    def touch(self, jobs: Iterable[str]) -> None:
        """These jobs look different now: give each a new revision and wake who waits for it."""
        for job in jobs:
            self._revisions[job] = self.next_revision()
            for future in self._waiting.pop(job, ()):
                if not future.done():
                    future.set_result(None)

    def begin(self, job: str) -> None:
        """An attempt begins: its progress starts anew."""
        self._live[job] = _Live()
        self.touch([job])

    def progress(self, job: str, news: engine_pb2.Progress) -> None:
        """Take the engine's progress. Within an attempt the fraction never falls and the memory is the most
        so far."""
        live = self._live[job]
        before = live.progress
        live.progress = jobs_pb2.Progress(
            phase=news.phase,
            step=news.step,
            total=news.total,
            fraction=max(before.fraction, min(max(news.fraction, 0.0), 1.0)),
            memory_bytes=max(before.memory_bytes, news.memory_bytes),
        )
        if news.HasField("seconds_left"):
            live.progress.seconds_left = news.seconds_left
        self.touch([job])

    def preview(self, job: str, jpeg: bytes) -> None:
        """Take a new preview in place of the one before."""
        live = self._live[job]
        live.preview = jpeg
        self.touch([job])
        live.preview_revision = self._revisions[job]

    def end(self, job: str) -> None:
        """The attempt is over."""
        self._live.pop(job, None)
        self.touch([job])

    def fill(self, job: jobs_pb2.Job, revision: int) -> None:
        """Add to a recorded job what only the board knows. `revision` was read before the record was."""
        job.revision = revision
        live = self._live.get(job.id)
        if live is not None:
            job.progress.CopyFrom(live.progress)
            job.preview_revision = live.preview_revision

    def preview_of(self, job: str, since: int) -> bytes:
        """The preview if it has changed after revision `since`, else nothing; -1 never gives it."""
        live = self._live.get(job)
        return live.preview if live is not None and 0 <= since < live.preview_revision else b""

    def clamp(self, since: int) -> int:
        """A revision that was never given, such as one of a queue that has been moved away, counts as
        none."""
        return since if 0 <= since <= self._latest else 0

    async def wait(self, job: str, since: int, timeout: float | None = None) -> bool:
        """Wait until the job's revision is beyond `since`, at most `timeout` seconds (None: for ever).

        Returns:
            False when the time is up or the board was closed.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while self.revision(job) <= since and not self._closed:
                    await self._next_change(job)
        return self.revision(job) > since

    async def _next_change(self, job: str) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(job, set()).add(future)
        try:
            await future
        finally:  # also when the client has gone: a watcher leaves nothing behind
            others = self._waiting.get(job)
            if others is not None:
                others.discard(future)
                if not others:
                    del self._waiting[job]

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """The daemon is ending: wake all who wait, now and from now on."""
        self._closed = True
        for futures in self._waiting.values():
            for future in futures:
                if not future.done():
                    future.set_result(None)
        self._waiting.clear()
