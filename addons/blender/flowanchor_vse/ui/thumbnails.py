# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of edits as icons: of a running one its preview, of a finished one its middle frame. Blender reads
icons from files, so a preview is written once."""

from __future__ import annotations

import hashlib
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
    """Icon of a job's newest picture; 0 if it has none, or it cannot be written."""
    try:
        return _icon(view)
    except OSError:  # the disk is full, or someone has tidied up: a panel is drawn without a picture then
        return 0


def _icon(view: JobView) -> int:
    global _icons, _folder
    paths = view.record.paths
    result = paths[len(paths) // 2] if view.state in ("placing", "done") and paths else None
    if result is None and view.thumbnail is None:
        return 0
    edition = -1 if result is not None else view.thumbnail_edition
    known = _shown.get(view.id)
    if known is not None and known[0] == edition:
        return int(_icons[known[1]].icon_id)
    if _folder is None:
        _folder = Path(tempfile.mkdtemp(prefix="flowanchor-"))
    if _icons is None:
        _icons = bpy.utils.previews.new()
    if known is not None:
        _drop(view.id)
    # A file may call an edit anything, a path too.
    key = f"{hashlib.sha256(view.id.encode(errors='replace')).hexdigest()[:32]}-{edition}"
    if result is None:
        assert view.thumbnail is not None
        result = _folder / f"{key}.jpg"
        result.write_bytes(view.thumbnail)
    kind = "IMAGE" if result.suffix.lower() in (".png", ".jpg") else "MOVIE"
    found = int(_icons.load(key, str(result), kind, True).icon_id)
    _shown[view.id] = (edition, key)
    return found


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
