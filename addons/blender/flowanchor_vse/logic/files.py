# SPDX-License-Identifier: GPL-3.0-or-later
"""Which .blend an edit belongs to. A file has an id and remembers the path it was saved at: opened at another
path while the first is still there, it is a copy, and the edits in it are the other file's.

What belongs to another file is shown, followed and placed here too, but forgotten only here: its job and its
exported frames are the other's.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from typing import NamedTuple


class FileId(NamedTuple):
    """A file as it names itself. Both are empty for one that was never saved."""

    id: str = ""
    path: str = ""


def opened(
    stored: Iterable[FileId],
    path: str,
    new_id: Callable[[], str],
    exists: Callable[[str], bool] | None = None,
) -> FileId:
    """The id of a file just opened.

    Args:
        stored: what its scenes say; a scene that came from another file says that one's.
        path: where it lies; empty for a new file.
        new_id: makes an id.
        exists: whether there is another file at a path of this computer (default: looks).
    """
    exists = exists or (lambda first: on_this_computer(first) and not _same_file(first, path))
    if not path:
        return FileId()
    known = [one for one in stored if one.id]
    for one in known:
        if same_path(one.path, path):
            return FileId(one.id, path)
    if known and not exists(known[0].path):
        return FileId(known[0].id, path)  # it was moved
    return FileId(new_id(), path)


def saved_at(current: FileId, path: str, new_id: Callable[[], str]) -> FileId:
    """The id of what is saved at a path: another file's unless it is the present one's path."""
    return current if current.id and same_path(current.path, path) else FileId(new_id(), path)


def same_path(one: str, other: str) -> bool:
    """Whether two paths name the same file, however they are written."""
    return bool(one) and os.path.normcase(os.path.normpath(one)) == os.path.normcase(os.path.normpath(other))


def _same_file(one: str, other: str) -> bool:
    """Whether two paths lead to one file, over links."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def on_this_computer(path: str) -> bool:
    """Whether there is a file. A path of another computer's is not looked at: a .blend from anybody says
    it."""
    return written_ms(path) is not None


def written_ms(path: str) -> int | None:
    """When a file was last written, milliseconds since 1970-01-01 UTC; None if there is none on this
    computer."""
    if not os.path.isabs(path) or path.startswith(("\\\\", "//")):
        return None
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # ValueError: it holds a zero
        return None
    return found.st_mtime_ns // 1_000_000 if stat.S_ISREG(found.st_mode) else None
