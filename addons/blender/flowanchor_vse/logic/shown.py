# SPDX-License-Identifier: GPL-3.0-or-later
"""What people see of an edit at work: how far it is, how long it will take, how it looks so far."""

from __future__ import annotations

from typing import cast

from flowanchor.v1 import jobs_pb2
from flowanchor_client import JobUpdate

from .ledger import Record
from .views import JobState, JobView, Problem

_MOVING = ("hash", "upload", "download")


class Shown:
    """Fed by an edit's steps, read by `view`."""

    def __init__(self) -> None:
        self._progress = jobs_pb2.Progress()
        self._bytes = (0, 0)  # of hash, upload or download; more than a Progress's steps can count
        self._phase_since = 0.0
        self._position = 0
        self._notices: tuple[str, ...] = ()
        self._thumbnail: bytes | None = None
        self.thumbnail_edition = 0

    def begin(self) -> None:
        """Nothing is done of what comes now."""
        self._progress = jobs_pb2.Progress()

    def job(self, job: jobs_pb2.Job) -> None:
        """A job as the daemon has it."""
        self._position = job.queue_position
        self._notices = tuple(notice.text for notice in (*job.notices, *job.result.notices))
        self._progress = job.progress

    def update(self, update: JobUpdate) -> None:
        self.job(update.job)
        if update.preview:
            self._thumbnail, self.thumbnail_edition = update.preview, update.job.preview_revision

    def bytes_moved(self, progress: tuple[str, int, int], now: float) -> None:
        """Phase, bytes done and bytes in all of an upload or a download; the pace gives the time left."""
        phase, done, total = progress
        if phase != self._progress.phase:
            self._phase_since = now
        elapsed = now - self._phase_since
        self._bytes = (done, total)
        self._progress = jobs_pb2.Progress(phase=phase, fraction=done / total if total else 0.0)
        if elapsed > 1.0 and 0 < done <= total:
            self._progress.seconds_left = elapsed * (total - done) / done

    def view(
        self, record: Record, problem: Problem | None, cancelling: bool, offered: bool, owned: bool
    ) -> JobView:
        progress = self._progress
        step, total = self._bytes if progress.phase in _MOVING else (progress.step, progress.total)
        active = record.state in ("uploading", "running", "downloading")
        return JobView(
            id=record.id,
            state=cast(JobState, record.state),
            record=record,
            phase=progress.phase if active else "",
            step=step if active else 0,
            total=total if active else 0,
            fraction=progress.fraction if active else float(record.state in ("placing", "done")),
            seconds_left=progress.seconds_left if active and progress.HasField("seconds_left") else None,
            position=self._position if record.state == "waiting" else 0,
            cancelling=cancelling,
            offered=offered,
            thumbnail=self._thumbnail,
            thumbnail_edition=self.thumbnail_edition,
            problem=problem,
            notices=self._notices,
            memory_bytes=progress.memory_bytes,
            owned=owned,
        )
