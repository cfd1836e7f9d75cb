# SPDX-License-Identifier: GPL-3.0-or-later
"""How an edit stands between two steps: its record, what it waits for, what went wrong, what is shown."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from . import problems
from .downloading import Download
from .ledger import ENDED, Record
from .plan import UploadPlan, plan_from_json
from .shown import Shown
from .uploading import Upload
from .views import JobState, JobView, Problem


class JobStanding:
    """A record of the ledger, and what is known of it that no file keeps. No method makes a call."""

    def __init__(self, record: Record, now: float) -> None:
        """Nothing is done yet; a record that is not at an end has its first step due at once."""
        self.record = record
        self.due: float | None = now if record.state not in ENDED and record.state != "placing" else None
        self.ready = False
        """The result's files have become whole; the session tells the host once."""
        self.forgetting = False
        self.problem = problems.from_json(record.failure)
        self.offered = False
        self.restored = False
        self.may_have_arrived = False
        """A submission was sent whose answer is not known."""
        self.owned = True
        """It belongs to the open file: what the daemon and the disk have of it is ours to remove."""
        self._asking = False
        self._piece_bytes = 0
        self._upload: Upload | None = None
        self._download: Download | None = None
        self._cancel = False
        self._cancel_sent = False
        self._missing = 0
        self._since = 0
        self._shown = Shown()

    def goes_into(self, folder: Path) -> None:
        """Where its result is to be kept; nothing of it is there yet."""
        self._set(folder=str(folder))

    def placed(self, strip: str, where: str) -> None:
        self.offered = self.ready = False
        self._set(placed=strip, where=where)
        self._end("done")

    def made_into(self, files: tuple[str, ...], size: tuple[int, int]) -> None:
        self._set(files=files, size=size)

    def offer(self) -> None:
        """A result from before the file was opened: the user says whether it is placed."""
        self._set(state="placing")
        self.offered, self.due = True, None

    def fail(self, problem: Problem) -> None:
        self.release()
        self._set(failure=problems.to_json(problem))
        self._end("failed")
        self.problem = problem

    def release(self) -> None:
        """Close files; half a download is removed."""
        if self._upload is not None:
            self._upload.close()
        if self._download is not None:
            self._download.close()
            self._download = None

    def reconnected(self) -> None:
        """Another daemon may answer now."""
        self._since = 0
        if self._upload is not None:
            self._upload.forget_sent()

    @cached_property
    def _plan(self) -> UploadPlan | None:
        """Made when it is needed: it names each file, and a .blend may hold many edits that are over."""
        return plan_from_json(self.record.plan)

    @property
    def can_send_again(self) -> bool:
        return self._plan is not None and self._plan.files[0].is_file()

    @property
    def moves_bytes(self) -> bool:
        return self._upload is not None or self._download is not None

    def _go(self, state: JobState, now: float) -> None:
        self.problem = None
        self._shown.begin()
        self._cancel_sent = False
        self.due = now
        self._set(state=state, failure={})

    def _end(self, state: JobState) -> None:
        self.problem, self.due, self._upload = None, None, None
        self._cancel = self._cancel_sent = False
        self._set(state=state, failure=self.record.failure if state == "failed" else {})

    def _set(self, **changes: Any) -> None:
        if any(getattr(self.record, name) != value for name, value in changes.items()):
            self.record = self.record.changed(**changes)

    def view(self, link_problem: Problem | None = None) -> JobView:
        """As it stands; an edit at work shows what keeps the daemon out of reach."""
        problem = self.problem or (link_problem if self.due is not None else None)
        cancelling = self._cancel or self._cancel_sent
        return self._shown.view(self.record, problem, cancelling, self.offered, self.owned)
