# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a result comes to lie: above its source, on a free channel, frame on frame. The source is never touched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .export import ExportResult
from .logic.frames import FrameRange
from .logic.ledger import Origin, Record
from .masks import MaskChoice


def origin_of(scene: Any, strip: Any, part: FrameRange, mask: MaskChoice, exported: ExportResult) -> Origin:
    """What placing needs to know later, as plain data. Gives the strip an id (`strips.identity`)."""
    raise NotImplementedError


def place_result(scene: Any, record: Record, files: Sequence[Path]) -> Any:
    """A new strip of the result's files (one movie, or one image a frame), returned. If the source was moved, the
    result moves along; if it is gone, the result lies where the source was. Refused if it cannot be placed."""
    raise NotImplementedError


def result_strips(scene: Any, record: Record) -> list[Any]:
    """Strips that show this record's result, copies included."""
    raise NotImplementedError


def source_strip(scene: Any, record: Record) -> Any | None:
    """The strip the edit was made of; None if it is gone."""
    raise NotImplementedError


def show(scene: Any, record: Record, result: bool) -> bool:
    """Compare: show the result, or what is below it, by muting the result. False if there is no result strip."""
    raise NotImplementedError


def details_of(strip: Any) -> dict[str, Any] | None:
    """What a result strip says about its edit: job, request, seed, prompts ...; None for any other strip."""
    raise NotImplementedError
