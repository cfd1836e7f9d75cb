# SPDX-License-Identifier: GPL-3.0-or-later
"""What an edit sends: exported files and regions from numbers, and the same as plain data for the .blend."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from .naming import frame_file


@dataclass(frozen=True)
class Footage:
    """Exported files of a clip or a mask. `first_number` is that of the first image, None for a movie; `rate`
    is the clip's frames a second, which a movie states itself and a mask does not need."""

    files: tuple[Path, ...]
    first_number: int | None = 0
    rate: Fraction | None = None


@dataclass(frozen=True)
class Box:
    """A region from numbers, in pixels of the clip: origin at its upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class UploadPlan:
    """Everything an edit sends. `first` and `last` count in what is sent of the clip; None is its end."""

    clip: Footage
    masks: tuple[Footage, ...] = ()
    boxes: tuple[Box, ...] = ()
    first: int = 0
    last: int | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """All files, each once, in a fixed order."""
        return tuple(dict.fromkeys(path for part in (self.clip, *self.masks) for path in part.files))


def plan_to_json(plan: UploadPlan) -> dict[str, Any]:
    """A plan as plain data, so that an edit can be sent again after Blender was closed."""
    return {
        "clip": _footage_to_json(plan.clip),
        "masks": [_footage_to_json(mask) for mask in plan.masks],
        "boxes": [[box.x, box.y, box.width, box.height] for box in plan.boxes],
        "first": plan.first,
        "last": plan.last,
    }


def plan_from_json(data: Any) -> UploadPlan | None:
    """What `plan_to_json` gave; None if it is no plan."""
    try:
        return UploadPlan(
            _footage_from_json(data["clip"]),
            tuple(_footage_from_json(mask) for mask in data["masks"]),
            tuple(Box(*map(float, box)) for box in data["boxes"]),
            int(data["first"]),
            None if data["last"] is None else int(data["last"]),
        )
    except (ArithmeticError, KeyError, TypeError, ValueError):
        return None


def plan_folders(data: Any) -> frozenset[Path]:
    """Folders whose numbered frames a plan of `plan_to_json` sends, without a look at each of them."""
    try:
        parts = (data["clip"], *data["masks"])
        return frozenset(Path(part["folder"]) for part in parts if "folder" in part)
    except (KeyError, TypeError):
        return frozenset()


def _footage_to_json(part: Footage) -> dict[str, Any]:
    """Exported frames are named by their numbers, so that a folder and a count say it all: this lies in the
    user's .blend."""
    rate, names = part.rate, [path.name for path in part.files]
    folders = {path.parent for path in part.files}
    suffix = part.files[0].suffix
    numbered = len(folders) == 1 and names == [frame_file(index, suffix) for index in range(len(names))]
    files = (
        {"folder": str(folders.pop()), "count": len(names), "suffix": suffix}
        if numbered
        else {"files": [str(path) for path in part.files]}
    )
    return {
        **files,
        "first_number": part.first_number,
        "rate": [rate.numerator, rate.denominator] if rate is not None else None,
    }


def _footage_from_json(data: Any) -> Footage:
    if "files" in data:
        files = tuple(Path(name) for name in data["files"])
    else:
        folder = Path(data["folder"])
        files = tuple(folder / frame_file(index, data["suffix"]) for index in range(data["count"]))
    number, rate = data["first_number"], data["rate"]
    if not files or not isinstance(number, int | None):
        raise ValueError("no footage")
    return Footage(files, number, Fraction(*rate) if rate else None)
