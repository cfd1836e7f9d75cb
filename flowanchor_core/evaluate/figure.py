# SPDX-License-Identifier: Apache-2.0
"""The quality benchmark's figure, drawn from a run's own numbers.

    python -m flowanchor_core.evaluate.figure quality-held-out.json quality.png

Every variant has a line of its own, so that none hides another where they came out alike.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flowanchor_core.evaluate.report import MEASURES, Row, read_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = ("obj", "pixels", "keep", "psnr_outside")
"""The measures that get a panel."""
OURS = "flowanchor"


def figure(rows: Sequence[Row]) -> Figure:
    """Means and 95 % intervals, a panel a measure and a line a variant; FlowAnchor's mean goes through all
    lines."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(11, 0.6 + 0.36 * len(rows)), layout="constrained")
    panels = made.subplots(1, len(SHOWN), sharey=True)
    names = [row.variant for row in rows]
    places = list(range(len(rows)))
    for axes, key in zip(panels, SHOWN, strict=True):
        for place, row in zip(places, rows, strict=True):
            mean, low, high = row.measures[key]
            look = (
                {"color": "C3", "markersize": 8} if row.variant == OURS else {"color": "C0", "markersize": 6}
            )
            axes.errorbar(mean, place, xerr=[[mean - low], [high - mean]], fmt="o", **look)
        if OURS in names:
            axes.axvline(rows[names.index(OURS)].measures[key][0], color="C3", linewidth=0.8, alpha=0.5)
        axes.set_title(MEASURES[key], fontsize="medium")
        axes.grid(axis="x", alpha=0.3)
    panels[0].set_yticks(places, names)
    panels[0].set_ylim(len(rows) - 0.5, -0.5)  # the first row above, as in the table
    return made


def write_figure(rows: Sequence[Row], path: Path) -> None:
    """Draw `rows` into a PNG."""
    figure(rows).savefig(path, dpi=90, format="png")


if __name__ == "__main__":
    numbers, picture = map(Path, sys.argv[1:])
    write_figure(read_rows(numbers), picture)
