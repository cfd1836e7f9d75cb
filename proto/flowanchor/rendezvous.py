# SPDX-License-Identifier: Apache-2.0
"""Where a user's programs and daemon find each other: one private folder with a discovery file and locks.

The daemon holds `daemon.lock` for life and writes `daemon.json` (address, token) when it really serves; the
lock says who serves, the file only where. Clients read the file and take `start.lock` before they start a
daemon. Standard library only: hosts load this inside their own Python.
"""

from __future__ import annotations

import os
import secrets
import shlex
import socket
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import quote

from flowanchor.private import FileLock, RendezvousError, private_folder, read_private, write_private

__all__ = [
    "API",
    "API_KEY",
    "DISCOVERY_FILE",
    "LAUNCHER_FILE",
    "MEETING_FILE",
    "SOCKET_FILE",
    "TOKEN_KEY",
    "WARNING_KEY",
    "DaemonLock",
    "Discovery",
    "RendezvousError",
    "StartLock",
    "bearer",
    "format_api",
    "meeting_folder",
    "new_token",
    "note_meeting",
    "noted_meeting",
    "parse_api",
    "private_folder",
    "read_launcher",
    "recorded_launcher",
    "results_folder",
    "runtime_folder",
    "socket_path",
    "socket_target",
    "state_folder",
    "write_launcher",
]

API = (1, 0)
"""Version of flowanchor.v1 as (major, minor): another major is refused, a newer minor only warned about."""

TOKEN_KEY = "authorization"
API_KEY = "flowanchor-api"
WARNING_KEY = "flowanchor-warning"

DISCOVERY_FILE = "daemon.json"
SOCKET_FILE = "daemon.sock"
LAUNCHER_FILE = "launcher.json"
MEETING_FILE = "meeting.json"
_LONGEST_SOCKET_PATH = 100  # bytes; systems take 103 to 107
_POSIX = os.name == "posix"


def runtime_folder() -> Path:
    """Path of this user's meeting place, which may not exist yet (see `private_folder`).

    $FLOWANCHOR_RUNTIME, else `flowanchor` in $XDG_RUNTIME_DIR, else `flowanchor-<uid>` among temporary files.
    """
    if (chosen := _chosen("FLOWANCHOR_RUNTIME")) is not None:
        return chosen
    if (system := os.environ.get("XDG_RUNTIME_DIR")) and Path(system).is_dir():
        return Path(system) / "flowanchor"
    user = str(os.getuid()) if sys.platform != "win32" else os.environ.get("USERNAME", "user")
    return Path(tempfile.gettempdir()) / f"flowanchor-{user}"


def state_folder() -> Path:
    """Path of what outlives the daemon: $FLOWANCHOR_STATE, else `flowanchor/daemon` in the user's data.

    RendezvousError("no-home") where neither is known.
    """
    return _chosen("FLOWANCHOR_STATE") or _data_folder() / "daemon"


def results_folder() -> Path:
    """Path for results of a host whose document has no place yet: `flowanchor/results` in the user's data.

    RendezvousError("no-home") where that is not known.
    """
    return _data_folder() / "results"


def note_meeting(state: Path, folder: Path) -> None:
    """Leave word in the state folder where its daemon meets its clients."""
    write_private(state / MEETING_FILE, {"folder": str(folder)})


def noted_meeting() -> Path | None:
    """Where the last daemon of the user's state met its clients; None if nothing to be trusted says so."""
    try:
        state = state_folder()
        raw = read_private(private_folder(state) / MEETING_FILE) if os.path.lexists(state) else None
    except RendezvousError:
        return None
    folder = raw.get("folder") if raw is not None else None
    return Path(folder) if isinstance(folder, str) and os.path.isabs(folder) else None


def meeting_folder() -> Path:
    """Where a client looks for the daemon: `runtime_folder()`, or wherever else the user's daemon is now.

    Sessions of one user can differ in their runtime folders (a desktop, ssh, cron), and a folder can be taken
    away from a daemon, but they share one state and so one daemon. $FLOWANCHOR_RUNTIME is always obeyed.
    """
    folder = runtime_folder()
    if os.environ.get("FLOWANCHOR_RUNTIME"):
        return folder
    noted = noted_meeting()
    if noted is None or noted == folder or DaemonLock(folder).is_held():
        return folder
    try:
        lives = os.path.lexists(noted) and DaemonLock(private_folder(noted)).is_held()
    except RendezvousError:
        return folder
    return noted if lives else folder


def socket_path(folder: Path) -> Path | None:
    """Where the daemon's Unix socket goes; None where the system has none or the path would be too long."""
    path = folder / SOCKET_FILE
    if not hasattr(socket, "AF_UNIX") or len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
        return None
    return path


def socket_target(path: Path) -> str:
    """The socket as a gRPC target, which is a URI: "#", "?" and "%" in a path would cut it short."""
    return f"unix:{quote(os.fsencode(path))}"


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
        write_private(folder / DISCOVERY_FILE, asdict(self))

    @classmethod
    def read(cls, folder: Path) -> Discovery | None:
        """The daemon of `folder`; None if there is no whole discovery file (a starting one writes it).

        RendezvousError("state-not-ours") for a folder or file that is linked, another's or open to others.
        """
        if not os.path.lexists(folder):
            return None
        raw = read_private(private_folder(folder) / DISCOVERY_FILE)
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


class DaemonLock(FileLock):
    """Held by the daemon for life. Give `acquire` a moment: a client's `is_held` blocks it for an instant."""

    name = "daemon.lock"


class StartLock(FileLock):
    """Held by the client that starts a daemon until it serves, so that no second client starts another."""

    name = "start.lock"


def read_launcher() -> list[str] | None:
    """Command that starts a daemon, for hosts that live in another Python; None if none is known.

    $FLOWANCHOR_DAEMON (split as a shell would) wins over the record an installation left. RendezvousError for
    a record that is linked, another user's or open to others.
    """
    if chosen := os.environ.get("FLOWANCHOR_DAEMON"):
        return shlex.split(chosen, posix=os.name == "posix")
    return recorded_launcher()


def recorded_launcher() -> list[str] | None:
    """The command an installation or a daemon has left; None if there is none. RendezvousError as above."""
    raw = read_private(_data_folder() / LAUNCHER_FILE)
    argv = raw.get("argv") if raw is not None else None
    usable = isinstance(argv, list) and argv and all(isinstance(part, str) for part in argv)
    return list(argv) if usable and argv is not None else None


def write_launcher(argv: Sequence[str]) -> Path:
    """Leave the record `read_launcher` finds; gives its path."""
    path = _data_folder() / LAUNCHER_FILE
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, {"argv": list(argv)})
    return path


def _data_folder() -> Path:
    # The same folders as platformdirs names, which hosts do not have.
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or _home("AppData", "Local")) / "flowanchor"
    if sys.platform == "darwin":
        return _home("Library", "Application Support") / "flowanchor"
    return Path(os.environ.get("XDG_DATA_HOME") or _home(".local", "share")) / "flowanchor"


def _home(*parts: str) -> Path:
    try:
        return Path.home().joinpath(*parts)
    except RuntimeError as unknown:  # no HOME, and a user the system does not list
        raise RendezvousError(
            "no-home",
            "FlowAnchor does not know where your home folder is.",
            "Set HOME, or FLOWANCHOR_STATE and FLOWANCHOR_MODELS, to folders of yours.",
        ) from unknown


def _chosen(name: str) -> Path | None:
    path = os.environ.get(name)
    return Path(os.path.expanduser(path)).absolute() if path else None
