# SPDX-License-Identifier: Apache-2.0
"""Start the daemon as a process of its own that outlives this one."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from flowanchor import rendezvous
from flowanchor.rendezvous import DaemonLock, Discovery, StartLock

from flowanchor_client.errors import DaemonUnreachable

LOG_FILE = "start.log"
FAILURE_FILE = "start-failed.json"
HOLD_BACK_SECONDS = 10.0
"""For so long a start that failed is told again instead of being tried again."""
LOG_LINES = 12
_FOLDERS = ("FLOWANCHOR_STATE", "FLOWANCHOR_RUNTIME", "FLOWANCHOR_CACHE", "FLOWANCHOR_MODELS")

_children: list[subprocess.Popen[bytes]] = []
"""Daemons this process started; looked at now and then, so that one that ended leaves no zombie."""


def starting(folder: Path, timeout: float, stale: Discovery | None = None) -> Iterator[None]:
    """Start a daemon, in steps of milliseconds: it yields wherever there is something to wait for, and is
    done when the daemon serves. It does nothing if one lives by the time it is our turn.

    Closed early, it leaves the daemon that it started to itself.

    Args:
        folder: the runtime folder.
        timeout: seconds for our turn, and seconds again for the daemon.
        stale: the discovery file a dead daemon left behind, which tells nothing of the new one.

    Raises:
        DaemonUnreachable("daemon-start-failed"): with the cause, and in `log` what it last wrote.
    """
    rendezvous.private_folder(folder)
    with StartLock(folder) as turn:
        deadline = time.monotonic() + timeout
        while not turn.acquire():
            if time.monotonic() > deadline:
                raise DaemonUnreachable(
                    "daemon-start-failed",
                    f"Another program (process {turn.holder()}) has been starting it for {timeout:.0f} s.",
                    "Try again in a moment.",
                )
            yield
        if DaemonLock(folder).is_held():
            return
        command, environment = _command()
        _tell_recent_failure(folder, command)
        try:
            yield from _start_and_wait(folder, command, environment, timeout, stale)
        except DaemonUnreachable as failure:
            _remember_failure(folder, command, failure)
            raise
        (folder / FAILURE_FILE).unlink(missing_ok=True)


def _start_and_wait(
    folder: Path, command: list[str], environment: dict[str, str], timeout: float, stale: Discovery | None
) -> Iterator[None]:
    for child in _children[:]:
        if child.poll() is not None:
            _children.remove(child)
    log = folder / LOG_FILE
    child = _spawn(command, environment, log)
    _children.append(child)
    deadline = time.monotonic() + timeout
    while True:
        ended = child.poll()
        found = Discovery.read(folder)
        lives = DaemonLock(folder).is_held()
        if lives and found is not None and found != stale:
            return
        if ended is not None and not lives:
            if rendezvous.meeting_folder() != folder:
                return  # a program with another runtime folder was quicker: the daemon is there
            raise _failed(f"it ended with exit code {ended}", log)
        if time.monotonic() > deadline:
            yield from _end(child)
            raise _failed(f"it did not serve within {timeout:.0f} s", log)
        yield


def _spawn(command: list[str], environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    options: dict[str, int | bool] = {"start_new_session": True}  # a Ctrl-C here is not meant for the daemon
    if sys.platform == "win32":
        options = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    try:
        with open(os.open(log, flags, 0o600), "wb") as output:
            return subprocess.Popen(  # type: ignore[call-overload,no-any-return]  # the options differ by system
                command,
                env=environment,
                cwd=log.parent,  # keeps no disk from being removed; `-m` finds nobody else's modules there
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                **options,
            )
    except OSError as failure:
        raise _failed(f"{command[0]} could not be run ({failure.strerror})", None) from failure


def _end(child: subprocess.Popen[bytes]) -> Iterator[None]:
    child.terminate()
    deadline = time.monotonic() + 5
    while child.poll() is None:
        if time.monotonic() > deadline:
            child.kill()
            child.wait()
            return
        yield


def _command() -> tuple[list[str], dict[str, str]]:
    """What starts the daemon, and the environment to do it in."""
    environment = dict(os.environ)
    # It runs in another folder: what is relative to ours must not be.
    for name in _FOLDERS:
        if value := environment.get(name):
            environment[name] = str(Path(value).expanduser().absolute())
    if path := environment.get("PYTHONPATH"):
        environment["PYTHONPATH"] = os.pathsep.join(os.path.abspath(part) for part in path.split(os.pathsep))
    chosen = os.environ.get("FLOWANCHOR_DAEMON")
    if not chosen and _has_daemon():
        return [sys.executable, "-m", "flowanchor_daemon.serve"], environment
    command = rendezvous.read_launcher()
    if not chosen:
        # Another Python's: what this one was told about its modules would mislead it.
        environment = {
            key: value for key, value in environment.items() if key not in ("PYTHONHOME", "PYTHONPATH")
        }
        script = shutil.which("flowanchor")
        command = command or ([script, "serve"] if script else None)
    if not command:
        raise DaemonUnreachable(
            "daemon-start-failed",
            "FlowAnchor's daemon is not installed where this program looks for it.",
            "Install FlowAnchor, or set FLOWANCHOR_DAEMON to the command that starts its daemon.",
        )
    return command, environment


def _has_daemon() -> bool:
    try:
        return importlib.util.find_spec("flowanchor_daemon.serve") is not None
    except ModuleNotFoundError:
        return False


def _failed(cause: str, log: Path | None) -> DaemonUnreachable:
    lines = _last_lines(log) if log is not None else ()
    said = f" It said: {lines[-1][:300]}" if lines else ""
    return DaemonUnreachable(
        "daemon-start-failed",
        f"The daemon could not be started: {cause}.{said}",
        "Run `flowanchor serve` to see all of it.",
        lines,
    )


def _last_lines(log: Path) -> tuple[str, ...]:
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16_384))
        lines = file.read().decode("utf-8", "replace").splitlines()
        return tuple(line for line in lines if line.strip())[-LOG_LINES:]
    return ()


def _remember_failure(folder: Path, command: list[str], failure: DaemonUnreachable) -> None:
    record = {
        "at": time.time(),
        "command": command,
        "message": failure.message,
        "action": failure.action,
        "log": failure.log,
    }
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    # A full disk must not hide why the start failed.
    with (
        contextlib.suppress(OSError),
        open(os.open(folder / FAILURE_FILE, flags, 0o600), "w", encoding="utf-8") as file,
    ):
        json.dump(record, file)


def _tell_recent_failure(folder: Path, command: list[str]) -> None:
    """Raise again how this very command failed a moment ago."""
    try:
        record = json.loads((folder / FAILURE_FILE).read_text(encoding="utf-8"))
        age = time.time() - record["at"]  # below 0 when the clock was set back: then it is no recent one
        if record["command"] == command and 0 <= age < HOLD_BACK_SECONDS:
            lines = tuple(str(line) for line in record["log"])
            raise DaemonUnreachable(
                "daemon-start-failed", str(record["message"]), str(record["action"]), lines
            )
    except (OSError, ValueError, KeyError, TypeError):
        return
