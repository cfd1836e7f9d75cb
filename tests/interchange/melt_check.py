# SPDX-License-Identifier: Apache-2.0
"""Prints what MLT renders of timelines with a result on them, frame by frame:
`python -m tests.interchange.melt_check` from the clone's folder."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.interchange.melt import MELT, check
from tests.interchange.scene import RATES, STARTS

PATHS = (("mlt", "mlt"), ("kdenlive", "kdenlive"), ("otio", "mlt"), ("otio", "kdenlive"))
"""Format read and format written; of the same format the result is put into the document itself."""


def main() -> int:
    """0 if every frame is right."""
    if MELT is None:
        print("melt is not installed.", file=sys.stderr)
        return 2
    print("| rate | start | read | written | inside | outside |\n|---|---|---|---|---|---|")
    bad = 0
    for rate in RATES:
        for hours in STARTS:
            for source, target in PATHS:
                with tempfile.TemporaryDirectory() as folder:
                    outcome = check(Path(folder), rate, hours, source, target)
                counts = [f"{good} of {of}" for good, of in (outcome.inside, outcome.outside)]
                row = [str(rate), f"{hours:02d}:00:00:00", source, target, *counts]
                print(f"| {' | '.join(row)} |", flush=True)
                for line in outcome.wrong[:3]:
                    print(f"  {line}", flush=True)
                bad += not outcome.good
    print(f"\n{len(RATES) * len(STARTS) * len(PATHS)} timelines, {bad} of them wrong.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
