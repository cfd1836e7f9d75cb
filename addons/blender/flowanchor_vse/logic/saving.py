# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose the edits are when the open file is saved: as itself, as another file from then on, or as a copy.
Before a save the latter two look alike: what the first file has not been saved with since is written as the
first's, with the new file as its heir. Which of them has it is told when the heir is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .files import FileId, same_path, saved_at, written_ms
from .ledger import NO_FILE, Ledger
from .runs import Runs


def inherit(ledger: Ledger, written_ms: Callable[[str], int | None] = written_ms) -> Ledger:
    """The ledger of a file just opened, with the edits that it has inherited as its own: those that the file
    it was saved from cannot know, because it was last written before they were made or is not there.

    Args:
        written_ms: when a file of this computer was last written, None if there is none (default: looks).
    """
    heir, earlier = ledger.file.id, ledger.earlier
    waiting = [record for record in ledger if heir and record.heir == heir and record.file == earlier.id]
    if not waiting:
        return ledger
    written = written_ms(earlier.path)
    own = {record.id for record in waiting if written is None or written < record.created_ms}
    return ledger.map(lambda one: replace(one, file=heir) if one.id in own else one)


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
        owner = known.id or file.id
        heir = file.id if owner != file.id else ""
        written = ledger.map(lambda one: one if one.file else replace(one, file=owner, heir=heir))
        written.file = file
        if heir:
            written.earlier = known
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
