# SPDX-License-Identifier: Apache-2.0
"""Where a user's programs and daemon find each other: one private folder with a discovery file and locks.

The daemon holds `daemon.lock` for life and writes `daemon.json` (address, token) when it really serves; the
lock says who serves, the file only where. Clients read the file and take `start.lock` before they start a
daemon. Standard library only: hosts load this inside their own Python.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shlex
import socket
import stat
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

API = (1, 0)
"""Version of flowanchor.v1 as (major, minor): another major is refused, a newer minor only warned about."""

TOKEN_KEY = "authorization"
API_KEY = "flowanchor-api"
WARNING_KEY = "flowanchor-warning"

DISCOVERY_FILE = "daemon.json"
SOCKET_FILE = "daemon.sock"
LAUNCHER_FILE = "launcher.json"
_LONGEST_SOCKET_PATH = 100  # bytes; systems take 103 to 107
_LARGEST_FILE = 65_536  # bytes of a discovery or launcher file that are read at most
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


def runtime_folder() -> Path:
    """Path of this user's meeting place, which may not exist yet (see `private_folder`).

    $FLOWANCHOR_RUNTIME, else `flowanchor` in $XDG_RUNTIME_DIR, else `flowanchor-<uid>` among temporary files.
    """
    if chosen := os.environ.get("FLOWANCHOR_RUNTIME"):
        return Path(chosen).expanduser().absolute()
    if (system := os.environ.get("XDG_RUNTIME_DIR")) and Path(system).is_dir():
        return Path(system) / "flowanchor"
    user = str(os.getuid()) if sys.platform != "win32" else os.environ.get("USERNAME", "user")
    return Path(tempfile.gettempdir()) / f"flowanchor-{user}"


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


def socket_path(folder: Path) -> Path | None:
    """Where the daemon's Unix socket goes; None where the system has none or the path would be too long."""
    path = folder / SOCKET_FILE
    if not hasattr(socket, "AF_UNIX") or len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
        return None
    return path


def new_token() -> str:
    """256 random bits as text; one a daemon's life."""
    return secrets.token_urlsafe(32)


def bearer(token: str) -> str:
    """Value of the metadata TOKEN_KEY."""
    return f"Bearer {token}"


def format_api(api: tuple[int, int] = API) -> str:
    """Value of the metadata API_KEY."""
    return f"{api[0]}.{api[1]}"


def parse_api(text: str) -> tuple[int, int] | None:
    """(major, minor) of a metadata value; None if it is none."""
    major, dot, minor = text.partition(".")
    known = dot and all(part.isascii() and part.isdigit() and len(part) < 7 for part in (major, minor))
    return (int(major), int(minor)) if known else None


@dataclass(frozen=True)
class Discovery:
    """What a client needs to call the daemon. `address` is a gRPC target: "unix:/…" or "127.0.0.1:port"."""

    pid: int
    address: str
    api: tuple[int, int]
    version: str
    token: str = field(repr=False)
    started_ms: int  # since 1970-01-01 UTC

    def write(self, folder: Path) -> None:
        """Replace the discovery file in one move; readers see the old one or the new one, whole."""
        _write_private(folder / DISCOVERY_FILE, asdict(self))

    @classmethod
    def read(cls, folder: Path) -> Discovery | None:
        """The daemon of `folder`; None if there is no whole discovery file (a starting one writes it).

        RendezvousError("state-not-ours") for a folder or file that is linked, another's or open to others.
        """
        if not os.path.lexists(folder):
            return None
        raw = _read_private(private_folder(folder) / DISCOVERY_FILE)
        if raw is None:
            return None
        try:
            major, minor = raw["api"]
            return cls(
                pid=int(raw["pid"]),
                address=str(raw["address"]),
                api=(int(major), int(minor)),
                version=str(raw["version"]),
                token=str(raw["token"]),
                started_ms=int(raw["started_ms"]),
            )
        except (KeyError, TypeError, ValueError):
            return None

    @staticmethod
    def remove(folder: Path, pid: int) -> None:
        """Remove the file if it is that of the daemon `pid`; a successor's stays."""
        found = Discovery.read(folder)
        if found is not None and found.pid == pid:
            (folder / DISCOVERY_FILE).unlink(missing_ok=True)


class _FileLock:
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


class DaemonLock(_FileLock):
    """Held by the daemon for life. Give `acquire` a moment: a client's `is_held` blocks it for an instant."""

    name = "daemon.lock"


class StartLock(_FileLock):
    """Held by the client that starts a daemon until it serves, so that no second client starts another."""

    name = "start.lock"


def read_launcher() -> list[str] | None:
    """Command that starts a daemon, for hosts that live in another Python; None if none is known.

    $FLOWANCHOR_DAEMON (split as a shell would) wins over the record an installation left. RendezvousError for
    a record that is linked, another user's or open to others.
    """
    if chosen := os.environ.get("FLOWANCHOR_DAEMON"):
        return shlex.split(chosen, posix=_POSIX)
    return recorded_launcher()


def recorded_launcher() -> list[str] | None:
    """The command an installation or a daemon has left; None if there is none. RendezvousError as above."""
    raw = _read_private(_data_folder() / LAUNCHER_FILE)
    argv = raw.get("argv") if raw is not None else None
    usable = isinstance(argv, list) and argv and all(isinstance(part, str) for part in argv)
    return list(argv) if usable and argv is not None else None


def write_launcher(argv: Sequence[str]) -> Path:
    """Leave the record `read_launcher` finds; gives its path."""
    path = _data_folder() / LAUNCHER_FILE
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write_private(path, {"argv": list(argv)})
    return path


def _data_folder() -> Path:
    # The same folders as platformdirs names, which hosts do not have.
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "flowanchor"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "flowanchor"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "flowanchor"


def _write_private(path: Path, content: dict[str, Any]) -> None:
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


def _read_private(path: Path) -> dict[str, Any] | None:
    """The JSON object in `path`; None if it is missing or not whole."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        return None
    except OSError as failure:
        raise _refused(path, "is a link or cannot be read", "Remove it") from failure
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
            path, f"is open to others (mode {stat.S_IMODE(found.st_mode):o})", "Close it with chmod go="
        )


def _refused(path: Path, problem: str, help_: str) -> RendezvousError:
    return RendezvousError("state-not-ours", f"{path} {problem}.", f"{help_}, then try again.")


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
