# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wished of the edits of a .blend: begun, stopped, made again, forgotten, fetched, placed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from flowanchor_client.connect import Start

from .job import JobRun
from .ledger import Origin, Record
from .link import Link
from .plan import UploadPlan, plan_to_json
from .runs import Runs
from .settings import LARGEST_SEED, EditSettings, SeedMode
from .views import JobView, Problem

MakeFolder = Callable[[str], Path]
"""Gives the folder of a name for the results of a new edit."""


class Edits:
    """All methods return at once and make no call; what they wish for is done by later ticks."""

    def __init__(
        self,
        runs: Runs,
        link: Link,
        clock: Callable[[], float],
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        """`clock` is monotonic, in seconds; `now_ms` counts milliseconds since 1970-01-01 UTC."""
        self._runs = runs
        self._link = link
        self._clock = clock
        self._now_ms = now_ms
        self._new_id = new_id

    def submit(self, plan: UploadPlan, settings: EditSettings, origin: Origin, folder: str) -> str:
        """Take an edit whose files have been exported; its id. `folder` (absolute) gets its result."""
        if not plan.masks and not plan.boxes:
            raise ValueError("an edit needs a mask or a box")
        record = Record(
            id=self._new_id(),
            origin=origin,
            settings=settings,
            folder=folder,
            plan=plan_to_json(plan),
            created_ms=self._now_ms(),
        )
        return self._begin(record)

    def cancel(self, record: str) -> None:
        """Stop an edit that has not ended; harmless otherwise."""
        run = self._runs[record]
        run.cancel(self._clock())
        self._runs.keep(run)
        if run.due is not None:
            self._link.want(Start.NEVER)

    def retry(self, record: str, make_folder: MakeFolder | None = None) -> str:
        """The same edit with the same seed, as a new one; its id. One that the daemon has never accepted is
        sent again as itself, unless it is another file's. `make_folder` as in `vary`."""
        run = self._runs[record]
        if not run.record.job and run.owned:
            if make_folder is not None:
                run.goes_into(make_folder(Path(run.record.folder).name))
            run.restored = False
            run.send_again(self._clock())
            self._runs.keep(run)
            self._link.want(Start.ON_DEMAND)
            return record
        old = run.record
        known = old.seed >= 0
        settings = replace(old.settings, seed=old.seed, seed_mode="fixed") if known else old.settings
        return self._again(old, "retry", settings, make_folder)

    def vary(self, record: str, seed: int | None = None, make_folder: MakeFolder | None = None) -> str:
        """The same edit with another seed, drawn by the daemon if None, as a new one; its id. `make_folder`
        gives the folder of a name for its results (default: one beside the first's); what it raises leaves
        everything as it was."""
        if seed is not None and not 0 <= seed <= LARGEST_SEED:
            raise ValueError(f"{seed} is no seed")
        old = self._runs[record].record
        mode: SeedMode = "random" if seed is None else "fixed"
        settings = replace(old.settings, seed=seed or 0, seed_mode=mode)
        return self._again(old, "vary", settings, make_folder)

    def _again(self, old: Record, call: str, settings: EditSettings, make_folder: MakeFolder | None) -> str:
        fresh = self._new_id()
        folder = Path(old.folder)
        name = f"{folder.name[:80]}-{fresh[:8]}"
        record = Record(
            id=fresh,
            origin=old.origin,
            settings=settings,
            folder=str(make_folder(name) if make_folder is not None else folder.parent / name),
            plan=old.plan,
            parent=old.id,
            call=call if old.job else "submit",
            of=old.job,
            created_ms=self._now_ms(),
        )
        return self._begin(record)

    def _begin(self, record: Record) -> str:
        self._runs.add(JobRun(record, self._clock()))
        self._link.want(Start.ON_DEMAND)
        return record.id

    def delete(self, record: str) -> None:
        """Forget an edit here and, unless it is another file's, in the daemon; a running one is cancelled
        first. Its files stay, for the strips."""
        if self._runs.remove(record, self._clock()).due is not None:
            self._link.want(Start.NEVER)

    def fetch(self, record: str) -> None:
        """Fetch the result (again) and place it: of an offered job, after a failed download, or when its
        files or its strip are gone."""
        run = self._runs[record]
        run.fetch(self._clock())
        self._runs.keep(run)
        if run.due is not None:
            self._link.want(Start.ON_DEMAND)

    def placed(self, record: str, strip: str, where: str = "") -> None:
        """The host placed the result as the strip with this custom id; `where` as in `Record`."""
        run = self._runs[record]
        run.placed(strip, where)
        self._runs.keep(run)

    def made_into(self, record: str, files: Sequence[Path], size: tuple[int, int]) -> None:
        """The host has made other files of the result, in the same folder: they are the result from now
        on."""
        run = self._runs[record]
        run.made_into(tuple(file.name for file in files), size)
        self._runs.keep(run)

    def place_failed(self, record: str, message: str, action: str) -> None:
        """The host could not place the result; it stays in state placing, with the problem, for another
        `fetch`."""
        run = self._runs[record]
        run.problem = Problem("place-failed", message, action, "fetch")
        self._runs.keep(run)

    def jobs(self) -> list[JobView]:
        """Newest first."""
        return self._runs.views()

    def job(self, record: str) -> JobView | None:
        return self._runs.view(record)
