# SPDX-License-Identifier: Apache-2.0
"""Real Blenders for tests: where they are, and scripts run in them.

A script of `scripts/` runs in a process of its own, which it ends by `os._exit` (Blender's own end hangs or
crashes in some versions), and leaves the outcome of each of its checks in a file.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests import isolation

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = Path(__file__).parent / "scripts"
VERSIONS = ("4.2.23", "5.0.1")
OPTIONAL = ("4.5.15", "5.1.2", "5.2.3")
CHECKS = (
    "timing_checks.py",
    "export_checks.py",
    "change_checks.py",
    "guard_checks.py",
    "bystander_checks.py",
    "mask_checks.py",
    "place_checks.py",
    "movie_checks.py",
    "identity_checks.py",
    "folder_checks.py",
    "hardship_checks.py",
)
SECONDS = 270
MAKE = "python3 installers/blender.py environments"


def python_of(version: str) -> Path | None:
    """The Python that has this Blender: $FLOWANCHOR_BPY_4_2_23 or the clone's `.venv-bpy-4.2.23`; None
    without."""
    named = os.environ.get(f"FLOWANCHOR_BPY_{version.replace('.', '_')}") or os.environ.get(
        f"FLOWANCHOR_BPY_{version}"
    )
    folder = ROOT / f".venv-bpy-{version}"
    candidates = [Path(named)] if named else [folder / "bin" / "python", folder / "Scripts" / "python.exe"]
    return next((path for path in candidates if path.is_file()), None)


def run(python: Path, script: str, media: Path, folder: Path) -> dict[str, str]:
    """Run a script; what each of its checks said, "" for one that holds.

    Raises:
        AssertionError: it did not come to its end: a crash, or no end within SECONDS.
    """
    folder.mkdir(parents=True, exist_ok=True)
    outcome = folder / "outcome.json"
    left_out = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "FLOWANCHOR_DAEMON")
    environment = {key: value for key, value in os.environ.items() if key not in left_out}
    # In folders of its own no word is found of how a daemon is started, so none is; outside of pytest too.
    for name in isolation.VARIABLES:
        environment[name] = str(folder / name.rpartition("_")[2].lower())
    environment |= {
        "BLENDER_USER_RESOURCES": str(folder / "blender"),
        "PYTHONPATH": os.pathsep.join(
            str(ROOT / part) for part in (".", "proto", "addons", "addons/blender")
        ),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "2",
    }
    log = folder / "blender.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [str(python), "-X", "faulthandler", str(SCRIPTS / script), str(media), str(folder), str(outcome)],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
        try:
            code: int | str = process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            code = f"no end within {SECONDS} s"
    done: dict[str, str] = json.loads(outcome.read_text("utf-8")) if outcome.is_file() else {}
    if code != 0:
        tail = log.read_text("utf-8", "replace")[-3000:]
        raise AssertionError(f"{script} ended with {code} after {list(done)}:\n{tail}")
    return done
