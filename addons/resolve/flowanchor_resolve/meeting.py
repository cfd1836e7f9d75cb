# SPDX-License-Identifier: Apache-2.0
"""One private folder in which menu scripts, the sidecar and commands leave word for each other.

Files, not a socket: every Python inside Resolve can write one on every system, nothing listens that other
users or a firewall could meet, and a killed sidecar leaves nothing that must be told from a living one: the
system drops its lock.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from flowanchor_resolve.places import meeting_folder
from flowanchor_resolve.problems import ResolveProblem

LOCK = "sidecar.lock"
"""Held by a sidecar as long as it lives: there is one."""
SERVES = "serves.lock"
"""Held by it from when it answers: what its predecessor has left is gone by then."""
STATUS = "status.json"
CONTACT = "contact.json"
LOG = "sidecar.log"
LOOKS_SECONDS = 0.5
"""Whoever looks whether a lock is held has it for a moment; so long it is tried again."""
LARGEST_FILE = 65_536  # bytes of a file that are read at most


def private_folder(path: Path) -> Path:
    """Make `path` a folder only this user can enter, or check that it is one; gives it back.

    Folders above it that are missing are made alike: the daemon keeps its own in one of them, and refuses it
    if others can enter.

    ResolveProblem("resolve-folder-not-ours") for a link, a file, another owner's folder or one open to
    others.
    """
    try:
        for folder in (*reversed(path.parents), path):
            if not os.path.lexists(folder):
                folder.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as failure:
        raise _not_ours(path, f"cannot be made ({failure.strerror or failure})") from failure
    if stat.S_ISLNK(found.st_mode) or not stat.S_ISDIR(found.st_mode):
        raise _not_ours(path, "is a link or no folder")
    if os.name == "posix":
        if found.st_uid != os.getuid():
            raise _not_ours(path, "belongs to another user")
        if found.st_mode & 0o077:
            raise _not_ours(path, f"is open to others (mode {stat.S_IMODE(found.st_mode):o})")
    return path


def _not_ours(path: Path, what: str) -> ResolveProblem:
    return ResolveProblem(
        "resolve-folder-not-ours",
        f"The folder {path} {what}.",
        "Remove it or close it to others, then try again.",
    )


def open_folder() -> Path:
    """The meeting folder, made if need be."""
    return private_folder(meeting_folder())


def write(path: Path, content: dict[str, Any]) -> None:
    """Put a JSON object into `path`: readers find the old one or the new one, whole.

    ResolveProblem("resolve-disk") if it cannot be written.
    """
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as failure:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        if isinstance(failure, OSError):
            full = failure.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
            why = "the disk is full" if full else failure.strerror or type(failure).__name__
            raise ResolveProblem(
                "resolve-disk",
                f"{path} cannot be written: {why}.",
                "Make room or check the folder, then try again.",
            ) from failure
        raise


def read(path: Path, largest: int = LARGEST_FILE) -> dict[str, Any] | None:
    """The JSON object in `path`; None if it is missing, larger than `largest` bytes, or none."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            content = file.read(largest + 1)
        raw = json.loads(content) if len(content) <= largest else None
    except (OSError, ValueError, RecursionError):
        return None
    return raw if isinstance(raw, dict) else None


class Lock:
    """A lock the system drops when its holder ends, however that happens. The file stays."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    def acquire(self) -> bool:
        """Take the lock; False if another process has it."""
        file = _open(self.path)
        until = time.monotonic() + LOOKS_SECONDS
        while not _try(file, exclusive=True):
            if time.monotonic() > until:
                os.close(file)
                return False
            time.sleep(0.01)
        self._file = file
        return True

    def release(self) -> None:
        """Give the lock back; harmless if it is not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def is_held(self) -> bool:
        """Whether some process holds the lock now."""
        if not self.path.exists():
            return False
        file = _open(self.path)
        try:
            return not _try(file, exclusive=False)
        finally:
            os.close(file)


def sidecar_lives(folder: Path) -> bool:
    """Whether a sidecar serves in this meeting folder now."""
    return Lock(folder / SERVES).is_held()


def note_contact(folder: Path, product: str, version: str, where: str) -> None:
    """Leave word that Resolve was met: `where` is "menu" (inside Resolve) or "external"."""
    content = {
        "at": time.time(),
        "product": product,
        "version": version,
        "where": where,
        "python": ".".join(map(str, sys.version_info[:3])),
    }
    write(folder / CONTACT, content)


def last_contact(folder: Path) -> dict[str, Any] | None:
    """What `note_contact` left last; None if nothing, or nothing that makes sense."""
    found = read(folder / CONTACT)
    if found is None or not isinstance(found.get("at"), (int, float)):
        return None
    texts = all(isinstance(found.get(name), str) for name in ("product", "version", "where", "python"))
    return found if texts else None


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        return os.open(path, flags, 0o600)
    except OSError as failure:
        raise _not_ours(
            path.parent, f"holds a {path.name} that cannot be opened ({failure.strerror})"
        ) from failure


if sys.platform == "win32":
    import msvcrt

    def _try(file: int, exclusive: bool) -> bool:
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try(file: int, exclusive: bool) -> bool:
        try:
            fcntl.flock(file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
