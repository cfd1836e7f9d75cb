# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon as the session sees it: one short call at a time, no thread, no wait."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Protocol, TypeVar

import grpc
from flowanchor.v1 import jobs_pb2, media_pb2, models_pb2, system_pb2, types_pb2
from flowanchor_client import DaemonUnreachable, JobUpdate
from flowanchor_client.channel import Connection
from flowanchor_client.connect import Start, reaching

Request = TypeVar("Request")
Response = TypeVar("Response")

CALL_SECONDS = 0.3
"""Deadline of a call. It takes a millisecond or two; where the machine is busy, the session asks again
later."""
CHUNK_SECONDS = 1.0
"""Deadline of a call that moves bytes: the last piece of a file makes the daemon check and sync all of it,
which goes on there when we have stopped waiting."""
PROBE_SECONDS = 0.3
START_SECONDS = 40.0


class Transport(Protocol):
    """Every method but `close` and `drop` makes one unary call at most. All raise ServiceFailure;
    DaemonUnreachable, a kind of it, says that no answer came: "daemon-silent" that it may still be on its
    way, anything else that the connection is of no use any more (`drop` it and `connect` again)."""

    def connect(self, start: Start) -> system_pb2.GetInfoResponse | None:
        """One step towards a daemon: None while it is on its way, what it says of itself once it has
        answered."""
        ...

    def drop(self) -> None:
        """Let go of the connection, or of an attempt to make one."""
        ...

    @property
    def warning(self) -> str: ...

    def stat_media(self, hashes: Sequence[str]) -> list[media_pb2.MediaState]: ...
    def upload_chunk(self, header: media_pb2.UploadHeader, data: bytes) -> media_pb2.MediaState: ...
    def download_chunk(self, job: str, artifact: int, offset: int, max_bytes: int) -> bytes: ...
    def submit(self, edit: types_pb2.EditRequest, request_id: str, priority: int) -> jobs_pb2.Job: ...
    def find(self, request_id: str) -> jobs_pb2.Job | None: ...
    def job(self, job: str, since: int, preview_since: int) -> JobUpdate | None: ...
    def cancel(self, job: str) -> jobs_pb2.Job: ...
    def retry(self, job: str, request_id: str) -> jobs_pb2.Job: ...
    def vary(self, job: str, request_id: str, seed: int | None) -> jobs_pb2.Job: ...
    def delete(self, job: str) -> None: ...
    def models(self) -> list[models_pb2.Model]: ...
    def pull(self, name: str) -> models_pb2.ModelTask: ...
    def task(self, task: str) -> models_pb2.ModelTask: ...
    def cancel_task(self, task: str) -> models_pb2.ModelTask: ...
    def estimate(self, request: jobs_pb2.EstimateEditRequest) -> jobs_pb2.EstimateEditResponse: ...
    def diagnose(self) -> system_pb2.DiagnoseResponse: ...
    def unload(self) -> bool: ...
    def shutdown(self) -> None: ...
    def close(self) -> None: ...


class ClientTransport:
    """The user's daemon, over the client that all hosts share."""

    def __init__(self, client: str = "blender") -> None:
        """`client` names the program in lists of jobs. Nothing is done yet."""
        self._client = client
        self._connection: Connection | None = None
        self._info = system_pb2.GetInfoResponse()
        self._steps: Generator[None, None, tuple[Connection, system_pb2.GetInfoResponse]] | None = None
        self._start = Start.NEVER
        self._leaving = ""

    def connect(self, start: Start) -> system_pb2.GetInfoResponse | None:
        if self._connection is not None:
            return self._info
        if self._steps is None or start is not self._start:
            self._give_up()
            self._start = start
            self._steps = reaching(start, START_SECONDS, self._leaving, PROBE_SECONDS)
        try:
            next(self._steps)
        except StopIteration as reached:
            self._steps = None
            self._connection, self._info = reached.value
            self._leaving = ""
            return self._info
        except BaseException:
            self._steps = None
            raise
        return None

    def drop(self) -> None:
        self._give_up()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    close = drop

    @property
    def warning(self) -> str:
        """What the daemon says about a client that is newer than itself; empty if nothing."""
        return (self._connection.warning if self._connection is not None else None) or ""

    def stat_media(self, hashes: Sequence[str]) -> list[media_pb2.MediaState]:
        request = media_pb2.StatMediaRequest(sha256=hashes)
        return list(self._call(self._on.media.StatMedia, request).media)

    def upload_chunk(self, header: media_pb2.UploadHeader, data: bytes) -> media_pb2.MediaState:
        request = media_pb2.UploadChunkRequest(header=header, data=data)
        return self._call(self._on.media.UploadChunk, request, CHUNK_SECONDS).media

    def download_chunk(self, job: str, artifact: int, offset: int, max_bytes: int) -> bytes:
        request = media_pb2.DownloadChunkRequest(
            job=job, artifact=artifact, offset=offset, max_bytes=max_bytes
        )
        return self._call(self._on.media.DownloadChunk, request, CHUNK_SECONDS).data

    def submit(self, edit: types_pb2.EditRequest, request_id: str, priority: int) -> jobs_pb2.Job:
        request = jobs_pb2.SubmitJobRequest(
            request_id=request_id, edit=edit, priority=priority, client=self._client
        )
        return self._call(self._on.jobs.SubmitJob, request, CHUNK_SECONDS).job

    def find(self, request_id: str) -> jobs_pb2.Job | None:
        """The job a request has made; None if it never arrived, or its job was deleted."""
        request = jobs_pb2.ListJobsRequest(request_id=request_id, page_size=1)
        jobs = self._call(self._on.jobs.ListJobs, request).jobs
        # A daemon without the capability "find-request" lists any job.
        return next((job for job in jobs if job.request_id == request_id), None)

    def job(self, job: str, since: int, preview_since: int) -> JobUpdate | None:
        """The job if it has changed beyond `since`; None if not. Never waits for a change."""
        request = jobs_pb2.GetJobRequest(id=job, since=since, preview_since=preview_since)
        response = self._call(self._on.jobs.GetJob, request)
        return JobUpdate(response.job, response.preview_jpeg) if response.changed else None

    def cancel(self, job: str) -> jobs_pb2.Job:
        return self._call(self._on.jobs.CancelJob, jobs_pb2.CancelJobRequest(id=job)).job

    def retry(self, job: str, request_id: str) -> jobs_pb2.Job:
        request = jobs_pb2.RetryJobRequest(id=job, request_id=request_id)
        return self._call(self._on.jobs.RetryJob, request, CHUNK_SECONDS).job

    def vary(self, job: str, request_id: str, seed: int | None) -> jobs_pb2.Job:
        request = jobs_pb2.VaryJobRequest(id=job, request_id=request_id, seed=seed)
        return self._call(self._on.jobs.VaryJob, request, CHUNK_SECONDS).job

    def delete(self, job: str) -> None:
        self._call(self._on.jobs.DeleteJob, jobs_pb2.DeleteJobRequest(id=job))

    def models(self) -> list[models_pb2.Model]:
        return list(self._call(self._on.models.ListModels, models_pb2.ListModelsRequest()).models)

    def pull(self, name: str) -> models_pb2.ModelTask:
        return self._call(self._on.models.PullModel, models_pb2.PullModelRequest(name=name)).task

    def task(self, task: str) -> models_pb2.ModelTask:
        return self._call(self._on.models.GetModelTask, models_pb2.GetModelTaskRequest(id=task)).task

    def cancel_task(self, task: str) -> models_pb2.ModelTask:
        return self._call(self._on.models.CancelModelTask, models_pb2.CancelModelTaskRequest(id=task)).task

    def estimate(self, request: jobs_pb2.EstimateEditRequest) -> jobs_pb2.EstimateEditResponse:
        return self._call(self._on.jobs.EstimateEdit, request, CHUNK_SECONDS)

    def diagnose(self) -> system_pb2.DiagnoseResponse:
        return self._call(self._on.system.Diagnose, system_pb2.DiagnoseRequest())

    def unload(self) -> bool:
        return self._call(self._on.models.UnloadModel, models_pb2.UnloadModelRequest()).was_loaded

    def shutdown(self) -> None:
        self._call(self._on.system.Shutdown, system_pb2.ShutdownRequest())
        self._leaving = self._on.token

    @property
    def _on(self) -> Connection:
        if self._connection is None:
            raise DaemonUnreachable("daemon-unreachable", "There is no connection.", "Connect first.")
        return self._connection

    def _call(
        self,
        method: grpc.UnaryUnaryMultiCallable[Request, Response],
        request: Request,
        seconds: float = CALL_SECONDS,
    ) -> Response:
        try:
            return self._on.call(method, request, seconds)
        except DaemonUnreachable as failure:
            if failure.code == "draining":  # it says so itself: the next one is to be another
                self._leaving = self._on.token
            raise

    def _give_up(self) -> None:
        if self._steps is not None:
            self._steps.close()
            self._steps = None


def _is_a_transport(transport: ClientTransport) -> Transport:
    return transport  # held to the interface by the type checker
