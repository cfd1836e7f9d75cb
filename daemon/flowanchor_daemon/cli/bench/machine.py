# SPDX-License-Identifier: Apache-2.0
"""A real daemon with folders of its own, to be measured."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import psutil
from flowanchor import rendezvous
from flowanchor.rendezvous import Discovery
from flowanchor.v1 import media_pb2_grpc
from flowanchor_client import Client

START_SECONDS = 60.0


class Machine:
    """A daemon with folders in `folder`, started and ended at will."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runtime = folder / "run"  # `folder` is short enough for a socket's path
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = {
            **os.environ,
            "FLOWANCHOR_RUNTIME": str(self.runtime),
            "FLOWANCHOR_STATE": str(folder / "state"),
            "FLOWANCHOR_CACHE": str(folder / "cache"),
            "FLOWANCHOR_MODELS": str(folder / "models"),
            # As this process has it, however that came about.
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }

    def start(self) -> tuple[float, Client]:
        """Start a daemon: seconds from its spawn to its first answer, and a client of it."""
        line = [sys.executable, "-m", "flowanchor_daemon.serve", "--idle-exit", "-1", "--keep-alive", "-1"]
        log = self.folder / "daemon.out"
        with log.open("ab") as output:
            begun = time.perf_counter()
            process = subprocess.Popen(
                line, env=self._environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        self._process = process
        while (found := self._serving(process.pid)) is None:
            if process.poll() is not None or time.perf_counter() - begun > START_SECONDS:
                raise RuntimeError(f"the daemon did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.002)
        client = Client.connect(start=False, client="bench", address=found.address, token=found.token)
        return time.perf_counter() - begun, client

    def stop(self) -> None:
        """End the daemon, its engine with it; harmless if there is none."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def memory(self) -> dict[str, int]:
        """Bytes of the daemon's own process: resident; proportional and unique where the system tells."""
        assert self._process is not None
        full = psutil.Process(self._process.pid).memory_full_info()
        return {name: getattr(full, name) for name in ("rss", "pss", "uss") if hasattr(full, name)}

    def processor(self) -> float:
        """Seconds of processor time that daemon, engine and this process have taken since their starts."""
        assert self._process is not None
        daemon = psutil.Process(self._process.pid)
        times = [one.cpu_times() for one in (daemon, *daemon.children(), psutil.Process())]
        return sum(one.user + one.system for one in times)

    @contextmanager
    def stubs(self) -> Iterator[tuple[media_pb2_grpc.MediaStub, tuple[tuple[str, str | bytes], ...]]]:
        """The media service for streams, and the metadata of its calls."""
        found = Discovery.read(self.runtime)
        assert found is not None
        metadata = ((rendezvous.TOKEN_KEY, rendezvous.bearer(found.token)),)
        with grpc.insecure_channel(found.address) as channel:
            yield media_pb2_grpc.MediaStub(channel), metadata

    def _serving(self, pid: int) -> Discovery | None:
        found = Discovery.read(self.runtime)
        return found if found is not None and found.pid == pid else None


@contextmanager
def machine() -> Iterator[Machine]:
    folder = Path(tempfile.mkdtemp(prefix="fa-bench-"))
    made = Machine(folder)
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)
