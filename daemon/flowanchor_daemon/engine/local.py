# SPDX-License-Identifier: Apache-2.0
"""An engine process beside the daemon: started on demand, watched, ended after a while without work."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import system_pb2
from flowanchor_daemon.engine.api import Engine, EngineCrashed, EngineFailed

__all__ = ["Engine", "EngineCrashed", "EngineFailed", "LocalEngine"]

KEEP_ALIVE_SECONDS = 300.0


class LocalEngine(Engine):
    """See `Engine`. `log` is the file the process's output goes to; `keep_alive` the seconds after which an idle
    process is ended: 0 at once, negative never."""

    def __init__(self, log: Path, keep_alive: float = KEEP_ALIVE_SECONDS) -> None:
        self._log = log
        self._keep_alive = keep_alive

    @property
    def state(self) -> system_pb2.EngineState:
        raise NotImplementedError

    @property
    def loaded_model(self) -> str:
        raise NotImplementedError

    @property
    def memory_bytes(self) -> int:
        raise NotImplementedError

    @property
    def pid(self) -> int | None:
        raise NotImplementedError

    async def run(self, run: engine_pb2.Run, device: str) -> AsyncGenerator[engine_pb2.Event, None]:
        raise NotImplementedError
        yield engine_pb2.Event()

    async def cancel(self, job: str) -> None:
        raise NotImplementedError

    async def suspend(self, job: str) -> None:
        raise NotImplementedError

    async def load(self, model: str, device: str) -> None:
        raise NotImplementedError

    async def unload(self) -> bool:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError
