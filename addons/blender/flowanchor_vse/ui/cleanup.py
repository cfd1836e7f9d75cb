# SPDX-License-Identifier: GPL-3.0-or-later
"""Exported frames are kept as long as they may have to be sent; results stay for their strips."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from ..logic import confined
from ..logic.ledger import ENDED, Ledger, Record
from ..logic.request import plan_folders

CLIP, MASK = confined.CLIP, confined.MASK
_FRAME = re.compile(r"([0-9]{6,}|rendering[-+0-9]*)\.png")


def exports(ledger: Ledger) -> None:
    """Remove exports of edits that ended after the daemon had them, unless another edit sends the same."""
    needed = {folder for record in ledger if not sent(record) for folder in plan_folders(record.plan)}
    for record in ledger:
        if sent(record):
            remove(Path(record.folder), needed)


def sent(record: Record) -> bool:
    """Whether nothing will be uploaded for this edit any more."""
    return bool(record.job) and (record.state == "placing" or record.state in ENDED)


def shares(record: Record, other: Record) -> bool:
    """Whether two edits send the same files."""
    return not sent(record) and not plan_folders(record.plan).isdisjoint(plan_folders(other.plan))


def remove(folder: Path, needed: set[Path] | frozenset[Path] = frozenset()) -> None:
    """Remove the export in an edit's folder, and the folder itself if nothing else is in it. Only numbered
    frames go, which the add-on writes, and no link is followed."""
    if folder.is_symlink():
        return
    for part in (folder / CLIP, folder / MASK):
        if part not in needed and part.is_dir() and not part.is_symlink():
            _remove_frames(part)
    _remove_empty(folder)


def _remove_frames(folder: Path) -> None:
    for file in list(folder.iterdir()):
        if _FRAME.fullmatch(file.name):
            with contextlib.suppress(OSError):  # in use or not ours to remove: the rest goes all the same
                file.unlink()
    _remove_empty(folder)


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
