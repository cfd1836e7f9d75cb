# SPDX-License-Identifier: Apache-2.0
"""An engine process beside the daemon: started on demand, watched, ended after a while without work."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import system_pb2

from flowanchor_daemon.engine.api import Engine, EngineCrashed, EngineFailed
from flowanchor_daemon.engine.process import EngineProcess
from flowanchor_daemon.errors import ServiceError

__all__ = ["Engine", "EngineCrashed", "EngineFailed", "LocalEngine"]

KEEP_ALIVE_SECONDS = 300.0
START_SECONDS = 120.0
CANCEL_SECONDS = 30.0
"""How long a job that is cancelled, or that nobody follows any more, may take to stop; then its process is
ended."""

_LAST_EVENTS = frozenset({"done", "failed", "cancelled", "suspended"})


class LocalEngine(Engine):
    """See `Engine`.

    Args:
        log: file the process's output goes to.
        keep_alive: seconds after which an idle process is ended: 0 at once, negative never.
        environment: of the process; default: this one's.
        python: the interpreter it runs in; default: this one.
        start_seconds: how long its start may take.
        cancel_seconds: how long a job may take to stop once it is cancelled; then the process is ended.
    """

    def __init__(
        self,
        log: Path,
        keep_alive: float = KEEP_ALIVE_SECONDS,
        *,
        environment: Mapping[str, str] | None = None,
        python: str = sys.executable,
        start_seconds: float = START_SECONDS,
        cancel_seconds: float = CANCEL_SECONDS,
    ) -> None:
        self._log = log
        self._keep_alive = keep_alive
        self._environment = environment
        # -P: nothing is imported from the folder the daemon was started in.
        self._argv = (python, "-P", "-m", "flowanchor_daemon.engine")
        self._start_seconds = start_seconds
        self._cancel_seconds = cancel_seconds
        self._process: EngineProcess | None = None
        self._state: system_pb2.EngineState.ValueType = system_pb2.ENGINE_STATE_STOPPED
        self._working = False
        self._job = ""
        self._asked: list[engine_pb2.Command] = []
        """What was asked of the job before the process had it."""
        self._unwanted = asyncio.Event()
        """The process is not waited for any more."""
        self._given = False
        self._loaded = ""
        self._device_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        """Of the job that is being cancelled."""
        self._killing: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()
        """Held while a process is started or ended."""

    @property
    def state(self) -> system_pb2.EngineState.ValueType:
        if self._process is not None and self._process.gone and not self._working:
            return system_pb2.ENGINE_STATE_STOPPED
        return self._state

    @property
    def loaded_model(self) -> str:
        return self._loaded if self._alive else ""

    @property
    def memory_bytes(self) -> int:
        """As in `Engine`; of a GPU's memory the most that the last job had allocated, which torch keeps."""
        if self._process is None:
            return 0
        resident = self._process.resident_bytes
        return resident + self._device_bytes if resident else 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self._alive else None

    @property
    def _alive(self) -> bool:
        return self._process is not None and self._process.alive

    async def run(self, run: engine_pb2.Run, device: str) -> AsyncGenerator[engine_pb2.Event, None]:
        command = engine_pb2.Command(run=run)
        command.run.edit.device = device
        with self._work(run.job):
            process = await self._ready_if_wanted()
            if process is None:
                yield self._answer(run.job)
                return
            await process.send(command)
            self._given = True
            for asked in self._asked:
                await self._pass_on(process, asked)
            ended = False
            try:
                while not ended:
                    event = await self._next(process)
                    if event.job != run.job:
                        continue
                    ended = event.WhichOneof("event") in _LAST_EVENTS
                    yield event
            finally:
                if not ended:
                    await asyncio.shield(asyncio.ensure_future(self._abandon(process, run.job)))

    async def cancel(self, job: str) -> None:
        await self._tell(job, engine_pb2.Command(cancel=job))

    async def suspend(self, job: str) -> None:
        await self._tell(job, engine_pb2.Command(suspend=job))

    async def load(self, model: str, device: str) -> None:
        with self._work(""):
            process = await self._ready_if_wanted()
            if process is None:
                raise EngineCrashed("the daemon has ended it")
            # An earlier load that its caller gave up may still go on; its answer comes first.
            load = engine_pb2.Load(model=model, device=device, id=uuid.uuid4().hex)
            await process.send(engine_pb2.Command(load=load))
            while True:
                event = await self._next(process)
                if event.job != load.id:
                    continue
                if event.HasField("failed"):
                    raise EngineFailed(event.failed)
                if event.HasField("loaded"):
                    return

    async def unload(self) -> bool:
        if self._working:
            raise ServiceError("engine-busy")
        async with self._lock:
            if self._working:  # it began while the last end or start went on
                raise ServiceError("engine-busy")
            return await self._end()

    async def close(self) -> None:
        self._stop_timer()
        self._unwanted.set()
        async with self._lock:
            await self._end()

    @contextmanager
    def _work(self, job: str) -> Generator[None, None, None]:
        """Take the engine for one job or load; ServiceError "engine-busy" when it is taken."""
        if self._working:
            raise ServiceError("engine-busy")
        self._working, self._job, self._given, self._asked = True, job, False, []
        self._unwanted = asyncio.Event()
        self._stop_timer()
        try:
            yield
        finally:
            self._working, self._job = False, ""
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None
            self._state = system_pb2.ENGINE_STATE_IDLE if self._alive else system_pb2.ENGINE_STATE_STOPPED
            if self._alive:
                self._start_timer()

    async def _ready_if_wanted(self) -> EngineProcess | None:
        """The process, started if there is none. None when the job was stopped before it was there: a start
        takes many seconds on a busy machine, and nobody has to wait for what is not needed."""
        start = asyncio.ensure_future(self._ready())
        stop = asyncio.ensure_future(self._unwanted.wait())
        try:
            await asyncio.wait((start, stop), return_when=asyncio.FIRST_COMPLETED)
            return start.result() if start.done() else None
        finally:
            stop.cancel()
            if not start.done():
                start.cancel()
                await asyncio.wait((start,))

    def _answer(self, job: str) -> engine_pb2.Event:
        """What becomes of a job that was stopped before the process had it."""
        if any(asked.HasField("cancel") for asked in self._asked):
            return engine_pb2.Event(job=job, cancelled=True)
        return engine_pb2.Event(job=job, suspended=True)

    async def _ready(self) -> EngineProcess:
        """The process, started if there is none."""
        async with self._lock:
            if not self._alive:
                await self._end()
                self._state = system_pb2.ENGINE_STATE_STARTING
                environment = dict(os.environ if self._environment is None else self._environment)
                environment.setdefault("OMP_WAIT_POLICY", "passive")
                self._process = await EngineProcess.start(
                    self._argv, environment, self._log, self._start_seconds
                )
            self._state = system_pb2.ENGINE_STATE_BUSY
            assert self._process is not None
            return self._process

    async def _next(self, process: EngineProcess) -> engine_pb2.Event:
        event = await process.next_event()
        if event.HasField("loaded"):
            self._loaded = event.loaded
        elif event.HasField("progress") and process.device.startswith("cuda"):
            self._device_bytes = event.progress.memory_bytes
        return event

    async def _tell(self, job: str, command: engine_pb2.Command) -> None:
        if not job or job != self._job:
            return
        if self._given and self._process is not None:
            await self._pass_on(self._process, command)
        else:
            self._asked.append(command)
            self._unwanted.set()

    async def _pass_on(self, process: EngineProcess, command: engine_pb2.Command) -> None:
        """Send what is asked of the running job; a cancel that brings no last event ends the process, or it
        would keep every other job waiting."""
        if command.HasField("cancel") and self._deadline is None:
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(self._cancel_seconds, self._kill, process)
        await process.send(command)

    def _kill(self, process: EngineProcess) -> None:
        self._killing = asyncio.ensure_future(process.end())

    async def _abandon(self, process: EngineProcess, job: str) -> None:
        """Stop a job whose events nobody takes any more, so that the engine is free for the next."""
        if not process.alive:
            return
        await process.send(engine_pb2.Command(cancel=job))
        try:
            async with asyncio.timeout(self._cancel_seconds):
                while True:
                    event = await self._next(process)
                    if event.job == job and event.WhichOneof("event") in _LAST_EVENTS:
                        return
        except EngineCrashed:
            return
        except TimeoutError:
            await process.end()

    async def _end(self) -> bool:
        """End the process, if there is one. Called with the lock held."""
        process = self._process
        if process is None:
            return False
        was_alive = process.alive
        await process.end()
        self._process = None
        self._loaded, self._device_bytes = "", 0
        self._state = system_pb2.ENGINE_STATE_STOPPED
        return was_alive

    def _start_timer(self) -> None:
        if self._keep_alive >= 0:
            # Also at 0 not before the loop's next round: a job that follows at once keeps the model.
            self._timer = asyncio.get_running_loop().call_later(self._keep_alive, self._expire)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        self._ending = asyncio.ensure_future(self._end_if_idle())

    async def _end_if_idle(self) -> None:
        async with self._lock:
            if not self._working:
                await self._end()
