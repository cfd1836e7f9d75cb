# SPDX-License-Identifier: Apache-2.0
"""A scheduler with everything around it but a real engine, in a folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from flowanchor.v1 import jobs_pb2
from flowanchor_daemon.media.quota import MediaLimits
from flowanchor_daemon.media.store import MediaStore
from flowanchor_daemon.queue import jobs
from flowanchor_daemon.queue.board import Board
from flowanchor_daemon.queue.scheduler import Scheduler
from flowanchor_daemon.queue.store import JobStore

from tests.daemon.queue.standin_engine import StandInEngine
from tests.daemon.queue.wishes import CLIP, CLIP_BYTES, wish

LIMIT_SECONDS = 80.0
"""Bounds a hang: a queue that works needs a fraction of a second."""


class Bench:
    """One life of a daemon's queue; `bench` makes it."""

    def __init__(self, root: Path, engine: StandInEngine, quota: int = 1 << 30) -> None:
        self.root = root
        self.engine = engine
        self.jobs = root / "jobs"
        self.jobs.mkdir(exist_ok=True)
        self.store = JobStore.open(root / "queue.sqlite")
        self.board = Board(self.store.epoch)
        limits = MediaLimits(max_store_bytes=quota, free_floor_bytes=0)
        self.media = MediaStore(root / "media", limits)
        self.media.attach(self.store.media_in_use, self.store.artifact_bytes)
        if not self.media.stat(CLIP).complete:
            self.media.write(CLIP, len(CLIP_BYTES), 0, CLIP_BYTES)
        self.scheduler = Scheduler(self.store, self.board, engine, self.media, self.jobs)

    async def submit(self, **values: Any) -> str:
        job, _ = await self.store.db(self.store.submit, wish(**values))
        return job.id

    async def until(self, job: str, *states: int) -> jobs_pb2.Job:
        """The job once it is in one of the states, by default an end."""
        wanted = set(states) or jobs.ENDED
        async with asyncio.timeout(LIMIT_SECONDS):
            while True:
                revision = self.board.revision(job)
                found = self.store.get(job)
                if found.state in wanted:
                    return found
                await self.board.wait(job, revision)

    async def until_held(self) -> None:
        """The script has come to "hold"."""
        async with asyncio.timeout(LIMIT_SECONDS):
            await self.engine.holding.wait()

    async def until_idle(self) -> None:
        """Nothing runs, and what the last attempt left has been cleared away."""
        async with asyncio.timeout(LIMIT_SECONDS):
            while self.scheduler.busy:
                await asyncio.sleep(0.001)

    def left(self, job: str) -> list[str]:
        """What the job has in its folder."""
        folder = self.jobs / job
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@asynccontextmanager
async def bench(root: Path, engine: StandInEngine, started: bool = True, **more: Any) -> AsyncIterator[Bench]:
    made = Bench(root, engine, **more)
    try:
        if started:
            await made.scheduler.start()
        yield made
    finally:
        async with asyncio.timeout(LIMIT_SECONDS):
            await made.scheduler.drain(finish=False)
        made.store.close()


def play(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test's scene on an event loop of its own; what it waits for in vain fails it."""

    async def limited() -> None:
        async with asyncio.timeout(3 * LIMIT_SECONDS):
            await scene()

    asyncio.run(limited())
