# SPDX-License-Identifier: Apache-2.0
"""What editing from Blender needs: the add-on in Blender's folders, and word of how the daemon is started."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from flowanchor import rendezvous

from flowanchor_daemon.doctor.finding import Finding, ok, problem, warning

ADDON = "flowanchor_vse"
_BUILD = "Build it with `python3 installers/run.py blender` and install the zip from Blender's preferences."
_SETTINGS = re.compile(r"\d+\.\d+")
_VERSION = re.compile(r'^version\s*=\s*"([^"\n]{1,40})"', re.MULTILINE)


def settings_folder(system: str = sys.platform, environment: Mapping[str, str] | None = None) -> Path:
    """Where Blender keeps a user's settings, a folder a version in it."""
    values = os.environ if environment is None else environment
    home = Path(values.get("HOME") or Path.home())
    if system == "win32":
        return Path(values.get("APPDATA") or home / "AppData" / "Roaming") / "Blender Foundation" / "Blender"
    if system == "darwin":
        return home / "Library" / "Application Support" / "Blender"
    return Path(values.get("XDG_CONFIG_HOME") or home / ".config") / "blender"


def check_extensions() -> Iterator[Finding]:
    """Every Blender version that has settings: whether the add-on is installed there, once, and which."""
    folder = settings_folder()
    try:
        versions = sorted(entry for entry in folder.iterdir() if _SETTINGS.fullmatch(entry.name))
    except FileNotFoundError:
        versions = []
    if not versions:
        yield warning(
            "blender",
            f"No Blender has been used by this user ({folder} is not there).",
            "Install Blender 4.2 LTS or newer and start it once.",
        )
        return
    installed = False
    for place in versions:
        copies = sorted(place.glob(f"extensions/*/{ADDON}/blender_manifest.toml"))
        installed = installed or bool(copies)
        if copies:
            yield _of_copies(f"blender {place.name}", copies)
        else:
            yield ok(f"blender {place.name}", "the add-on is not installed in this one")
    if not installed:
        yield warning("blender add-on", "It is installed in no Blender of this user.", _BUILD)


def _of_copies(name: str, copies: list[Path]) -> Finding:
    if len(copies) > 1:
        places = ", ".join(str(path.parent) for path in copies)
        return warning(name, f"The add-on is there more than once: {places}.", "Remove all but one.")
    found = _version_in(copies[0])
    ours = _ours()
    if found is None:
        return problem(name, f"{copies[0]} cannot be read.", "Install the add-on anew.")
    if ours is not None and found != ours:
        return warning(name, f"The add-on has version {found}, FlowAnchor {ours}.", _BUILD)
    return ok(name, f"add-on {found} in {copies[0].parent}")


def check_daemon_command() -> Iterator[Finding]:
    """Whether Blender, which has a Python of its own, finds how the daemon is started."""
    name = "blender daemon"
    try:
        command = rendezvous.read_launcher()
    except rendezvous.RendezvousError as refused:
        yield problem(name, refused.message, refused.action)
        return
    if not command:
        yield problem(
            name,
            "Nothing says how Blender starts the daemon.",
            "Unset FLOWANCHOR_STATE, with which no word of it is left, and run `flowanchor serve` once."
            if os.environ.get("FLOWANCHOR_STATE")
            else "Run `python3 installers/run.py setup`, or `flowanchor serve` once.",
        )
    elif shutil.which(command[0]) is None:
        yield problem(
            name,
            f"Blender would start the daemon with {command[0]}, which is not there any more.",
            "Run `python3 installers/run.py setup`.",
        )
    else:
        yield ok(name, f"started with {' '.join(command)}")


def _version_in(manifest: Path) -> str | None:
    try:
        found = _VERSION.search(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return None if found is None else found[1]


def _ours() -> str | None:
    try:
        return version("flowanchor")
    except PackageNotFoundError:
        return None
