# SPDX-License-Identifier: Apache-2.0
"""What `flowanchor bench daemon` measures: a real daemon and engine, with folders of their own."""

from __future__ import annotations

import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import psutil
from flowanchor import rendezvous
from flowanchor.rendezvous import Discovery
from flowanchor.v1 import jobs_pb2, media_pb2, media_pb2_grpc, types_pb2
from flowanchor_client import ENDED, Client, failure_of_job

from flowanchor_daemon.cli.edit_upload import message, ship, uploaded

if TYPE_CHECKING:
    from flowanchor_core.backbone import Backbone
    from flowanchor_core.edit_plan import EditPlan
    from flowanchor_core.request import EditRequest

PIECE = 1 << 20
START_SECONDS = 60.0
LAST = 16
"""Last frame of an edit: the model's native 17 frames."""


@dataclass(frozen=True)
class Spread:
    """Seconds of many calls."""

    calls: int
    p50: float
    p99: float
    worst: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        ordered = sorted(seconds)
        at = max(0, -(-99 * len(ordered) // 100) - 1)
        return cls(len(ordered), statistics.median(ordered), ordered[at], ordered[-1])


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


def demo_request(folder: Path, out: str) -> EditRequest:
    """The demo's first edit, its clip in `folder`."""
    from flowanchor_core.request import DeliverySettings, EditRequest, RegionSettings
    from flowanchor_core.shapes.demo import demo_clip

    folder.mkdir(exist_ok=True)
    clip = demo_clip(folder)
    edit = clip.edits[0]
    return EditRequest(
        clip=clip.clip,
        delivery=DeliverySettings(folder / out, "full", "ffv1"),
        source_prompt=clip.source_prompt,
        target_prompt=edit.target_prompt,
        words=edit.words,
        masks=(edit.mask,),
        region=RegionSettings(feather=2),
    )


def edit_in_process(request: EditRequest, backbone: Backbone) -> float:
    """Seconds of an edit here."""
    from flowanchor_core.edit import plan_edit, run_edit

    begun = time.perf_counter()
    for _ in run_edit(plan_edit(request), backbone):
        pass
    return time.perf_counter() - begun


def edit_through(client: Client, request: EditRequest) -> float:
    """Seconds of the same edit as `flowanchor edit` makes it: checked, sent, watched and fetched."""
    from flowanchor_core.edit_plan import plan_edit

    begun = time.perf_counter()
    plan = plan_edit(request)
    job = finished(client, client.submit(as_message(client, plan)))
    client.download(job.id, job.artifacts[0], request.delivery.out)
    return time.perf_counter() - begun


def as_message(client: Client, plan: EditPlan) -> types_pb2.EditRequest:
    """An edit for the daemon, its files sent."""
    shipment = ship(plan)
    sent = uploaded(client.upload_all, shipment)
    suffixes = client.info().limits.media_suffixes
    return message(plan, shipment, sent, suffixes, plan.request.model, "cpu", {})


def finished(client: Client, job: jobs_pb2.Job) -> jobs_pb2.Job:
    """The job when it has succeeded; raises what it failed with."""
    for update in client.watch(job.id):
        job = update.job
    if job.state != jobs_pb2.JOB_STATE_SUCCEEDED:
        raise failure_of_job(job)
    return job


def get_job(client: Client, job: str, calls: int) -> list[float]:
    """Seconds of calls of GetJob, made every few milliseconds; fewer when the job ends before."""
    seconds = []
    for _ in range(calls):
        begun = time.perf_counter()
        update = client.job(job)
        seconds.append(time.perf_counter() - begun)
        if update is not None and update.job.state in ENDED:
            break
        time.sleep(0.003)
    return seconds


def submits(client: Client, edit: types_pb2.EditRequest, calls: int) -> list[float]:
    """Seconds of submitting as many edits while one runs; they are cancelled then."""
    running = client.submit(edit)
    seconds, made = [], []
    for seed in range(calls):
        edit.seed = seed
        begun = time.perf_counter()
        made.append(client.submit(edit).id)
        seconds.append(time.perf_counter() - begun)
    for job in (*made, running.id):
        client.cancel(job)
    for _ in client.watch(running.id):
        pass
    return seconds


def random_file(path: Path, size: int) -> str:
    """A file that nothing can make smaller; its SHA-256."""
    digest, block = hashlib.sha256(), bytearray(os.urandom(PIECE))
    with path.open("wb") as file:
        for number in range(size // PIECE):
            block[:8] = number.to_bytes(8, "big")
            file.write(block)
            digest.update(block)
    return digest.hexdigest()


def upload_pieces(client: Client, path: Path, sha256: str) -> float:
    """Seconds of sending a file by UploadChunk, one after the other."""
    size, offset = path.stat().st_size, 0
    begun = time.perf_counter()
    with path.open("rb") as file:
        while data := file.read(PIECE):
            header = media_pb2.UploadHeader(sha256=sha256, total_bytes=size, offset=offset)
            state = client.upload_chunk(header, data)
            offset += len(data)
    assert state.complete
    return time.perf_counter() - begun


def upload_stream(machine: Machine, path: Path, sha256: str) -> float:
    """Seconds of sending a file by UploadMedia."""

    def parts() -> Iterator[media_pb2.UploadMediaRequest]:
        yield media_pb2.UploadMediaRequest(
            header=media_pb2.UploadHeader(sha256=sha256, total_bytes=path.stat().st_size)
        )
        with path.open("rb") as file:
            while data := file.read(PIECE):
                yield media_pb2.UploadMediaRequest(data=data)

    with machine.stubs() as (media, metadata):
        begun = time.perf_counter()
        answer = media.UploadMedia(parts(), timeout=600, metadata=metadata)
        seconds = time.perf_counter() - begun
    assert answer.media.complete
    return seconds


def download_pieces(client: Client, job: jobs_pb2.Job) -> float:
    """Seconds of receiving a job's result by DownloadChunk."""
    artifact, offset = job.artifacts[0], 0
    begun = time.perf_counter()
    while offset < artifact.bytes:
        offset += len(client.download_chunk(job.id, artifact.index, offset, PIECE).data)
    return time.perf_counter() - begun


def download_stream(machine: Machine, job: jobs_pb2.Job) -> float:
    """Seconds of receiving a job's result by DownloadArtifact."""
    request = media_pb2.DownloadArtifactRequest(job=job.id, artifact=job.artifacts[0].index)
    with machine.stubs() as (media, metadata):
        begun = time.perf_counter()
        received = 0
        for part in media.DownloadArtifact(request, timeout=600, metadata=metadata):
            received += len(part.data)
        seconds = time.perf_counter() - begun
    assert received == job.artifacts[0].bytes
    return seconds


def write_clip(path: Path, width: int, height: int, frames: int) -> None:
    """A lossless clip of noise: large, and drawn without a model."""
    import av
    import numpy as np

    random = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=Fraction(24), options={"slices": "4"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for _ in range(frames):
            planes = random.integers(16, 236, (height * 3 // 2, width), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))


def edit_of(sha256: str, last: int, steps: int) -> types_pb2.EditRequest:
    """An edit of a small box in an uploaded clip."""
    return types_pb2.EditRequest(
        clip=types_pb2.Clip(movie=types_pb2.MediaRef(sha256=sha256, name="clip.mkv", suffix=".mkv")),
        last=last,
        geometry=[types_pb2.Geometry(box=types_pb2.Box(x=16, y=16, width=32, height=32))],
        source_prompt="a red circle on grey stripes",
        target_prompt="a green circle on grey stripes",
        words=["green circle"],
        model="shapes",
        sampling=types_pb2.Sampling(steps=steps, skip=0),
        delivery=types_pb2.DeliverySettings(format="ffv1"),
        device="cpu",
    )


@dataclass(frozen=True)
class Cancelled:
    """Steps that a job still took after the answer to its cancel, and seconds from asking to its end."""

    steps: int
    seconds: float


def cancel_in(client: Client, edit: types_pb2.EditRequest, phase: str, step: int) -> Cancelled | None:
    """Cancel an edit once it has done `step` steps of a phase; None if it left the phase before it heard."""
    job, since = client.submit(edit).id, 0
    while True:
        update = client.job(job, since=since, wait=1.0)
        if update is None:
            continue
        since, at = update.job.revision, update.job.progress
        if update.job.state in ENDED:
            return None
        if at.phase == phase and at.step >= step:
            break
    begun = time.perf_counter()
    answer = client.cancel(job)
    last = answer.progress.step
    for seen in client.watch(job):
        if seen.job.state not in ENDED:
            if seen.job.progress.phase != answer.progress.phase:
                return None
            last = max(last, seen.job.progress.step)
    seconds = time.perf_counter() - begun
    if seen.job.state != jobs_pb2.JOB_STATE_CANCELLED or answer.progress.phase != phase:
        return None
    return Cancelled(last - answer.progress.step, seconds)


def repeated(measure: Callable[[], Any], count: int) -> list[Any]:
    """`count` values of a measure that sometimes has none (None); at most three tries for each."""
    found: list[Any] = []
    for _ in range(3 * count):
        if len(found) == count:
            break
        if (value := measure()) is not None:
            found.append(value)
    return found
