# SPDX-License-Identifier: Apache-2.0
"""Is Resolve running? Asked of the system, since Resolve's interface says nothing of why it is silent."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

SECONDS = 5.0
"""How long the system's list of processes may take."""
# As the installers call it: resolve (Linux), DaVinci Resolve or Resolve (macOS), Resolve.exe (Windows).
_NAMES = frozenset({"resolve", "davinci resolve", "davinci resolve studio", "resolve.exe"})


def resolve_runs() -> bool | None:
    """Whether a process named as Resolve is runs; None if the system does not say."""
    try:
        return any(name.lower() in _NAMES for name in _process_names())
    except (OSError, subprocess.SubprocessError):
        return None


def _process_names() -> Iterator[str]:
    if os.path.isdir("/proc/self"):
        for entry in os.scandir("/proc"):
            if entry.name.isdigit():
                try:
                    yield Path(entry.path, "comm").read_text(encoding="utf-8", errors="replace").strip()
                except OSError:
                    continue  # it ended in between
        return
    windows = os.name == "nt"
    command = ["tasklist", "/fo", "csv", "/nh"] if windows else ["ps", "-axo", "comm="]
    done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=True)
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        yield line.split('","')[0].strip('"') if windows else os.path.basename(line.strip())
