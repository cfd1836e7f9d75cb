# SPDX-License-Identifier: Apache-2.0
"""Numbered image sequences: find the files that belong together, in order, without holes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from flowanchor_core.errors import InputError
from flowanchor_core.footage.limits import IMAGE_SUFFIXES, MAX_FRAMES

_NUMBERED = re.compile(r"(?P<stem>.*?)(?P<number>\d+)(?P<suffix>\.[^.]+)")
_PLACE = re.compile(r"%0?\d*d|#+")


@dataclass(frozen=True)
class ImageSequence:
    """Files in numeric order; `start` is the first one's number. A single image has one file and start 0."""

    files: tuple[Path, ...]
    start: int


def is_image(path: Path) -> bool:
    """Whether the name is that of an image file (not whether there is one)."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def is_pattern(path: Path) -> bool:
    """Whether the name has a place for a number: `name.%04d.png` or `name.####.png`."""
    return is_image(path) and not path.exists() and _PLACE.search(path.name) is not None


def find_sequence(path: Path) -> ImageSequence:
    """The sequence that a folder, a pattern or one of its files stands for.

    One file stands for its whole sequence when numbered siblings lie beside it, else for itself.

    Raises:
        InputError: no numbered images, several sequences in the folder, or a number missing in the sequence.
    """
    if path.is_dir():
        groups = _group(path)
        if not groups:
            raise InputError(
                "sequence-empty",
                f"{path} holds no numbered images.",
                "Number them as in name.0001.png, or name one image.",
            )
        if len(groups) > 1:
            names = ", ".join(sorted(f"{stem}#{suffix}" for stem, suffix in groups)[:4])
            raise InputError(
                "sequence-ambiguous",
                f"{path} holds several image sequences ({names}).",
                "Name one by a pattern such as name.%04d.png.",
            )
        return _ordered(next(iter(groups.values())), path.name)
    if is_pattern(path):
        place = _PLACE.search(path.name)
        assert place is not None
        key = (path.name[: place.start()], path.name[place.end() :])
        groups = _group(path.parent) if path.parent.is_dir() else {}
        if key not in groups:
            raise InputError("clip-missing", f"No image matches {path}.", "Check the folder and the pattern.")
        return _ordered(groups[key], path.name)
    match = _NUMBERED.fullmatch(path.name)
    if match is not None and path.is_file():
        return _ordered(_group(path.parent)[match["stem"], match["suffix"]], path.name)
    return ImageSequence((path,), 0)


def _group(folder: Path) -> dict[tuple[str, str], list[tuple[int, Path]]]:
    """Numbered images of a folder by (text before the number, text after it)."""
    groups: dict[tuple[str, str], list[tuple[int, Path]]] = {}
    for file in folder.iterdir():
        match = _NUMBERED.fullmatch(file.name)
        if match is not None and is_image(file) and not file.name.startswith("."):
            groups.setdefault((match["stem"], match["suffix"]), []).append((int(match["number"]), file))
    return groups


def _ordered(numbered: list[tuple[int, Path]], name: str) -> ImageSequence:
    numbered.sort()
    if len(numbered) > MAX_FRAMES:
        raise InputError("too-long", f"{name} has {len(numbered)} images.", f"Use at most {MAX_FRAMES}.")
    start = numbered[0][0]
    for place, (number, file) in enumerate(numbered):
        if number != start + place:
            twice = place > 0 and number == numbered[place - 1][0]
            problem = f"has number {number} twice" if twice else f"has no image number {start + place}"
            raise InputError(
                "sequence-holes",
                f"The sequence of {file.name} {problem}.",
                "Export it again without gaps, numbered one by one.",
            )
    return ImageSequence(tuple(file for _, file in numbered), start)
