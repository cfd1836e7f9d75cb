# SPDX-License-Identifier: Apache-2.0
"""Resolve's menu entries: what they should say, and what is really in its folders of scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flowanchor_resolve.places import script_folders

PACKAGE = Path(__file__).resolve().parent
MENU = {
    "FlowAnchor Edit": "edit",
    "FlowAnchor Again": "again",
    "FlowAnchor Place": "place",
    "FlowAnchor Undo": "undo",
}
"""Menu entry -> action."""


def script_of(action: str, package: Path = PACKAGE) -> str:
    """The text of a menu entry's script, which finds this package at `package`."""
    text = (PACKAGE / "scripts" / "menu_script.py").read_text(encoding="utf-8")
    text = text.replace('ACTION = ""', f"ACTION = {action!r}", 1)
    return text.replace('PACKAGE = ""', f"PACKAGE = {str(package)!r}", 1)


@dataclass(frozen=True)
class Found:
    """The copies of a menu entry, and which of them are as they should be."""

    name: str
    copies: tuple[Path, ...]
    current: tuple[Path, ...]


def look(folders: Sequence[Path] | None = None) -> list[Found]:
    """Every menu entry, in all folders where Resolve looks for scripts and in those right above them."""
    places = script_folders() if folders is None else tuple(folders)
    found = []
    for name, action in MENU.items():
        # "Utility" shows scripts on every page; elsewhere below "Scripts" they are shown on some.
        roots = dict.fromkeys(folder.parent for folder in places)
        copies = tuple(path for root in roots for path in _named(root, f"{name}.py"))
        wanted = script_of(action)
        current = tuple(path for path in copies if _text(path) == wanted)
        found.append(Found(name, copies, current))
    return found


def _named(root: Path, name: str) -> list[Path]:
    """Files of a name in a folder and its direct sub-folders."""
    try:
        folders = [root, *sorted(entry for entry in root.iterdir() if entry.is_dir())]
    except OSError:
        return []
    return [folder / name for folder in folders if (folder / name).is_file()]


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
