# SPDX-License-Identifier: Apache-2.0
"""The script that edits in a Blender with a window; `-m optin`. $FLOWANCHOR_BLENDER_ROOT names its `--root`
(see run.py), $FLOWANCHOR_BLENDER_5_ROOT that of a Blender 5, for the Properties editor."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("zip")
    build = [sys.executable, str(ROOT / "installers" / "run.py"), "blender", "--out", str(out)]
    subprocess.run(build, check=True, timeout=300)
    (found,) = out.glob("*.zip")
    return found


@pytest.mark.optin
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("variable", "tab"),
    [
        ("FLOWANCHOR_BLENDER_ROOT", False),
        ("FLOWANCHOR_BLENDER_5_ROOT", False),
        ("FLOWANCHOR_BLENDER_5_ROOT", True),
    ],
)
def test_the_edit_in_a_window(variable: str, tab: bool, package: Path, tmp_path: Path) -> None:
    root = os.environ.get(variable)
    if root is None and variable.endswith("5_ROOT"):
        pytest.skip(f"${variable} names no system with a Blender 5")
    script = Path(__file__).with_name("run.py")
    command = [sys.executable, str(script), "--zip", str(package), "--out", str(tmp_path)]
    command += [*(["--root", root] if root else []), *(["--tab"] if tab else [])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    pictures = {path.name for path in tmp_path.glob("*.png")}
    assert pictures == {"idle.png", "waiting.png", "running.png", "done.png"}
