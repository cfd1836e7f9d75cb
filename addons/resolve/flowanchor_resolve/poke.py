# SPDX-License-Identifier: Apache-2.0
"""Ask the sidecar for something, from inside Resolve: leave a file, wait a moment for its answer, end.

The sidecar is started if it is not there, by the record that FlowAnchor's set-up has left.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowanchor_resolve import meeting
from flowanchor_resolve.places import data_folder
from flowanchor_resolve.problems import ResolveProblem

ACTIONS = ("edit", "again", "place", "undo")
POKES = "pokes"
ANSWERS = "answers"
ANSWER_SECONDS = 5.0
START_SECONDS = 30.0
IDLE_MINUTES = 60
"""A sidecar that was started from Resolve's menu ends after so long without anything to do."""
_SERVE = ["-m", "flowanchor_daemon.serve"]
_STEP = 0.05


@dataclass(frozen=True)
class Reply:
    """The sidecar's answer: whether it does it, and a sentence."""

    accepted: bool
    text: str


def poke(action: str, seconds: float = ANSWER_SECONDS, start_seconds: float = START_SECONDS) -> Reply:
    """Have the sidecar do `action`; returns when it has taken it on, or refused.

    It waits for the answer alone, which needs nothing of Resolve: while a script runs, Resolve may not answer
    anybody else.

    Raises:
        ResolveProblem: there is no sidecar and none can be started, or it does not answer.
    """
    folder = meeting.open_folder()
    if not meeting.sidecar_lives(folder):
        start(folder, start_seconds)
    pokes = meeting.private_folder(folder / POKES)
    name = f"{time.time_ns()}-{secrets.token_hex(4)}.json"
    meeting.write(pokes / name, {"action": action, "at": time.time()})
    answer = folder / ANSWERS / name
    deadline = time.monotonic() + seconds
    while (found := meeting.read(answer)) is None:
        if time.monotonic() > deadline:
            # Taken back, so that it is not done in an hour when nobody expects it.
            with contextlib.suppress(OSError):
                (pokes / name).unlink()
            raise ResolveProblem(
                "resolve-sidecar-silent",
                f"FlowAnchor's sidecar did not answer within {seconds:g} s.",
                "Look at its terminal, or end it with Ctrl-C and start `flowanchor resolve sidecar` anew.",
            )
        time.sleep(_STEP)
    with contextlib.suppress(OSError):
        answer.unlink()
    return Reply(found.get("accepted") is True, str(found.get("text", "")))


def start(folder: Path, seconds: float = START_SECONDS) -> None:
    """Start a sidecar that outlives this process, unless one is starting, and wait until it serves.

    Raises:
        ResolveProblem: "resolve-sidecar-unknown" if nothing says how, "resolve-sidecar-failed".
    """
    log = folder / meeting.LOG
    lock = meeting.Lock(folder / meeting.LOCK)
    child: subprocess.Popen[bytes] | None = None
    deadline = time.monotonic() + seconds
    while not meeting.sidecar_lives(folder):
        # While another one starts, or ends, that is waited for; ours ends at once if it finds one.
        if not lock.is_held():
            if child is None:
                child = _launched(folder, log)
            ended = child.poll()
            if ended is not None and not meeting.sidecar_lives(folder):
                raise _failed(f"it ended with exit code {ended}", log)
        if time.monotonic() > deadline:
            if child is not None:
                child.kill()
                child.wait()
            raise _failed(f"it was not there within {seconds:g} s", log)
        time.sleep(_STEP)


def _launched(folder: Path, log: Path) -> subprocess.Popen[bytes]:
    found = command_line()
    if found is None:
        raise ResolveProblem(
            "resolve-sidecar-unknown",
            "FlowAnchor's sidecar does not run, and nothing says how it is started.",
            "Run `flowanchor resolve sidecar` in a terminal, or `installers/run.py setup` once.",
        )
    command = [*found, "resolve", "sidecar", "--idle", str(IDLE_MINUTES)]
    # Appended to: two menu entries chosen at once start two sidecars, of which one ends.
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        options = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    try:
        with open(os.open(log, flags, 0o600), "wb") as output:
            return subprocess.Popen(
                command,
                env=clean_environment(),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                **options,
            )
    except OSError as failure:
        raise _failed(f"{command[0]} could not be run ({failure.strerror})", log) from failure


def clean_environment() -> dict[str, str]:
    """This environment without what Resolve sets for its own Python and libraries, which would break
    another's."""
    own = ("PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "LD_LIBRARY_PATH", "LD_PRELOAD", "QT_PLUGIN_PATH")
    return {
        name: value for name, value in os.environ.items() if name not in own and not name.startswith("DYLD_")
    }


def command_line() -> list[str] | None:
    """What runs FlowAnchor's command line: the Python of the record that its set-up leaves for hosts (which
    says how the daemon is started); None if there is none."""
    raw = meeting.read(data_folder() / "launcher.json")
    argv = raw.get("argv") if raw is not None else None
    if not isinstance(argv, list) or not all(isinstance(part, str) for part in argv):
        return None
    return [*argv[:-2], "-m", "flowanchor_daemon.cli"] if len(argv) > 2 and argv[-2:] == _SERVE else None


def _failed(why: str, log: Path) -> ResolveProblem:
    said = ""
    with contextlib.suppress(OSError):
        lines = [
            line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()
        ]
        said = f" It said: {lines[-1][:300]}" if lines else ""
    return ResolveProblem(
        "resolve-sidecar-failed",
        f"FlowAnchor's sidecar could not be started: {why}.{said}",
        "Run `flowanchor resolve sidecar` in a terminal to see all of it.",
    )
