# SPDX-License-Identifier: Apache-2.0
"""Takes one waiting job after the other and has it run. Sleeps until something is submitted; polls
nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from flowanchor.v1 import jobs_pb2

from flowanchor_daemon.engine.api import Engine
from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.media.store import MediaStore
from flowanchor_daemon.queue.attempt import Attempt, Tools, tidy
from flowanchor_daemon.queue.board import Board
from flowanchor_daemon.queue.folders import JobFolder
from flowanchor_daemon.queue.jobs import CANCELLING
from flowanchor_daemon.queue.store import JobStore

log = logging.getLogger(__name__)

_PAUSE: Final = 10.0  # seconds before a queue that could not be read or written is tried again


class Scheduler:
    """Runs jobs on an engine, one at a time, in the queue's order.

    Args:
        jobs: folder of all jobs' folders.
        checkpoint_every: sampling steps between checkpoints.
        on_idle: called each time the last waiting job is done.
    """

    def __init__(
        self,
        store: JobStore,
        board: Board,
        engine: Engine,
        media: MediaStore,
        jobs: Path,
        checkpoint_every: int = 1,
        on_idle: Callable[[], None] = lambda: None,
    ) -> None:
        self._tools = Tools(store, board, engine, media, jobs, checkpoint_every)
        self._store = store
        self._on_idle = on_idle
        self._awake = asyncio.Event()
        self._draining = asyncio.Event()
        self._current: Attempt | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether a job runs or is about to."""
        return self._current is not None or (self._awake.is_set() and not self._draining.is_set())

    @property
    def current(self) -> str | None:
        """Id of the job that runs."""
        return None if self._current is None else self._current.job

    async def start(self) -> None:
        """Put right what a violent end has left, then begin. Jobs that were running wait again from here on.

        Raises:
            ServiceError: the queue cannot be read or written.
        """
        loop = asyncio.get_running_loop()

        def changed(jobs: frozenset[str]) -> None:  # on the store's thread
            if not loop.is_closed():  # else nobody is left to be told
                loop.call_soon_threadsafe(self._changed, jobs)

        self._store.on_commit = changed
        recovered = await self._store.db(self._store.recover)
        if recovered:
            log.warning("the daemon had ended while these ran: %s", ", ".join(recovered))
        self._task = asyncio.create_task(self._work(), name="scheduler")
        self.wake()

    def wake(self) -> None:
        """Look for waiting jobs. Called by itself after each change of the queue."""
        self._awake.set()

    def _changed(self, jobs: frozenset[str]) -> None:
        self._tools.board.touch(jobs)
        self.wake()

    async def cancel(self, job: str) -> jobs_pb2.Job:
        """Cancel a job: one that waits is cancelled on return, one that runs is being stopped; one that has
        ended stays as it is. ServiceError "job-unknown"."""
        record = await self._store.db(self._store.cancel, job)
        if record.state == CANCELLING and self._current is not None and self._current.job == job:
            await self._current.cancel()
        return record

    @property
    def draining(self) -> bool:
        """No job is taken any more."""
        return self._draining.is_set()

    async def delete(self, job: str) -> None:
        """Forget a job that has ended and remove its files. ServiceError "job-unknown",
        "job-not-finished"."""
        await self._store.db(self._store.delete, job)
        if self._current is not None and self._current.job == job:  # recorded as ended, not yet tidied up
            await self._current.over.wait()
        try:
            await asyncio.to_thread(JobFolder(self._tools.jobs, job).remove)
        except OSError as failure:  # such as a file that another program holds open on Windows
            log.warning("the folder of the deleted job %s goes at the next start: %s", job, failure)
            return
        await self._store.db(self._store.removed, job)

    async def drain(self, finish: bool) -> None:
        """Take no more jobs, and return when none runs any more: the present one is finished, or given back
        at its next checkpoint and waits again. A second call with `finish` False hurries the first. For
        good."""
        self._draining.set()
        self.wake()
        if self._current is not None:
            await self._current.suspend(now=not finish)
        if self._task is not None:
            await asyncio.wait([self._task])  # not cancelled if this call is

    async def _work(self) -> None:
        try:
            await asyncio.to_thread(self._sweep)
        except ServiceError as failure:
            log.error("leftovers stay until the next start: %s", failure.message)
        while not self._draining.is_set():
            self._awake.clear()
            if not await self._run_next():
                self._on_idle()
                await self._awake.wait()

    async def _run_next(self) -> bool:
        """Run the next waiting job to the end of its attempt; False when none waits."""
        try:
            taken = await self._store.db(self._store.take)
        except ServiceError as failure:
            log.error("no job can be taken from the queue: %s", failure.message)
            await self._pause()
            return True
        if taken is None:
            return False
        self._current = Attempt(self._tools, taken)
        try:
            if self._draining.is_set():
                await self._current.suspend(now=True)
            await self._current.run()
        except Exception:  # a mistake of ours costs one job, not the queue
            log.exception("job %s", taken.id)
            await self._pause()
        finally:
            self._current = None
        return True

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._draining.wait(), _PAUSE)
        except TimeoutError:
            return

    def _sweep(self) -> None:
        """Remove what attempts and deletions that were cut short have left. Only of jobs this queue knows: a
        folder it does not know may belong to a queue that was moved away."""
        for job in self._store.removals():
            try:
                JobFolder(self._tools.jobs, job).remove()
                self._store.removed(job)
            except (OSError, ServiceError) as failure:
                log.warning("the folder of the deleted job %s is still there: %s", job, failure)
        for job, state in self._store.states().items():
            try:
                tidy(JobFolder(self._tools.jobs, job), state)
            except OSError as failure:
                log.warning("job %s has leftovers that cannot be removed: %s", job, failure)
