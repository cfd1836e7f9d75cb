# SPDX-License-Identifier: Apache-2.0
"""A real daemon to attack, and what can be seen of it from outside: calls, memory, files."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import psutil
from flowanchor.v1 import jobs_pb2, media_pb2, types_pb2
from flowanchor_client import ENDED, Client, ServiceFailure
from flowanchor_daemon.errors.catalogue import CATALOGUE

from tests.daemon.processes import RunningDaemon, failure_of, until

MODEL = "tiny"
JOB_SECONDS = 250.0

_PLACES = re.compile(
    r"state/media/(?:partial|[0-9a-f]{2})(?:/[0-9a-f]{64})?"
    r"|state/jobs/[0-9A-Za-z-]{8,40}"
    r"(?:/(?:checkpoint|artifacts|attempt-[0-9]+(?:/(?:inputs|output))?)(?:/[a-z0-9][a-z0-9.]*){0,2})?"
    r"|state/queue\.sqlite-(?:wal|shm)|state/logs/(?:daemon|engine)\.log(?:\.[0-9])?|cache(?:/[a-z0-9_.-]+)*"
)


class Victim:
    """`folder` holds everything of the daemon's user; nothing else may change on the machine."""

    def __init__(self, running: RunningDaemon, folder: Path, clip: Path) -> None:
        self.running = running
        self.folder = folder
        self.clip = clip
        self.client = Client.connect(
            start=False, client="tests", address=running.address, token=running.token
        )

    def close(self) -> None:
        self.client.close()

    # Calls

    def upload(self, content: bytes) -> str:
        """Put a file into the store in one piece after another; its SHA-256."""
        sha256, piece = hashlib.sha256(content).hexdigest(), 1 << 20
        for offset in range(0, len(content), piece):
            header = media_pb2.UploadHeader(sha256=sha256, total_bytes=len(content), offset=offset)
            self.client.upload_chunk(header, content[offset : offset + piece])
        return sha256

    def reference(self, content: bytes, suffix: str, name: str = "clip") -> types_pb2.MediaRef:
        return types_pb2.MediaRef(sha256=self.upload(content), suffix=suffix, name=name)

    def edit(self, clip: types_pb2.Clip | None = None, **more: object) -> types_pb2.EditRequest:
        """An edit of two steps that works; of the harmless clip unless another is given."""
        if clip is None:
            clip = types_pb2.Clip(movie=self.reference(self.clip.read_bytes(), ".mkv"))
        edit = types_pb2.EditRequest(
            clip=clip,
            geometry=[types_pb2.Geometry(box=types_pb2.Box(x=16, y=12, width=24, height=24))],
            source_prompt="a red circle",
            target_prompt="a blue circle",
            model=MODEL,
            sampling=types_pb2.Sampling(steps=2, skip=0),
            delivery=types_pb2.DeliverySettings(format="ffv1"),
            device="cpu",
        )
        edit.MergeFrom(types_pb2.EditRequest(**more))  # type: ignore[arg-type]
        return edit

    def finished(self, edit: types_pb2.EditRequest) -> jobs_pb2.Job:
        """Submit an edit and give its job when it has ended."""
        job = self.client.submit(edit)
        since = 0

        def ended() -> jobs_pb2.Job | None:
            nonlocal since
            update = self.client.job(job.id, since=since, wait=1.0)
            since = since if update is None else update.job.revision
            return update.job if update is not None and update.job.state in ENDED else None

        return until(ended, f"job {job.id} ends", JOB_SECONDS)

    def failed(self, edit: types_pb2.EditRequest) -> types_pb2.Failure:
        """How an edit fails, at once or as a job: with a code of the catalogue and a sentence."""
        try:
            job = self.finished(edit)
        except ServiceFailure as refused:
            failure = types_pb2.Failure(code=refused.code, message=refused.message, action=refused.action)
        else:
            assert job.state == jobs_pb2.JOB_STATE_FAILED, job
            assert len(job.attempts) <= 1, job  # what the file says does not change by trying again
            failure = job.failure
        assert failure.code in CATALOGUE, failure
        assert failure.code not in ("unexpected", "engine-crashed", "attempts-exhausted"), failure
        assert failure.message.endswith("."), failure
        assert "Traceback" not in failure.message
        assert str(self.folder) not in failure.message + failure.action, failure
        return failure

    def works(self) -> None:
        """Fail unless an ordinary edit still succeeds."""
        job = self.finished(self.edit(seed=uuid.uuid4().int >> 66))
        assert job.state == jobs_pb2.JOB_STATE_SUCCEEDED, job

    # Processes

    @property
    def daemon(self) -> psutil.Process:
        return psutil.Process(self.running.pid)

    @property
    def engine(self) -> psutil.Process:
        pid = self.running.engine_pid()
        assert pid is not None, "there is no engine"
        return psutil.Process(pid)

    # Files

    def files(self) -> set[str]:
        """All there is in the folder, relative to it."""
        return {
            os.path.relpath(os.path.join(root, name), self.folder)
            for root, *names in os.walk(self.folder)  # unlike rglob it bears with folders that vanish
            for name in itertools.chain(*names)
        }

    @contextmanager
    def keeps_to_its_places(self) -> Iterator[None]:
        """Fail if anything appears that the daemon does not name so, or if anything else vanishes."""
        before = self.files()
        yield
        after = self.files()
        assert sorted(name for name in after - before if not _PLACES.fullmatch(name)) == []
        assert sorted(name for name in before - after if not name.startswith("state/")) == []


def code_of(error: grpc.RpcError) -> str:
    """Code of a failed call's failure, which must be one of the catalogue; a bare status by its name."""
    try:
        failure = failure_of(error)
    except AssertionError:
        return str(error.code().name)
    assert failure.code in CATALOGUE
    return failure.code


@contextmanager
def memory_within(process: psutil.Process, growth: int) -> Iterator[None]:
    """Fail if a process takes `growth` bytes more at any moment than it had at the beginning, or ends."""
    peak = _Peak(process)
    before = process.memory_info().rss
    yield
    assert process.is_running()
    assert process.status() != psutil.STATUS_ZOMBIE
    grown = peak.read() - before
    assert grown < growth, f"process {process.pid} took {grown / 1e6:.0f} MB more"


class _Peak:
    """The most memory a process held since this was made; where the system does not tell, what it holds."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._status = Path(f"/proc/{process.pid}/status")
        if self._status.exists():
            Path(f"/proc/{process.pid}/clear_refs").write_text("5")

    def read(self) -> int:
        if not self._status.exists():
            return int(self._process.memory_info().rss)
        lines = self._status.read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))
