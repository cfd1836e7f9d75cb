# SPDX-License-Identifier: GPL-3.0-or-later
"""All edits of a file: their records in the ledger, whose turn it is, what has changed since it was told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .files import FileId
from .job import JobRun
from .ledger import Ledger, Record
from .views import JobView, Problem

MOST_ACTIVE = 4
"""Of so many edits the intervals are those of one; of more they grow, so that the calls do not."""


@dataclass(frozen=True)
class News:
    """What has changed: views by id, edits that failed, and records whose files have become whole."""

    jobs: frozenset[str] = frozenset()
    failed: dict[str, Problem] = field(default_factory=dict)
    ready: tuple[Record, ...] = ()
    ledger: bool = False


class Runs:
    """Runs by record id, in the order they came. Those being forgotten are no longer among them."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.leaving: list[JobRun] = []
        self._runs: dict[str, JobRun] = {}
        self._turn = 0
        self._seen: dict[str, JobView] = {}
        self._touched: set[str] = set()
        self._link_problem: Problem | None = None
        self._ledger_changed = False

    def __getitem__(self, record: str) -> JobRun:
        return self._runs[record]

    def __iter__(self) -> Iterator[JobRun]:
        """All, those being forgotten included."""
        return iter([*self._runs.values(), *self.leaving])

    def open(self, ledger: Ledger, now: float) -> None:
        """Those of another file in place of the present ones."""
        self.release()
        self.ledger, self._runs, self.leaving = ledger, {}, []
        self._touched, self._ledger_changed = set(self._seen), False
        for record in ledger:
            self._restore(record, now)

    def merge(self, stored: Ledger, now: float) -> bool:
        """Take what is newer in the file; whether the file holds less than is known here."""
        lacks = self.ledger.merge(stored)
        for record in self.ledger:
            run = self._runs.get(record.id)
            if run is None or run.record.edition < record.edition:
                if run is not None:
                    run.release()
                self._restore(record, now)
        return lacks

    def _restore(self, record: Record, now: float) -> None:
        run = self._runs[record.id] = JobRun(record, now)
        run.restored = True
        run.owned = self.ledger.owns(record)
        if record.state == "placing":
            run.offer()
        elif run.due is not None and not record.job:
            run.ask(now)
        self.keep(run)

    def add(self, run: JobRun) -> None:
        self._runs[run.record.id] = run
        self.keep(run)

    def remove(self, record: str, now: float) -> JobRun:
        """Take an edit out and have it forgotten in the daemon; there it stays if it is another file's."""
        run = self._runs.pop(record)
        if run.owned:
            run.forget(now)
        else:
            run.release()
            run.due = None
        run.record = run.record.changed(deleted=True)
        self.keep(run)
        if run.due is not None:
            self.leaving.append(run)
        return run

    def keep(self, run: JobRun) -> None:
        """Note that something about a run may have changed, and write its record to the ledger if it has."""
        self._touched.add(run.record.id)
        if self.ledger.find(run.record.id) is not run.record:
            self.ledger.put(run.record)
            self._ledger_changed = True
        if run.forgetting and run.due is None and run in self.leaving:
            self.leaving.remove(run)

    def owned_by(self, file: FileId) -> None:
        """The open file is this one from now on, and so are edits that were in no file yet."""
        self.ledger.file, self._ledger_changed = file, True
        for run in self._runs.values():
            if file.id and not run.record.file:
                run.record = run.record.changed(file=file.id)
            run.owned = self.ledger.owns(run.record)
            self.keep(run)

    def release(self) -> None:
        """Close files; half a download is removed."""
        for run in self:
            run.release()

    @property
    def dues(self) -> list[float]:
        return [run.due for run in self if run.due is not None]

    def next(self, now: float) -> JobRun | None:
        """The run whose turn it is: each in its turn, so that an upload does not hold up the others."""
        due = [run for run in self if run.due is not None and run.due <= now]
        if not due:
            return None
        self._turn += 1
        return due[self._turn % len(due)]

    def pace(self, run: JobRun, now: float) -> None:
        """Of many edits each is asked for less often."""
        if run.due is not None and run.due > now:
            run.due = now + (run.due - now) * max(1.0, len(self.dues) / MOST_ACTIVE)

    def views(self) -> list[JobView]:
        """Newest first."""
        return [self._view(run) for run in reversed(self._runs.values())]

    def view(self, record: str) -> JobView | None:
        run = self._runs.get(record)
        return None if run is None else self._view(run)

    def _view(self, run: JobRun) -> JobView:
        return run.view(self._link_problem)

    def link_has(self, problem: Problem | None) -> None:
        """What keeps the daemon out of reach; every edit at work shows it."""
        if problem != self._link_problem:
            self._link_problem = problem
            self._touched.update(self._runs)

    def news(self, may_place: bool = True) -> News:
        """What has changed since the last call. Only what was touched is looked at. Unless the host
        `may_place` results now, they are told later."""
        changed: set[str] = set()
        failed: dict[str, Problem] = {}
        ready: list[Record] = []
        waiting: set[str] = set()
        for record in self._touched:
            view, before = self.view(record), self._seen.pop(record, None)
            if view != before:
                changed.add(record)
            if view is None:
                continue
            self._seen[record] = view
            if view.state == "failed" and view.problem and (before is None or before.state != "failed"):
                failed[record] = view.problem
            run = self._runs[record]
            if run.ready and may_place:
                run.ready = False
                ready.append(run.record)
            elif run.ready:
                waiting.add(record)
        news = News(frozenset(changed), failed, tuple(ready), self._ledger_changed)
        self._touched = waiting
        self._ledger_changed = False
        return news
