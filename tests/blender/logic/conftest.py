# SPDX-License-Identifier: Apache-2.0
"""A session on a stand-in daemon, its clock turned by hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import pytest
from flowanchor_vse.logic.ledger import Ledger, Origin, Record
from flowanchor_vse.logic.naming import frame_file
from flowanchor_vse.logic.plan import Box, Footage, UploadPlan
from flowanchor_vse.logic.session import Session
from flowanchor_vse.logic.settings import EditSettings
from flowanchor_vse.logic.views import Changes, JobView, Problem

from tests.blender.logic.standin import StandIn

ORIGIN = Origin(scene="Scene", strip="uid-1", strip_name="shot", first=10, last=12, channel=2)
SETTINGS = EditSettings(source_prompt="a red circle", target_prompt="a blue circle", seed=7)


@dataclass
class Desk:
    """A session, what it calls, its clock, and everything its ticks have told."""

    folder: Path
    standin: StandIn = field(default_factory=StandIn)
    now: float = 1000.0
    placed: list[Record] = field(default_factory=list)
    problems: list[tuple[str, Problem]] = field(default_factory=list)
    ledger_writes: int = 0
    stored: str = ""
    last: Changes = field(default_factory=Changes)

    def __post_init__(self) -> None:
        self._ids = (f"request-{number:08d}" for number in itertools.count())
        self.session = self.new_session()

    def new_session(self) -> Session:
        """As after a start of Blender."""
        return Session(self.standin, lambda: self.now, lambda: 1_700_000_000_000, lambda: next(self._ids))

    def reopen(self) -> None:
        """Close Blender and open the file again, as it was last written."""
        self.session.close()
        self.session = self.new_session()
        self.session.open(Ledger.from_json(self.stored))

    def tick(self) -> Changes:
        self.standin.this_tick = 0
        changes = self.last = self.session.tick()
        self.placed += changes.to_place
        self.problems += changes.problems.items()
        unexpected = [problem for problem in changes.problems.values() if problem.code == "unexpected"]
        assert not unexpected, unexpected  # what the stand-in holds against a call is among them
        if changes.ledger:
            self.stored = self.session.ledger.to_json()
            self.ledger_writes += 1
        self.now += changes.next_seconds if changes.next_seconds is not None else 0.25
        return changes

    def until(self, look: Callable[[], object], ticks: int = 2000) -> None:
        """Tick until `look` is true."""
        for _ in range(ticks):
            if look():
                return
            self.tick()
        raise AssertionError(f"not within {ticks} ticks: {self.session.jobs()} {self.session.daemon}")

    def idle(self, ticks: int = 2000) -> None:
        """Tick until nothing is left to do."""
        self.tick()
        self.until(lambda: self.last.next_seconds is None, ticks)

    def view(self, record: str) -> JobView:
        found = self.session.job(record)
        assert found is not None
        return found

    def state(self, record: str) -> str:
        return self.view(record).state

    def until_state(self, record: str, state: str, ticks: int = 2000) -> JobView:
        self.until(lambda: self.state(record) == state, ticks)
        return self.view(record)

    def plan(self, frames: int = 3, size: int = 2500, name: str = "clip") -> UploadPlan:
        """Exported frames; `size` bytes each."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        files = []
        for index in range(frames):
            path = folder / frame_file(index)
            path.write_bytes(f"{name} {index} ".encode() * (size // 8) + b"end")
            files.append(path)
        return UploadPlan(Footage(tuple(files), 0, Fraction(24)), boxes=(Box(1, 2, 3, 4),))

    def submit(
        self, plan: UploadPlan | None = None, settings: EditSettings = SETTINGS, name: str = "out"
    ) -> str:
        return self.session.submit(plan or self.plan(), settings, ORIGIN, str(self.folder / name))

    def submitted(self) -> str:
        """An edit that the daemon has queued."""
        record = self.submit()
        self.until_state(record, "waiting")
        return record

    def running(self) -> str:
        """An edit that the daemon runs."""
        record = self.submitted()
        self.standin.run(self.view(record).record.job, 1, 4)
        self.until_state(record, "running")
        return record

    def finished(self) -> str:
        """An edit whose result is here and waits to be placed."""
        record = self.running()
        self.standin.succeed(self.view(record).record.job)
        self.until_state(record, "placing")
        return record

    def done(self) -> str:
        """An edit whose result was placed."""
        record = self.finished()
        self.session.placed(record, "strip-1")
        self.tick()
        return record


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)
