# SPDX-License-Identifier: Apache-2.0
"""The Models service: lists, checks, tasks, and the engine's memory."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import models_pb2, system_pb2, types_pb2
from flowanchor_daemon.engine.api import EngineCrashed, EngineFailed
from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.models import tasks
from flowanchor_daemon.models.local import import_model, register_link
from flowanchor_daemon.models.manager import ModelManager
from flowanchor_daemon.models.service import ModelsService

from flowanchor_core.errors import FlowAnchorError, ModelError
from tests.daemon.models.hub_server import Hub
from tests.daemon.models.tiny import TRANSFORMER

CONTEXT: Any = None
T = TypeVar("T")


class EngineStandIn:
    """Remembers what it was asked to load; fails with `failure` if there is one."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.loaded_model = ""
        self.devices: list[str] = []
        self.memory_bytes = 0
        self.pid: int | None = None
        self.state = system_pb2.ENGINE_STATE_IDLE

    async def run(self, run: engine_pb2.Run, device: str) -> AsyncGenerator[engine_pb2.Event, None]:
        yield engine_pb2.Event(job=run.job, cancelled=True)

    async def cancel(self, job: str) -> None: ...

    async def suspend(self, job: str) -> None: ...

    async def load(self, model: str, device: str) -> None:
        if self.failure is not None:
            raise self.failure
        self.loaded_model = model
        self.devices.append(device)

    async def unload(self) -> bool:
        held, self.loaded_model = bool(self.loaded_model), ""
        return held

    async def close(self) -> None: ...


def served(work: Callable[[ModelsService], Awaitable[T]], engine: EngineStandIn | None = None) -> T:
    async def run() -> T:
        manager = ModelManager()
        try:
            return await work(ModelsService(manager, engine or EngineStandIn()))
        finally:
            await manager.close()

    return asyncio.run(run())


def listed(engine: EngineStandIn | None = None) -> dict[str, models_pb2.Model]:
    answer = served(lambda service: service.ListModels(models_pb2.ListModelsRequest(), CONTEXT), engine)
    return {model.name: model for model in answer.models}


async def _ended(service: ModelsService, task: models_pb2.ModelTask) -> models_pb2.ModelTask:
    async with asyncio.timeout(120):
        while task.state == models_pb2.MODEL_TASK_STATE_RUNNING:
            request = models_pb2.GetModelTaskRequest(id=task.id, since=task.revision, wait_ms=30_000)
            task = (await service.GetModelTask(request, CONTEXT)).task
    return task


def verify(name: str) -> models_pb2.ModelTask:
    async def work(service: ModelsService) -> models_pb2.ModelTask:
        request = models_pb2.VerifyModelRequest(name=name)
        return await _ended(service, (await service.VerifyModel(request, CONTEXT)).task)

    return served(work)


def failure_of(
    work: Callable[[ModelsService], Awaitable[object]], engine: EngineStandIn | None = None
) -> str:
    with pytest.raises(FlowAnchorError) as caught:
        served(work, engine)
    return caught.value.code


def test_the_list_tells_what_there_is(shelf: Path, folder: Path) -> None:
    import_model(folder, "mine")
    linked = register_link(folder)
    shutil.copytree(folder, shelf / "by-hand")
    (shelf / "broken").mkdir()
    models = listed()
    assert list(models) == [
        "shapes",
        *sorted(["by-hand", "mine", linked]),
        "wan2.1-t2v-1.3b",
        "wan2.1-t2v-14b",
    ]
    assert {name: model.source for name, model in models.items()} == {
        "shapes": "embedded",
        "mine": "imported",
        "by-hand": "imported",
        linked: "linked",
        "wan2.1-t2v-1.3b": "hub",
        "wan2.1-t2v-14b": "hub",
    }
    shapes, wan = models["shapes"], models["wan2.1-t2v-1.3b"]
    assert (shapes.installed, shapes.world, shapes.native_width) == (True, "shapes", 64)
    assert (wan.installed, wan.bytes, wan.licence) == (False, 28_928_887_859, "Apache-2.0")
    assert (wan.native_width, wan.native_height, wan.native_frames) == (832, 480, 81)
    assert wan.revision == "0fad780a534b6463e45facd96134c9f345acfa5b"
    assert list(shapes.presets) == ["draft", "standard", "final"]
    assert models["mine"].bytes > 290_000


def test_a_model_that_cannot_be_used_does_not_hide_the_others(shelf: Path, folder: Path) -> None:
    import_model(folder, "mine")
    (shelf / "mine" / "flowanchor.json").write_text("{")
    models = listed()
    assert not models["mine"].installed
    assert models["shapes"].installed


def test_a_model_that_cannot_be_used_is_told_to_the_log_once(
    shelf: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import_model(folder, "mine")
    card = shelf / "mine" / "flowanchor.json"
    manager = ModelManager()
    for content in ("{", "{", None, "{"):
        card.write_text(content) if content else card.unlink()
        manager.list()
    assert len(caplog.records) == 2


def test_a_good_model_is_verified(shelf: Path, folder: Path) -> None:
    import_model(folder, "mine")
    for name in ("mine", register_link(folder), "shapes"):
        task = verify(name)
        assert task.state == models_pb2.MODEL_TASK_STATE_SUCCEEDED, task
    task = verify("mine")
    assert (
        task.done_bytes
        == task.total_bytes
        == sum(
            path.stat().st_size
            for path in (shelf / "mine").rglob("*")
            if path.is_file() and path.name != "manifest.json"
        )
    )


def test_a_damaged_model_is_found_out(shelf: Path, folder: Path) -> None:
    import_model(folder, "mine")
    file = shelf / "mine" / TRANSFORMER
    file.write_bytes(file.read_bytes()[:-1] + b"\xff")
    (shelf / "mine" / "vae" / "config.json").write_text("{ }")
    task = verify("mine")
    assert (task.state, task.failure.code) == (models_pb2.MODEL_TASK_STATE_FAILED, "verify-failed")
    assert f"{TRANSFORMER} has other content" in task.failure.message
    assert "vae/config.json has 3 bytes, not 2" in task.failure.message
    assert task.failure.kind == types_pb2.FAILURE_KIND_MODEL


def test_only_names_are_taken(shelf: Path, folder: Path) -> None:
    for name in ("nobody", str(folder), "../models", "", "~", "x" * 5000, "a\0b", "wan2.1-t2v-1.3b"):
        verify_request = models_pb2.VerifyModelRequest(name=name)
        load_request = models_pb2.LoadModelRequest(name=name)
        for call in (
            partial(ModelsService.VerifyModel, request=verify_request, context=CONTEXT),
            partial(ModelsService.LoadModel, request=load_request, context=CONTEXT),
        ):
            assert failure_of(call) == "model-unknown"


def test_a_broken_link_says_so(shelf: Path, folder: Path) -> None:
    name = register_link(folder)
    shutil.rmtree(folder)
    request = models_pb2.LoadModelRequest(name=name)
    assert failure_of(lambda service: service.LoadModel(request, CONTEXT)) == "model-link"


def test_a_model_is_loaded_and_unloaded(shelf: Path) -> None:
    engine = EngineStandIn()
    assert not listed(engine)["shapes"].loaded
    request = models_pb2.LoadModelRequest(name="shapes")
    model = served(lambda service: service.LoadModel(request, CONTEXT), engine).model
    assert (model.name, model.loaded, engine.devices) == ("shapes", True, ["auto"])
    assert listed(engine)["shapes"].loaded
    for was in (True, False):
        answer = served(lambda service: service.UnloadModel(models_pb2.UnloadModelRequest(), CONTEXT), engine)
        assert answer.was_loaded is was


def test_what_the_engine_fails_with_is_told(shelf: Path) -> None:
    request = models_pb2.LoadModelRequest(name="shapes", device="cuda:7")
    told = types_pb2.Failure(
        code="model-load", message="No.", action="Do.", kind=types_pb2.FAILURE_KIND_MODEL
    )
    engine = EngineStandIn(EngineFailed(told))
    with pytest.raises(ModelError) as caught:
        served(lambda service: service.LoadModel(request, CONTEXT), engine)
    assert (caught.value.code, caught.value.message, caught.value.action) == ("model-load", "No.", "Do.")
    crashed = EngineStandIn(EngineCrashed("signal SIGKILL"))
    assert failure_of(lambda service: service.LoadModel(request, CONTEXT), crashed) == "engine-crashed"
    busy = EngineStandIn(ServiceError("engine-busy"))
    assert failure_of(lambda service: service.LoadModel(request, CONTEXT), busy) == "engine-busy"


def test_a_task_is_waited_for_and_cancelled(hub: Hub, shelf: Path) -> None:
    hub.hold_after[TRANSFORMER] = 100_000

    async def work(service: ModelsService) -> models_pb2.ModelTask:
        task = (await service.PullModel(models_pb2.PullModelRequest(name="tiny"), CONTEXT)).task
        assert task.state == models_pb2.MODEL_TASK_STATE_RUNNING
        async with asyncio.timeout(120):
            while task.file != TRANSFORMER or not task.HasField("seconds_left"):
                request = models_pb2.GetModelTaskRequest(id=task.id, since=task.revision, wait_ms=30_000)
                after = (await service.GetModelTask(request, CONTEXT)).task
                assert after.revision > task.revision
                task = after
        assert 0 < task.done_bytes < task.total_bytes
        return (await service.CancelModelTask(models_pb2.CancelModelTaskRequest(id=task.id), CONTEXT)).task

    task = served(work)
    assert task.state == models_pb2.MODEL_TASK_STATE_CANCELLED
    assert not task.HasField("failure")


def test_a_task_of_two_ends_when_the_last_one_leaves(hub: Hub, shelf: Path) -> None:
    hub.hold_after[TRANSFORMER] = 100_000

    async def work(service: ModelsService) -> list[models_pb2.ModelTaskState.ValueType]:
        begin = [models_pb2.PullModelRequest(name="tiny", follower=name) for name in ("one", "other")]
        first, second = [(await service.PullModel(request, CONTEXT)).task for request in begin]
        assert first.id == second.id
        leave = [
            models_pb2.CancelModelTaskRequest(id=first.id, follower=name) for name in ("one", "one", "other")
        ]
        return [(await service.CancelModelTask(request, CONTEXT)).task.state for request in leave]

    running, cancelled = models_pb2.MODEL_TASK_STATE_RUNNING, models_pb2.MODEL_TASK_STATE_CANCELLED
    assert served(work) == [running, running, cancelled]


def test_who_is_gone_holds_no_task(hub: Hub, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.hold_after[TRANSFORMER] = 100_000
    monkeypatch.setattr(tasks, "_FOLLOWS_SECONDS", 0.0)

    async def work(service: ModelsService) -> models_pb2.ModelTask:
        request = models_pb2.PullModelRequest(name="tiny", follower="killed")
        task = (await service.PullModel(request, CONTEXT)).task
        leave = models_pb2.CancelModelTaskRequest(id=task.id, follower="other")
        return (await service.CancelModelTask(leave, CONTEXT)).task

    assert served(work).state == models_pb2.MODEL_TASK_STATE_CANCELLED


def test_a_wait_without_news_ends(shelf: Path) -> None:
    async def work(service: ModelsService) -> models_pb2.ModelTask:
        request = models_pb2.VerifyModelRequest(name="shapes")
        task = await _ended(service, (await service.VerifyModel(request, CONTEXT)).task)
        again = models_pb2.GetModelTaskRequest(id=task.id, since=task.revision, wait_ms=10)
        assert (await service.GetModelTask(again, CONTEXT)).task == task
        return task

    assert served(work).state == models_pb2.MODEL_TASK_STATE_SUCCEEDED


def test_bad_questions_are_refused(shelf: Path) -> None:
    unknown = models_pb2.GetModelTaskRequest(id="nothing")
    assert failure_of(lambda service: service.GetModelTask(unknown, CONTEXT)) == "task-unknown"
    cancel = models_pb2.CancelModelTaskRequest(id="nothing")
    assert failure_of(lambda service: service.CancelModelTask(cancel, CONTEXT)) == "task-unknown"
    long = models_pb2.GetModelTaskRequest(id="nothing", wait_ms=30_001)
    assert failure_of(lambda service: service.GetModelTask(long, CONTEXT)) == "request-invalid"
    device = models_pb2.LoadModelRequest(name="shapes", device="cuda:first")
    assert failure_of(lambda service: service.LoadModel(device, CONTEXT)) == "request-invalid"
