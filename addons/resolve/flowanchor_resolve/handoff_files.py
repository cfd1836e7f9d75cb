# SPDX-License-Identifier: Apache-2.0
"""The files of a hand-off's folder, which anybody may have written: JSON of ours, and movies that are plain
files of the folder's own, as long and with such a hash as stated."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flowanchor_resolve import meeting
from flowanchor_resolve.problems import ResolveProblem

VERSION = 1
LARGEST_NOTE = 16_000_000  # bytes of a JSON file; outlines can be long
LARGEST_MOVIE = 2**40  # bytes
_BLOCK = 1 << 20


def note(folder: Path, name: str) -> Mapping[str, Any]:
    """The content of a JSON file of a hand-off. ResolveProblem("handoff-broken") if it is none of ours."""
    content = meeting.read(folder / name, LARGEST_NOTE)
    if content is None:
        raise broken(folder, f"its {name} is missing or no JSON of ours")
    if content.get("flowanchor") != "hand-off" or content.get("version") != VERSION:
        raise ResolveProblem(
            "handoff-broken",
            f"The hand-off {folder.name} is of version {str(content.get('version'))[:20]}, not {VERSION}.",
            "Use the same version of FlowAnchor inside and outside of Resolve.",
        )
    return content


def checked_place(folder: Path, files: object, check: bool) -> Callable[[str], Path]:
    """Gives a file's path if it is one of the folder's own, stated and as stated; with `check` its hash is
    compared, too. ResolveProblem("handoff-broken") otherwise."""
    if not isinstance(files, dict):
        raise broken(folder, "it states no files")

    def place(name: str) -> Path:
        said = files.get(name)
        if not isinstance(said, dict):
            raise broken(folder, f"it does not state the file {name}")
        path = folder / name
        try:
            found = path.lstat()
        except OSError as failure:
            raise broken(folder, f"its file {name} is missing") from failure
        if not stat.S_ISREG(found.st_mode):
            raise broken(folder, f"its file {name} is no plain file")
        if found.st_size != said.get("bytes") or found.st_size > LARGEST_MOVIE:
            raise broken(folder, f"its file {name} is not as long as stated")
        if check and sha256(path) != said.get("sha256"):
            raise broken(folder, f"its file {name} has another content than stated")
        return path

    return place


def stated(path: Path) -> dict[str, Any]:
    """What is stated of a file: its length in bytes, and its SHA-256."""
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}


def sha256(path: Path) -> str:
    """A file's SHA-256, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def broken(folder: Path, why: str) -> ResolveProblem:
    """A hand-off that cannot be used, and why."""
    return ResolveProblem(
        "handoff-broken",
        f"The hand-off {folder.name} cannot be used: {why}.",
        "In Resolve choose Workspace > Scripts > FlowAnchor Edit again.",
    )
