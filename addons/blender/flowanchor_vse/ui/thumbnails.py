# SPDX-License-Identifier: GPL-3.0-or-later
"""Previews of running edits as icons. Blender reads icons from files, so each is written once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Container
from pathlib import Path
from typing import Any

import bpy.utils.previews

from ..logic.views import JobView

_icons: Any = None
_shown: dict[str, tuple[int, str]] = {}
"""By job: edition and the icon's key."""
_folder: Path | None = None


def icon(view: JobView) -> int:
    """Icon of a job's newest thumbnail; 0 if it has none."""
    global _icons, _folder
    if view.thumbnail is None:
        return 0
    known = _shown.get(view.id)
    if known is not None and known[0] == view.thumbnail_edition:
        return int(_icons[known[1]].icon_id)
    if _icons is None:
        _icons = bpy.utils.previews.new()
        _folder = Path(tempfile.mkdtemp(prefix="flowanchor-"))
    assert _folder is not None
    if known is not None:
        _drop(view.id)
    key = f"{view.id}-{view.thumbnail_edition}"
    path = _folder / f"{key}.jpg"
    path.write_bytes(view.thumbnail)
    _shown[view.id] = (view.thumbnail_edition, key)
    return int(_icons.load(key, str(path), "IMAGE", True).icon_id)


def forget_others(jobs: Container[str]) -> None:
    """Drop the icons of jobs that are no more."""
    for job in [job for job in _shown if job not in jobs]:
        _drop(job)


def _drop(job: str) -> None:
    _, key = _shown.pop(job)
    del _icons[key]
    assert _folder is not None
    (_folder / f"{key}.jpg").unlink(missing_ok=True)


def clear() -> None:
    """Drop all icons and their files."""
    global _icons, _folder
    if _icons is not None:
        bpy.utils.previews.remove(_icons)
    if _folder is not None:
        shutil.rmtree(_folder, ignore_errors=True)
    _icons = _folder = None
    _shown.clear()
