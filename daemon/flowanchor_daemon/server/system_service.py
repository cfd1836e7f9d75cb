# SPDX-License-Identifier: Apache-2.0
"""The System service: what this daemon is, how it stands, and its end."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flowanchor.rendezvous import API
from flowanchor.v1 import system_pb2, system_pb2_grpc

from flowanchor_daemon.program import program_version
from flowanchor_daemon.server import diagnosis
from flowanchor_daemon.server.editors import list_editors
from flowanchor_daemon.server.handlers import Context

if TYPE_CHECKING:
    from flowanchor_daemon.server.parts import Parts

CAPABILITIES: Final = (
    "upload-stream",
    "upload-chunk",
    "download-stream",
    "download-chunk",
    "watch",
    "long-poll",
    "previews",
    "checkpoints",
    "geometry",
    "model-pull",
    "estimate",
    "find-request",
)
"""What a client may rely on; names are added with minor versions and never change their meaning."""


@dataclass(frozen=True)
class Settings:
    """How this daemon was started. Seconds; a negative number is never."""

    keep_alive: float
    idle_exit: float


class SystemService(system_pb2_grpc.SystemServicer):
    """See system.proto."""

    def __init__(self, parts: Parts, settings: Settings) -> None:
        self._parts = parts
        self._settings = settings
        self._started = time.monotonic()
        self._info = system_pb2.GetInfoResponse(
            version=program_version(),
            api_major=API[0],
            api_minor=API[1],
            capabilities=CAPABILITIES,
            limits=parts.limits,
            editors=list_editors(),
            started_ms=time.time_ns() // 1_000_000,
            keep_alive_seconds=settings.keep_alive,
            idle_exit_seconds=settings.idle_exit,
        )

    async def GetInfo(
        self, request: system_pb2.GetInfoRequest, context: Context
    ) -> system_pb2.GetInfoResponse:
        return self._info

    async def Diagnose(
        self, request: system_pb2.DiagnoseRequest, context: Context
    ) -> system_pb2.DiagnoseResponse:
        response = await asyncio.to_thread(self._look)
        engine = self._parts.engine
        response.engine = engine.state
        response.loaded_model = engine.loaded_model
        response.engine_memory_bytes = engine.memory_bytes
        response.findings.append(
            diagnosis.engine(engine.state, engine.loaded_model, response.engine_memory_bytes)
        )
        response.pid = os.getpid()
        response.uptime_seconds = time.monotonic() - self._started
        return response

    async def Shutdown(
        self, request: system_pb2.ShutdownRequest, context: Context
    ) -> system_pb2.ShutdownResponse:
        self._parts.ending.ask("a Shutdown call", now=request.now)
        return system_pb2.ShutdownResponse()

    def _look(self) -> system_pb2.DiagnoseResponse:
        """Everything that reads a disk; runs beside the event loop."""
        parts = self._parts
        response = system_pb2.DiagnoseResponse(disk_free_bytes=shutil.disk_usage(parts.state.root).free)

        def queue() -> system_pb2.Finding:
            response.jobs.update(parts.store.counts())
            return diagnosis.queue(dict(response.jobs))

        def store() -> system_pb2.Finding:
            response.store_bytes = parts.media.used_bytes() + parts.store.artifact_bytes()
            return diagnosis.store(response.store_bytes, parts.limits.max_store_bytes)

        def failures() -> system_pb2.Finding:
            response.last_failures.extend(parts.store.last_failures(10))
            return diagnosis.failures(list(response.last_failures))

        looks = {
            "disk": lambda: diagnosis.disk(parts.state.root, parts.media.limits.free_floor_bytes),
            "store": store,
            "queue": queue,
            "models": lambda: diagnosis.models(parts.models.list()),
            "failures": failures,
        }
        response.findings.extend(diagnosis.guarded(name, look) for name, look in looks.items())
        return response
