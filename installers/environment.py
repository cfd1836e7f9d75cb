# SPDX-License-Identifier: Apache-2.0
"""Virtual environments: created, filled by pip, and known again by a stamp. Standard library only.

One that was killed half-way is told by its stamp from one that is complete and from one that failed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NO_PYTHON_FOR_BLENDER = 3
"""Exit code of blender.py when there is no Python it could use."""
INTERRUPTED = 130
"""Exit code of what Ctrl-C has ended."""
SIGN_OF_LIFE_SECONDS = 30.0
OLDEST_PYTHON = (3, 11)


class SetupError(Exception):
    """Set-up cannot go on; the text says why and what to do."""


def say(text: str) -> None:
    print(f"[flowanchor] {text}", flush=True)


def foreground(command: Sequence[str], **options: Any) -> int:
    """Run a command that has the terminal to itself, and give its exit code: 130 if Ctrl-C ended it and it
    has said so.

    It hears Ctrl-C as well, and may have something to undo: it is waited for.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed and the command did not end with 130.
    """
    interrupted = False
    with subprocess.Popen(command, **options) as process:
        while True:
            try:
                code = process.wait()
                break
            except KeyboardInterrupt:
                interrupted = True
    if interrupted and code != INTERRUPTED:
        raise KeyboardInterrupt
    return code if code >= 0 else 128 - code


def check_python(task: str) -> None:
    """Raise SetupError in a Python too old for a task of run.py."""
    if sys.version_info < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        raise SetupError(
            f"This is Python {sys.version.split()[0]}; FlowAnchor needs {wanted} or newer. "
            f"Install one and start this file with it, for example: python{wanted} installers/run.py {task}"
        )


def executable(venv: Path, name: str) -> Path:
    """Path of a program inside a virtual environment on this system."""
    return venv / "Scripts" / f"{name}.exe" if os.name == "nt" else venv / "bin" / name


def read_stamp(venv: Path) -> dict[str, str] | None:
    try:
        found = json.loads((venv / "flowanchor-setup.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_stamp(venv: Path, stamp: dict[str, str]) -> None:
    unfinished = venv / "flowanchor-setup.json.partial"
    unfinished.write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(venv / "flowanchor-setup.json")


def pip(venv: Path, arguments: Sequence[str], meaning: str, verbose: bool = False) -> None:
    """Run the environment's own pip; `meaning` says in plain words what for, and how long it may take.

    pip's own lines are shown with `verbose`, and when it fails. Where they are not, it asks nothing, such as
    the password of an index: nobody would see it.
    """
    say(meaning)
    command = [
        str(executable(venv, "python")),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        *arguments,
    ]
    if verbose:
        failed, above = subprocess.run(command, cwd=ROOT).returncode != 0, ""
    else:
        failed, above = _quietly([*command, "--no-input"])
    if failed:
        print(above, end="", file=sys.stderr, flush=True)
        raise SetupError(
            f"pip could not finish ({' '.join(arguments)}); its own message is above. "
            "Usually the network or the disk is the cause. Start the same command again to go on from here; "
            "with --verbose pip can ask for a password."
        )


def _quietly(command: Sequence[str]) -> tuple[bool, str]:
    """Whether a command failed, and what it printed; while it takes long, a word now and then."""
    waited = 0.0
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        try:
            while True:
                try:
                    printed, _ = process.communicate(timeout=SIGN_OF_LIFE_SECONDS)
                except subprocess.TimeoutExpired:
                    waited += SIGN_OF_LIFE_SECONDS
                    say(f"  still at it, {waited:.0f} s so far")
                else:
                    return process.returncode != 0, printed
        except BaseException:
            process.kill()
            raise


def works(venv: Path) -> bool:
    """Whether the interpreter inside starts and has pip (false once the Python it was made with is gone)."""
    python = executable(venv, "python")
    if not python.exists():
        return False
    probe = subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True)
    return probe.returncode == 0


def create_venv(venv: Path, stamp: dict[str, str]) -> None:
    """Make an empty environment in place of whatever is there.

    pip goes in as a second step, after the stamp, so that a kill at any moment is noticed by the next run.
    """
    if venv.is_symlink():  # what it leads to would be emptied
        raise SetupError(f"{venv} is a link, and is left alone. Remove the link, then start again.")
    say(f"creating the virtual environment {venv}")
    bare = [sys.executable, "-m", "venv", "--clear", "--without-pip", str(venv)]
    add_pip = [str(executable(venv, "python")), "-m", "ensurepip", "--default-pip"]
    for command in (bare, add_pip):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            said = (done.stdout + done.stderr).strip()
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            missing = "ensurepip" in said or "No module named venv" in said
            action = (
                f"On Debian and Ubuntu install its module with: sudo apt install python{version}-venv"
                if missing
                else "Mend what it says, then start the same command again."
            )
            raise SetupError(f"Python could not make a virtual environment: {said}\n{action}")
        write_stamp(venv, stamp)
