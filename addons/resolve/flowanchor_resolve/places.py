# SPDX-License-Identifier: Apache-2.0
"""Where things lie on each system: Resolve's scripts and scripting module, our own records, the results.

Paths are computed, nothing is made. `system` is a value of `sys.platform`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from flowanchor_resolve.problems import ResolveProblem

MODULE = "DaVinciResolveScript"
_VENDOR = "Blackmagic Design"
_PRODUCT = "DaVinci Resolve"


def home(environment: Mapping[str, str] | None = None) -> Path:
    """The user's home folder. ResolveProblem("no-home") where the system tells none."""
    named = (os.environ if environment is None else environment).get("HOME")
    if named:
        return Path(named)
    try:
        return Path.home()
    except RuntimeError as unknown:
        raise ResolveProblem(
            "no-home", "FlowAnchor does not know where your home folder is.", "Set HOME to it."
        ) from unknown


def data_folder(system: str = sys.platform, environment: Mapping[str, str] | None = None) -> Path:
    """FlowAnchor's folder in the user's data, the same one that the daemon's rendezvous uses."""
    values = os.environ if environment is None else environment
    if system == "win32":
        return Path(values.get("LOCALAPPDATA") or home(values) / "AppData" / "Local") / "flowanchor"
    if system == "darwin":
        return home(values) / "Library" / "Application Support" / "flowanchor"
    return Path(values.get("XDG_DATA_HOME") or home(values) / ".local" / "share") / "flowanchor"


def meeting_folder() -> Path:
    """Where menu scripts and the sidecar leave word for each other: `resolve` in $FLOWANCHOR_STATE, else in
    the data folder.

    Not the runtime folder, which a program started from a desktop and one started in a shell may see
    differently; and inside the home folder, where nobody else can have prepared it.
    """
    chosen = os.environ.get("FLOWANCHOR_STATE")
    return Path(os.path.expanduser(chosen)).absolute() / "resolve" if chosen else data_folder() / "resolve"


def results_folder(system: str = sys.platform, environment: Mapping[str, str] | None = None) -> Path:
    """Where edited movies stay, since a project refers to them: $FLOWANCHOR_RESULTS, else `FlowAnchor` in the
    user's folder of videos."""
    values = os.environ if environment is None else environment
    if chosen := values.get("FLOWANCHOR_RESULTS"):
        return Path(os.path.expanduser(chosen)).absolute()
    own = home(values)
    if system == "darwin":
        return own / "Movies" / "FlowAnchor"
    if system == "win32":
        return own / "Videos" / "FlowAnchor"
    return (_videos_by_xdg(own, values) or own / "Videos") / "FlowAnchor"


def _videos_by_xdg(own: Path, values: Mapping[str, str]) -> Path | None:
    """The folder of videos in the desktop's language, as xdg-user-dirs keeps it."""
    settings = Path(values.get("XDG_CONFIG_HOME") or own / ".config") / "user-dirs.dirs"
    try:
        text = settings.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    found = re.search(r'^\s*XDG_VIDEOS_DIR="(?:\$HOME/)?([^"\n]+)"', text, re.MULTILINE)
    return own / found[1] if found is not None and found[1] not in (".", "/") else None


def script_folders(
    system: str = sys.platform, environment: Mapping[str, str] | None = None
) -> tuple[Path, ...]:
    """Resolve's script folders "Utility", the user's own first, then those of all users."""
    values = os.environ if environment is None else environment
    if system == "win32":
        own = Path(values.get("APPDATA") or home(values) / "AppData" / "Roaming") / _VENDOR / _PRODUCT
        everybody = Path(values.get("PROGRAMDATA") or r"C:\ProgramData") / _VENDOR / _PRODUCT
        roots = [own / "Support" / "Fusion", everybody / "Fusion"]
    elif system == "darwin":
        below = Path("Library") / "Application Support" / _VENDOR / _PRODUCT / "Fusion"
        roots = [home(values) / below, Path("/") / below]
    else:
        # The vendor's own place, whatever XDG_DATA_HOME says.
        share = home(values) / ".local" / "share" / "DaVinciResolve"
        roots = [share / "Fusion", Path("/opt/resolve/Fusion"), Path("/home/resolve/Fusion")]
    return tuple(root / "Scripts" / "Utility" for root in roots)


def module_folders(
    system: str = sys.platform, environment: Mapping[str, str] | None = None
) -> tuple[Path, ...]:
    """Folders in which the module DaVinciResolveScript may lie: as $RESOLVE_SCRIPT_API says, then where the
    installers put it."""
    values = os.environ if environment is None else environment
    chosen = values.get("RESOLVE_SCRIPT_API")
    if system == "win32":
        programs = Path(values.get("PROGRAMDATA") or r"C:\ProgramData")
        usual = [programs / _VENDOR / _PRODUCT / "Support" / "Developer" / "Scripting" / "Modules"]
    elif system == "darwin":
        below = Path("Library") / "Application Support" / _VENDOR / _PRODUCT
        usual = [Path("/") / below / "Developer" / "Scripting" / "Modules"]
    else:
        usual = [
            Path("/opt/resolve/Developer/Scripting/Modules"),
            Path("/opt/resolve/libs/Fusion/Modules"),
            Path("/home/resolve/Developer/Scripting/Modules"),
        ]
    return tuple([Path(chosen) / "Modules", *usual] if chosen else usual)


def libraries(system: str = sys.platform, environment: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """Where the library behind the module may lie: as $RESOLVE_SCRIPT_LIB says, then where installers put
    it."""
    values = os.environ if environment is None else environment
    chosen = values.get("RESOLVE_SCRIPT_LIB")
    if system == "win32":
        programs = Path(values.get("PROGRAMFILES") or r"C:\Program Files")
        usual = [programs / _VENDOR / _PRODUCT / "fusionscript.dll"]
    elif system == "darwin":
        below = Path("Contents") / "Libraries" / "Fusion" / "fusionscript.so"
        applications = Path("/Applications")
        usual = [
            applications / _PRODUCT / f"{_PRODUCT}.app" / below,
            applications / f"{_PRODUCT}.app" / below,
            applications / f"{_PRODUCT} Studio.app" / below,
        ]
    else:
        usual = [
            Path("/opt/resolve/libs/Fusion/fusionscript.so"),
            Path("/home/resolve/libs/Fusion/fusionscript.so"),
        ]
    return tuple([Path(chosen), *usual] if chosen else usual)


def find_module(environment: Mapping[str, str] | None = None) -> Path | None:
    """The file of the module DaVinciResolveScript that would be used; None if it is nowhere."""
    for folder in module_folders(environment=environment):
        path = folder / f"{MODULE}.py"
        if path.is_file():
            return path
    return None


def find_library(environment: Mapping[str, str] | None = None) -> Path | None:
    """The library fusionscript that would be used; None if it is nowhere."""
    return next((path for path in libraries(environment=environment) if path.is_file()), None)
