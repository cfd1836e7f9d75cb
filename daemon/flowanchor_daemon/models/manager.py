# SPDX-License-Identifier: Apache-2.0
"""The models a daemon knows, and the tasks that get and check them."""

from __future__ import annotations

from flowanchor.v1 import models_pb2


class ModelManager:
    """Lists models and runs their downloads and checks, each in a process of its own."""

    def list(self) -> list[models_pb2.Model]:
        """All models that are installed or can be pulled; `loaded` is the service's to fill in. Blocking."""
        raise NotImplementedError

    def exists(self, name: str) -> bool:
        """Whether an edit can use the model `name` now. Blocking (disk)."""
        raise NotImplementedError

    async def start_pull(self, name: str) -> models_pb2.ModelTask:
        raise NotImplementedError

    async def start_verify(self, name: str) -> models_pb2.ModelTask:
        raise NotImplementedError

    async def get_task(self, task: str, since: int = 0, wait: float = 0.0) -> models_pb2.ModelTask:
        raise NotImplementedError

    async def cancel_task(self, task: str) -> models_pb2.ModelTask:
        raise NotImplementedError

    @property
    def busy(self) -> bool:
        """Whether a task runs: the daemon does not leave for idleness then."""
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError
