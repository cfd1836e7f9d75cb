# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of result strips, and of the files and folders behind them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from pathlib import PurePath

LONGEST_NAME = 63
"""UTF-8 bytes Blender keeps of a name."""

_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(1, 10))}
)


def result_name(strip: str, change: str, seed: int, taken: Container[str] = ()) -> str:
    """Name of a result strip, such as "shot · blue star (7)"; a number is added if it is taken."""
    short = shortened(" ".join(change.split()) or "edit", 24)
    for number in range(1, 100_000):
        tail = f" · {short} ({seed})" + (f" #{number}" if number > 1 else "")
        name = shortened(strip, LONGEST_NAME - len(tail.encode())) + tail
        if name not in taken:
            return name
    raise ValueError("every name is taken")


def shortened(text: str, size: int) -> str:
    """The beginning of a text that fits into `size` bytes of UTF-8, whole letters only."""
    return text.encode()[: max(size, 0)].decode("utf-8", "ignore").rstrip()


def folder_name(blend: str, request: str) -> str:
    """Folder for one edit's files: the .blend's name, for people, and the edit's id, which is unique."""
    stem = PurePath(blend.replace("\\", "/")).stem if blend else "unsaved"
    return f"{plain(stem, 40)}-{plain(request, 36)}"


def plain(text: str, longest: int = 60) -> str:
    """Text as part of a file's name on every system: letters, digits, '-' and '_'; never empty."""
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", letters)[:longest].strip("-")
    return f"{name}-" if name.lower() in _RESERVED else name or "untitled"


def frame_file(index: int, suffix: str = ".png") -> str:
    """File of an exported frame: six digits at least, numbered from 0 without holes."""
    if index < 0:
        raise ValueError(f"there is no frame {index}")
    return f"{index:06d}{suffix}"


def safe_artifact_name(name: str, index: int) -> str:
    """An artifact's suggested name if it is a plain file name, else one made up: never a path."""
    usable = re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._ -]{0,200}", name) and not name.endswith((".", " "))
    stem = name.partition(".")[0].lower()
    return name if usable and stem not in _RESERVED else f"artifact-{index:06d}"
