#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Blender extension as a zip, and the environments its tests run in. Standard library only.

    python3 installers/blender.py build          dist/flowanchor_vse-<version>.zip for this machine's system
        --all-platforms                          wheels of every system in it
        --split-platforms                        all systems, one zip each
        --blender PATH                           with the Blender that is installed there
    python3 installers/blender.py environments   .venv-bpy-<version>, each with that Blender as a module

`installers/run.py blender` and `installers/run.py test` call this. The zip holds everything the add-on needs:
nothing is downloaded inside Blender. Blender's own extension tool makes and checks it: that of an
environment, which is made if there is none, or that of an installed Blender.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from installers.blender_environments import (  # noqa: E402  # found through the line above
    PYTHON,
    VERSIONS,
    environment,
    python_of,
    set_up_environment,
    with_python,
)
from installers.blender_wheels import (  # noqa: E402
    ADDON,
    PLATFORMS,
    download_wheels,
    our_wheel,
    this_platform,
)
from installers.environment import (  # noqa: E402
    SetupError,
    check_python,
    executable,
    read_stamp,
    say,
    works,
)

SCRIPT = Path(__file__).resolve()
TOOL = "bl_pkg/cli/blender_ext.py"
"""Blender's extension tool, below one of its folders of scripts."""
SCRIPTS = (
    "*/scripts/*",
    "scripts/*",
    "Contents/Resources/*/scripts/*",
    "*.app/Contents/Resources/*/scripts/*",
    "lib/python*/site-packages/bpy/*/scripts/*",
    "Lib/site-packages/bpy/*/scripts/*",
)
"""Where those folders lie below what holds a Blender: on Linux and Windows, in a distribution's package, on
macOS, and below an environment with Blender as a module."""


def extension_tool(verbose: bool = False) -> list[str]:
    """Command of Blender's own tool for extensions, which comes with every `bpy`."""
    for version in VERSIONS:
        stamp = read_stamp(environment(version))
        if stamp is not None and stamp.get("state") == "complete":
            break
    venv = set_up_environment(version, verbose)
    found = sorted(venv.rglob(TOOL))
    if not found:
        raise SetupError(f"{venv} lacks Blender's extension tool. Remove that folder and start again.")
    return [str(executable(venv, "python")), "-B", str(found[0])]


def installed_tool(path: Path) -> list[str]:
    """Command of the same tool in an installed Blender: its program, or the folder it lies in.

    SetupError if there is none.
    """
    path = path.expanduser()
    if path.is_dir():
        # Not all that is below: it can be any folder, such as a large one whose contents come and go.
        found = sorted(tool for scripts in SCRIPTS for tool in path.glob(f"{scripts}/{TOOL}"))
        if found:
            return [sys.executable, "-B", str(found[-1])]
    elif path.is_file() and os.access(path, os.X_OK) and _version_of(path) >= (4, 2):
        return [str(path.absolute()), "--factory-startup", "--command", "extension"]
    raise SetupError(
        f"{path} is no Blender of 4.2 or newer. Name its program, or the folder that it lies in."
    )


def _version_of(program: Path) -> tuple[int, int]:
    """A Blender's version. (0, 0) for other programs; older Blenders open a window when they are asked for
    what they do not know."""
    try:
        told = subprocess.run([str(program), "--version"], capture_output=True, text=True, errors="replace")
    except OSError:
        return 0, 0
    found = re.search(r"^Blender (\d+)\.(\d+)", told.stdout, re.MULTILINE)
    return (int(found[1]), int(found[2])) if found is not None else (0, 0)


def python_with_pip() -> Path:
    """A Python that can download wheels: that of the set-up, else this one."""
    venv = ROOT / ".venv"
    return executable(venv, "python") if works(venv) else Path(sys.executable)


def stage(folder: Path, wheels: Sequence[Path], platforms: Sequence[str]) -> None:
    """Lay the extension's files out in `folder`, with the manifest completed."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ADDON, folder, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", "*.partial"))
    (folder / "wheels").mkdir()
    for wheel in wheels:
        shutil.copy(wheel, folder / "wheels")
    ours = our_wheel(folder / "wheels")
    names = [f"./wheels/{path.name}" for path in (*wheels, ours)]
    manifest = folder / "blender_manifest.toml"
    text = manifest.read_text(encoding="utf-8")
    place = next(line for line in text.splitlines() if line.startswith("# `platforms`"))
    manifest.write_text(
        text.replace(place, f"platforms = {toml_list(platforms)}\nwheels = {toml_list(names)}"),
        encoding="utf-8",
    )


def toml_list(texts: Sequence[str]) -> str:
    return "[" + "".join(f'\n    "{text}",' for text in texts) + "\n]"


def make_out(out: Path) -> None:
    """Make the folder of the zips unless it is there; SetupError if they cannot be written to it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as failure:
        reason = failure.strerror or failure
        raise SetupError(f"{out} cannot be written to ({reason}). Choose another folder.") from failure


def build(
    out: Path, platforms: Sequence[str], tool: Sequence[str], python: Path, split: bool = False
) -> list[Path]:
    """Build and validate the extension with Blender's `tool` and the pip of `python`; the zips, in `out`."""
    make_out(out)  # before the long part
    work = ROOT / "build" / "blender"
    wheels = download_wheels(work / "wheels", python, platforms)
    staged = work / "extension"
    stage(staged, wheels, platforms)
    fresh = work / "zips"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    arguments = ["build", "--source-dir", str(staged), "--output-dir", str(fresh)]
    run_tool([*tool, *arguments, *(["--split-platforms"] if split else [])])
    zips = []
    for path in sorted(fresh.glob("*.zip")):
        run_tool([*tool, "validate", str(path)])
        zips.append(out / path.name)
        os.replace(shutil.copy(path, out / f"{path.name}.partial"), zips[-1])
    return zips


def run_tool(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SetupError(f"Blender's extension tool refused: {(done.stdout + done.stderr).strip()}")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Build the Blender extension, or set up its tests.")
    tasks = parser.add_subparsers(dest="task", required=True)
    building = tasks.add_parser("build", prog="run.py blender", help="build and validate the zip")
    building.add_argument("-o", "--out", type=Path, default=ROOT / "dist", help="folder for it (dist)")
    building.add_argument("--all-platforms", action="store_true", help="wheels of every system in one zip")
    building.add_argument("--split-platforms", action="store_true", help="every system, one zip each")
    building.add_argument(
        "--blender",
        metavar="PATH",
        type=Path,
        help="build with this Blender, 4.2 or newer (its program or folder), not with one made for the tests",
    )
    environments = tasks.add_parser("environments", help="make .venv-bpy-<version>")
    environments.add_argument("versions", nargs="*", default=VERSIONS)
    for task in (building, environments):
        task.add_argument("--verbose", action="store_true", help="show all that pip prints")
    known = parser.parse_args(arguments)
    try:
        if known.task == "environments":
            for version in known.versions:
                again = ["environments", version, *(["--verbose"] if known.verbose else [])]
                code = with_python(python_of(version), SCRIPT, again)
                if code is None:
                    set_up_environment(version, known.verbose)
                elif code:
                    return code
        else:
            if known.blender is not None:
                check_python("blender")
                tool, python = installed_tool(known.blender), python_with_pip()
            else:
                if (code := with_python(PYTHON, SCRIPT, arguments)) is not None:
                    return code
                tool = extension_tool(known.verbose)
                python = Path(tool[0])
            every = known.all_platforms or known.split_platforms
            platforms = list(PLATFORMS) if every else [this_platform()]
            for path in build(known.out, platforms, tool, python, known.split_platforms):
                say(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; the next run goes on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
