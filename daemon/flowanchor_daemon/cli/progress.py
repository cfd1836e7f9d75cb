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
_ENOUGH_TO_FORETELL = 0.05
"""Share of a job that must have passed before the time left for the rest is worth telling."""
_CUT_SHORT = {
    "engine-crashed": "The engine ended unexpectedly",
    "daemon-ended": "The daemon ended",
    "out-of-memory": "The memory ran out, the edit runs again in less",
}


class Reporter(Protocol):
    """Shows events as they come. Used as a context manager so that a bar is always taken down again.

    `whole` tells of all phases together (None: no longer), and is shown beside the next steps, instead of the
    time left for their phase alone; `say` gives a line of its own.
    """

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def phase(self, name: str, total: int) -> None: ...
    def step(self, name: str, done: int, total: int, seconds_left: float | None) -> None: ...
    def whole(self, fraction: float | None, seconds_left: float | None) -> None: ...
    def note(self, text: str) -> None: ...
    def say(self, text: str) -> None: ...


class Bar:
    """One line that is redrawn in place."""

    def __init__(self) -> None:
        self._bar = Progress(
            TextColumn("{task.description:<12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
            TextColumn("{task.fields[whole]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: TaskID | None = None
        self._whole = ""

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
        self._task = self._bar.add_task(name, total=total, left="", whole=self._whole)

    def step(self, name: str, done: int, total: int, seconds_left: float | None) -> None:
        if self._task is not None:
            left = _left(seconds_left) if done < total and not self._whole else ""
            self._bar.update(self._task, completed=done, total=total, left=left, whole=self._whole)

    def whole(self, fraction: float | None, seconds_left: float | None) -> None:
        self._whole = _of_all(fraction, seconds_left)
        if self._task is not None:
            self._bar.update(self._task, whole=self._whole)

    def note(self, text: str) -> None:
        self.say(f"Note: {text}")

    def say(self, text: str) -> None:
        self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)


class Lines:
    """A line when a phase begins and then one every two seconds, for logs and pipes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = 0.0
        self._whole = ""

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
            left = f" {self._whole or _left(seconds_left)}".rstrip() if done < total else ""
            self.say(f"{name}: {done}/{total}{left}")

    def whole(self, fraction: float | None, seconds_left: float | None) -> None:
        told = _of_all(fraction, seconds_left)
        self._whole = f"({told})" if told else ""

    def note(self, text: str) -> None:
        self.say(f"Note: {text}")

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def reporter() -> Reporter:
    return Bar() if sys.stderr.isatty() else Lines()


class JobProgress:
    """Shows a job's updates. They are snapshots: steps and phases that passed between two of them are told as
    done."""

    def __init__(self, show: Reporter, clock: Callable[[], float] = time.monotonic) -> None:
        self._show = show
        self._clock = clock
        self._phase = ""
        self._step = self._total = 0
        self._notices = self._attempts = 0
        self._waiting = 0
        self._began: tuple[float, float] | None = None
        """When the attempt's first fraction was seen, and which."""
        self._resumes = False
        """It is to be told yet from which step the newest attempt goes on."""
        self._done_before = 0

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
            self._show.whole(None, None)
        elif job.state == jobs_pb2.JOB_STATE_RUNNING and job.progress.phase:
            self._see_progress(job.progress)

    def _see_attempts(self, job: Job) -> None:
        for attempt in job.attempts[max(1, self._attempts) :]:
            why = _CUT_SHORT.get(job.attempts[attempt.number - 2].outcome, "The attempt was cut short")
            self._show.note(f"{why}; attempt {attempt.number} begins.")
            self._resumes, self._began = True, None
        self._attempts = max(self._attempts, len(job.attempts))
        if job.attempts:
            self._done_before = job.attempts[-1].resumed_at
        # Where it goes on from is known once the model is loaded, how many steps there are once it edits.
        phase = job.progress.phase if job.state == jobs_pb2.JOB_STATE_RUNNING else ""
        if self._resumes and phase not in ("", "load") and (phase == "edit" or not self._done_before):
            self._resumes = False
            number, total = len(job.attempts), self._done_before + job.progress.total
            where = f"from step {self._done_before} of {total}" if self._done_before else "from the beginning"
            self._show.note(f"Attempt {number} goes on {where}.")

    def _see_progress(self, progress: jobs_pb2.Progress) -> None:
        done_before = self._done_before if progress.phase == "edit" else 0
        step, total = progress.step + done_before, progress.total + done_before
        if progress.phase != self._phase:
            self._complete()
            self._phase, self._step = progress.phase, 0
            self._show.phase(progress.phase, total)
        again = (step, total) == (self._step, self._total)
        self._step, self._total = step, total
        self._see_whole(progress.fraction)
        left = progress.seconds_left if progress.HasField("seconds_left") else None
        if step and not again:
            self._show.step(progress.phase, step, total, left)

    def _see_whole(self, fraction: float) -> None:
        """Tell how far all phases are together, and when they are done if they go on at the pace so far."""
        now = self._clock()
        if self._began is None or fraction < self._began[1]:
            self._began = (now, fraction)
        gone, spent = fraction - self._began[1], now - self._began[0]
        known = gone >= _ENOUGH_TO_FORETELL and spent >= 1
        if fraction > 0:
            self._show.whole(fraction, spent / gone * (1 - fraction) if known else None)

    def _complete(self) -> None:
        if self._phase and self._step < self._total:
            self._show.step(self._phase, self._total, self._total, None)
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


def _of_all(fraction: float | None, seconds_left: float | None) -> str:
    """ "12 % of all, 40 s left"; nothing where there is nothing of which this is a part."""
    if fraction is None:
        return ""
    left = f", {_left(seconds_left)}" if seconds_left is not None else ""
    return f"{fraction * 100:.0f} % of all{left}"


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min left"
    return f"{whole // 60} min {whole % 60:02d} s left" if whole >= 60 else f"{whole} s left"
