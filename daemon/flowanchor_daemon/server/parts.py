# SPDX-License-Identifier: Apache-2.0
"""The daemon's objects, made and joined in one place, and ended in the right order."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from flowanchor.v1 import jobs_pb2_grpc, media_pb2_grpc, models_pb2_grpc, system_pb2, system_pb2_grpc
from grpc_health.v1 import health, health_pb2

from flowanchor_daemon.engine.api import Engine
from flowanchor_daemon.engine.local import LocalEngine
from flowanchor_daemon.media.quota import MediaLimits
from flowanchor_daemon.media.service import MediaService
from flowanchor_daemon.media.store import MediaStore
from flowanchor_daemon.models.manager import ModelManager
from flowanchor_daemon.models.service import ModelsService
from flowanchor_daemon.queue.artifacts import ArtifactFiles
from flowanchor_daemon.queue.board import Board
from flowanchor_daemon.queue.jobs_service import JobsService
from flowanchor_daemon.queue.limits import limits_with
from flowanchor_daemon.queue.scheduler import Scheduler
from flowanchor_daemon.queue.store import JobStore
from flowanchor_daemon.server.activity import Activity
from flowanchor_daemon.server.draining import Ending
from flowanchor_daemon.server.system_service import Settings, SystemService
from flowanchor_daemon.state import StateFolder

log = logging.getLogger(__name__)

_RECORD_SECONDS = 10.0
_SERVICES = ("", "flowanchor.v1.Jobs", "flowanchor.v1.Media", "flowanchor.v1.Models", "flowanchor.v1.System")


@dataclass
class Parts:
    """All that a running daemon consists of beside its server. Made by `open_parts`."""

    token: str
    limits: system_pb2.Limits
    state: StateFolder
    store: JobStore
    board: Board
    media: MediaStore
    models: ModelManager
    engine: Engine
    scheduler: Scheduler
    activity: Activity = field(default_factory=Activity)
    ending: Ending = field(default_factory=Ending)
    health: health.aio.HealthServicer = field(default_factory=health.aio.HealthServicer)
    jobs_service: jobs_pb2_grpc.JobsServicer = field(init=False)
    media_service: media_pb2_grpc.MediaServicer = field(init=False)
    models_service: models_pb2_grpc.ModelsServicer = field(init=False)
    system_service: system_pb2_grpc.SystemServicer = field(init=False)

    async def serving(self) -> None:
        """Tell health checks that calls are answered."""
        for service in _SERVICES:
            await self.health.set(service, health_pb2.HealthCheckResponse.SERVING)

    async def busy(self) -> bool:
        """Whether there is work that nobody has to watch: jobs, downloads."""
        if self.scheduler.busy or self.models.busy:
            return True
        counts = await self.store.db(self.store.counts)
        return any(counts.get(state) for state in ("queued", "running", "cancelling"))

    async def drain(self, seconds: float) -> None:
        """Take no more work; the running job is checkpointed and waits again, or after `seconds` is cut."""
        await self.health.enter_graceful_shutdown()
        if not await self._stopped_within(seconds):
            log.warning("The running job did not stop within %g s: it is cut at its checkpoint.", seconds)
            await self.engine.close()
            if not await self._stopped_within(_RECORD_SECONDS):
                log.error("The running job's end could not be recorded: the next start puts it right.")
        self.board.close()  # calls that wait for a change are answered now

    async def _stopped_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self.scheduler.drain(finish=False), seconds)
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """End everything, whatever state it is in; the engine first, for it may be writing a job's files."""
        for part, end in (("engine", self.engine.close), ("models", self.models.close)):
            try:
                await end()
            except Exception:
                log.exception("Ending the %s failed.", part)
        self.store.close()


async def open_parts(state: StateFolder, token: str, settings: Settings) -> Parts:
    """Open what lies in `state` and join it; ServiceError if the queue cannot be used. Nothing runs yet."""
    limits = MediaLimits()
    store = await asyncio.to_thread(JobStore.open, state.queue)
    media = await asyncio.to_thread(
        MediaStore, state.media, limits, keep=store.media_in_use, results_bytes=store.artifact_bytes
    )
    board = Board(store.epoch)
    engine = LocalEngine(state.engine_log, settings.keep_alive)
    parts = Parts(
        token=token,
        limits=limits_with(limits),
        state=state,
        store=store,
        board=board,
        media=media,
        models=ModelManager(),
        engine=engine,
        scheduler=Scheduler(store, board, engine, media, state.jobs),
    )
    files = ArtifactFiles(store, state.jobs)
    parts.jobs_service = JobsService(store, board, parts.scheduler, media, parts.models, parts.limits)
    parts.media_service = MediaService(media, lambda job, index: store.db(files, job, index))
    parts.models_service = ModelsService(parts.models, engine)
    parts.system_service = SystemService(parts, settings)
    for service in _SERVICES:
        await parts.health.set(service, health_pb2.HealthCheckResponse.NOT_SERVING)
    return parts
