# SPDX-License-Identifier: Apache-2.0
"""The user's folders: room on their disks, whether they are closed to others, and the models in them."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flowanchor import rendezvous
from flowanchor_resolve.places import results_folder
from flowanchor_resolve.problems import ResolveProblem

from flowanchor_core import folders, models
from flowanchor_core.errors import FlowAnchorError
from flowanchor_daemon.doctor.finding import Finding, ok, problem, warning
from flowanchor_daemon.state import StateFolder

LEAST_FREE_BYTES = 1_000_000_000
_LOCKED = "cannot be written to"


@dataclass(frozen=True)
class Places:
    """Where things of the user's lie; nothing of it need exist."""

    runtime: Path
    state: StateFolder
    cache: Path
    models: Path

    @classmethod
    def default(cls) -> Places:
        return cls(
            rendezvous.meeting_folder(),
            StateFolder.default(),
            folders.cache_folder(),
            folders.models_folder(),
        )


def check_disk(places: Places) -> Iterator[Finding]:
    """Free bytes of each disk that something is written to, one finding a disk."""
    disks: dict[int, tuple[Path, list[str]]] = {}
    for name, folder in (
        ("state", places.state.root),
        ("cache", places.cache),
        ("models", places.models),
        ("here", Path.cwd()),
    ):
        there = _nearest(folder)
        disks.setdefault(there.stat().st_dev, (there, []))[1].append(name)
    for folder, names in disks.values():
        free = shutil.disk_usage(folder).free
        name, text = f"disk {names[0]}", f"{free / 1e9:.1f} GB free for {', '.join(names)} ({folder})"
        if free < LEAST_FREE_BYTES:
            yield problem(name, text, "Free some space: `flowanchor jobs delete` drops results.")
        else:
            yield ok(name, text)


def check_folders(places: Places) -> Iterator[Finding]:
    """The folders in use: whether they can be written to, and whether what holds tokens and footage is this
    user's alone."""
    private = {
        "runtime folder": (places.runtime, places.runtime / rendezvous.DISCOVERY_FILE),
        "state folder": (
            places.state.root,
            places.state.media,
            places.state.jobs,
            places.state.logs,
            places.state.queue,
        ),
    }
    for name, paths in private.items():
        there = [path for path in paths if os.path.lexists(path)]
        if not there:
            yield ok(name, f"{paths[0]}, made when needed")
            continue
        wrong = [(path, reason) for path in there if (reason := _not_ours(path)) is not None]
        for path, reason in wrong:
            yield problem(name, f"{path} {reason}.", _how_to_close(path, reason))
        locked = [path for path in there if path.is_dir() and not _takes_files(path)]
        for path in locked:
            yield problem(name, f"{path} {_LOCKED}.", _how_to_open(path))
        if not wrong and not locked:
            yield ok(name, f"{paths[0]}, closed to others")
    yield from _check_others(places)


def _check_others(places: Places) -> Iterator[Finding]:
    """Folders without which edits run all the same."""
    yield _written("models folder", places.models, "models cannot be pulled or imported")
    yield _written("cache folder", places.cache, "encoded prompts are not kept")
    name = "results folder"
    try:
        yield _written(name, results_folder(), "results of edits from Resolve need a name of their own")
    except ResolveProblem as failure:
        yield warning(name, failure.message, failure.action)


def _written(name: str, folder: Path, without: str) -> Finding:
    there = _nearest(folder)
    if not _takes_files(there) or (there != folder and os.path.lexists(folder)):
        return warning(name, f"{folder} {_LOCKED}: {without}.", _how_to_open(there))
    return ok(name, str(folder) if there == folder else f"{folder}, made when needed")


def check_models() -> Iterator[Finding]:
    """Every model that can be named: its parts and its card, no weight."""
    for name in models.names():
        try:
            folder = models.find_model(name)
            models.read_card(folder, name)
        except FlowAnchorError as failure:
            yield problem(f"model {name}", failure.message, failure.action)
        else:
            yield ok(f"model {name}", str(folder))
    if models.names() == [models.EMBEDDED]:
        text = "only the embedded one; `flowanchor models pull wan2.1-t2v-1.3b` gets one for real footage"
        yield ok("models", text)


def _nearest(folder: Path) -> Path:
    """The folder, or the closest one above it that exists."""
    return next(path for path in (folder, *folder.absolute().parents) if path.is_dir())


def _takes_files(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


def _how_to_open(folder: Path) -> str:
    return f"See who owns {folder}; `chmod u+rwx` opens a folder of yours."


def _not_ours(path: Path) -> str | None:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        return "is a link"
    if sys.platform == "win32":
        return None
    if found.st_uid != os.getuid():
        return "belongs to another user"
    # A file inside a folder that is closed is closed too.
    if stat.S_ISDIR(found.st_mode) and found.st_mode & 0o077:
        return f"is open to others (mode {stat.S_IMODE(found.st_mode):o})"
    if path.name == rendezvous.DISCOVERY_FILE and found.st_mode & 0o077:
        return f"is open to others (mode {stat.S_IMODE(found.st_mode):o})"
    return None


def _how_to_close(path: Path, reason: str) -> str:
    return f"Close it with: chmod go= {path}" if reason.startswith("is open") else "Remove it."
