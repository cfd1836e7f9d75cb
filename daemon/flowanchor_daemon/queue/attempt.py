# SPDX-License-Identifier: Apache-2.0
"""One attempt at a job: lay its files out, run it on the engine, tell the board, record how it ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import types_pb2

from flowanchor_core.errors import FlowAnchorError
from flowanchor_daemon.engine.api import Engine, EngineCrashed, EngineFailed
from flowanchor_daemon.errors import ServiceError, to_failure
from flowanchor_daemon.media.inputs import lay_out
from flowanchor_daemon.media.quota import is_disk_full
from flowanchor_daemon.media.store import MediaStore
from flowanchor_daemon.queue import artifacts
from flowanchor_daemon.queue.board import Board
from flowanchor_daemon.queue.folders import JobFolder
from flowanchor_daemon.queue.jobs import CANCELLING, ENDED, SUCCEEDED, Taken
from flowanchor_daemon.queue.runs import DAEMON_ENDED, OUT_OF_MEMORY
from flowanchor_daemon.queue.store import JobStore, media_of

log = logging.getLogger(__name__)

RESERVE_BYTES: Final = 32 << 20
"""Room a job must find before it starts, beside the size of its own media: checkpoints, previews, small
results."""

SMALL_PLAN: Final = types_pb2.Notice(
    code="memory-small-plan",
    text="The memory ran out, so the edit was run again in a way that needs less of it and takes longer.",
)

_FIRST_PAUSE: Final = 1.0  # seconds
_LONGEST_PAUSE: Final = 30.0
_BUSY_PAUSE: Final = 0.2


@dataclass(frozen=True)
class Tools:
    """What an attempt works with. `jobs` is the folder of all jobs; `checkpoint_every` counts sampling
    steps."""

    store: JobStore
    board: Board
    engine: Engine
    media: MediaStore
    jobs: Path
    checkpoint_every: int = 1


@dataclass(frozen=True)
class _Crash:
    reason: str


class _Cancelled:
    pass


class _Suspended:
    pass


_Ending = engine_pb2.Done | types_pb2.Failure | _Cancelled | _Suspended | _Crash


class Attempt:
    """See the module. `run` does it all; `cancel` and `suspend` may be called meanwhile."""

    def __init__(self, tools: Tools, taken: Taken) -> None:
        self.job = taken.id
        self._tools = tools
        self._taken = taken
        self._folder = JobFolder(tools.jobs, taken.id)
        self._reached = taken.furthest
        self._cancelling = False
        self._suspending = False
        self._daemon_ends = asyncio.Event()
        self._running = False
        self._unwritten: list[Callable[[], None]] = []
        self.over = asyncio.Event()
        """Set when the attempt touches the job's files no more."""

    async def cancel(self) -> None:
        """Stop at the engine's next chance. The store knows already that the job is being cancelled."""
        self._cancelling = True
        if self._running:
            await self._tools.engine.cancel(self.job)

    async def suspend(self, now: bool) -> None:
        """The daemon is ending: no waiting for a disk to become free; with `now` also give the job back at
        its next checkpoint."""
        self._daemon_ends.set()
        self._suspending = self._suspending or now
        if self._suspending and self._running:
            await self._tools.engine.suspend(self.job)

    async def run(self) -> None:
        """From laying out to the record of the ending. Raises nothing of the job's."""
        self._tools.board.begin(self.job)
        try:
            ending = await self._ending()
            if isinstance(ending, types_pb2.Failure):
                log.warning("job %s attempt %d: %s", self.job, self._taken.attempt, ending.code)
            state = await self._record(ending)
            if state is not None:
                await asyncio.to_thread(self._tidy, state)
        finally:
            self._tools.board.end(self.job)
            self.over.set()

    async def _ending(self) -> _Ending:
        try:
            run = await asyncio.to_thread(self._prepare)
            store = self._tools.store
            if (await store.db(store.get, self.job)).state == CANCELLING:  # before anybody could tell us
                return _Cancelled()
            while True:
                if self._cancelling:
                    return _Cancelled()
                if self._suspending:
                    return _Suspended()
                try:
                    return await self._follow(run)
                except ServiceError as failure:
                    if failure.code != "engine-busy":
                        raise
                # A model is being loaded by request; another job cannot be at work.
                await asyncio.sleep(_BUSY_PAUSE)
        except EngineCrashed as crash:
            return _Crash(str(crash))
        except EngineFailed as failed:
            return failed.failure
        except OSError as failure:
            return self._told(ServiceError("disk-full") if is_disk_full(failure) else failure)
        except FlowAnchorError as failure:
            return to_failure(failure)
        except Exception as failure:  # noqa: BLE001 - one bad job must not stop the queue; it is logged and shown
            return self._told(failure)

    def _told(self, failure: Exception) -> types_pb2.Failure:
        log.error("job %s attempt %d", self.job, self._taken.attempt, exc_info=failure)
        return to_failure(failure)

    def _prepare(self) -> engine_pb2.Run:
        """Check the room, make the folders and lay the inputs out; blocks."""
        tools, taken = self._tools, self._taken
        media = {ref.sha256 for ref in media_of(taken.edit)}
        size = sum(tools.media.path(sha256).stat().st_size for sha256 in media)
        tools.media.make_room(RESERVE_BYTES + size)
        inputs, output = self._folder.begin_attempt(taken.attempt)
        clip, masks = lay_out(taken.edit, tools.media, inputs)
        return engine_pb2.Run(
            job=taken.id,
            attempt=taken.attempt,
            edit=taken.edit,
            clip=clip,
            masks=masks,
            output_folder=str(output),
            checkpoint=str(self._folder.checkpoint),
            checkpoint_every=tools.checkpoint_every,
            memory_plan=taken.memory_plan,
            spare_bytes=tools.media.limits.free_floor_bytes + RESERVE_BYTES,
            most_output_bytes=tools.media.room_left(),
        )

    async def _follow(self, run: engine_pb2.Run) -> _Ending:
        """Pass the engine's events on until the last one."""
        ending: _Ending | None = None
        self._running = True
        try:
            async with aclosing(self._tools.engine.run(run, run.edit.device or "auto")) as events:
                async for event in events:
                    if event.job not in ("", self.job):
                        continue
                    ending = await self._take_in(event) or ending
        except EngineCrashed:
            if ending is None:
                raise
        finally:
            self._running = False
        return ending or _Crash("no answer")

    async def _take_in(self, event: engine_pb2.Event) -> _Ending | None:
        store, board = self._tools.store, self._tools.board
        match event.WhichOneof("event"):
            case "progress":
                board.progress(self.job, event.progress)
            case "preview_jpeg":
                board.preview(self.job, event.preview_jpeg)
            case "notice":
                await self._note(lambda: store.add_notice(self.job, event.notice))
            case "checkpointed":
                self._reached = max(self._reached, event.checkpointed)
            case "resumed":
                self._reached = max(self._reached, event.resumed)
                await self._note(lambda: store.resumed(self.job, event.resumed))
            case "done":
                return event.done
            case "failed":
                return event.failed
            case "cancelled":
                return _Cancelled()
            case "suspended":
                return _Suspended()
        return None

    async def _note(self, write: Callable[[], None]) -> None:
        """Write what an edit can do without: a disk that is full for a moment must not cost hours of work.
        What cannot be written now is tried again when the job ends."""
        try:
            await self._tools.store.db(write)
        except ServiceError as failure:
            log.warning("job %s: a detail is not recorded yet: %s", self.job, failure.message)
            self._unwritten.append(write)

    async def _record(self, ending: _Ending) -> int | None:
        """Write the ending down; the job's new state, or None when the daemon ended before it could be
        written, which the next start puts right."""
        store = self._tools.store
        late, self._unwritten = self._unwritten, []
        for write in late:
            await self._note(write)
        if isinstance(ending, engine_pb2.Done):
            try:
                output = self._folder.attempt(self._taken.attempt) / "output"
                made = await asyncio.to_thread(artifacts.collect, self._folder, output, ending.files)
                result = ending.result
                state = await self._insist(lambda: store.succeed(self.job, result, made), but="disk-full")
                await asyncio.to_thread(self._keep_quota)
                return state
            except OSError as failure:
                ending = self._told(ServiceError("disk-full") if is_disk_full(failure) else failure)
            except ServiceError as failure:
                ending = to_failure(failure)
            # What cannot be recorded leaves nothing; it also makes the room to say so.
            await asyncio.to_thread(self._folder.drop_artifacts)
        if isinstance(ending, types_pb2.Failure) and ending.code == "disk-full":
            await asyncio.to_thread(
                self._folder.drop_checkpoint
            )  # as a failed job's is: the queue may need its room
        return await self._insist(self._writing(ending))

    def _keep_quota(self) -> None:
        """Have uploads that nobody needs make way for the new results; blocks."""
        try:
            self._tools.media.make_room(0)
        except ServiceError as failure:  # a result larger than was estimated; the next job is refused
            log.warning("job %s: %s", self.job, failure.message)

    def _writing(self, ending: _Ending) -> Callable[[], int]:
        """What is to be recorded of an ending that brought no results."""
        store, job = self._tools.store, self.job
        if isinstance(ending, _Cancelled):
            return lambda: store.end_cancelled(job)
        if isinstance(ending, _Crash) and not self._daemon_ends.is_set():
            log.warning("job %s attempt %d: engine ended (%s)", job, self._taken.attempt, ending.reason)
            return lambda: store.crashed(job, self._reached, ending.reason)
        if not isinstance(ending, types_pb2.Failure):
            return lambda: store.put_back(job, DAEMON_ENDED)
        if ending.code != "out-of-memory":
            return lambda: store.fail(job, ending)
        if self._taken.memory_plan == "small":
            return lambda: store.fail(job, ending, OUT_OF_MEMORY)
        return lambda: store.put_back(job, OUT_OF_MEMORY, "small", SMALL_PLAN)

    async def _insist(self, write: Callable[[], int], but: str = "") -> int | None:
        """Write, and while the disk is full or the file locked try again, more and more slowly, until the
        daemon
        ends: a job that has ended must not be taken for running. A failure of the code `but` is raised
        instead."""
        store, pause = self._tools.store, _FIRST_PAUSE
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

    def _tidy(self, state: int) -> None:
        """Remove what the job no longer needs; blocks. What cannot be removed is left to the next start."""
        try:
            tidy(self._folder, state)
        except OSError as failure:
            log.warning("job %s: leftovers stay until the next start: %s", self.job, failure)


def tidy(folder: JobFolder, state: int) -> None:
    """Remove from a job's folder what a job of that state does not need while no attempt runs. OSError."""
    folder.drop_attempts()
    if state != SUCCEEDED:
        folder.drop_artifacts()
    if state in ENDED:
        folder.drop_checkpoint()
