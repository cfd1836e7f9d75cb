#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Put FlowAnchor's menu entries into DaVinci Resolve, or take them out. Standard library only.

    python3 installers/resolve.py             into the user's own folder of scripts, Utility
    python3 installers/resolve.py uninstall   out of every folder of scripts
    python3 installers/resolve.py check       what is there; exit code 1 if something is missing or wrong

The scripts that are written are a few lines each, which load the package from this clone: nothing that could
grow old is copied. If the clone is moved, install again.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "addons" / "resolve"))

from flowanchor_resolve import menu_files  # noqa: E402 - the clone may not be installed anywhere
from flowanchor_resolve.places import script_folders  # noqa: E402
from flowanchor_resolve.problems import ResolveProblem  # noqa: E402


class InstallError(Exception):
    """It cannot be done; the text says why and what to do."""


def say(text: str) -> None:
    print(f"[flowanchor] {text}", flush=True)


def install(folder: Path) -> list[Path]:
    """Write the menu entries into `folder`, replacing older ones there; gives their files.

    Raises:
        InstallError: a file cannot be written, or one of the same name there is not ours.
    """
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, action in menu_files.MENU.items():
            path = folder / f"{name}.py"
            if os.path.lexists(path) and not is_ours(path):
                raise InstallError(f"{path} is not one of FlowAnchor's. Move it elsewhere, then start again.")
            unfinished = folder / f".{name}.partial"
            unfinished.unlink(missing_ok=True)  # whatever is there, nothing is written through it
            unfinished.write_text(menu_files.script_of(action), encoding="utf-8")
            os.replace(unfinished, path)
            written.append(path)
    except OSError as failure:
        reason = failure.strerror or failure
        raise InstallError(f"{folder} cannot be written ({reason}). Check who owns it.") from failure
    return written


def uninstall(paths: Sequence[Path]) -> None:
    """Remove menu entries of ours.

    Raises:
        InstallError: one cannot be removed.
    """
    for path in paths:
        try:
            path.unlink()
        except OSError as failure:
            raise InstallError(
                f"{path} cannot be removed ({failure.strerror}). Remove it as its owner."
            ) from failure


def ours() -> list[Path]:
    """All menu entries of FlowAnchor's, in every folder in which Resolve looks for scripts."""
    return [path for found in menu_files.look() for path in found.copies if is_ours(path)]


def is_ours(path: Path) -> bool:
    """Whether a script was written by an installation of FlowAnchor's."""
    try:
        return path.is_file() and "flowanchor_resolve" in path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False


def check() -> list[str]:
    """What is not as it should be, a sentence each."""
    wrong = []
    for found in menu_files.look():
        if not found.copies:
            wrong.append(f"{found.name} is not in Resolve's menu.")
        elif len(found.copies) > 1:
            wrong.append(f"{found.name} is there more than once: {', '.join(map(str, found.copies))}.")
        elif not found.current:
            wrong.append(f"{found.copies[0]} is of another version or another clone.")
    return wrong


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="run.py resolve", description="Put FlowAnchor's entries into Resolve's menu of scripts."
    )
    parser.add_argument("task", nargs="?", default="install", choices=["install", "uninstall", "check"])
    task = parser.parse_args(arguments).task
    try:
        if task == "uninstall":
            found = ours()
            uninstall(found)
            say(f"{len(found)} menu entries are removed")
            return 0
        if task == "install":
            folder = script_folders()[0]
            written = install(folder)
            uninstall([path for path in ours() if path not in written])
            say(f"{len(written)} menu entries are in {folder}")
            say(
                "in Resolve they are under Workspace > Scripts; `flowanchor resolve doctor` looks at the rest"
            )
        wrong = check()
    except (InstallError, ResolveProblem) as problem:
        print(problem, file=sys.stderr)
        return 1
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    if task == "check" and not wrong:
        say("all menu entries are there, once, and of this clone")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
