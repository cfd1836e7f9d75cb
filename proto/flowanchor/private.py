# SPDX-License-Identifier: Apache-2.0
"""Folders, files and locks that are one user's alone; what others could have prepared is refused.

Standard library only: hosts load this inside their own Python.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shlex
import stat
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_LARGEST_FILE = 65_536  # bytes of a private file that are read at most
_POSIX = os.name == "posix"


class RendezvousError(Exception):
    """The meeting place cannot be used or trusted: `code`, one sentence and one action, as everywhere."""

    def __init__(self, code: str, message: str, action: str) -> None:
        super().__init__(code, message, action)
        self.code = code
        self.message = message
        self.action = action

    def __str__(self) -> str:
        return f"{self.message} {self.action}"


def private_folder(path: Path) -> Path:
    """Make `path` a folder only this user can enter, or check that it is one; gives it back.

    RendezvousError("state-not-ours") for a link, a file, another owner's folder or one open to others: what
    somebody else prepared is never corrected, only refused.
    """
    try:
        path.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        pass
    except OSError as failure:
        raise _refused(path, f"cannot be made ({failure.strerror})", "Make it or choose another") from failure
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode) or not stat.S_ISDIR(found.st_mode):
        raise _refused(path, "is a link or no folder", "Remove it")
    _check_ours(path, found)
    return path


def write_private(path: Path, content: dict[str, Any]) -> None:
    """Put a JSON object into `path`, which holds the old or the new one whole at any moment.

    RendezvousError: "disk-full", or "state-unreadable" when its folder takes no file.
    """
    try:
        _replace(path, content)
    except OSError as failure:
        if failure.errno in (errno.ENOSPC, errno.EDQUOT):
            text = f"The disk of {path.parent} is full."
            raise RendezvousError("disk-full", text, "Free some space, then try again.") from failure
        reason = failure.strerror or type(failure).__name__
        raise RendezvousError(
            "state-unreadable",
            f"{path} cannot be written ({reason}).",
            "Check the disk and the folder's owner.",
        ) from failure


def _replace(path: Path, content: dict[str, Any]) -> None:
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def read_private(path: Path) -> dict[str, Any] | None:
    """The JSON object in `path`; None if it is missing or not whole.

    RendezvousError("state-not-ours") for what must not be trusted, "state-unreadable" for what says nothing.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        return None
    except OSError as failure:
        if failure.errno == errno.ELOOP:
            raise _refused(path, "is a link", "Remove it") from failure
        raise RendezvousError(
            "state-unreadable",
            f"{path} cannot be read now ({failure.strerror or type(failure).__name__}).",
            "Close some programs or check the disk, then try again.",
        ) from failure
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise _refused(path, "is no file", "Remove it")
        _check_ours(path, found)
        content = file.read(_LARGEST_FILE)
    try:
        raw = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return raw if isinstance(raw, dict) else None


def _check_ours(path: Path, found: os.stat_result) -> None:
    if sys.platform == "win32":
        return  # the user's own temporary folder is closed to others there
    if found.st_uid != os.getuid():
        raise _refused(path, "belongs to another user", "Remove it or choose another folder")
    if found.st_mode & 0o077:
        raise _refused(
            path,
            f"is open to others (mode {stat.S_IMODE(found.st_mode):o})",
            f"Close it with `chmod go= {shlex.quote(str(path))}`",
        )


def _refused(path: Path, problem: str, help_: str) -> RendezvousError:
    return RendezvousError("state-not-ours", f"{path} {problem}.", f"{help_}, then try again.")


class FileLock:
    """A lock the system drops when its holder ends, however that happens. The file stays, with its pid."""

    name = ""

    def __init__(self, folder: Path) -> None:
        self.path = folder / self.name
        self._file: int | None = None

    def acquire(self, timeout: float = 0.0) -> bool:
        """Take the lock, trying for `timeout` seconds; False if another process keeps it."""
        file = _open_lock(self.path)
        try:
            deadline = time.monotonic() + timeout
            while not _try_lock(file, exclusive=True):
                if time.monotonic() >= deadline:
                    return False
                time.sleep(0.02)
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()}\n".encode(), 0) if _POSIX else os.write(
                file, b"%d\n" % os.getpid()
            )
            self._file, file = file, -1
            return True
        finally:
            if file >= 0:
                os.close(file)

    def release(self) -> None:
        """Give the lock back; harmless if it is not held."""
        if self._file is not None:
            os.close(self._file)  # drops the lock; the file is never deleted, or two could hold "it"
            self._file = None

    def is_held(self) -> bool:
        """Whether some process holds the lock now."""
        if not self.path.exists():
            return False
        file = _open_lock(self.path)
        try:
            return not _try_lock(file, exclusive=False)
        finally:
            os.close(file)

    def is_in_place(self) -> bool:
        """Whether this object holds the lock, in the file that others look at: nobody has removed it."""
        if self._file is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._file), os.stat(self.path))
        except FileNotFoundError:
            return False

    def holder(self) -> int | None:
        """Pid the last holder wrote, for messages; None if there is none."""
        try:
            return int(self.path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _open_lock(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        return os.open(path, flags, 0o600)
    except OSError as failure:
        raise _refused(path, f"cannot be opened ({failure.strerror})", "Remove it") from failure


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: int, exclusive: bool) -> bool:
        os.lseek(file, 1 << 30, os.SEEK_SET)  # beyond the pid, which others may read
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(file, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _try_lock(file: int, exclusive: bool) -> bool:
        try:
            fcntl.flock(file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
