# SPDX-License-Identifier: GPL-3.0-or-later
"""Exported frames are kept as long as they may have to be sent; results stay for their strips."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..logic.ledger import ENDED, Ledger, Record
from ..logic.request import plan_from_json

CLIP = "clip"
MASK = "mask"


def exports(ledger: Ledger) -> None:
    """Remove exports of edits that ended after the daemon had them, unless another edit sends the same."""
    needed = {path.parent for record in ledger if not sent(record) for path in planned(record)}
    for record in ledger:
        if sent(record):
            remove(Path(record.folder), needed)


def sent(record: Record) -> bool:
    """Whether nothing will be uploaded for this edit any more."""
    return bool(record.job) and (record.state == "placing" or record.state in ENDED)


def shares(record: Record, other: Record) -> bool:
    """Whether two edits send the same files."""
    return not sent(record) and not set(planned(record)).isdisjoint(planned(other))


def planned(record: Record) -> tuple[Path, ...]:
    plan = plan_from_json(record.plan)
    return plan.files if plan is not None else ()


def remove(folder: Path, needed: set[Path] | frozenset[Path] = frozenset()) -> None:
    """Remove the export in an edit's folder, and the folder itself if nothing else is in it."""
    for part in (folder / CLIP, folder / MASK):
        if part.is_dir() and part not in needed:
            shutil.rmtree(part, ignore_errors=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
