# SPDX-License-Identifier: GPL-3.0-or-later
"""The region of an edit: five ways of saying it, all as pixels of the exported frames."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from .logic.frames import FrameRange
from .logic.request import Box, Footage
from .strips import Refused

Kind = Literal["mask", "modifier", "strip", "alpha", "box"]


@dataclass(frozen=True)
class MaskChoice:
    """`name` is that of the Mask datablock, the modifier, or the mask strip; `box` is of the kind "box"."""

    kind: Kind
    name: str = ""
    box: Box | None = None


@dataclass(frozen=True)
class MaskResult:
    """What a mask gave.

    Attributes:
        files: one 8-bit grey PNG a frame, white inside; none for a box.
        boxes: the region as numbers.
        coverage: share of the pixels inside the region, 0 to 1, frame by frame.
    """

    files: tuple[Path, ...] = ()
    boxes: tuple[Box, ...] = ()
    coverage: tuple[float, ...] = field(default=())

    @property
    def footage(self) -> tuple[Footage, ...]:
        return (Footage(self.files, 0),) if self.files else ()

    @property
    def empty(self) -> tuple[int, ...]:
        """Frames, from 0, on which nothing is marked."""
        return tuple(index for index, share in enumerate(self.coverage) if share == 0)


def choices(scene: Any, strip: Any) -> list[MaskChoice]:
    """What this strip's region can be taken from; a box aside, which is always possible."""
    raise NotImplementedError


def problem(scene: Any, strip: Any, choice: MaskChoice) -> Refused | None:
    """Why the choice cannot be used for the strip; None if it can."""
    raise NotImplementedError


def export_mask(
    context: Any, choice: MaskChoice, strip: Any, part: FrameRange, folder: Path
) -> Generator[int, None, MaskResult]:
    """As `export.export_frames`: yields the number of frames so far, returns the result."""
    raise NotImplementedError


def coverage_at(context: Any, choice: MaskChoice, strip: Any, frame: int) -> float:
    """Share of the picture that is marked at a scene frame, 0 to 1."""
    raise NotImplementedError
