# SPDX-License-Identifier: Apache-2.0
"""Real processes to do harm to: a machine of a user's with a daemon, its engine and clients.

Everything here waits for conditions, never for a time; the delays before a kill are the exception: a random
moment is what they are for.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, TypeVar

import av
import numpy as np
import psutil
from flowanchor import rendezvous
from flowanchor.rendezvous import DaemonLock, Discovery
from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_client import ENDED, Client

from tests.source_tree import PYTHONPATH

WORKER = Path(__file__).with_name("worker.py")
WIDTH, HEIGHT, FRAMES = 192, 128, 17
MODEL = "tiny"
STEPS = 30
"""Sampling steps of the edit that is disturbed, some 60 ms each. Encoding and decoding take a second each."""
PATIENCE = 240.0
"""Seconds to wait for anything; a busy machine needs most of them."""

T = TypeVar("T")


class Machine:
    """Folders of one user, the environment that names them, and every process that came of it.

    `extra` goes over the environment, `options` to each daemon that a client starts.
    """

    def __init__(self, models: Path, cache: Path, extra: dict[str, str], options: Sequence[str] = ()) -> None:
        # Not below pytest's folders: their paths are too long for a Unix socket's.
        self.root = Path(tempfile.mkdtemp(prefix="fa-m-"))
        self.state, self.runtime = self.root / "state", self.root / "run"
        for folder in (self.state, self.runtime):
            folder.mkdir(mode=0o700)
        self._begun: list[subprocess.Popen[bytes]] = []
        self._seen: dict[int, psutil.Process] = {}
        self.environment = {
            "FLOWANCHOR_STATE": str(self.state),
            "FLOWANCHOR_RUNTIME": str(self.runtime),
            "FLOWANCHOR_MODELS": str(models),
            "FLOWANCHOR_CACHE": str(cache),
            # One that a failing test leaves behind ends by itself.
            "FLOWANCHOR_DAEMON": shlex.join(self.command("--idle-exit", "120", *options)),
            "PYTHONPATH": PYTHONPATH,
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
            **extra,
        }

    @staticmethod
    def command(*options: str) -> list[str]:
        return [sys.executable, "-m", "flowanchor_daemon.serve", *options]

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        """A daemon as our own child, serving when this returns."""
        process = self.run_daemon(*options)
        wait_for(lambda: self._serving(process), "the daemon to serve")
        return process

    def _serving(self, process: subprocess.Popen[bytes]) -> bool:
        assert process.poll() is None, f"the daemon ended with {process.returncode}: {self.log()}"
        found = Discovery.read(self.runtime)
        return found is not None and found.pid == process.pid

    def run_daemon(self, *options: str, errors: IO[bytes] | int | None = None) -> subprocess.Popen[bytes]:
        """A daemon as our own child, just begun."""
        process = subprocess.Popen(
            self.command(*options), env={**os.environ, **self.environment}, stderr=errors
        )
        self._begun.append(process)
        return process

    def run_worker(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A client in a process of its own; see worker.py."""
        line = [sys.executable, str(WORKER), *arguments]
        process = subprocess.Popen(
            line, env={**os.environ, **self.environment}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._begun.append(process)
        return process

    def client(self, start: bool = True, timeout: float = 200.0) -> Client:
        """A client in this process, whose environment must be this machine's (see conftest.py)."""
        assert rendezvous.runtime_folder() == self.runtime
        return Client.connect(start=start, client="faults", timeout=timeout)

    def daemon(self) -> psutil.Process | None:
        """The daemon that holds the lock."""
        found = Discovery.read(self.runtime)
        if found is None or not DaemonLock(self.runtime).is_held():
            return None
        return self._remember(found.pid)

    def engine(self) -> psutil.Process | None:
        """The daemon's engine process."""
        daemon = self.daemon()
        if daemon is None:
            return None
        try:
            for child in daemon.children(recursive=True):
                if "flowanchor_daemon.engine" in child.cmdline():
                    return self._remember(child.pid)
        except psutil.Error:  # it ended while we looked
            pass
        return None

    def _remember(self, pid: int) -> psutil.Process | None:
        try:
            return self._seen.setdefault(pid, psutil.Process(pid))
        except psutil.NoSuchProcess:
            return None

    def kill_daemon(self) -> list[int]:
        """SIGKILL; returns when it and its engine are gone. Gives their pids."""
        daemon = required(self.daemon(), "no daemon to kill")
        engine = self.engine()
        gone = [daemon.pid] + ([engine.pid] if engine else [])
        kill(daemon)
        for pid in gone:
            wait_for(lambda pid=pid: is_gone(pid), f"process {pid} to end with the daemon")  # type: ignore[misc]
        return gone

    def log(self) -> str:
        """The end of what daemon and engine have written."""
        paths = [*sorted((self.state / "logs").glob("*.log")), self.runtime / "start.log"]
        return "\n".join(
            f"--- {path.name}\n{path.read_text(errors='replace')[-4000:]}" for path in paths if path.is_file()
        )

    def close(self) -> None:
        """End what is left, by id, and remove the folders."""
        self.engine()
        for child in self._begun:
            self._remember(child.pid)
        left = [process for process in self._seen.values() if not is_gone(process.pid)]
        for process in left:
            kill(process)
        for child in self._begun:
            child.wait(120)
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    pipe.close()
        for process in left:
            wait_for(lambda pid=process.pid: is_gone(pid), f"process {process.pid} to end")  # type: ignore[misc]
        shutil.rmtree(self.root, ignore_errors=True)


def kill(process: psutil.Process) -> None:
    """SIGKILL, to that process and no other that got its number since; harmless when it has ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()


def is_gone(pid: int) -> bool:
    """Whether a process has ended, also when nobody has asked for its exit code yet."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def required(value: T | None, what: str) -> T:
    assert value is not None, what
    return value


def wait_for(condition: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
    """Poll until the condition holds; gives its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.005)
    return value


def random_moment(client: Client, job: str, seconds: float) -> bool:
    """Let that time pass; False when the job ended first."""
    moment = time.monotonic() + seconds
    while time.monotonic() < moment:
        if client_job(client, job).state in ENDED:
            return False
        time.sleep(0.005)
    return client_job(client, job).state not in ENDED


def follow(
    client: Client, job: str, until: Callable[[jobs_pb2.Job], bool], seconds: float = PATIENCE
) -> jobs_pb2.Job:
    """The job when the condition first held; fails when it ends before."""
    deadline, since = time.monotonic() + seconds, 0
    while True:
        update = client.job(job, since=since, wait=1.0)
        if update is not None:
            if until(update.job):
                return update.job
            assert update.job.state not in ENDED, f"it ended first: {brief(update.job)}"
            since = update.job.revision
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s: {brief(client_job(client, job))}"


def finish(client: Client, job: str, seconds: float = PATIENCE) -> jobs_pb2.Job:
    """The job when it has ended."""
    return follow(client, job, lambda found: found.state in ENDED, seconds)


def succeed(client: Client, job: str, seconds: float = PATIENCE) -> jobs_pb2.Job:
    """The job when it has succeeded; fails when it ends in any other way, or twice."""
    done = finish(client, job, seconds)
    assert done.state == jobs_pb2.JOB_STATE_SUCCEEDED, brief(done)
    assert [attempt.outcome for attempt in done.attempts].count("succeeded") == 1, brief(done)
    assert done.attempts[-1].outcome == "succeeded", brief(done)
    return done


def client_job(client: Client, job: str) -> jobs_pb2.Job:
    return required(client.job(job), "a job without a revision").job


def brief(job: jobs_pb2.Job) -> str:
    """A job on one line, for messages."""
    state = jobs_pb2.JobState.Name(job.state)
    attempts = " ".join(f"{one.outcome}@{one.resumed_at}" for one in job.attempts)
    notices = " ".join(notice.code for notice in job.notices)
    progress = f"{job.progress.phase} {job.progress.step}/{job.progress.total}"
    return f"{job.id} {state} [{attempts}] {progress} {job.failure.code} {job.failure.message} {notices}"


def in_phase(phase: str, step: int) -> Callable[[jobs_pb2.Job], bool]:
    """Condition for `follow`: the job is in that phase with that many steps done, or more."""
    return lambda job: job.progress.phase == phase and job.progress.step >= step


def edit_of(
    sha256: str, steps: int = STEPS, last: int | None = None, seed: int = 5, **more: Any
) -> types_pb2.EditRequest:
    """An edit of the clip `make_clip` made, losslessly delivered."""
    return types_pb2.EditRequest(
        clip=types_pb2.Clip(movie=types_pb2.MediaRef(sha256=sha256, name="clip.mkv", suffix=".mkv")),
        last=last,
        geometry=[types_pb2.Geometry(box=types_pb2.Box(x=16, y=16, width=160, height=96))],
        source_prompt="a red circle",
        target_prompt="a blue circle",
        model=MODEL,
        sampling=types_pb2.Sampling(steps=steps, skip=0),
        seed=seed,
        region=types_pb2.RegionSettings(feather=2),
        delivery=types_pb2.DeliverySettings(kind="full", format="ffv1"),
        device="cpu",
        **more,
    )


def make_clip(path: Path) -> Path:
    """A lossless clip of moving gradients."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(FRAMES):
            rgb = np.stack([x * 4 + index, y * 5, (x + y + 3 * index) * 2], axis=-1) % 256
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb.astype(np.uint8), format="rgb24")))
        container.mux(stream.encode(None))
    return path


def samples_of(client: Client, job: jobs_pb2.Job, folder: Path) -> str:
    """SHA-256 of every decoded sample of the result: containers may differ, pictures may not."""
    results = [one for one in job.artifacts if one.kind == jobs_pb2.ARTIFACT_KIND_RESULT]
    assert len(results) == 1, brief(job)
    target = folder / f"{job.id}.mkv"
    client.download(job.id, results[0], target)
    digest, count = hashlib.sha256(), 0
    with av.open(str(target)) as container:
        for frame in container.decode(video=0):
            digest.update(frame.to_ndarray().tobytes())
            count += 1
    assert count == FRAMES
    return digest.hexdigest()


def seeded() -> random.Random:
    """Random moments that can be had again: FLOWANCHOR_FAULT_SEED repeats the run a failure has printed."""
    seed = os.environ.get("FLOWANCHOR_FAULT_SEED") or secrets.token_hex(4)
    print(f"FLOWANCHOR_FAULT_SEED={seed}")
    return random.Random(seed)
