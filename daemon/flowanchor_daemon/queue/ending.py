# SPDX-License-Identifier: Apache-2.0
"""How an attempt can end, and what is written down of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import types_pb2

from flowanchor_daemon.errors import ServiceError, to_failure
from flowanchor_daemon.media.quota import is_disk_full
from flowanchor_daemon.media.store import MediaStore
from flowanchor_daemon.queue import artifacts
from flowanchor_daemon.queue.folders import JobFolder
from flowanchor_daemon.queue.jobs import Taken
from flowanchor_daemon.queue.runs import DAEMON_ENDED, OUT_OF_MEMORY
from flowanchor_daemon.queue.store import JobStore

log = logging.getLogger(__name__)

SMALL_PLAN: Final = types_pb2.Notice(
    code="memory-small-plan",
    text="The memory ran out, so the edit was run again in a way that needs less of it and takes longer.",
)

_FIRST_PAUSE: Final = 1.0  # seconds
_LONGEST_PAUSE: Final = 30.0


@dataclass(frozen=True)
class Crash:
    """The engine ended in the midst of it."""

    reason: str


class Cancelled:
    """Somebody stopped the job."""


class Suspended:
    """The job was given back at a checkpoint, because the daemon ends."""


Ending = engine_pb2.Done | types_pb2.Failure | Cancelled | Suspended | Crash


def told(taken: Taken, failure: Exception) -> types_pb2.Failure:
    """What users are told of a failure, after the log got all of it."""
    log.error("job %s attempt %d", taken.id, taken.attempt, exc_info=failure)
    return to_failure(failure)


class Record:
    """Writes one attempt's details and its ending into the store.

    `daemon_ends`, once set, ends the waiting for a disk to become free.
    """

    def __init__(
        self,
        store: JobStore,
        media: MediaStore,
        folder: JobFolder,
        taken: Taken,
        daemon_ends: asyncio.Event,
    ) -> None:
        self.job = taken.id
        self.reached = taken.furthest
        """The furthest step that a checkpoint holds."""
        self._store = store
        self._media = media
        self._folder = folder
        self._taken = taken
        self._daemon_ends = daemon_ends
        self._unwritten: list[Callable[[], None]] = []

    async def note(self, write: Callable[[], None]) -> None:
        """Write what an edit can do without: a disk that is full for a moment must not cost hours of work.
        What cannot be written now is tried again when the job ends."""
        try:
            await self._store.db(write)
        except ServiceError as failure:
            log.warning("job %s: a detail is not recorded yet: %s", self.job, failure.message)
            self._unwritten.append(write)

    async def write(self, ending: Ending) -> int | None:
        """Write the ending down; the job's new state, or None when the daemon ended before it could be
        written, which the next start puts right."""
        store = self._store
        late, self._unwritten = self._unwritten, []
        for write in late:
            await self.note(write)
        if isinstance(ending, engine_pb2.Done):
            try:
                output = self._folder.attempt(self._taken.attempt) / "output"
                made = await asyncio.to_thread(artifacts.collect, self._folder, output, ending.files)
                result = ending.result
                state = await self._insist(lambda: store.succeed(self.job, result, made), but="disk-full")
                await asyncio.to_thread(self._keep_quota)
                return state
            except OSError as failure:
                ending = told(self._taken, ServiceError("disk-full") if is_disk_full(failure) else failure)
            except ServiceError as failure:
                ending = to_failure(failure)
            # What cannot be recorded leaves nothing; it also makes the room to say so.
            await asyncio.to_thread(self._folder.drop_artifacts)
        if isinstance(ending, types_pb2.Failure) and ending.code == "disk-full":
            # As a failed job's is: the queue may need its room.
            await asyncio.to_thread(self._folder.drop_checkpoint)
        return await self._insist(self._writing(ending))

    def _keep_quota(self) -> None:
        """Have uploads that nobody needs make way for the new results; blocks."""
        try:
            self._media.make_room(0)
        except ServiceError as failure:  # a result larger than was estimated; the next job is refused
            log.warning("job %s: %s", self.job, failure.message)

    def _writing(self, ending: Ending) -> Callable[[], int]:
        """What is to be recorded of an ending that brought no results."""
        store, job = self._store, self.job
        if isinstance(ending, Cancelled):
            return lambda: store.end_cancelled(job)
        if isinstance(ending, Crash) and not self._daemon_ends.is_set():
            log.warning("job %s attempt %d: engine ended (%s)", job, self._taken.attempt, ending.reason)
            return lambda: store.crashed(job, self.reached, ending.reason)
        if not isinstance(ending, types_pb2.Failure):
            return lambda: store.put_back(job, DAEMON_ENDED)
        if ending.code != "out-of-memory":
            return lambda: store.fail(job, ending)
        if self._taken.memory_plan == "small":
            return lambda: store.fail(job, ending, OUT_OF_MEMORY)
        return lambda: store.put_back(job, OUT_OF_MEMORY, "small", SMALL_PLAN)

    async def _insist(self, write: Callable[[], int], but: str = "") -> int | None:
        """Write, and while the disk is full or the file locked try again, more and more slowly, until the
        daemon ends: a job that has ended must not be taken for running. A failure of the code `but` is raised
        instead."""
        store, pause = self._store, _FIRST_PAUSE
        while True:
            try:
                return await store.db(write)
            except ServiceError as failure:
                if failure.code == but:
                    raise
                log.error("job %s: its ending cannot be recorded yet: %s", self.job, failure.message)
            await asyncio.to_thread(self._folder.drop_attempts)
            try:
                await asyncio.wait_for(self._daemon_ends.wait(), pause)
            except TimeoutError:
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                return None
