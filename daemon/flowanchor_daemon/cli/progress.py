# SPDX-License-Identifier: Apache-2.0
"""Progress on standard error: phase, step and time left, as a bar or, without a terminal, as lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from flowanchor_core.progress import Done, EditResult, Event, Notice, PhaseStarted
from flowanchor_core.progress import Progress as Step

LINE_EVERY_SECONDS = 2.0


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


def follow(events: Iterable[Event], show: Reporter) -> EditResult:
    """Show all of an edit's events and return what it ended with."""
    result = None
    for event in events:
        match event:
            case PhaseStarted(phase, total):
                show.phase(phase, total)
            case Step():
                show.step(event.phase, event.step, event.total, event.seconds_left)
            case Notice():
                show.note(event.text)
            case Done():
                result = event.result
    if result is None:
        raise RuntimeError("an edit ended without a result")
    return result


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min left"
    return f"{whole // 60} min {whole % 60:02d} s left" if whole >= 60 else f"{whole} s left"
