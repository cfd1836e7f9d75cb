# SPDX-License-Identifier: GPL-3.0-or-later
"""Exported frames are kept as long as they may have to be sent; results stay for their strips.

Only numbered frames in the exports folder are ever removed, and folders that are empty.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Collection
from pathlib import Path

from .. import preferences
from ..logic import confined
from ..logic.ledger import ENDED, Ledger, Record
from ..logic.plan import plan_folders

CLIP, MASK = confined.CLIP, confined.MASK
FORGOTTEN_SECONDS = 30 * 24 * 3600.0
"""After so long an export is nobody's any more: Blender ended in the middle, or its file was deleted."""
_FRAME = re.compile(r"([0-9]{6,}|rendering[-+0-9]*)\.png")


def exports(ledger: Ledger) -> None:
    """Remove exports of the file's own edits that ended after the daemon had them, unless another edit sends
    the same."""
    needed = {folder for record in ledger if not sent(record) for folder in plan_folders(record.plan)}
    for record in ledger:
        if sent(record) and ledger.owns(record):
            remove(plan_folders(record.plan) - needed)


def sent(record: Record) -> bool:
    """Whether nothing will be uploaded for this edit any more."""
    return bool(record.job) and (record.state == "placing" or record.state in ENDED)


def forget(record: Record, others: Ledger) -> None:
    """Remove the export of an edit that was taken off the list, unless another sends the same, and its
    results folder if nothing is in it."""
    needed = {folder for other in others if not sent(other) for folder in plan_folders(other.plan)}
    remove(plan_folders(record.plan) - needed)
    remove_results(Path(record.folder))


def remove(folders: Collection[Path]) -> None:
    """Remove exported frames, and their folders if nothing else is in them. Nothing outside of the exports
    folder is touched and no link is followed."""
    root = preferences.exports_folder()
    for folder in folders:
        edit = folder.parent
        inside = edit.parent == root and folder.name in (CLIP, MASK)
        if inside and folder.is_dir() and not edit.is_symlink() and not folder.is_symlink():
            _remove_frames(folder)
            remove_empty(edit)


def remove_results(folder: Path) -> None:
    """Remove an edit's results folder, and the one beside the .blend, if they are empty."""
    if not folder.is_symlink():
        remove_empty(folder)
    if folder.parent.name == preferences.BESIDE and not folder.parent.is_symlink():
        remove_empty(folder.parent)


def sweep(now: float | None = None) -> None:
    """Remove exports that nothing has touched for long."""
    before = (time.time() if now is None else now) - FORGOTTEN_SECONDS
    root = preferences.exports_folder()
    with contextlib.suppress(OSError):  # it is not there, or another Blender sweeps as well
        for edit in root.iterdir():
            parts = [part for part in (edit / CLIP, edit / MASK) if part.is_dir()]
            if all(part.stat().st_mtime < before for part in parts):
                remove(parts)
                if edit.is_dir() and not edit.is_symlink() and edit.stat().st_mtime < before:
                    remove_empty(edit)


def _remove_frames(folder: Path) -> None:
    for file in list(folder.iterdir()):
        if _FRAME.fullmatch(file.name):
            with contextlib.suppress(OSError):  # in use or not ours to remove: the rest goes all the same
                file.unlink()
    remove_empty(folder)


def remove_empty(folder: Path) -> None:
    """Remove a folder if it is there and nothing is in it."""
    with contextlib.suppress(OSError):  # in use, not ours to remove, or another Blender was there first
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
