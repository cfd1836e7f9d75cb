# SPDX-License-Identifier: Apache-2.0
"""What the daemon asks of an engine, whether it is a process beside it or, one day, a machine elsewhere."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import system_pb2, types_pb2


class EngineFailed(Exception):
    """The engine could not be started, or a model not be loaded; `failure` tells a user why."""

    def __init__(self, failure: types_pb2.Failure) -> None:
        super().__init__(f"{failure.code}: {failure.message}")
        self.failure = failure


class EngineCrashed(Exception):
    """The engine ended in the middle of a job; the text says how ("signal SIGKILL", "exit code 1")."""


class Engine(Protocol):
    """Runs one job at a time. All methods are for the daemon's event loop."""

    @property
    def state(self) -> system_pb2.EngineState.ValueType: ...

    @property
    def loaded_model(self) -> str:
        """Name of the model in memory; empty when there is none."""

    @property
    def memory_bytes(self) -> int:
        """Held now: the process's resident memory and what it has allocated on its device; 0 without one."""

    @property
    def pid(self) -> int | None: ...

    def run(self, run: engine_pb2.Run, device: str) -> AsyncGenerator[engine_pb2.Event, None]:
        """Events of a job until it is done, failed, cancelled or suspended (the last one says which).

        Starts the engine when needed. Closing the generator early cancels the job.

        Raises:
            EngineFailed: the engine could not be started.
            EngineCrashed: it ended before the job did.
            ServiceError: "engine-busy": it runs another job.
        """

    async def cancel(self, job: str) -> None:
        """Stop a job at its next step; nothing happens when the engine does not run it."""

    async def suspend(self, job: str) -> None:
        """Checkpoint a job at its next step and give it back; nothing happens when it is not running."""

    async def load(self, model: str, device: str) -> None:
        """Read a model into memory, in place of the one there. Raises as `run` does, EngineFailed also when
        the model cannot be loaded."""

    async def unload(self) -> bool:
        """End the process, so that all its memory is free on return; False when there was none.

        Raises:
            ServiceError: "engine-busy": a job runs.
        """

    async def close(self) -> None:
        """End the process, also in the middle of a job."""
