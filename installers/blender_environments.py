# SPDX-License-Identifier: Apache-2.0
"""Environments with Blender as a Python module, which tests of the add-on run in. Standard library only.

The `bpy` wheels exist for Python 3.11 (from Blender 5.1 on for 3.13), which has to be installed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from installers.blender_wheels import WHEELS
from installers.environment import (
    NO_PYTHON_FOR_BLENDER,
    ROOT,
    SetupError,
    create_venv,
    executable,
    foreground,
    pip,
    read_stamp,
    say,
    works,
    write_stamp,
)

VERSIONS = ("4.2.23", "5.0.1")
"""Blenders every test run uses; others can be asked for (`environments 4.5.15 5.2.3`)."""
PYTHON = (3, 11)
NEWER_PYTHON = (3, 13)
"""That of Blender 5.1 and newer."""
ENVIRONMENT_BYTES = 1_300_000_000


def environment(version: str) -> Path:
    return ROOT / f".venv-bpy-{version}"


def python_of(version: str) -> tuple[int, int]:
    """The Python that this Blender's wheel is for."""
    major, minor = (int(part) for part in version.split(".")[:2])
    return NEWER_PYTHON if (major, minor) >= (5, 1) else PYTHON


def wanted_stamp(version: str) -> dict[str, str]:
    return {"bpy": version, "wheels": " ".join(WHEELS), "root": str(ROOT), "state": "complete"}


def set_up_environment(version: str, verbose: bool = False) -> Path:
    """Bring `.venv-bpy-<version>` to what the tests need; quick when it is there.

    `verbose` shows pip's own lines.
    """
    venv, wanted = environment(version), wanted_stamp(version)
    stamp = read_stamp(venv)
    if stamp == wanted and executable(venv, "python").exists():
        say(f"{venv.name} is up to date")
        return venv
    if shutil.disk_usage(ROOT).free < ENVIRONMENT_BYTES:
        raise SetupError(
            f"Blender {version} as a module takes {ENVIRONMENT_BYTES / 1e9:.1f} GB of disk space."
        )
    started = time.monotonic()
    unfinished = {**wanted, "state": "installing"}
    ours = stamp is not None and {**stamp, "state": ""} == {**wanted, "state": ""}
    if not ours or stamp == unfinished or not works(venv):
        create_venv(venv, unfinished)
    write_stamp(venv, unfinished)
    try:
        pip(
            venv,
            [f"bpy=={version}", *WHEELS, "pytest>=8.4"],
            f"installing Blender {version} as a module: 400 MB to download, half a minute on a fast line",
            verbose,
        )
    except SetupError:
        write_stamp(venv, {**wanted, "state": "failed"})
        raise
    write_stamp(venv, wanted)
    say(f"{venv.name} complete in {time.monotonic() - started:.0f} s")
    return venv


def find_python(wanted: tuple[int, int]) -> str | None:
    """A Python of this version: this one, or one on the PATH that starts."""
    if sys.version_info[:2] == wanted:
        return sys.executable
    for name in (f"python{wanted[0]}.{wanted[1]}", "python3"):
        found = shutil.which(name)
        if found is None:
            continue
        check = f"import sys; sys.exit(sys.version_info[:2] != {wanted})"
        if subprocess.run([found, "-c", check], capture_output=True).returncode == 0:
            return found
    return None


def with_python(wanted: tuple[int, int], script: Path, arguments: Sequence[str]) -> int | None:
    """Exit code of a script in a Python of that version, which virtual environments are made of; None if this
    is one."""
    python = find_python(wanted)
    if python is None:
        name = f"{wanted[0]}.{wanted[1]}"
        print(
            f"Blender as a module needs Python {name}, which was not found. Install it beside this one "
            f"(on Debian and Ubuntu: sudo apt install python{name}-venv).",
            file=sys.stderr,
        )
        return NO_PYTHON_FOR_BLENDER
    if sys.version_info[:2] == wanted:
        return None
    return foreground([python, str(script), *arguments])
