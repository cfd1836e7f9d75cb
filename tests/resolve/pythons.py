# SPDX-License-Identifier: Apache-2.0
"""Other Pythons of this machine: Resolve runs scripts in whichever its user has, from 3.10 on."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

OLDEST, NEWEST = "3.10", "3.14"
VERSIONS = (OLDEST, "3.12", "3.13", NEWEST)


def python(version: str) -> str | None:
    """A Python of a version, such as "3.10", on the path or among those of pyenv; None if there is none."""
    for path in _candidates(version):
        tell = "import sys; print('%d.%d' % sys.version_info[:2])"
        done = subprocess.run([path, "-c", tell], capture_output=True, text=True, timeout=60)
        if done.returncode == 0 and done.stdout.strip() == version:
            return path
    return None


def _candidates(version: str) -> Iterator[str]:
    name = f"python{version}"
    if found := shutil.which(name):
        yield found
    root = Path(os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv"))
    yield from map(str, sorted(root.glob(f"versions/{version}.*/bin/{name}")))
