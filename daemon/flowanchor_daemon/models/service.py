# SPDX-License-Identifier: Apache-2.0
"""The Models service."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc.aio
from flowanchor.v1 import models_pb2, models_pb2_grpc

from flowanchor_daemon.engine.api import Engine, EngineCrashed, EngineFailed
from flowanchor_daemon.errors import ServiceError, failure_error
from flowanchor_daemon.models.manager import ModelManager
from flowanchor_daemon.queue.requests import check_device

_MOST_WAIT_MS = 30_000
_MOST_FOLLOWER = 64
_Context = grpc.aio.ServicerContext[Any, Any]


class ModelsService(models_pb2_grpc.ModelsServicer):
    """See models.proto."""

    def __init__(self, manager: ModelManager, engine: Engine) -> None:
        self._manager = manager
        self._engine = engine

    async def ListModels(
        self, request: models_pb2.ListModelsRequest, context: _Context
    ) -> models_pb2.ListModelsResponse:
        return models_pb2.ListModelsResponse(models=await self._list())

    async def PullModel(
        self, request: models_pb2.PullModelRequest, context: _Context
    ) -> models_pb2.PullModelResponse:
        return models_pb2.PullModelResponse(
            task=await self._manager.start_pull(request.name, _follower(request.follower))
        )

    async def VerifyModel(
        self, request: models_pb2.VerifyModelRequest, context: _Context
    ) -> models_pb2.VerifyModelResponse:
        return models_pb2.VerifyModelResponse(
            task=await self._manager.start_verify(request.name, _follower(request.follower))
        )

    async def GetModelTask(
        self, request: models_pb2.GetModelTaskRequest, context: _Context
    ) -> models_pb2.GetModelTaskResponse:
        if not 0 <= request.wait_ms <= _MOST_WAIT_MS:
            raise ServiceError("request-invalid", f"wait_ms goes from 0 to {_MOST_WAIT_MS}.")
        task = await self._manager.get_task(
            request.id, request.since, request.wait_ms / 1000, _follower(request.follower)
        )
        return models_pb2.GetModelTaskResponse(task=task)

    async def CancelModelTask(
        self, request: models_pb2.CancelModelTaskRequest, context: _Context
    ) -> models_pb2.CancelModelTaskResponse:
        return models_pb2.CancelModelTaskResponse(
            task=await self._manager.cancel_task(request.id, _follower(request.follower))
        )

    async def LoadModel(
        self, request: models_pb2.LoadModelRequest, context: _Context
    ) -> models_pb2.LoadModelResponse:
        device = request.device or "auto"
        check_device(device)  # the engine would start to find out
        await asyncio.to_thread(self._manager.require, request.name)
        try:
            await self._engine.load(request.name, device)
        except EngineFailed as failed:
            raise failure_error(failed.failure) from failed
        except EngineCrashed as crashed:
            raise ServiceError(
                "engine-crashed", f"The engine process ended while it read the model: {crashed}."
            ) from crashed
        loaded = next((model for model in await self._list() if model.name == request.name), None)
        if loaded is None:  # its folder went away while it was read
            raise ServiceError("model-unknown")
        return models_pb2.LoadModelResponse(model=loaded)

    async def UnloadModel(
        self, request: models_pb2.UnloadModelRequest, context: _Context
    ) -> models_pb2.UnloadModelResponse:
        return models_pb2.UnloadModelResponse(was_loaded=await self._engine.unload())

    async def _list(self) -> list[models_pb2.Model]:
        found = await asyncio.to_thread(self._manager.list)
        for model in found:
            model.loaded = bool(model.name) and model.name == self._engine.loaded_model
        return found


def _follower(name: str) -> str:
    if len(name) > _MOST_FOLLOWER:
        raise ServiceError("request-invalid", f"A follower's name has up to {_MOST_FOLLOWER} characters.")
    return name
