# SPDX-License-Identifier: Apache-2.0
"""One attempt at a job: lay its files out, run it on the engine, tell the board, record how it ended."""

from __future__ import annotations

import asyncio
import logging
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
from flowanchor_daemon.queue.board import Board
from flowanchor_daemon.queue.ending import Cancelled, Crash, Ending, Record, Suspended, told
from flowanchor_daemon.queue.folders import JobFolder
from flowanchor_daemon.queue.jobs import CANCELLING, ENDED, SUCCEEDED, Taken
from flowanchor_daemon.queue.store import JobStore, media_of

log = logging.getLogger(__name__)

RESERVE_BYTES: Final = 32 << 20
"""Room a job must find before it starts, beside the size of its own media: checkpoints, previews, small
results."""

_BUSY_PAUSE: Final = 0.2  # seconds


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


class Attempt:
    """See the module. `run` does it all; `cancel` and `suspend` may be called meanwhile."""

    def __init__(self, tools: Tools, taken: Taken) -> None:
        self.job = taken.id
        self._tools = tools
        self._taken = taken
        self._folder = JobFolder(tools.jobs, taken.id)
        self._cancelling = False
        self._suspending = False
        self._daemon_ends = asyncio.Event()
        self._record = Record(tools.store, tools.media, self._folder, taken, self._daemon_ends)
        self._running = False
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
            state = await self._record.write(ending)
            if state is not None:
                await asyncio.to_thread(self._tidy, state)
        finally:
            self._tools.board.end(self.job)
            self.over.set()

    async def _ending(self) -> Ending:
        try:
            run = await asyncio.to_thread(self._prepare)
            store = self._tools.store
            if (await store.db(store.get, self.job)).state == CANCELLING:  # before anybody could tell us
                return Cancelled()
            while True:
                if self._cancelling:
                    return Cancelled()
                if self._suspending:
                    return Suspended()
                try:
                    return await self._follow(run)
                except ServiceError as failure:
                    if failure.code != "engine-busy":
                        raise
                # A model is being loaded by request; another job cannot be at work.
                await asyncio.sleep(_BUSY_PAUSE)
        except EngineCrashed as crash:
            return Crash(str(crash))
        except EngineFailed as failed:
            return failed.failure
        except OSError as failure:
            return told(self._taken, ServiceError("disk-full") if is_disk_full(failure) else failure)
        except FlowAnchorError as failure:
            return to_failure(failure)
        except Exception as failure:  # noqa: BLE001 - one bad job must not stop the queue; it is logged and shown
            return told(self._taken, failure)

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

    async def _follow(self, run: engine_pb2.Run) -> Ending:
        """Pass the engine's events on until the last one."""
        ending: Ending | None = None
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
        return ending or Crash("no answer")

    async def _take_in(self, event: engine_pb2.Event) -> Ending | None:
        store, board = self._tools.store, self._tools.board
        match event.WhichOneof("event"):
            case "progress":
                board.progress(self.job, event.progress)
            case "preview_jpeg":
                board.preview(self.job, event.preview_jpeg)
            case "notice":
                await self._record.note(lambda: store.add_notice(self.job, event.notice))
            case "checkpointed":
                self._record.reached = max(self._record.reached, event.checkpointed)
            case "resumed":
                self._record.reached = max(self._record.reached, event.resumed)
                await self._record.note(lambda: store.resumed(self.job, event.resumed))
            case "done":
                return event.done
            case "failed":
                return event.failed
            case "cancelled":
                return Cancelled()
            case "suspended":
                return Suspended()
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
