# SPDX-License-Identifier: Apache-2.0
"""Downloads and checks that run: a child process each, followed by its lines, ended by a signal."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
import sys
import time
import uuid
from collections.abc import Sequence
from typing import Any

from flowanchor.v1 import models_pb2

from flowanchor_core.errors import ModelError
from flowanchor_daemon.errors import ServiceError, to_failure

_log = logging.getLogger(__name__)
_TERMINATE_SECONDS = 5.0
_FOLLOWS_SECONDS = 45.0
"""So long after its last question somebody counts as a follower of a task; questions wait for up to 30."""
_NAMES = {models_pb2.MODEL_TASK_KIND_PULL: "pull", models_pb2.MODEL_TASK_KIND_VERIFY: "verify"}
_HUB_SETTINGS = {
    "HF_HUB_DISABLE_XET": "1",  # plain HTTP: a broken download goes on at the byte where it was
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",  # the user's hub token stays at home
}


class Tasks:
    """All tasks since the daemon began. For the event loop's thread only."""

    def __init__(self) -> None:
        self._tasks: dict[str, _Task] = {}
        self._revisions = itertools.count(1)

    def start(
        self,
        kind: models_pb2.ModelTaskKind.ValueType,
        model: str,
        arguments: Sequence[str],
        follower: str = "",
    ) -> models_pb2.ModelTask:
        """Begin a task on `model`, or join the one of that kind that is running, as `follower`."""
        for task in self._tasks.values():
            if task.running and (task.state.kind, task.state.model) == (kind, model):
                task.follow(follower)
                return task.snapshot()
        begun = _Task(kind, model, self._revisions)
        self._tasks[begun.state.id] = begun
        begun.follow(follower)
        begun.runner = asyncio.create_task(begun.run(arguments))
        return begun.snapshot()

    async def get(
        self, task: str, since: int = 0, wait: float = 0.0, follower: str = ""
    ) -> models_pb2.ModelTask:
        """A task as it is, after waiting up to `wait` seconds for a revision beyond `since`.

        Raises:
            ServiceError: "task-unknown".
        """
        found = self._find(task)
        found.follow(follower)
        if wait > 0:
            await found.wait_beyond(since, wait)
        return found.snapshot()

    async def cancel(self, task: str, follower: str = "") -> models_pb2.ModelTask:
        """End a task; harmless when it has ended. With a `follower` it goes on while others follow it.
        ServiceError "task-unknown"."""
        found = self._find(task)
        if not found.leave(follower):
            await found.cancel()
        return found.snapshot()

    @property
    def busy(self) -> bool:
        return any(task.running for task in self._tasks.values())

    async def close(self) -> None:
        """End all tasks; what has been downloaded stays."""
        await asyncio.gather(*(task.cancel() for task in self._tasks.values()))

    def _find(self, task: str) -> _Task:
        if task not in self._tasks:
            raise ServiceError("task-unknown")
        return self._tasks[task]


class _Task:
    def __init__(
        self, kind: models_pb2.ModelTaskKind.ValueType, model: str, revisions: itertools.count[int]
    ) -> None:
        self.state = models_pb2.ModelTask(
            id=uuid.uuid4().hex, kind=kind, model=model, state=models_pb2.MODEL_TASK_STATE_RUNNING
        )
        self.runner: asyncio.Task[None] | None = None
        self._revisions = revisions
        self._changed = asyncio.Condition()
        self._process: asyncio.subprocess.Process | None = None
        self._cancelled = False
        self._followers: dict[str, float] = {}
        self._pace: tuple[float, int] | None = None
        self.state.revision = next(revisions)

    @property
    def running(self) -> bool:
        return self.state.state == models_pb2.MODEL_TASK_STATE_RUNNING

    def snapshot(self) -> models_pb2.ModelTask:
        copy = models_pb2.ModelTask()
        copy.CopyFrom(self.state)
        return copy

    def follow(self, follower: str) -> None:
        """Note that somebody follows the task now; nobody who has no name."""
        now = time.monotonic()
        self._followers = {name: at for name, at in self._followers.items() if now - at < _FOLLOWS_SECONDS}
        if follower:
            self._followers[follower] = now

    def leave(self, follower: str) -> bool:
        """Whether others follow the task when this one does no more; False for one without a name."""
        self.follow("")
        self._followers.pop(follower, None)
        return bool(follower and self._followers)

    async def wait_beyond(self, since: int, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: self.state.revision > since)
        except TimeoutError:
            return

    async def cancel(self) -> None:
        if not self.running or self.runner is None:
            return
        self._cancelled = True
        if self._process is not None:
            _signal(self._process, kill=False)
        done, _ = await asyncio.wait({self.runner}, timeout=_TERMINATE_SECONDS)
        if not done and self._process is not None:
            _signal(self._process, kill=True)
        await asyncio.wait({self.runner})

    async def run(self, arguments: Sequence[str]) -> None:
        """Follow the process to its end. Whatever happens, the task has a final state afterwards."""
        name = _NAMES[self.state.kind]
        failure: Exception = ModelError(f"{name}-failed", "It ended unexpectedly.", "Try again.")
        succeeded = False
        try:
            self._process = await _spawn(name, arguments)
            if self._cancelled:
                _signal(self._process, kill=False)
            told, errors, status = await asyncio.gather(
                self._follow(self._process), _tail(self._process), self._process.wait()
            )
            succeeded = status == 0 and told.get("event") == "done"
            if told.get("event") == "failed":
                failure = ModelError(told["code"], told["message"], told["action"])
            elif not succeeded and not self._cancelled:
                _log.error("%s of %s ended with status %s: %s", name, self.state.model, status, errors)
        except OSError as error:
            failure = ModelError(f"{name}-failed", f"It could not begin ({error.strerror}).", "Try again.")
        finally:
            self.state.ClearField("seconds_left")
            if succeeded:
                self.state.done_bytes = self.state.total_bytes
                self.state.state = models_pb2.MODEL_TASK_STATE_SUCCEEDED
            elif self._cancelled:
                self.state.state = models_pb2.MODEL_TASK_STATE_CANCELLED
            else:
                self.state.state = models_pb2.MODEL_TASK_STATE_FAILED
                self.state.failure.CopyFrom(to_failure(failure))
            await self._tell()

    async def _follow(self, process: asyncio.subprocess.Process) -> dict[str, Any]:
        """Take in the process's lines; its last word, {} if it had none."""
        assert process.stdout is not None
        last: dict[str, Any] = {}
        async for line in process.stdout:
            event = json.loads(line)
            if event["event"] != "progress":
                last = event
                continue
            self.state.file = event["file"]
            self.state.done_bytes, self.state.total_bytes = event["done"], event["total"]
            self._estimate()
            await self._tell()
        return last

    def _estimate(self) -> None:
        """Seconds left at the pace since the first progress: what an earlier pull brought says nothing."""
        now, done = time.monotonic(), self.state.done_bytes
        if self._pace is None:
            self._pace = (now, done)
        began, before = self._pace
        if done > before and now > began:
            self.state.seconds_left = (self.state.total_bytes - done) * (now - began) / (done - before)

    async def _tell(self) -> None:
        async with self._changed:
            self.state.revision = next(self._revisions)
            self._changed.notify_all()


async def _spawn(name: str, arguments: Sequence[str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # nothing is imported from the folder the daemon was started in
        "-m",
        f"flowanchor_daemon.models.{name}",
        *arguments,
        stdin=asyncio.subprocess.PIPE,  # held open: its end tells the child that the daemon is gone
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **_HUB_SETTINGS, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,  # Ctrl-C at the daemon's terminal is the daemon's to handle
    )


async def _tail(process: asyncio.subprocess.Process, keep: int = 2000) -> str:
    """The end of what the process says on its standard error."""
    assert process.stderr is not None
    last = b""
    while block := await process.stderr.read(1 << 16):
        last = (last + block)[-keep:]
    return last.decode(errors="replace")


def _signal(process: asyncio.subprocess.Process, kill: bool) -> None:
    try:
        process.kill() if kill else process.terminate()
    except ProcessLookupError:  # it has just ended by itself
        return
