# SPDX-License-Identifier: GPL-3.0-or-later
"""What a .blend says about files, held to the folders results and exports are kept in: a .blend may come from
anybody.

Only names are taken from its ledger, never paths; of several results folders the one it says, if it is one of
them. A plan that sends the user's own movie or images is dropped: they are known from the strip when an edit
is submitted, and afterwards to this Blender, not to the file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .ledger import Ledger, Record
from .naming import plain, safe_artifact_name

CLIP = "clip"
MASK = "mask"
"""Folders of exported frames in an edit's folder."""
MOST_FRAMES = 20_000
"""Of one export; the daemon takes fewer."""
_MOST_MASKS = 16
_MOST_BOXES = 100
_LONGEST_NAME = 120


def confined(ledger: Ledger, results: Sequence[Path], exports: Path) -> Ledger:
    """The records of a file's ledger with no path in them but in `exports` and in one of `results`, the first
    of which gets new ones."""
    return ledger.map(lambda record: _record(record, results, exports))


def _record(record: Record, results: Sequence[Path], exports: Path) -> Record | None:
    """None if its folder has no name that the add-on gives."""
    name = _last_names(record.folder, 1)[0]
    if not _is_name(name):
        return None
    root = _root(record.folder, name, results)
    if (root / name).is_symlink():
        return None
    files = record.files
    if any(safe_artifact_name(file, 0) != file for file in files):
        files = ()
    # Not `changed`: an edition says what the user and the daemon did, not who reads it.
    values = {**vars(record), "folder": str(root / name), "files": files, "plan": _plan(record.plan, exports)}
    return Record(**values)


def _root(folder: str, name: str, results: Sequence[Path]) -> Path:
    """The results folder that is said, else one that has a folder of the name: a file may have been moved
    with its results."""
    for root in results:
        if str(root / name) == folder:
            return root
    return next((root for root in results if (root / name).is_dir()), results[0])


def _plan(data: dict[str, Any], root: Path) -> dict[str, Any]:
    """The plan with its exports' folders in `root`; empty if it sends anything else."""
    try:
        masks, boxes = data["masks"], data["boxes"]
        first, last = data["first"], data["last"]
        sound = (
            isinstance(masks, list)
            and len(masks) <= _MOST_MASKS
            and isinstance(boxes, list)
            and len(boxes) <= _MOST_BOXES
            and all(len(box) == 4 and all(_is_number(side) for side in box) for box in boxes)
            and type(first) is int
            and (last is None or type(last) is int)
        )
        if not sound:
            return {}
        return {
            "clip": _footage(data["clip"], root),
            "masks": [_footage(mask, root) for mask in masks],
            "boxes": boxes,
            "first": first,
            "last": last,
        }
    except (ArithmeticError, KeyError, TypeError, ValueError):
        return {}


def _footage(data: Any, root: Path) -> dict[str, Any]:
    """ValueError, KeyError or TypeError unless these are numbered frames that were exported."""
    if not isinstance(data["folder"], str):
        raise TypeError("no folder")
    name, part = _last_names(data["folder"], 2)
    count, number, rate = data["count"], data["first_number"], data["rate"]
    sound = (
        _is_name(name)
        and part in (CLIP, MASK)
        and not any(folder.is_symlink() for folder in (root / name, root / name / part))
        and data["suffix"] == ".png"
        and type(count) is int
        and 0 < count <= MOST_FRAMES
        and number == 0
        and (
            rate is None
            or (
                isinstance(rate, list)
                and len(rate) == 2
                and all(type(one) is int and one > 0 for one in rate)
            )
        )
    )
    if not sound:
        raise ValueError("not exported")
    return {
        "folder": str(root / name / part),
        "count": count,
        "suffix": ".png",
        "first_number": 0,
        "rate": rate,
    }


def _last_names(path: str, count: int) -> list[str]:
    """The last parts of a path of any system; empty names where it has fewer."""
    return ["", *re.split(r"[\\/]", path)][-count:]


def _is_name(name: str) -> bool:
    """Whether it is such a name as `naming.folder_name` makes: never a path."""
    return bool(name) and plain(name, _LONGEST_NAME) == name


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
