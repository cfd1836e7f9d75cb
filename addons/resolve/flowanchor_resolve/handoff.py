# SPDX-License-Identifier: Apache-2.0
"""A hand-off: a folder that carries an edit out of a Resolve which lets no other program in, and its result
back.

    20261128-101500-3fa9c1/
        request.json, footage.mov, mask-1.mov …   made inside Resolve
        result.json, result.mov                   added by `flowanchor resolve edit --handoff`
        placed.json                               added inside Resolve

A folder gets its name when it is complete, and each JSON file names the others with their size and SHA-256.
Whatever is read here may have been written by anybody: files are plain names inside the folder, no links,
and as long and with such a hash as stated.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from flowanchor_resolve import meeting, plain, session
from flowanchor_resolve.handoff_files import VERSION, broken, checked_place, note, stated
from flowanchor_resolve.host import Footage, Placed, Region, Result, Selection
from flowanchor_resolve.places import results_folder
from flowanchor_resolve.problems import ResolveProblem

REQUEST, RESULT, PLACED = "request.json", "result.json", "placed.json"
NEWEST = "newest"
_NAME = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")


@dataclass(frozen=True)
class Request:
    """What a hand-off asks for."""

    folder: Path
    selection: Selection
    footage: Footage
    region: Region | None


def root() -> Path:
    """Where hand-offs lie: beside the results, since the movie that is placed stays in its hand-off."""
    return results_folder() / "hand-off"


def leave(
    fill: Callable[[Path], tuple[Selection, Footage, Region | None]], parent: Path | None = None
) -> Request:
    """Make a hand-off: `fill` exports into the folder it is given, and says what it has exported.

    A file that is not in that folder (a clip's own) is linked or copied into it. Nothing is left if `fill`
    fails.

    Raises:
        ResolveProblem: "resolve-disk", or what `fill` raises.
    """
    parent = root() if parent is None else parent
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
    folder = parent / f".{name}.partial"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        selection, footage, region = fill(folder)
        footage = _taken_in(footage, folder, "footage")
        if region is not None:
            movies = [_taken_in(movie, folder, f"mask-{n}") for n, movie in enumerate(region.movies, 1)]
            region = replace(region, movies=movies)
        files = [footage.path, *(movie.path for movie in (region.movies if region is not None else ()))]
        content = {
            "flowanchor": "hand-off",
            "version": VERSION,
            "selection": plain.selection_as_plain(selection),
            "footage": plain.footage_as_plain(footage),
            "region": None if region is None else plain.region_as_plain(region),
            "files": {path.name: stated(path) for path in files},
        }
        meeting.write(folder / REQUEST, content)
        # What the export left besides is not part of it.
        for entry in folder.iterdir():
            if entry.name != REQUEST and entry not in files:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        os.replace(folder, parent / name)
    except BaseException as failure:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(failure, OSError):
            raise _disk(parent, failure) from failure
        raise
    return read(parent / name, check=False)


def waiting(parent: Path | None = None) -> list[Path]:
    """Hand-offs without a result, oldest first."""
    return [folder for folder in _all(parent) if not os.path.lexists(folder / RESULT)]


def finished(parent: Path | None = None) -> list[Path]:
    """Hand-offs whose result is not placed yet, oldest first."""
    return [
        folder
        for folder in _all(parent)
        if os.path.lexists(folder / RESULT) and not os.path.lexists(folder / PLACED)
    ]


def find(text: str = NEWEST, parent: Path | None = None) -> Path:
    """The hand-off that is meant: by its folder's path or name, or the newest that waits.

    Raises:
        ResolveProblem: "handoff-unknown".
    """
    if text != NEWEST:
        inside = (root() if parent is None else parent) / text
        folder = inside if _NAME.fullmatch(text) else Path(text)
        if folder.is_dir():
            return folder
        raise ResolveProblem(
            "handoff-unknown",
            f"There is no hand-off {text[:200]}.",
            "Name its folder, or leave the name out for the newest.",
        )
    if found := waiting(parent):
        return found[-1]
    raise ResolveProblem(
        "handoff-unknown",
        f"No hand-off waits in {root() if parent is None else parent}.",
        "In Resolve choose Workspace > Scripts > FlowAnchor Edit first.",
    )


def read(folder: Path, check: bool = True) -> Request:
    """What a hand-off asks for; with `check` its files' hashes are compared.

    Raises:
        ResolveProblem: "handoff-broken", "resolve-note-broken".
    """
    content = note(folder, REQUEST)
    files = content.get("files")
    place = checked_place(folder, files, check)
    selection = plain.read_selection(content.get("selection"))
    region = content.get("region")
    return Request(
        folder=folder,
        selection=selection,
        footage=plain.read_footage(content.get("footage"), place, selection.frames),
        region=None if region is None else plain.read_region(region, place, selection.frames),
    )


def finish(request: Request, result: Result) -> Result:
    """Put a result into its hand-off, and drop the footage, which nobody needs any more.

    Raises:
        ResolveProblem: "resolve-disk".
    """
    moved = request.folder / "result.mov"
    try:
        if result.path != moved:
            os.replace(shutil.move(str(result.path), request.folder / ".result.partial"), moved)
        kept = replace(result, path=moved)
        content = {
            "flowanchor": "hand-off",
            "version": VERSION,
            "result": plain.result_as_plain(kept),
            "files": {moved.name: stated(moved)},
        }
        meeting.write(request.folder / RESULT, content)
        for movie in (request.footage, *(request.region.movies if request.region is not None else ())):
            movie.path.unlink(missing_ok=True)
    except OSError as failure:
        raise _disk(request.folder, failure) from failure
    return kept


def read_result(folder: Path) -> tuple[Selection, Result]:
    """A finished hand-off's clip and result, its files' hashes compared.

    Raises:
        ResolveProblem: "handoff-broken", "resolve-note-broken".
    """
    selection = plain.read_selection(note(folder, REQUEST).get("selection"))
    content = note(folder, RESULT)
    result = plain.read_result(content.get("result"), checked_place(folder, content.get("files"), True))
    if result.frames != selection.frames:
        raise broken(folder, f"its result has {result.frames} frames, its clip {selection.frames}")
    return selection, result


def placed() -> list[tuple[Path, Placed]]:
    """Hand-offs whose result was placed, and where, the one placed last first."""
    found = []
    for folder in _all(None):
        told = meeting.read(folder / PLACED)
        try:
            if told is not None:
                found.append((session.moment(told), folder, plain.read_placed(told.get("placed"))))
        except ResolveProblem:
            continue  # written by somebody else; it says nothing
    return [(folder, where) for _, folder, where in sorted(found, key=lambda one: one[:2], reverse=True)]


def note_placed(folder: Path, placed: Placed) -> None:
    """Leave word that a hand-off's result is on the timeline."""
    meeting.write(folder / PLACED, {"placed": plain.placed_as_plain(placed), "at": time.time()})


def _all(parent: Path | None) -> list[Path]:
    folder = root() if parent is None else parent
    try:
        names = sorted(name for name in os.listdir(folder) if _NAME.fullmatch(name))
    except OSError:
        return []
    return [folder / name for name in names if os.path.lexists(folder / name / REQUEST)]


def _taken_in(footage: Footage, folder: Path, name: str) -> Footage:
    target = folder / f"{name}{footage.path.suffix.lower() or '.mov'}"
    if footage.path.parent == folder:
        os.replace(footage.path, target)
    elif footage.direct:
        # The user's own file: linked where that is possible, never moved.
        try:
            os.link(footage.path, target)
        except OSError:
            shutil.copyfile(footage.path, target)
    else:
        shutil.move(str(footage.path), target)
    return replace(footage, path=target, direct=False)


def _disk(folder: Path, failure: OSError) -> ResolveProblem:
    why = failure.strerror or type(failure).__name__
    return ResolveProblem(
        "resolve-disk",
        f"{folder} cannot be written: {why}.",
        "Make room or check the folder, then try again.",
    )
