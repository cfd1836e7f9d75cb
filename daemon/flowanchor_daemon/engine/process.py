# SPDX-License-Identifier: Apache-2.0
"""One engine process, from its start to its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil
from flowanchor.engine.v1 import engine_pb2

from flowanchor_daemon.engine import framing
from flowanchor_daemon.engine.api import EngineCrashed, EngineFailed
from flowanchor_daemon.errors import ServiceError, to_failure
from flowanchor_daemon.program import engine_protocol

END_SECONDS = 5.0
"""How long a process may take to end when asked to, before it is killed."""

_LOG_BYTES = 4 << 20
_LAST_LINES = 3
_LAST_CHARACTERS = 600


class EngineProcess:
    """A process that has said hello. Make one with `start`."""

    def __init__(self, process: Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._process, self._reader, self._writer = process, reader, writer
        # Read by a task of its own: a caller who is cancelled cannot tear a message in two.
        self._events: asyncio.Queue[engine_pb2.Event | framing.FramingError | None] = asyncio.Queue()
        self._listening = asyncio.create_task(self._listen())
        self.device = ""

    @classmethod
    async def start(
        cls, argv: Sequence[str], environment: Mapping[str, str], log: Path, seconds: float
    ) -> EngineProcess:
        """Start a process and wait for its hello.

        Args:
            log: file its output is added to.
            seconds: how long the start may take.

        Raises:
            EngineFailed: "engine-start-failed", with how it ended and its last words; "engine-updated" if an
                update has put another program in this one's place.
            EngineCrashed: a signal ended it, which says nothing about the next start.
        """
        try:
            _rotate(log)
            with open(log, "ab", opener=_private) as output:
                spoken = output.tell()
                started = await cls._spawn(argv, environment, output.fileno())
        except (OSError, ValueError) as failure:
            raise _failed(f"it cannot be run: {failure}") from failure
        try:
            hello = (await asyncio.wait_for(started.next_event(), seconds)).hello
        except TimeoutError:
            await started.end()
            raise _failed(f"it did not answer within {seconds:g} seconds", _last_words(log, spoken)) from None
        except EngineCrashed as crash:
            if started.was_killed:
                raise
            raise _failed(str(crash), _last_words(log, spoken)) from None
        except BaseException:
            # It holds nothing yet that would be worth an orderly end, and while it imports torch it may be
            # long until it hears a signal that asks for one.
            await started.end(at_once=True)
            raise
        if hello.program != engine_protocol():
            await started.end()
            raise EngineFailed(to_failure(ServiceError("engine-updated")))
        started.device = hello.device
        return started

    @classmethod
    async def _spawn(cls, argv: Sequence[str], environment: Mapping[str, str], output: int) -> EngineProcess:
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *argv,
                    stdin=theirs.fileno(),
                    stdout=output,
                    stderr=output,
                    env=dict(environment),
                    # Ctrl-C in the daemon's terminal is for the daemon, which ends the engine itself.
                    start_new_session=True,
                )
            return cls(process, *await asyncio.open_connection(sock=ours))
        except BaseException:
            ours.close()  # which ends the process, if there is one
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None and not self._listening.done()

    @property
    def gone(self) -> bool:
        """The process has ended and its memory is free."""
        return self._process.returncode is not None

    @property
    def was_killed(self) -> bool:
        """A signal has ended the process, not its own code."""
        return (self._process.returncode or 0) < 0

    @property
    def resident_bytes(self) -> int:
        """Main memory it holds; 0 when it has gone."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.Error:
            return 0

    async def send(self, command: engine_pb2.Command) -> None:
        """Give a command. That nobody is there to take it shows in `next_event`."""
        with contextlib.suppress(ConnectionError):
            await framing.write(self._writer, command)

    async def next_event(self) -> engine_pb2.Event:
        """Raises EngineCrashed when the process has ended."""
        event = await self._events.get()
        if isinstance(event, engine_pb2.Event):
            return event
        self._events.put_nowait(event)  # for whoever asks again
        how = await self._ending()
        raise EngineCrashed(how if event is None else f"{event}; {how}")

    async def _listen(self) -> None:
        last = None
        try:
            while (event := await framing.read(self._reader, engine_pb2.Event)) is not None:
                self._events.put_nowait(event)
        except framing.FramingError as failure:
            last = failure
        self._events.put_nowait(last)

    async def _ending(self) -> str:
        """How the process ended, now that its end of the socket is closed, such as "signal SIGKILL"."""
        try:
            code = await asyncio.wait_for(self._process.wait(), END_SECONDS)
        except TimeoutError:
            await self.end()
            return "it broke the connection"
        await self.end()
        if code < 0:
            return f"signal {_signal_name(-code)}"
        return f"exit code {code}"

    async def end(self, at_once: bool = False) -> None:
        """End the process whatever it does; when this returns it is gone and its memory free. `at_once`: it
        is not asked first."""
        # Shielded, so that a caller who is cancelled leaves no process behind.
        await asyncio.shield(asyncio.ensure_future(self._end(at_once)))

    async def _end(self, at_once: bool) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                if at_once:
                    self._process.kill()
                else:
                    self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), END_SECONDS)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
                await self._process.wait()
        self._listening.cancel()
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # the real-time ones between the first and the last have none
        return str(number)


def _failed(reason: str, words: str = "") -> EngineFailed:
    said = f" Its last words: {words}" if words else ""
    failure = ServiceError("engine-start-failed", f"The engine process could not be started: {reason}.{said}")
    return EngineFailed(to_failure(failure))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _last_words(log: Path, offset: int) -> str:
    """What the process added to the log last, on one line."""
    with log.open("rb") as file:
        file.seek(max(offset, log.stat().st_size - 4096))
        lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines()]
    return " / ".join([line for line in lines if line][-_LAST_LINES:])[:_LAST_CHARACTERS]


def _rotate(log: Path) -> None:
    """Begin a new log when this one has grown large; the one before it is kept."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_name(log.name + ".1"))
