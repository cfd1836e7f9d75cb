# SPDX-License-Identifier: GPL-3.0-or-later
"""A strip's frames as the timeline shows them, one image a scene frame, or the strip's own file where that is
provably the same."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from .logic.frames import FrameRange
from .logic.request import Footage
from .strips import Refused


@dataclass(frozen=True)
class ExportResult:
    """What an export gave.

    Attributes:
        files: one movie, or one image a frame in order.
        first_number: number of the first image; None for a movie.
        first, last: the edited frames, counted in what `files` hold (0 and count - 1 unless a movie is sent whole).
        rate: frames a second of the scene.
        width, height: pixels.
        direct: `files` are the strip's own.
        colour_space: of the written pixels, as Blender calls it; a result has the same.
    """

    files: tuple[Path, ...]
    first_number: int | None
    first: int
    last: int
    rate: Fraction
    width: int
    height: int
    direct: bool
    colour_space: str

    @property
    def footage(self) -> Footage:
        return Footage(self.files, self.first_number, self.rate)


def export_frames(
    context: Any,
    strip: Any,
    part: FrameRange,
    folder: Path,
    *,
    stack: bool = False,
    depth: int = 8,
    direct: bool = True,
) -> Generator[int, None, ExportResult]:
    """Write `part` into `folder`, which is made; yields the number of frames written so far, returns the result
    (`StopIteration.value`). Nothing of the .blend differs between two steps: closing it early leaves no trace
    but files.

    Args:
        stack: everything up to the strip's channel instead of the strip alone.
        depth: 8 or 16 bits a channel.
        direct: hand out the strip's own file where that is the same; then nothing is yielded.
    """
    raise NotImplementedError


def direct_problem(scene: Any, strip: Any, part: FrameRange) -> Refused | None:
    """Why the strip's own file is not the same as what the timeline shows; None if it is."""
    raise NotImplementedError
