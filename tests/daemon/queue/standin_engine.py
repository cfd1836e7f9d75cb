# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the engine: it plays scripts instead of editing, and is strict about how it is used.

A script is a list of events, "crash", "hold" (until it is cancelled, suspended or let go), or
("write", name, content) for a file in the output folder.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import system_pb2, types_pb2
from flowanchor_daemon.engine.api import EngineCrashed, EngineFailed

Line = engine_pb2.Event | str | tuple[str, str, bytes] | Exception
Script = Sequence[Line]


def progress(step: int, fraction: float = 0.5) -> engine_pb2.Event:
    return engine_pb2.Event(
        progress=engine_pb2.Progress(phase="edit", step=step, total=10, fraction=fraction, memory_bytes=100)
    )


def checkpointed(step: int) -> engine_pb2.Event:
    return engine_pb2.Event(checkpointed=step)


def failed(code: str) -> engine_pb2.Event:
    return engine_pb2.Event(failed=types_pb2.Failure(code=code, message="It failed.", action="Do something."))


def success(content: bytes = b"frames") -> Script:
    done = engine_pb2.Done(result=types_pb2.EditResult(editor="flowanchor", frames=3))
    done.files.add(path="result.mkv")
    return [progress(1), ("write", "result.mkv", content), engine_pb2.Event(done=done)]


class StandInEngine:
    """Plays `scripts` one a run, then successes."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = list(scripts)
        self.runs: list[engine_pb2.Run] = []
        self.asked: list[tuple[str, str]] = []
        self.before_run: Callable[[engine_pb2.Run], None] = lambda run: None
        self.holding = asyncio.Event()
        self._release = asyncio.Event()
        self._answers: list[engine_pb2.Event] = []
        self._busy = False
        self.loaded_model = ""
        self.memory_bytes = 0
        self.pid: int | None = None
        self.state = system_pb2.ENGINE_STATE_STOPPED

    async def run(self, run: engine_pb2.Run, device: str) -> AsyncGenerator[engine_pb2.Event, None]:
        assert not self._busy, "two jobs at once"
        assert device == "auto"
        output = Path(run.output_folder)
        assert list(output.iterdir()) == []
        assert Path(run.clip.path).is_file()
        assert Path(run.checkpoint).parent.is_dir()
        self._busy = True
        self._answers.clear()
        self._release.clear()
        self.before_run(run)
        self.runs.append(engine_pb2.Run.FromString(run.SerializeToString()))
        try:
            for line in self.scripts.pop(0) if self.scripts else success():
                await asyncio.sleep(0)
                if self._answers:
                    yield self._of(run.job, self._answers[0])
                    return
                if isinstance(line, engine_pb2.Event):
                    yield self._of(run.job, line)
                elif isinstance(line, Exception):
                    raise line
                elif line == "crash":
                    raise EngineCrashed("signal SIGKILL")
                elif line == "hold":
                    self.holding.set()
                    await self._release.wait()
                    self._release.clear()
                    self.holding.clear()
                else:
                    assert isinstance(line, tuple)
                    (output / line[1]).write_bytes(line[2])
            if self._answers:
                yield self._of(run.job, self._answers[0])
        finally:
            self._busy = False

    @staticmethod
    def _of(job: str, event: engine_pb2.Event) -> engine_pb2.Event:
        made = engine_pb2.Event()
        made.CopyFrom(event)
        made.job = job
        return made

    def let_go(self) -> None:
        self._release.set()

    async def cancel(self, job: str) -> None:
        self.asked.append(("cancel", job))
        self._answers.append(engine_pb2.Event(cancelled=True))
        self._release.set()

    async def suspend(self, job: str) -> None:
        self.asked.append(("suspend", job))
        self._answers.append(engine_pb2.Event(suspended=True))
        self._release.set()

    async def load(self, model: str, device: str) -> None:
        raise EngineFailed(types_pb2.Failure(code="model-unknown"))

    async def unload(self) -> bool:
        return False

    async def close(self) -> None:
        self._release.set()
