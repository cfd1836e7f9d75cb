# SPDX-License-Identifier: Apache-2.0
"""The daemon as a host sees it: blocking methods, one per wish.

No method starts a Python thread. A host that must not block calls from its own worker; a client is used by
one thread at a time. Calls survive a restart of the daemon: they are made again on a new connection, which is
safe because each can be repeated without doing anything twice.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from flowanchor.v1 import jobs_pb2, media_pb2, models_pb2, system_pb2, types_pb2

from flowanchor_client import results, transfer
from flowanchor_client.calling import Calling
from flowanchor_client.channel import CALL_SECONDS
from flowanchor_client.connect import Start
from flowanchor_client.errors import ServiceFailure
from flowanchor_client.transfer import Progress

ENDED = frozenset({jobs_pb2.JOB_STATE_SUCCEEDED, jobs_pb2.JOB_STATE_FAILED, jobs_pb2.JOB_STATE_CANCELLED})
"""States a job does not leave."""

LONG_POLL_SECONDS = 10.0
_SHORTEST_POLL_SECONDS = 0.1
LOAD_SECONDS = 900.0  # a large model from a slow disk


class JobUpdate(NamedTuple):
    """A job as it stands, and the newest preview (JPEG) if there is one that was not seen."""

    job: jobs_pb2.Job
    preview: bytes


class Client(Calling):
    """A connection to the user's daemon, or to one elsewhere. Use it in a `with` block or `close` it."""

    # The daemon

    def diagnose(self) -> system_pb2.DiagnoseResponse:
        return self._call(lambda c: c.system.Diagnose, system_pb2.DiagnoseRequest())

    def shutdown(self, now: bool = False) -> None:
        """Ask the daemon to end; it does so after this call has returned."""
        request = system_pb2.ShutdownRequest(now=now)
        self._connection.call(self._connection.system.Shutdown, request)

    # Media

    def upload(self, path: Path, progress: Progress | None = None) -> str:
        """Send a file unless the daemon has it; gives its SHA-256."""
        return self.upload_all([path], progress)[0]

    def upload_all(self, paths: Sequence[Path], progress: Progress | None = None) -> list[str]:
        """Send the files the daemon lacks; gives all their SHA-256 in order."""
        largest = self._info.limits.max_chunk_bytes or transfer.PIECE_BYTES
        return transfer.upload_files(self, paths, min(largest, transfer.PIECE_BYTES), progress)

    def stat_media(self, hashes: Sequence[str]) -> list[media_pb2.MediaState]:
        """What the daemon has of at most 1000 files."""
        request = media_pb2.StatMediaRequest(sha256=hashes)
        return list(self._call(lambda c: c.media.StatMedia, request).media)

    def upload_chunk(self, header: media_pb2.UploadHeader, data: bytes) -> media_pb2.MediaState:
        request = media_pb2.UploadChunkRequest(header=header, data=data)
        return self._call(lambda c: c.media.UploadChunk, request).media

    def download_chunk(
        self, job: str, artifact: int, offset: int, max_bytes: int
    ) -> media_pb2.DownloadChunkResponse:
        request = media_pb2.DownloadChunkRequest(
            job=job, artifact=artifact, offset=offset, max_bytes=max_bytes
        )
        return self._call(lambda c: c.media.DownloadChunk, request)

    def download(
        self, job: str, artifact: jobs_pb2.Artifact, target: Path, progress: Progress | None = None
    ) -> None:
        """Fetch an artifact to `target`, whole and checked or not at all (see `transfer.download_file`)."""
        transfer.download_file(self, job, artifact, target, progress)

    def download_images(
        self,
        job: str,
        artifacts: Sequence[jobs_pb2.Artifact],
        targets: Sequence[Path],
        progress: Progress | None = None,
    ) -> None:
        """Fetch artifacts into one folder, all or none (see `results.download_images`)."""
        results.download_images(self, job, artifacts, targets, progress)

    # Jobs

    def submit(
        self, edit: types_pb2.EditRequest, request_id: str | None = None, priority: int = 0
    ) -> jobs_pb2.Job:
        """Queue an edit whose media have been uploaded; the same `request_id` gives the same job."""
        request = jobs_pb2.SubmitJobRequest(
            request_id=request_id or new_request_id(), edit=edit, priority=priority, client=self._client
        )
        return self._call(lambda c: c.jobs.SubmitJob, request).job

    def job(
        self, job_id: str, since: int = 0, wait: float = 0.0, preview_since: int = -1
    ) -> JobUpdate | None:
        """A job; None if it has not changed beyond the revision `since` within `wait` seconds (30 at most).

        `preview_since`: revision beyond which a preview is wanted; -1: none.
        """
        return self._job(job_id, since, wait, preview_since, self._start)

    def watch(self, job_id: str, since: int = 0, previews: bool = False) -> Iterator[JobUpdate]:
        """The job as it stands (unless nothing is newer than `since`), then each change until it has ended.

        Goes on over a crash of the daemon, which is started again if `connect` allowed it. A daemon that was
        stopped stays stopped: DaemonUnreachable then.
        """
        preview = 0 if previews else -1
        start = Start.AFTER_A_CRASH if self._start is Start.ON_DEMAND else self._start
        while True:
            asked = time.monotonic()
            update = self._job(job_id, since, LONG_POLL_SECONDS, preview, start)
            if update is None:
                # A daemon on its way out answers at once, whatever wait it was asked for.
                time.sleep(max(0.0, asked + _SHORTEST_POLL_SECONDS - time.monotonic()))
                continue
            yield update
            if update.job.state in ENDED:
                return
            since = update.job.revision
            if previews:
                preview = max(preview, update.job.preview_revision)

    def jobs(
        self,
        states: Sequence[jobs_pb2.JobState.ValueType] = (),
        order: jobs_pb2.JobOrder.ValueType = jobs_pb2.JOB_ORDER_NEWEST,
        client: str = "",
        limit: int | None = None,
    ) -> Iterator[jobs_pb2.Job]:
        """Jobs without their requests, page after page; at most `limit`."""
        token, left = "", limit
        while left is None or left > 0:
            request = jobs_pb2.ListJobsRequest(
                page_size=100 if left is None else min(left, 100),
                page_token=token,
                states=states,
                order=order,
                client=client,
            )
            page = self._call(lambda c: c.jobs.ListJobs, request)
            yield from page.jobs
            token = page.next_page_token
            left = None if left is None else left - len(page.jobs)
            if not token:
                return

    def estimate(self, request: jobs_pb2.EstimateEditRequest) -> jobs_pb2.EstimateEditResponse:
        """What an edit would cost, before anything of it is sent; of daemons with the capability
        "estimate"."""
        return self._call(lambda c: c.jobs.EstimateEdit, request)

    def cancel(self, job_id: str) -> jobs_pb2.Job:
        """Ask a job to stop; watch it to know when it has."""
        return self._call(lambda c: c.jobs.CancelJob, jobs_pb2.CancelJobRequest(id=job_id)).job

    def retry(self, job_id: str, request_id: str | None = None) -> jobs_pb2.Job:
        """The same edit with the same seed as a new job."""
        request = jobs_pb2.RetryJobRequest(id=job_id, request_id=request_id or new_request_id())
        return self._call(lambda c: c.jobs.RetryJob, request).job

    def vary(self, job_id: str, seed: int | None = None, request_id: str | None = None) -> jobs_pb2.Job:
        """The same edit with another seed, drawn at random if None, as a new job."""
        request = jobs_pb2.VaryJobRequest(id=job_id, request_id=request_id or new_request_id(), seed=seed)
        return self._call(lambda c: c.jobs.VaryJob, request).job

    def move(self, job_id: str, priority: int | None = None, before: str = "") -> jobs_pb2.Job:
        """Change a waiting job's priority, or put it before another one."""
        request = jobs_pb2.MoveJobRequest(id=job_id, priority=priority, before=before)
        return self._call(lambda c: c.jobs.MoveJob, request).job

    def delete(self, job_id: str) -> None:
        """Forget a job that has ended, with its results."""
        self._call(lambda c: c.jobs.DeleteJob, jobs_pb2.DeleteJobRequest(id=job_id))

    # Models

    def models(self) -> list[models_pb2.Model]:
        """All models that are installed or can be pulled."""
        return list(self._call(lambda c: c.models.ListModels, models_pb2.ListModelsRequest()).models)

    def pull(self, name: str) -> models_pb2.ModelTask:
        """Begin, or join, a model's download; follow it with `watch_task`."""
        return self._call(
            lambda c: c.models.PullModel, models_pb2.PullModelRequest(name=name, follower=self._follower)
        ).task

    def verify(self, name: str) -> models_pb2.ModelTask:
        """Begin to check a model's files; follow it with `watch_task`."""
        return self._call(
            lambda c: c.models.VerifyModel, models_pb2.VerifyModelRequest(name=name, follower=self._follower)
        ).task

    def task(self, task_id: str, since: int = 0, wait: float = 0.0) -> models_pb2.ModelTask:
        """A download or a check; waits up to `wait` seconds (30 at most) for a change beyond `since`."""
        request = models_pb2.GetModelTaskRequest(
            id=task_id, since=since, wait_ms=round(wait * 1000), follower=self._follower
        )
        return self._call(lambda c: c.models.GetModelTask, request, CALL_SECONDS + wait).task

    def watch_task(self, task: models_pb2.ModelTask) -> Iterator[models_pb2.ModelTask]:
        """The task, then each change of it until it has ended."""
        yield task
        while task.state == models_pb2.MODEL_TASK_STATE_RUNNING:
            newer = self.task(task.id, task.revision, LONG_POLL_SECONDS)
            if newer.revision != task.revision:
                task = newer
                yield task

    def cancel_task(self, task_id: str) -> models_pb2.ModelTask:
        """Stop a download or a check that no other client follows; what has arrived stays."""
        return self._call(
            lambda c: c.models.CancelModelTask,
            models_pb2.CancelModelTaskRequest(id=task_id, follower=self._follower),
        ).task

    def load(self, name: str, device: str = "auto") -> models_pb2.Model:
        """Read a model into memory, so that the next edit begins at once; returns when it is there."""
        request = models_pb2.LoadModelRequest(name=name, device=device)
        return self._call(lambda c: c.models.LoadModel, request, LOAD_SECONDS).model

    def unload(self) -> bool:
        """Free the engine's memory, the GPU's included; whether there was any."""
        return self._call(lambda c: c.models.UnloadModel, models_pb2.UnloadModelRequest()).was_loaded

    def _job(
        self, job_id: str, since: int, wait: float, preview_since: int, start: Start | None
    ) -> JobUpdate | None:
        request = jobs_pb2.GetJobRequest(
            id=job_id, since=since, wait_ms=round(wait * 1000), preview_since=preview_since
        )
        response = self._call(lambda c: c.jobs.GetJob, request, CALL_SECONDS + wait, start)
        return JobUpdate(response.job, response.preview_jpeg) if response.changed else None


def new_request_id() -> str:
    """An id for one wish: sent again, it is still the same wish."""
    return str(uuid.uuid4())


def failure_of_job(job: jobs_pb2.Job) -> ServiceFailure:
    """Why a job that has failed did."""
    return ServiceFailure.of(job.failure)
