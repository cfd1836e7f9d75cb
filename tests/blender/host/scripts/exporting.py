# SPDX-License-Identifier: Apache-2.0
"""Exports for checks: made, read and held against what Blender itself renders."""

from __future__ import annotations

from typing import Any

from flowanchor_vse import export
from flowanchor_vse import strips as rules
from flowanchor_vse.logic.frames import FrameRange

from tests.blender.host import numbered
from tests.blender.host.scripts.bench import (
    FOLDER,
    finish,
    pixels,
    same,
    scene,
    shown,
)

_exports = 0


def exported(strip: Any, part: FrameRange | None = None, **options: Any) -> export.ExportResult:
    """The strip's visible range, rendered unless told otherwise."""
    global _exports
    _exports += 1
    options = {"direct": False, **options}
    part = part or rules.edited_range(scene(), strip)
    result: export.ExportResult = finish(
        export.export_frames(strip, part, FOLDER / f"export-{_exports}", **options)
    )
    assert result.direct or len(result.files) == part.count, (len(result.files), part)
    assert all(file.is_file() for file in result.files)
    return result


def numbers(result: export.ExportResult, **where: Any) -> list[Any]:
    return [numbered.number_of(pixels(file)[..., :3], **where) for file in result.files]


def as_shown(result: export.ExportResult, part: FrameRange) -> list[Any]:
    """The export is what Blender renders of the file itself, to the bit; the pictures."""
    timeline = shown(part.first, part.last, f"shown-{_exports}")
    for file, picture in zip(result.files, timeline, strict=True):
        same(pixels(file)[..., :3], picture)
    return timeline
