# SPDX-License-Identifier: Apache-2.0
"""Blenders as Python modules, each in an environment of its own, run as processes with a time limit."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.blender.host.blenders import VERSIONS, python_of

__all__ = ["VERSIONS", "run_inside"]

ROOT = Path(__file__).resolve().parents[3]
INSIDE = Path(__file__).with_name("inside.py")
SECONDS = 270.0


def interpreter(version: str) -> Path:
    """The Python that has this Blender; the test is left out where there is none."""
    found = python_of(version)
    if found is None:
        pytest.skip(f"no Blender {version}: python3 installers/blender.py environments {version}")
    return found


def run_inside(
    version: str,
    scenario: str,
    folder: Path,
    environment: Mapping[str, str],
    *,
    installed: bool = False,
    seconds: float = SECONDS,
    **arguments: Any,
) -> dict[str, Any]:
    """Run a scenario of inside.py in a Blender; gives what it noted.

    Args:
        installed: the add-on comes from a zip, so nothing of the tree is put on Python's path.
        arguments: plain values for the scenario.
    """
    folder.mkdir(exist_ok=True)
    (folder / "arguments.json").write_text(json.dumps(arguments), encoding="utf-8")
    outcome = folder / "outcome.json"
    outcome.unlink(missing_ok=True)
    path = [] if installed else [ROOT / "proto", ROOT / "addons", ROOT / "addons" / "blender"]
    kept = {
        key: value for key, value in environment.items() if key not in ("PYTHONPATH", "FLOWANCHOR_DAEMON")
    }
    used = {
        **kept,
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "BLENDER_USER_RESOURCES": str(folder / "blender"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if "FLOWANCHOR_DAEMON" in environment:
        used["FLOWANCHOR_DAEMON"] = environment["FLOWANCHOR_DAEMON"]
    output = folder / "output.txt"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [str(interpreter(version)), str(INSIDE), scenario, str(folder)],
            env=used,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    said = output.read_text(encoding="utf-8", errors="replace")
    assert outcome.exists(), (
        f"Blender {version} ended with {process.returncode} and no outcome:\n{said[-6000:]}"
    )
    found: dict[str, Any] = json.loads(outcome.read_text(encoding="utf-8"))
    assert not found.get("failure"), f"in Blender {version}:\n{found['failure']}\n{said[-4000:]}"
    return found
