# SPDX-License-Identifier: Apache-2.0
"""Real daemons for tests: started, called and ended as processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc
import psutil
from flowanchor.rendezvous import API_KEY, TOKEN_KEY, Discovery, bearer, format_api
from flowanchor.v1 import jobs_pb2_grpc, media_pb2_grpc, models_pb2_grpc, system_pb2_grpc, types_pb2
from flowanchor_daemon.errors.details import DETAILS_KEY
from grpc_health.v1 import health_pb2_grpc

from tests.source_tree import PYTHONPATH

SECONDS = 120.0
"""How long a test waits for anything; far beyond what a busy machine takes."""

Value = TypeVar("Value")


def until(look: Callable[[], Value | None], what: str, seconds: float = SECONDS) -> Value:
    """Wait for `look` to give something true, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s")
        time.sleep(0.01)
    return found


def gone(pid: int) -> bool:
    """Whether a process has ended, also when nobody has asked for its exit code yet."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


@contextmanager
def standing_still(pid: int) -> Iterator[None]:
    """A process that does nothing for a while, so that what it does cannot end before the test is done."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def failure_of(error: grpc.RpcError) -> types_pb2.Failure:
    """The failure in the details of a call that failed."""
    metadata: Any = error.trailing_metadata() or ()
    for packed in types_pb2.StatusDetails.FromString(dict(metadata).get(DETAILS_KEY, b"")).details:
        if packed.type_url.endswith("/flowanchor.v1.Failure"):
            return types_pb2.Failure.FromString(packed.value)
    raise AssertionError(f"no failure in the details of {error!r}")


class Caller(AbstractContextManager["Caller"]):
    """Stubs on a channel of their own. `metadata` goes with each call: pass it on (`stub.Get(request,
    metadata=caller.metadata)`)."""

    def __init__(
        self,
        address: str,
        token: str | None,
        api: str | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        options: Sequence[tuple[str, Any]] = (),
    ) -> None:
        if credentials is None:
            self.channel = grpc.insecure_channel(address, options=list(options))
        else:
            self.channel = grpc.secure_channel(address, credentials, options=list(options))
        self.metadata: tuple[tuple[str, str | bytes], ...] = (
            *([] if token is None else [(TOKEN_KEY, bearer(token))]),
            *([] if api is None else [(API_KEY, api)]),
        )
        self.jobs = jobs_pb2_grpc.JobsStub(self.channel)
        self.media = media_pb2_grpc.MediaStub(self.channel)
        self.models = models_pb2_grpc.ModelsStub(self.channel)
        self.system = system_pb2_grpc.SystemStub(self.channel)
        self.health: Any = health_pb2_grpc.HealthStub(self.channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.channel.close()


@dataclass
class RunningDaemon:
    """A daemon's process and its folders. It may have ended, or never have served."""

    process: subprocess.Popen[bytes]
    environment: Mapping[str, str]
    output: Path
    """Its standard output and error."""
    discovery: Discovery | None = None
    started: float = field(default_factory=time.monotonic)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def runtime(self) -> Path:
        return Path(self.environment["FLOWANCHOR_RUNTIME"])

    @property
    def state(self) -> Path:
        return Path(self.environment["FLOWANCHOR_STATE"])

    @property
    def token(self) -> str:
        assert self.discovery is not None
        return self.discovery.token

    @property
    def address(self) -> str:
        assert self.discovery is not None
        return self.discovery.address

    @property
    def log(self) -> str:
        return (self.state / "logs" / "daemon.log").read_text(encoding="utf-8")

    @property
    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def engine_pid(self) -> int | None:
        """Process of the engine, found among the daemon's children; None without one."""
        for child in psutil.Process(self.pid).children():
            if any("flowanchor_daemon.engine" in part for part in child.cmdline()):
                return child.pid
        return None

    def call(self, **options: Any) -> Caller:
        """A caller with the daemon's token; see `Caller`."""
        options = {"address": self.address, "token": self.token, "api": format_api(), **options}
        return Caller(**options)

    def serves(self) -> bool:
        """Whether the discovery file is this process's."""
        found = Discovery.read(self.runtime)
        if found is not None and found.pid == self.pid:
            self.discovery = found
        return self.discovery is not None

    def wait_until_it_serves(self) -> Self:
        def look() -> bool:
            assert self.process.poll() is None, (
                f"the daemon ended with {self.process.returncode}: {self.said}"
            )
            # It says where it serves after the log has it, which tests read.
            return self.serves() and "Serving on" in self.said

        until(look, "the daemon serves")
        return self

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """As by `kill -9`; its engine, which the system does not end with it, is waited for."""
        engine = self.engine_pid()
        self.process.kill()
        self.process.wait(SECONDS)
        if engine is not None:
            until(lambda: gone(engine), "the engine of a killed daemon ends")

    def stop(self) -> int:
        """Ask it to end (SIGTERM); its exit code."""
        self.process.terminate()
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; its exit code."""
        return self.process.wait(SECONDS)


class Daemons:
    """Starts daemons for one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._all: list[RunningDaemon] = []
        # Short: a Unix socket's path has to fit into about a hundred bytes.
        self._runtimes = [Path(tempfile.mkdtemp(prefix="fa-"))]
        self.environment = {
            **os.environ,
            "PYTHONPATH": PYTHONPATH,
            "FLOWANCHOR_RUNTIME": str(self._runtimes[0]),
            "FLOWANCHOR_STATE": str(folder / "state"),
            "FLOWANCHOR_CACHE": str(folder / "cache"),
            "FLOWANCHOR_MODELS": str(folder / "models"),
            "OMP_NUM_THREADS": "1",
        }

    def __call__(
        self, *arguments: str, environment: Mapping[str, str] | None = None, wait: bool = True
    ) -> RunningDaemon:
        """Start a daemon with `arguments` of `serve` and return it when it serves, or at once without `wait`.

        All daemons of a test share their folders unless `environment` says otherwise.
        """
        output = self.folder / f"daemon-{len(self._all)}.out"
        used = {**self.environment, **(environment or {})}
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "flowanchor_daemon.serve", *arguments],
                env=used,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
        started = RunningDaemon(process, used, output)
        self._all.append(started)
        return started.wait_until_it_serves() if wait else started

    def runtime(self) -> str:
        """Another short folder for FLOWANCHOR_RUNTIME."""
        self._runtimes.append(Path(tempfile.mkdtemp(prefix="fa-")))
        return str(self._runtimes[-1])

    def close(self) -> None:
        """End what still runs, engines included."""
        for running in self._all:
            if running.process.poll() is None:
                running.kill()
        for folder in self._runtimes:
            shutil.rmtree(folder, ignore_errors=True)
