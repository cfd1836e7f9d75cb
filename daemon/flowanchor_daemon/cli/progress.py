# SPDX-License-Identifier: Apache-2.0
"""Progress on standard error: phase, step and time left, as a bar or, without a terminal, as lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from flowanchor.v1 import jobs_pb2
from flowanchor.v1.jobs_pb2 import Job
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

LINE_EVERY_SECONDS = 2.0
_CUT_SHORT = {
    "engine-crashed": "The engine ended unexpectedly",
    "daemon-ended": "The daemon ended",
    "out-of-memory": "The memory ran out, the edit runs again in less",
}


class Reporter(Protocol):
    """Shows events as they come. Used as a context manager so that a bar is always taken down again."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def phase(self, name: str, total: int) -> None: ...
    def step(self, name: str, done: int, total: int, seconds_left: float | None) -> None: ...
    def note(self, text: str) -> None: ...


class Bar:
    """One line that is redrawn in place."""

    def __init__(self) -> None:
        self._bar = Progress(
            TextColumn("{task.description:<12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def phase(self, name: str, total: int) -> None:
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(name, total=total, left="")

    def step(self, name: str, done: int, total: int, seconds_left: float | None) -> None:
        if self._task is not None:
            self._bar.update(self._task, completed=done, total=total, left=_left(seconds_left))

    def note(self, text: str) -> None:
        self._bar.console.print(f"Note: {text}", markup=False, highlight=False, soft_wrap=True)


class Lines:
    """A line when a phase begins and then one every two seconds, for logs and pipes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def phase(self, name: str, total: int) -> None:
        self._last = self._clock()
        print(f"{name}: 0/{total}", file=sys.stderr, flush=True)

    def step(self, name: str, done: int, total: int, seconds_left: float | None) -> None:
        if done == total or self._clock() - self._last >= LINE_EVERY_SECONDS:
            self._last = self._clock()
            print(f"{name}: {done}/{total} {_left(seconds_left)}".rstrip(), file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        print(f"Note: {text}", file=sys.stderr, flush=True)


def reporter() -> Reporter:
    return Bar() if sys.stderr.isatty() else Lines()


class JobProgress:
    """Shows a job's updates. They are snapshots: steps and phases that passed between two of them are told as
    done."""

    def __init__(self, show: Reporter) -> None:
        self._show = show
        self._phase = ""
        self._step = self._total = 0
        self._notices = self._attempts = 0
        self._waiting = 0

    def see(self, job: Job) -> None:
        """Show what is new in `job`."""
        for notice in job.notices[self._notices :]:
            self._show.note(notice.text)
        self._notices = max(self._notices, len(job.notices))
        if job.queue_position > 1 and job.queue_position != self._waiting:
            before = job.queue_position - 1
            jobs = "1 job is" if before == 1 else f"{before} jobs are"
            self._show.note(f"Waiting: {jobs} before this one.")
        self._waiting = job.queue_position
        self._see_attempts(job)
        if job.state == jobs_pb2.JOB_STATE_SUCCEEDED:
            self._complete()
        elif job.state == jobs_pb2.JOB_STATE_RUNNING and job.progress.phase:
            self._see_progress(job.progress)

    def _see_attempts(self, job: Job) -> None:
        for attempt in job.attempts[max(1, self._attempts) :]:
            why = _CUT_SHORT.get(job.attempts[attempt.number - 2].outcome, "The attempt was cut short")
            where = f"from step {attempt.resumed_at}" if attempt.resumed_at else "from the beginning"
            self._show.note(f"{why}; attempt {attempt.number} goes on {where}.")
        self._attempts = max(self._attempts, len(job.attempts))

    def _see_progress(self, progress: jobs_pb2.Progress) -> None:
        if progress.phase != self._phase:
            self._complete()
            self._phase = progress.phase
            self._show.phase(progress.phase, progress.total)
        self._step, self._total = progress.step, progress.total
        left = progress.seconds_left if progress.HasField("seconds_left") else None
        if progress.step:
            self._show.step(progress.phase, progress.step, progress.total, left)

    def _complete(self) -> None:
        if self._phase and self._step < self._total:
            self._show.step(self._phase, self._total, self._total, 0.0)
        self._step = self._total


def bytes_shown(show: Reporter, phase: str) -> Callable[[int, int], None]:
    """A transfer's progress as a phase counted in megabytes; nothing is shown of one that ends at once."""
    begun = time.monotonic()
    shown = False

    def told(done: int, total: int) -> None:
        nonlocal shown
        spent = time.monotonic() - begun
        if not shown and spent < 0.5:
            return
        whole = max(1, round(total / 1e6))
        if not shown:
            show.phase(phase, whole)
            shown = True
        left = spent / done * (total - done) if done else None
        show.step(phase, min(whole, round(done / 1e6)), whole, left)

    return told


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min left"
    return f"{whole // 60} min {whole % 60:02d} s left" if whole >= 60 else f"{whole} s left"
