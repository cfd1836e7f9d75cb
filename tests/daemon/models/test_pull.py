# SPDX-License-Identifier: Apache-2.0
"""Downloads, by the process the daemon starts, from a hub on this machine."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import pytest
from flowanchor.v1 import models_pb2, types_pb2
from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.models import child
from flowanchor_daemon.models.manager import ModelManager
from flowanchor_daemon.models.manifest import read_manifest
from flowanchor_daemon.models.pull import pull as pull_here

from flowanchor_core import models
from flowanchor_core.errors import ModelError
from tests.daemon.models.hub_server import COMMIT, REPOSITORY, Hub
from tests.daemon.models.tiny import TRANSFORMER, safetensors, tiny_files

SUCCEEDED, FAILED = models_pb2.MODEL_TASK_STATE_SUCCEEDED, models_pb2.MODEL_TASK_STATE_FAILED
CANCELLED, RUNNING = models_pb2.MODEL_TASK_STATE_CANCELLED, models_pb2.MODEL_TASK_STATE_RUNNING
T = TypeVar("T")


def managed(work: Callable[[ModelManager], Awaitable[T]]) -> T:
    async def run() -> T:
        manager = ModelManager()
        try:
            return await work(manager)
        finally:
            await manager.close()

    return asyncio.run(run())


async def ended(manager: ModelManager, task: models_pb2.ModelTask) -> models_pb2.ModelTask:
    async with asyncio.timeout(120):
        while task.state == RUNNING:
            task = await manager.get_task(task.id, task.revision, 30.0)
    return task


def pull(name: str = "tiny") -> models_pb2.ModelTask:
    async def work(manager: ModelManager) -> models_pb2.ModelTask:
        return await ended(manager, await manager.start_pull(name))

    return managed(work)


def refusal(shelf: Path) -> ModelError:
    """What a pull in this process fails with: for the many ways in which content is refused."""
    with pytest.raises(ModelError) as caught:
        pull_here("tiny", REPOSITORY, COMMIT, shelf)
    return caught.value


def held(shelf: Path) -> dict[str, bytes]:
    folder = shelf / "tiny"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_model_arrives_whole_with_its_manifest(hub: Hub, shelf: Path) -> None:
    task = pull()
    assert task.state == SUCCEEDED, task
    assert task.done_bytes == task.total_bytes == sum(map(len, tiny_files().values()))
    arrived = held(shelf)
    manifest = json.loads(arrived.pop("manifest.json"))
    assert arrived == tiny_files()
    assert (manifest["repository"], manifest["revision"]) == (REPOSITORY, COMMIT)
    assert {entry["path"]: entry["sha256"] for entry in manifest["files"]} == {
        path: hashlib.sha256(content).hexdigest() for path, content in tiny_files().items()
    }
    assert models.find_model("tiny") == shelf / "tiny"
    assert "tiny" in models.names()
    assert not list((shelf / ".incoming").iterdir())


def test_no_token_leaves_this_machine(hub: Hub, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert pull().state == SUCCEEDED
    assert hub.requests
    for _, _, headers in hub.requests:
        assert "secret" not in str(headers)
        assert "authorization" not in {key.lower() for key in headers}


def test_only_what_makes_the_model_is_taken(hub: Hub, shelf: Path) -> None:
    extra = {
        "text_encoder/pytorch_model.bin": b"\x80\x04pickle",
        "transformer/model.pkl": b"\x80\x04pickle",
        "transformer/modeling.py": b"import os",
        "transformer/deep/model.safetensors": safetensors(10, 1),
        "../outside.json": b"{}",
        "/etc/passwd.json": b"{}",
        "vae/../../outside.json": b"{}",
        "vae\\..\\outside.json": b"{}",
        "assets/logo.png": b"\x89PNG",
        "manifest.json": b"{}",
        "flowanchor.json": b'{"native_frames": 1}',
        "other.json": b"{}",
    }
    hub.files |= extra
    assert pull().state == SUCCEEDED
    arrived = held(shelf)
    arrived.pop("manifest.json")
    assert arrived == tiny_files()
    assert [path for _, path, _ in hub.requests if "pickle" in path or path.endswith((".bin", ".py"))] == []


def test_a_connection_that_breaks_off_goes_on_where_it_was(hub: Hub, shelf: Path) -> None:
    hub.break_after[TRANSFORMER] = 150_000
    assert pull().state == SUCCEEDED
    assert hub.sent[TRANSFORMER] <= len(tiny_files()[TRANSFORMER]) + (1 << 16)
    ranges = [
        headers.get("Range") for verb, path, headers in hub.requests if verb == "GET" and TRANSFORMER in path
    ]
    assert ranges == [None, "bytes=131072-"]
    assert held(shelf)[TRANSFORMER] == tiny_files()[TRANSFORMER]


async def _cancelled_midway(manager: ModelManager, hub: Hub) -> models_pb2.ModelTask:
    task = await manager.start_pull("tiny")
    async with asyncio.timeout(120):
        while task.state == RUNNING and hub.sent[TRANSFORMER] < hub.hold_after[TRANSFORMER]:
            task = await manager.get_task(task.id, task.revision, 0.05)
    assert manager.busy
    return await manager.cancel_task(task.id)


def test_a_cancelled_download_goes_on_later(hub: Hub, shelf: Path) -> None:
    whole = len(tiny_files()[TRANSFORMER])
    hub.hold_after[TRANSFORMER] = 100_000

    async def work(manager: ModelManager) -> models_pb2.ModelTask:
        task = await _cancelled_midway(manager, hub)
        assert not manager.busy
        assert (await manager.cancel_task(task.id)).state == CANCELLED
        return task

    assert managed(work).state == CANCELLED
    assert not (shelf / "tiny").exists()
    (part,) = (shelf / ".incoming" / "tiny").rglob("*.part")
    kept = part.stat().st_size
    assert 0 < kept < whole
    (listed,) = [model for model in ModelManager().list() if model.name == "tiny"]
    assert (listed.installed, listed.source) == (False, "hub")
    assert listed.received_bytes >= kept

    hub.hold_after.clear()
    hub.sent.clear()
    assert pull().state == SUCCEEDED
    assert hub.sent[TRANSFORMER] == whole - kept
    assert hub.sent["text_encoder/model-00001-of-00002.safetensors"] == 0
    assert held(shelf)[TRANSFORMER] == tiny_files()[TRANSFORMER]


def test_pulling_twice_is_one_download(hub: Hub, shelf: Path) -> None:
    async def work(manager: ModelManager) -> models_pb2.ModelTask:
        first, second = await manager.start_pull("tiny"), await manager.start_pull("tiny")
        assert first.id == second.id
        return await ended(manager, second)

    assert managed(work).state == SUCCEEDED
    assert hub.sent[TRANSFORMER] == len(tiny_files()[TRANSFORMER])


@pytest.mark.parametrize("path", [TRANSFORMER, "vae/config.json"])
def test_a_flipped_byte_is_refused(hub: Hub, shelf: Path, path: str) -> None:
    hub.flipped.add(path)
    failure = refusal(shelf)
    assert failure.code == "pull-failed"
    assert path in failure.message
    assert not (shelf / "tiny").exists()
    hub.flipped.clear()
    pull_here("tiny", REPOSITORY, COMMIT, shelf)
    assert held(shelf)[path] == tiny_files()[path]


def test_more_bytes_than_stated_are_refused(hub: Hub, shelf: Path) -> None:
    hub.endless.add(TRANSFORMER)
    assert refusal(shelf).code == "pull-failed"
    assert not (shelf / "tiny").exists()
    sizes = [part.stat().st_size for part in (shelf / ".incoming").rglob("*.part")]
    assert all(size <= len(tiny_files()[TRANSFORMER]) for size in sizes)


LIES = {
    "a pickle": b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}",
    "cut off": safetensors(1000, 1)[:-10],
    "negative shape": (lambda head: len(head).to_bytes(8, "little") + head)(
        b'{"w":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}}'
    ),
    "overlap": (lambda head: len(head).to_bytes(8, "little") + head + bytes(6))(
        b'{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},'
        b'"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}'
    ),
}


@pytest.mark.parametrize("content", LIES.values(), ids=LIES.keys())
def test_a_published_file_that_is_no_safetensors_is_refused(hub: Hub, shelf: Path, content: bytes) -> None:
    hub.files[TRANSFORMER] = content
    assert refusal(shelf).code in ("not-safetensors", "model-file-damaged", "model-file-truncated")
    assert not (shelf / "tiny").exists()
    assert not (shelf / ".incoming" / "tiny").exists()


@pytest.mark.parametrize(("status", "word"), [(401, "401"), (403, "403"), (404, "no longer"), (500, "500")])
def test_what_the_hub_refuses_is_said(hub: Hub, shelf: Path, status: int, word: str) -> None:
    hub.status = status
    failure = refusal(shelf)
    assert failure.code == "pull-failed"
    assert failure.action
    assert word in failure.message


def test_a_revision_that_is_gone_is_said(hub: Hub, shelf: Path, at_revision: Callable[[str], None]) -> None:
    at_revision("0" * 40)
    task = pull()
    assert (task.state, task.failure.code) == (FAILED, "pull-failed")
    assert "no longer" in task.failure.message


def test_without_a_hub_it_says_so(hub: Hub, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    task = pull()
    assert (task.state, task.failure.code) == (FAILED, "pull-offline")
    assert task.failure.kind == types_pb2.FAILURE_KIND_MODEL
    assert pull("wan2.1-t2v-1.3b").failure.code == "pull-offline"
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert pull().failure.code == "pull-offline"


def test_an_entry_without_revision_is_held_to_its_first_pull(
    hub: Hub, shelf: Path, at_revision: Callable[[str], None]
) -> None:
    at_revision("")
    assert pull().state == SUCCEEDED
    before = read_manifest(shelf / "tiny")
    assert before is not None
    assert before.revision == COMMIT
    hub.commit = "d" * 40
    hub.files["vae/config.json"] = b'{"changed": true}'
    assert pull().state == SUCCEEDED
    assert read_manifest(shelf / "tiny") == before


def test_a_pull_mends_what_differs_and_takes_nothing_else(hub: Hub, shelf: Path) -> None:
    assert pull().state == SUCCEEDED
    damaged = shelf / "tiny" / TRANSFORMER
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\xff")
    (shelf / "tiny" / "vae" / "config.json").unlink()
    hub.sent.clear()
    assert pull().state == SUCCEEDED
    assert set(hub.sent) == {TRANSFORMER, "vae/config.json"}
    arrived = held(shelf)
    arrived.pop("manifest.json")
    assert arrived == tiny_files()
    hub.requests.clear()
    pull_here("tiny", REPOSITORY, COMMIT, shelf)
    assert hub.requests == []


def test_a_model_that_was_not_pulled_is_left_alone(hub: Hub, shelf: Path, folder: Path) -> None:
    shutil.copytree(folder, shelf / "tiny")
    before = held(shelf)
    assert pull().failure.code == "model-exists"
    assert held(shelf) == before


def test_a_name_that_is_not_published_is_refused(hub: Hub, shelf: Path) -> None:
    for name in ("shapes", "nobody", "../x", "someone/model"):
        with pytest.raises(ServiceError) as caught:
            pull(name)
        assert caught.value.code == "model-unknown"


class _Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_room_is_looked_at_before_anything_is_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(10**12, 0, 28 * 10**9))
    child.require_free(tmp_path, 27 * 10**9)
    with pytest.raises(ModelError) as caught:
        child.require_free(tmp_path, 28_928_887_859)
    assert caught.value.code == "disk-full"
    assert "29.5 GB" in caught.value.message


def test_the_process_ends_with_the_daemon(hub: Hub, shelf: Path) -> None:
    hub.hold_after[TRANSFORMER] = 100_000

    async def work() -> int:
        from flowanchor_daemon.models.tasks import _spawn

        process = await _spawn("pull", ("tiny", REPOSITORY, COMMIT))
        async with asyncio.timeout(120):
            while process.returncode is None and hub.sent[TRANSFORMER] < 100_000:
                await asyncio.sleep(0.02)
            assert process.stdin is not None
            process.stdin.close()  # all that is left of a daemon that was killed
            return await process.wait()

    assert asyncio.run(work()) == 1
