# SPDX-License-Identifier: GPL-3.0-or-later
"""Exported frames are kept as long as an upload may need them, then removed; results stay for their strips."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..logic.ledger import Ledger

CLIP = "clip"
MASK = "mask"


def exports(ledger: Ledger) -> None:
    """Remove exports whose edit the daemon has."""
    for record in ledger:
        if not record.plan:
            remove(Path(record.folder))


def remove(folder: Path) -> None:
    """Remove the export in an edit's folder, and the folder itself if nothing else is in it."""
    for name in (CLIP, MASK):
        if (folder / name).is_dir():
            shutil.rmtree(folder / name, ignore_errors=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
