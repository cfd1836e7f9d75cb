# SPDX-License-Identifier: Apache-2.0
"""A daemon in place of the real one, as strict as it is: for tests without a process or a real clock."""

from __future__ import annotations

import copy
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from flowanchor.v1 import jobs_pb2, media_pb2, models_pb2, system_pb2, types_pb2
from flowanchor_client import DaemonUnreachable, JobUpdate, ServiceFailure
from flowanchor_client.connect import Start
from flowanchor_vse.logic.transport import Transport

CHUNK = 1000
Answer = TypeVar("Answer")
ENDED = (jobs_pb2.JOB_STATE_SUCCEEDED, jobs_pb2.JOB_STATE_FAILED, jobs_pb2.JOB_STATE_CANCELLED)


def refused(
    code: str, kind: types_pb2.FailureKind.ValueType = types_pb2.FAILURE_KIND_SERVICE
) -> ServiceFailure:
    return ServiceFailure(code, f"It is {code}.", "Do something.", kind)


def silent() -> DaemonUnreachable:
    return DaemonUnreachable("daemon-silent", "The daemon did not answer in time.", "Try again.")


def unreachable() -> DaemonUnreachable:
    return DaemonUnreachable("daemon-unreachable", "The daemon cannot be reached.", "Is it running?")


def not_running() -> DaemonUnreachable:
    return DaemonUnreachable("daemon-unreachable", "No daemon is running.", "Start one.", stopped=True)


@dataclass
class StandIn:
    """The daemon's memory outlives `die`, as the real one's does. `steps` are the ticks a start takes."""

    runs: bool = False
    steps: int = 2
    chunk: int = CHUNK
    frames: int = 3
    crashed: bool = False
    """Ended without taking its leave, so that it may be started again."""
    refuses_to_start: DaemonUnreachable | None = None
    wrong_version: bool = False
    calls: Counter[str] = field(default_factory=Counter)
    connects: list[Start] = field(default_factory=list)
    faults: dict[str, list[Exception]] = field(default_factory=dict)
    """Raised in place of the next answers of a call; made up before the call has done anything."""
    losses: dict[str, list[Exception]] = field(default_factory=dict)
    """Raised after a call has done its work: the answer is lost."""
    media: dict[str, bytearray] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    complete: set[str] = field(default_factory=set)
    jobs: dict[str, jobs_pb2.Job] = field(default_factory=dict)
    wishes: dict[str, str] = field(default_factory=dict)
    previews: dict[str, bytes] = field(default_factory=dict)
    results: dict[str, list[bytes]] = field(default_factory=dict)
    this_tick: int = 0
    largest_answer: int = 0
    warning: str = ""
    capabilities: tuple[str, ...] = ("estimate",)
    tasks: dict[str, models_pb2.ModelTask] = field(default_factory=dict)
    _connected: bool = False
    _left: int | None = None
    _revision: int = 0

    # What tests do to it

    def die(self, crash: bool = True) -> None:
        self.runs, self.crashed = False, crash

    def see(self, job: str, **changes: object) -> jobs_pb2.Job:
        """Change a job, as the scheduler would."""
        found = self.jobs[job]
        found.MergeFrom(jobs_pb2.Job(**changes))  # type: ignore[arg-type]
        self._revision += 1
        found.revision = self._revision
        return found

    def run(self, job: str, step: int, total: int, preview: bytes = b"") -> None:
        progress = jobs_pb2.Progress(
            phase="edit", step=step, total=total, fraction=step / total, seconds_left=3.0
        )
        found = self.see(job, state=jobs_pb2.JOB_STATE_RUNNING, progress=progress)
        if preview:
            self.previews[job], found.preview_revision = preview, found.revision

    def succeed(self, job: str, seed: int | None = None, pieces: Sequence[bytes] | None = None) -> None:
        found = self.jobs[job]
        contents = pieces or [f"frame {index} of {job} ".encode() * 100 for index in range(self.frames)]
        self.results[job] = list(contents)
        for index, content in enumerate(contents):
            found.artifacts.add(
                index=index,
                kind=jobs_pb2.ARTIFACT_KIND_RESULT,
                name=f"result.{index:06d}.png",
                bytes=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
            )
        used = found.request.seed if seed is None else seed
        self.see(job, state=jobs_pb2.JOB_STATE_SUCCEEDED, result=types_pb2.EditResult(seed=used))

    def fail(self, job: str, code: str = "out-of-memory") -> None:
        failure = types_pb2.Failure(
            code=code, message="Memory ran out.", action="Use fewer frames.", kind=types_pb2.FAILURE_KIND_RUN
        )
        self.see(job, state=jobs_pb2.JOB_STATE_FAILED, failure=failure)

    def lose(self, job: str) -> None:
        """Somebody else deleted it."""
        del self.jobs[job]

    @property
    def only(self) -> jobs_pb2.Job:
        (job,) = self.jobs.values()
        return job

    # The transport

    def connect(self, start: Start) -> system_pb2.GetInfoResponse | None:
        self._count("connect")
        self.connects.append(start)
        if not self.runs:
            if self._left is None:
                if start is Start.NEVER or (start is Start.AFTER_A_CRASH and not self.crashed):
                    raise not_running()
                self._left = self.steps
            if self._left > 0:
                self._left -= 1
                return None
            self._left = None
            if self.refuses_to_start is not None:
                raise self.refuses_to_start
            self.runs = True
        if self.wrong_version:
            raise DaemonUnreachable("api-version", "It speaks version 2.", "Update the older one.")
        self._connected = True
        limits = system_pb2.Limits(max_chunk_bytes=self.chunk)
        return system_pb2.GetInfoResponse(
            version="9", api_major=1, capabilities=self.capabilities, limits=limits
        )

    def drop(self) -> None:
        self._connected, self._left = False, None

    close = drop

    def stat_media(self, hashes: Sequence[str]) -> list[media_pb2.MediaState]:
        assert 1 <= len(hashes) <= 1000
        return self._answer("stat_media", lambda: [self._state(sha256) for sha256 in hashes])

    def upload_chunk(self, header: media_pb2.UploadHeader, data: bytes) -> media_pb2.MediaState:
        return self._answer("upload_chunk", lambda: self._take(header, data))

    def download_chunk(self, job: str, artifact: int, offset: int, max_bytes: int) -> bytes:
        def read() -> bytes:
            self._known(job)
            content = self.results[job][artifact]
            assert 0 <= offset <= len(content)
            data = content[offset : offset + min(max_bytes, self.chunk)]
            self.largest_answer = max(self.largest_answer, len(data))
            return data

        return self._answer("download_chunk", read)

    def submit(self, edit: types_pb2.EditRequest, request_id: str, priority: int) -> jobs_pb2.Job:
        assert len(request_id) >= 8
        assert edit.masks or edit.geometry, "the daemon refuses an edit without a region"
        clips = [edit.clip, *edit.masks]
        missing = [ref for clip in clips for ref in clip.images.frames if ref.sha256 not in self.complete]

        def queue() -> jobs_pb2.Job:
            if missing and request_id not in self.wishes:
                raise refused("media-missing")
            return self._queue(request_id, edit)

        return self._answer("submit", queue)

    def find(self, request_id: str) -> jobs_pb2.Job | None:
        return self._answer("find", lambda: self.jobs.get(self.wishes.get(request_id, "")))

    def job(self, job: str, since: int, preview_since: int) -> JobUpdate | None:
        def look() -> JobUpdate | None:
            found = self._known(job)
            if found.revision <= since:
                return None
            newer = preview_since >= 0 and found.preview_revision > preview_since
            return JobUpdate(found, self.previews[job] if newer else b"")

        return self._answer("job", look)

    def cancel(self, job: str) -> jobs_pb2.Job:
        def stop() -> jobs_pb2.Job:
            found = self._known(job)
            if found.state == jobs_pb2.JOB_STATE_QUEUED:
                self.see(job, state=jobs_pb2.JOB_STATE_CANCELLED)
            elif found.state == jobs_pb2.JOB_STATE_RUNNING:
                self.see(job, state=jobs_pb2.JOB_STATE_CANCELLING)
            return found

        return self._answer("cancel", stop)

    def retry(self, job: str, request_id: str) -> jobs_pb2.Job:
        return self._answer("retry", lambda: self._queue(request_id, self._known(job).request))

    def vary(self, job: str, request_id: str, seed: int | None) -> jobs_pb2.Job:
        def other() -> jobs_pb2.Job:
            edit = types_pb2.EditRequest()
            edit.CopyFrom(self._known(job).request)
            edit.seed = 4242 if seed is None else seed
            return self._queue(request_id, edit)

        return self._answer("vary", other)

    def delete(self, job: str) -> None:
        def remove() -> None:
            if self._known(job).state not in ENDED:
                raise refused("job-not-finished", types_pb2.FAILURE_KIND_INPUT)
            del self.jobs[job]

        self._answer("delete", remove)

    def models(self) -> list[models_pb2.Model]:
        return self._answer("models", lambda: [models_pb2.Model(name="shapes", installed=True)])

    def pull(self, name: str) -> models_pb2.ModelTask:
        running = models_pb2.MODEL_TASK_STATE_RUNNING
        task = models_pb2.ModelTask(id=f"pull-{name}", model=name, state=running, total_bytes=100)
        return self._answer("pull", lambda: self.tasks.setdefault(task.id, task))

    def task(self, task: str) -> models_pb2.ModelTask:
        return self._answer("task", lambda: self.tasks[task])

    def cancel_task(self, task: str) -> models_pb2.ModelTask:
        def stop() -> models_pb2.ModelTask:
            self.tasks[task].state = models_pb2.MODEL_TASK_STATE_CANCELLED
            return self.tasks[task]

        return self._answer("cancel_task", stop)

    def estimate(self, request: jobs_pb2.EstimateEditRequest) -> jobs_pb2.EstimateEditResponse:
        return self._answer("estimate", lambda: jobs_pb2.EstimateEditResponse(forwards=request.frames))

    def diagnose(self) -> system_pb2.DiagnoseResponse:
        return self._answer("diagnose", lambda: system_pb2.DiagnoseResponse(pid=1))

    def unload(self) -> bool:
        return self._answer("unload", lambda: True)

    def shutdown(self) -> None:
        self._answer("shutdown", lambda: self.die(crash=False))

    def _answer(self, name: str, work: Callable[[], Answer]) -> Answer:
        self._count(name)
        if not self._connected or not self.runs:
            raise unreachable()
        if self.faults.get(name):
            raise self.faults[name].pop(0)
        answer = copy.deepcopy(work())  # as over the wire: what changes later is not in it
        if self.losses.get(name):
            raise self.losses[name].pop(0)
        return answer

    def _count(self, name: str) -> None:
        self.calls[name] += 1
        self.this_tick += 1
        assert self.this_tick <= 1, f"{name} is the second call of a tick"

    def _known(self, job: str) -> jobs_pb2.Job:
        if job not in self.jobs:
            raise refused("job-unknown", types_pb2.FAILURE_KIND_INPUT)
        return self.jobs[job]

    def _state(self, sha256: str) -> media_pb2.MediaState:
        assert len(sha256) == 64
        whole = sha256 in self.complete
        received = self.sizes[sha256] if whole else len(self.media.get(sha256, b""))
        return media_pb2.MediaState(sha256=sha256, complete=whole, received_bytes=received)

    def _take(self, header: media_pb2.UploadHeader, data: bytes) -> media_pb2.MediaState:
        assert len(data) <= self.chunk, "larger than the daemon takes"
        assert header.offset >= 0
        assert header.offset + len(data) <= header.total_bytes
        if header.sha256 in self.complete:
            return self._state(header.sha256)
        content = self.media.setdefault(header.sha256, bytearray())
        if header.offset > len(content):
            raise refused("media-offset")
        content[header.offset :] = data
        if len(content) == header.total_bytes:
            if hashlib.sha256(content).hexdigest() != header.sha256:
                del self.media[header.sha256]
                raise refused("media-hash")
            self.complete.add(header.sha256)
            self.sizes[header.sha256] = header.total_bytes
        return self._state(header.sha256)

    def _queue(self, request_id: str, edit: types_pb2.EditRequest) -> jobs_pb2.Job:
        if request_id not in self.wishes:
            self._revision += 1
            made = jobs_pb2.Job(
                id=f"job{len(self.wishes)}",
                request_id=request_id,
                state=jobs_pb2.JOB_STATE_QUEUED,
                queue_position=1,
                request=edit,
                revision=self._revision,
            )
            if made.request.seed_mode == types_pb2.SEED_MODE_RANDOM:
                made.request.seed = 777
            self.jobs[made.id] = made
            self.wishes[request_id] = made.id
        return self.jobs[self.wishes[request_id]]


def is_a_transport(standin: StandIn) -> Transport:
    return standin
