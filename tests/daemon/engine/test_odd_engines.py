# SPDX-License-Identifier: Apache-2.0
"""Engines that do not behave: the queue goes on all the same."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import system_pb2
from flowanchor_daemon.engine.local import EngineCrashed, EngineFailed, LocalEngine

from tests.daemon.engine.helpers import gone, make_run

Do = Callable[[Coroutine[Any, Any, Any]], Any]

PLAYED = """#!{python}
import os, signal, socket, sys
sys.path[:] = {path!r}
from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import types_pb2
from flowanchor_daemon.engine import framing
from flowanchor_daemon.program import engine_protocol
daemon = socket.socket(fileno=0)
def say(**what):
    framing.send(daemon, engine_pb2.Event(**what))
def hear():
    return framing.receive(daemon, engine_pb2.Command)
say(hello=engine_pb2.Hello(pid=os.getpid(), device="cpu", program=engine_protocol()))
{lines}
"""


@pytest.fixture
def playing(tmp_path: Path) -> Callable[..., LocalEngine]:
    """An engine whose process does what the given lines say, after its hello."""

    def make(lines: str, cancel_seconds: float = 120.0) -> LocalEngine:
        script = tmp_path / "python"
        script.write_text(PLAYED.format(python=sys.executable, path=sys.path, lines=lines))
        script.chmod(0o700)
        return LocalEngine(tmp_path / "engine.log", -1, python=str(script), cancel_seconds=cancel_seconds)

    return make


def test_a_job_that_does_not_stop_when_cancelled_ends_with_its_process(
    do: Do, playing: Callable[..., LocalEngine], clip: Path, model: Path, tmp_path: Path
) -> None:
    engine = playing(
        "job = hear().run.job\nsay(job=job, checkpointed=1)\nos.kill(os.getpid(), signal.SIGSTOP)",
        cancel_seconds=0.2,
    )

    async def cancel() -> None:
        async for _ in engine.run(make_run("job", model, clip, tmp_path / "out"), "cpu"):
            assert engine.pid is not None
            pids.append(engine.pid)
            await engine.cancel("job")

    pids: list[int] = []
    with pytest.raises(EngineCrashed, match="signal SIGKILL"):
        do(cancel())
    assert do(gone(pids[0]))
    assert engine.state == system_pb2.ENGINE_STATE_STOPPED


def test_a_cancel_that_is_answered_leaves_the_process(
    do: Do, playing: Callable[..., LocalEngine], clip: Path, model: Path, tmp_path: Path
) -> None:
    engine = playing(
        "while (command := hear()) is not None:\n"
        "    if command.HasField('run'): say(job=command.run.job, checkpointed=1)\n"
        "    else: say(job=command.cancel, cancelled=True)\n"
    )

    async def cancel() -> None:
        try:
            async for _ in engine.run(make_run("job", model, clip, tmp_path / "out"), "cpu"):
                await engine.cancel("job")
            assert engine._deadline is None
            assert engine.pid is not None
        finally:
            await engine.close()

    do(cancel())


@pytest.mark.skipif(not hasattr(signal, "SIGRTMIN"), reason="no such signals")
def test_an_engine_ended_by_a_signal_without_a_name_is_a_crash(
    do: Do, playing: Callable[..., LocalEngine], clip: Path, model: Path, tmp_path: Path
) -> None:
    number = signal.SIGRTMIN + 5
    engine = playing(f"hear()\nos.kill(os.getpid(), {int(number)})")

    async def run() -> list[engine_pb2.Event]:
        return [event async for event in engine.run(make_run("job", model, clip, tmp_path / "out"), "cpu")]

    with pytest.raises(EngineCrashed, match=f"signal {int(number)}"):
        do(run())


def test_a_load_is_not_answered_for_by_one_that_was_given_up(
    do: Do, playing: Callable[..., LocalEngine]
) -> None:
    engine = playing(
        "first = hear().load\nsay(job='else', loaded='heard')\nsecond = hear().load\n"
        "say(job=first.id, loaded=first.model)\n"
        "say(job=second.id, failed=types_pb2.Failure(code='model-load'))\nhear()"
    )

    async def load() -> None:
        try:
            given_up = asyncio.create_task(engine.load("shapes", "cpu"))
            while engine.loaded_model != "heard":
                await asyncio.sleep(0.01)
            given_up.cancel()
            await asyncio.wait((given_up,))
            with pytest.raises(EngineFailed, match="model-load"):
                await engine.load("second", "cpu")
            assert engine.loaded_model == "shapes"
        finally:
            await engine.close()

    do(load())


def test_the_process_answers_a_load_under_its_id(do: Do, environment: dict[str, str], tmp_path: Path) -> None:
    engine = LocalEngine(tmp_path / "engine.log", -1, environment=environment)

    async def load() -> None:
        try:
            await engine.load("shapes", "cpu")
            assert engine.loaded_model == "shapes"
            with pytest.raises(EngineFailed):
                await engine.load("nobody", "cpu")
        finally:
            await engine.close()

    do(load())
