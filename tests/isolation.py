# SPDX-License-Identifier: Apache-2.0
"""Tests never touch the daemon, the queue, the models or the caches of whoever runs them.

The environment names folders made for the run, which child processes inherit. Opening, making or removing a
file in one of the user's own raises in the test itself; what a child process made there is found at the end.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from flowanchor.rendezvous import DaemonLock, runtime_folder
from flowanchor_daemon.state import StateFolder

from flowanchor_core.folders import cache_folder, models_folder

VARIABLES = (
    "FLOWANCHOR_STATE",
    "FLOWANCHOR_RUNTIME",
    "FLOWANCHOR_CACHE",
    "FLOWANCHOR_MODELS",
    "FLOWANCHOR_RESULTS",
    "XDG_DATA_HOME",
)
_WATCHED = ("open", "os.listdir", "os.scandir", "sqlite3.connect", "socket.connect", "socket.bind")
_CHANGING = (
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.chmod",
    "os.truncate",
)


REAL = "FLOWANCHOR_TESTS_REAL_FOLDERS"
"""Tells the workers of a parallel run, which inherit our folders, which ones are the user's."""


class TouchedUsersFolder(BaseException):
    """A test reached for a folder of the user's. Not an Exception: nothing may swallow it."""


class Run:
    """What `begin` found and made."""

    def __init__(self) -> None:
        users = (runtime_folder(), StateFolder.default().root, cache_folder(), models_folder())
        inherited = os.environ.get(REAL)
        self.real = tuple(inherited.split(os.pathsep)) if inherited else tuple(map(str, users))
        self.missing = [folder for folder in self.real if not os.path.lexists(folder)]
        self.before = {name: os.environ.get(name) for name in (*VARIABLES, REAL, "FLOWANCHOR_DAEMON")}
        # Short, as it has to hold a Unix socket's path.
        self.base = Path(tempfile.mkdtemp(prefix="fa-tests-"))
        self.on = True

    def look_at(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on or event not in (*_WATCHED, *_CHANGING):
            return
        for argument in arguments[:2]:
            # A socket's address is the second argument, other paths are the first or both.
            if isinstance(argument, str | bytes | os.PathLike):
                path = os.path.abspath(os.fsdecode(argument))
                if any(path == folder or path.startswith(folder + os.sep) for folder in self.real):
                    raise TouchedUsersFolder(f"{event} of {path}: tests use folders of their own")


_runs: list[Run] = []


def begin() -> None:
    """Turn the environment to folders of this run's own and watch the user's."""
    run = Run()
    _runs.append(run)
    for name in VARIABLES:
        folder = run.base / name.rpartition("_")[2].lower()
        folder.mkdir(mode=0o700)
        os.environ[name] = str(folder)
    os.environ[REAL] = os.pathsep.join(run.real)
    os.environ.pop("FLOWANCHOR_DAEMON", None)
    sys.addaudithook(run.look_at)


def current() -> Run:
    """The run that `begin` began last."""
    return _runs[-1]


def complaints() -> list[str]:
    """What tests did outside of this process that they must not."""
    run = current()
    found = [f"{folder} was made during the tests" for folder in run.missing if os.path.lexists(folder)]
    if DaemonLock(run.base / "runtime").is_held():
        found.append("a daemon was left running in the tests' own runtime folder")
    return found


def end() -> None:
    """Undo `begin`. The watching stays in the process, asleep: Python has no way to take it out."""
    run = _runs.pop()
    run.on = False
    for name, value in run.before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    shutil.rmtree(run.base)
