# SPDX-License-Identifier: Apache-2.0
"""The service of proto/flowanchor/v1/jobs.proto: checks a call, makes it, answers."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from flowanchor.v1 import jobs_pb2, jobs_pb2_grpc, system_pb2, types_pb2

from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.media.store import MediaStore
from flowanchor_daemon.models.manager import ModelManager
from flowanchor_daemon.queue import estimates, requests
from flowanchor_daemon.queue.board import Board
from flowanchor_daemon.queue.fields import invalid, whole
from flowanchor_daemon.queue.jobs import ENDED, NewJob
from flowanchor_daemon.queue.listing import DEFAULT_PAGE, LARGEST_PAGE, Query
from flowanchor_daemon.queue.scheduler import Scheduler
from flowanchor_daemon.queue.store import JobStore, media_of

log = logging.getLogger(__name__)

LONGEST_WAIT_MS = 30_000

Context = grpc.aio.ServicerContext[Any, Any]


class JobsService(jobs_pb2_grpc.JobsServicer):
    """Failures are raised as ServiceError or InputError; the server's interceptor translates them."""

    def __init__(
        self,
        store: JobStore,
        board: Board,
        scheduler: Scheduler,
        media: MediaStore,
        models: ModelManager,
        limits: system_pb2.Limits,
    ) -> None:
        self._store = store
        self._board = board
        self._scheduler = scheduler
        self._media = media
        self._models = models
        self._limits = limits

    async def SubmitJob(
        self, request: jobs_pb2.SubmitJobRequest, context: Context
    ) -> jobs_pb2.SubmitJobResponse:
        requests.check_submit(request)
        edit = requests.normalised(request.edit, self._limits)
        digest = _digest(
            "submit", edit.SerializeToString(deterministic=True), request.priority, request.client
        )
        new = NewJob(request.request_id, digest, edit, request.client, request.priority)
        job, created = await self._submit(new, draw=True)
        return jobs_pb2.SubmitJobResponse(job=job, created=created)

    async def RetryJob(
        self, request: jobs_pb2.RetryJobRequest, context: Context
    ) -> jobs_pb2.RetryJobResponse:
        requests.check_request_id(request.request_id)
        digest = _digest("retry", request.id)
        known = await self._store.db(self._store.find_request, request.request_id, digest)
        if known is not None:
            return jobs_pb2.RetryJobResponse(job=self._filled(known, self._board.revision(known.id)))
        parent = await self._store.db(self._store.get, request.id)
        new = _again(request.request_id, digest, parent, parent.request)
        return jobs_pb2.RetryJobResponse(job=(await self._submit(new))[0])

    async def VaryJob(self, request: jobs_pb2.VaryJobRequest, context: Context) -> jobs_pb2.VaryJobResponse:
        requests.check_request_id(request.request_id)
        seed = request.seed if request.HasField("seed") else None
        digest = _digest("vary", request.id, seed)
        known = await self._store.db(self._store.find_request, request.request_id, digest)
        if known is not None:
            return jobs_pb2.VaryJobResponse(job=self._filled(known, self._board.revision(known.id)))
        parent = await self._store.db(self._store.get, request.id)
        new = _again(request.request_id, digest, parent, requests.varied(parent.request, seed))
        return jobs_pb2.VaryJobResponse(job=(await self._submit(new))[0])

    async def GetJob(self, request: jobs_pb2.GetJobRequest, context: Context) -> jobs_pb2.GetJobResponse:
        whole("wait_ms", request.wait_ms, 0, LONGEST_WAIT_MS)
        since = self._board.clamp(request.since)
        if request.wait_ms and self._board.revision(request.id) <= since:
            await self._store.db(
                self._store.get, request.id
            )  # who asks for a job that is not there need not wait
            await self._board.wait(request.id, since, request.wait_ms / 1000)
        revision = self._board.revision(request.id)
        job = await self._store.db(self._store.get, request.id)
        if revision <= since:
            return jobs_pb2.GetJobResponse(changed=False)
        return jobs_pb2.GetJobResponse(
            changed=True,
            job=self._filled(job, revision),
            preview_jpeg=self._board.preview_of(request.id, request.preview_since),
        )

    async def WatchJob(
        self, request: jobs_pb2.WatchJobRequest, context: Context
    ) -> AsyncIterator[jobs_pb2.WatchJobResponse]:
        seen, seen_preview = self._board.clamp(request.since), 0 if request.previews else -1
        while True:
            # The next message is made when the one before has left: a slow client gets the newest state only.
            revision = self._board.revision(request.id)
            job = self._filled(await self._store.db(self._store.get, request.id), revision)
            if revision > seen:
                seen = revision
                preview = self._board.preview_of(request.id, seen_preview)
                if preview:
                    seen_preview = job.preview_revision
                yield jobs_pb2.WatchJobResponse(job=job, preview_jpeg=preview)
            if job.state in ENDED:
                return
            if not await self._board.wait(request.id, seen):
                raise ServiceError("draining")

    async def ListJobs(
        self, request: jobs_pb2.ListJobsRequest, context: Context
    ) -> jobs_pb2.ListJobsResponse:
        whole("page_size", request.page_size, 0, LARGEST_PAGE)
        requests.check_client(request.client)
        if request.request_id:
            requests.check_request_id(request.request_id)
        if request.order not in jobs_pb2.JobOrder.values():
            raise invalid("order", "is no order of a list")
        states = frozenset(request.states)
        if not states <= set(jobs_pb2.JobState.values()) - {jobs_pb2.JOB_STATE_UNSPECIFIED}:
            raise invalid("states", "holds what is no state of a job")
        size = request.page_size or DEFAULT_PAGE
        query = Query(request.order, states, request.client, size, request.page_token, request.request_id)
        before = self._board.snapshot()
        page = await self._store.db(self._store.page, query)
        jobs = [self._filled(job, before.get(job.id, self._board.base)) for job in page.jobs]
        return jobs_pb2.ListJobsResponse(jobs=jobs, next_page_token=page.token, total=page.total)

    async def CancelJob(
        self, request: jobs_pb2.CancelJobRequest, context: Context
    ) -> jobs_pb2.CancelJobResponse:
        revision = self._board.revision(request.id)
        job = await self._scheduler.cancel(request.id)
        return jobs_pb2.CancelJobResponse(job=self._filled(job, revision))

    async def MoveJob(self, request: jobs_pb2.MoveJobRequest, context: Context) -> jobs_pb2.MoveJobResponse:
        priority = request.priority if request.HasField("priority") else None
        if priority is not None:
            requests.check_priority(priority)
            if request.before:
                raise invalid(
                    "priority", "is given with before, whose priority the job takes", "Give one of them."
                )
        revision = self._board.revision(request.id)
        job = await self._store.db(self._store.move, request.id, priority, request.before)
        return jobs_pb2.MoveJobResponse(job=self._filled(job, revision))

    async def DeleteJob(
        self, request: jobs_pb2.DeleteJobRequest, context: Context
    ) -> jobs_pb2.DeleteJobResponse:
        await self._scheduler.delete(request.id)
        return jobs_pb2.DeleteJobResponse()

    async def EstimateEdit(
        self, request: jobs_pb2.EstimateEditRequest, context: Context
    ) -> jobs_pb2.EstimateEditResponse:
        edit = requests.without_media(request.edit, self._limits)
        past = await self._store.db(self._store.past_results, edit.model, estimates.PAST_JOBS)
        return await asyncio.to_thread(estimates.estimated, edit, request, past)

    async def _submit(self, new: NewJob, draw: bool = False) -> tuple[jobs_pb2.Job, bool]:
        """Queue a job whose model and media are here; a request id that is known needs neither."""
        known = await self._store.db(self._store.find_request, new.request_id, new.digest)
        if known is not None:
            return self._filled(known, self._board.revision(known.id)), False
        if self._scheduler.draining:
            raise ServiceError("draining")
        await asyncio.to_thread(self._check_there, new.edit)
        if draw:
            edit = requests.with_seed(new.edit)
            new = NewJob(new.request_id, new.digest, edit, new.client, new.priority, new.parent)
        job, created = await self._store.db(self._store.submit, new)
        return self._filled(job, self._board.revision(job.id)), created

    def _check_there(self, edit: types_pb2.EditRequest) -> None:
        """Blocks. ServiceError "model-unknown", "media-missing" (metadata: the first hash, and how many)."""
        if not self._models.exists(edit.model):
            raise ServiceError(
                "model-unknown", f'The model "{edit.model}" is not installed.', model=edit.model
            )
        media = dict.fromkeys(ref.sha256 for ref in media_of(edit))
        missing = [sha256 for sha256 in media if not self._media.stat(sha256).complete]
        if missing:
            raise ServiceError("media-missing", sha256=missing[0], count=len(missing))

    def _filled(self, job: jobs_pb2.Job, revision: int) -> jobs_pb2.Job:
        self._board.fill(job, revision)
        return job


def _again(request_id: str, digest: bytes, parent: jobs_pb2.Job, edit: types_pb2.EditRequest) -> NewJob:
    return NewJob(request_id, digest, edit, parent.client, parent.priority, parent.id)


def _digest(*parts: object) -> bytes:
    """Stands for what a client asked."""
    return hashlib.sha256(repr(parts).encode()).digest()
