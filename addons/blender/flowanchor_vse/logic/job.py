# SPDX-License-Identifier: GPL-3.0-or-later
"""One edit between two ticks: sent, watched, fetched, one call a step."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_client import JobUpdate, ServiceFailure

from . import problems
from .downloading import Download, DownloadFailed
from .ledger import ENDED
from .plan import UploadPlan
from .request import edit_request
from .standing import JobStanding
from .transport import Transport
from .uploading import Upload, UploadFailed

RUNNING_SECONDS = 0.25
WAITING_SECONDS = 0.5
_MOST_MISSING = 3
_MISSING = ("job-unknown", "artifact-unknown")


class JobRun(JobStanding):
    """A record of the ledger and what is being done about it. `step` while `due` is not None."""

    # Wishes; none of them makes a call

    def ask(self, now: float) -> None:
        """Of a file that was saved while the edit was being sent: the daemon may have it, and knows it by its
        request."""
        self._asking = self.may_have_arrived = True
        self._set(state="starting")
        self.due = now

    def cancel(self, now: float) -> None:
        if self.record.state in ENDED or self.record.state == "placing":
            return
        if self.record.state == "downloading" or not (self.record.job or self.may_have_arrived):
            self.release()
            self._end("cancelled")
        else:
            self._cancel, self.due = True, now

    def forget(self, now: float) -> None:
        """Cancel it if need be and delete it in the daemon; `due` is None when that is done."""
        self.release()
        self.forgetting = True
        self.due = now if self.record.job or self.may_have_arrived else None

    def send_again(self, now: float) -> None:
        """Once more from the beginning, for an edit the daemon has never accepted."""
        self.release()
        self._upload, self._missing, self._cancel, self._asking = None, 0, False, False
        self._go("starting", now)

    def fetch(self, now: float) -> None:
        """The result, from the disk if it is there, else from the daemon."""
        self.offered = self.restored = False
        self.release()
        if self.record.files and all(path.is_file() for path in self.record.paths):
            self._set(state="placing", failure={})
            self.problem, self.due, self.ready = None, None, True
        elif self.record.job:
            self._since, self._cancel = 0, False
            self._go("downloading", now)
        else:
            self.fail(problems.gone(self.can_send_again))

    # Steps

    def step(self, transport: Transport, now: float, piece_bytes: int = 0) -> None:
        """One call at most, or a few MiB of a file; `piece_bytes` is the most the daemon takes in a message.

        ServiceFailure: of the call, for the session to tell.
        """
        self._piece_bytes = piece_bytes
        try:
            if self._asking:
                self._find(transport, now)
            elif self.forgetting:
                self._forget(transport, now)
            elif self.record.state in ("starting", "uploading"):
                self._send(transport, now)
            elif self.record.state == "downloading" and self._download is not None:
                self._receive(transport, now, self._download)
            else:
                self._look(transport, now)
        except (UploadFailed, DownloadFailed) as failed:
            self.fail(failed.problem)

    def _find(self, transport: Transport, now: float) -> None:
        job = transport.find(self.record.id)
        self._asking = False
        if job is not None:
            self._accepted(job, now)
            return
        self.may_have_arrived = False
        if self.forgetting:
            self.due = None
        elif self._cancel:
            self._end("cancelled")
        else:
            self.fail(problems.never_sent())

    def _send(self, transport: Transport, now: float) -> None:
        if self.record.call != "submit":
            self._derive(transport, now)
            return
        plan = self._plan
        if plan is None:
            self.fail(problems.gone(False))
            return
        if self._upload is None:
            self._upload = Upload(plan.files)
            self._set(state="uploading")
        if self._upload.complete:
            self._submit(transport, now, plan, self._upload)
        else:
            self._upload.step(transport, self._piece_bytes)
            self._shown.bytes_moved(self._upload.progress, now)
            self.due = now

    def _submit(self, transport: Transport, now: float, plan: UploadPlan, upload: Upload) -> None:
        edit = self.request(plan, upload)
        try:
            self.may_have_arrived = True
            job = transport.submit(edit, self.record.id, self.record.settings.priority)
        except ServiceFailure as failure:
            if failure.code == "media-missing" and self._missing < _MOST_MISSING:
                self._missing += 1  # they were sent long ago and have made room for others
                upload.forget_sent()
                self.due = now
                return
            raise
        self._accepted(job, now)

    def request(self, plan: UploadPlan, upload: Upload) -> types_pb2.EditRequest:
        context = {"record": self.record.id, "origin": asdict(self.record.origin)}
        if len(json.dumps(context)) > 60_000:  # of the 64 KiB the daemon keeps
            context = {"record": self.record.id}
        return edit_request(self.record.settings, plan, upload.sha256, context)

    def _derive(self, transport: Transport, now: float) -> None:
        try:
            self.may_have_arrived = True
            if self.record.call == "retry":
                job = transport.retry(self.record.of, self.record.id)
            else:
                settings = self.record.settings
                seed = None if settings.seed_mode == "random" else settings.seed
                job = transport.vary(self.record.of, self.record.id, seed)
        except ServiceFailure as failure:
            if failure.code not in ("job-unknown", "media-missing"):
                raise
            if not self.can_send_again:
                self.fail(problems.gone(False))
                return
            self.may_have_arrived = False
            self._set(call="submit", of="")  # the settings say the same
            self.due = now
            return
        self._accepted(job, now)

    def _accepted(self, job: jobs_pb2.Job, now: float) -> None:
        self._upload, self._since = None, 0
        self._set(job=job.id, state="waiting")
        self._shown.job(job)
        self.due = now

    def _look(self, transport: Transport, now: float) -> None:
        try:
            if self._cancel and not self._cancel_sent:
                transport.cancel(self.record.job)
                self._cancel_sent, self.due = True, now + 0.05
                return
            preview = -1 if self.record.state == "downloading" else self._shown.thumbnail_edition
            update = transport.job(self.record.job, self._since, preview)
        except ServiceFailure as failure:
            if failure.code not in _MISSING:
                raise
            self.fail(problems.gone(self.can_send_again))
            return
        if update is not None:
            self._see(update, now)
        if self.due is not None and not self.moves_bytes:
            self.due = now + (WAITING_SECONDS if self.record.state == "waiting" else RUNNING_SECONDS)

    def _see(self, update: JobUpdate, now: float) -> None:
        job = update.job
        self._since = job.revision
        self._shown.update(update)
        if job.state == jobs_pb2.JOB_STATE_SUCCEEDED:
            self._succeeded(job, now)
        elif job.state == jobs_pb2.JOB_STATE_FAILED:
            self.fail(problems.problem_of(ServiceFailure.of(job.failure)))
        elif job.state == jobs_pb2.JOB_STATE_CANCELLED:
            self._end("cancelled")
        elif job.state == jobs_pb2.JOB_STATE_QUEUED:
            self._set(state="waiting")
        else:
            self._cancel_sent = self._cancel_sent or job.state == jobs_pb2.JOB_STATE_CANCELLING
            self._set(state="running")

    def _succeeded(self, job: jobs_pb2.Job, now: float) -> None:
        self._set(seed=job.result.seed)
        if self._cancel:  # it was done before it heard
            self._end("cancelled")
        elif self.restored:
            self.offer()
        else:
            self._download = Download(job.id, job.artifacts, Path(self.record.folder))
            if self._download.empty:
                self.fail(problems.empty_result())
                return
            self.due = now
            self._set(state="downloading")
            self._shown.bytes_moved(self._download.progress, now)

    def _receive(self, transport: Transport, now: float, download: Download) -> None:
        try:
            download.step(transport)
        except ServiceFailure as failure:
            if failure.code not in _MISSING:
                raise
            self.fail(problems.result_gone(self.can_send_again))
            return
        self._shown.bytes_moved(download.progress, now)
        self.due = now
        if download.complete:
            self._download, self.due, self.ready = None, None, True
            self._set(state="placing", files=download.names, size=download.size)

    def _forget(self, transport: Transport, now: float) -> None:
        try:
            if not self.record.job:
                self._send(transport, now)
                return
            if not self._cancel_sent:
                transport.cancel(self.record.job)
                self._cancel_sent, self.due = True, now
                return
            transport.delete(self.record.job)
            self.due = None
        except ServiceFailure as failure:
            if failure.code == "job-not-finished":
                self.due = now + WAITING_SECONDS
            elif failure.code == "job-unknown":
                self.due = None
            else:
                raise
