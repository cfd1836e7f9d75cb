# SPDX-License-Identifier: Apache-2.0
"""The script that edits in a Blender with a window; `-m optin`, $FLOWANCHOR_BLENDER_ROOT names its `--root`
(see run.py)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.optin
@pytest.mark.timeout(900)
def test_the_edit_in_a_window(tmp_path: Path) -> None:
    build = [sys.executable, str(ROOT / "installers" / "run.py"), "blender", "--out", str(tmp_path)]
    subprocess.run(build, check=True, timeout=300)
    (package,) = tmp_path.glob("*.zip")
    command = [
        sys.executable,
        str(Path(__file__).with_name("run.py")),
        "--zip",
        str(package),
        "--out",
        str(tmp_path),
    ]
    if root := os.environ.get("FLOWANCHOR_BLENDER_ROOT"):
        command += ["--root", root]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path.name for path in tmp_path.glob("*.png")} == {"idle.png", "running.png", "done.png"}
