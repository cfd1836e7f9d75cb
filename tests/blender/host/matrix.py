# SPDX-License-Identifier: Apache-2.0
"""Every check of the host layer in every Blender there is, as a table.

python -m tests.blender.host.matrix
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.blender.host import blenders
from tests.blender.host.media import write_media


def table(outcomes: Mapping[str, Mapping[str, Mapping[str, str]]], versions: list[str]) -> str:
    """Markdown: a line a check, a column a version."""
    lines = [f"| check | {' | '.join(versions)} |", f"|---|{'---|' * len(versions)}"]
    for script, found in outcomes.items():
        area = script.removesuffix("_checks.py")
        names = dict.fromkeys(name for version in versions for name in found.get(version, {}))
        for name in names:
            marks = ("holds" if found.get(version, {}).get(name) == "" else "FAILS" for version in versions)
            lines.append(f"| {area}: {name} | {' | '.join(marks)} |")
    return "\n".join(lines)


def main() -> int:
    pythons = {
        version: python
        for version in (*blenders.VERSIONS, *blenders.OPTIONAL)
        if (python := blenders.python_of(version)) is not None
    }
    if not pythons:
        print(f"there is no Blender here; make some with: {blenders.MAKE}")
        return 2
    with tempfile.TemporaryDirectory() as name:
        media = write_media(Path(name) / "media")
        outcomes = {
            script: {
                version: blenders.run(python, script, media, Path(name) / f"{version}-{script}")
                for version, python in pythons.items()
            }
            for script in blenders.CHECKS
        }
    print(table(outcomes, list(pythons)))
    failed = any(said for found in outcomes.values() for checks in found.values() for said in checks.values())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
