# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose the edits are when the open file is saved: as itself, as another file from then on, or as a copy.
Before a save the latter two look alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .files import FileId, same_path, saved_at
from .ledger import NO_FILE, Ledger
from .runs import Runs


class Saving:
    """`begin` before each save, `end` after it, `failed` after one that came to nothing."""

    def __init__(self, runs: Runs, new_id: Callable[[], str]) -> None:
        self._runs = runs
        self._new_id = new_id
        self._file: FileId | None = None

    def begin(self, path: str) -> Ledger:
        """What to write into the file that is about to be saved at a path. Until it was, nothing changes
        here."""
        ledger = self._runs.ledger
        known = ledger.file
        file = self._file = saved_at(known, path, self._new_id)
        # Edits of no file yet are the present file's until it is known that another took its place.
        owner = known.id or file.id
        written = ledger.map(lambda one: one if one.file else replace(one, file=owner))
        written.file = file
        return written

    def end(self, path: str) -> None:
        """It was saved, and the open file now lies at this path; empty: it was a copy of one that never
        was."""
        file, self._file = self._file, None
        if file is None:
            return
        if same_path(path, file.path):
            self._runs.owned_by(file)
        elif not self._runs.ledger.file.id:  # the copy has taken its edits
            self._runs.owned_by(file)
            self._runs.owned_by(NO_FILE)

    def failed(self) -> None:
        """Nothing was saved: the open file is what it was."""
        self._file = None
