# SPDX-License-Identifier: Apache-2.0
"""The quality figure shows every variant of a run's numbers, those that came out alike too."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from flowanchor_core.evaluate.figure import SHOWN, figure
from flowanchor_core.evaluate.report import MEASURES, Row


def row(variant: str, mean: float) -> Row:
    return Row(variant, 8, 92.0, 2.0, dict.fromkeys(MEASURES, (mean, mean - 0.1, mean + 0.2)), {})


ROWS = [row("flowedit", 0.5), row("flowanchor", 0.7), row("without TTM", 0.6)]
ROWS.append(replace(ROWS[2], variant="without STM"))


def test_every_variant_has_a_line_of_its_own() -> None:
    drawn = figure(ROWS)
    assert [axes.get_title() for axes in drawn.axes] == [MEASURES[key] for key in SHOWN]
    labels = [label.get_text() for label in drawn.axes[0].get_yticklabels()]
    assert labels == ["flowedit", "flowanchor", "without TTM", "without STM"]
    for axes in drawn.axes:
        marks = [line for line in axes.lines if line.get_marker() == "o"]
        points = [tuple(np.asarray(mark.get_xydata())[0]) for mark in marks]
        assert points == [(0.5, 0.0), (0.7, 1.0), (0.6, 2.0), (0.6, 3.0)]


def test_variants_without_flowanchor_are_drawn_too() -> None:
    assert len(figure(ROWS[:1]).axes) == len(SHOWN)


def test_a_kept_run_is_drawn_again_to_the_same_picture(tmp_path: Path) -> None:
    (tmp_path / "q.json").write_text(json.dumps({"rows": [asdict(row) for row in ROWS]}))
    for name in ("a.png", "b.png"):
        line = [sys.executable, "-m", "flowanchor_core.evaluate.figure", "q.json", name]
        subprocess.run(line, cwd=tmp_path, check=True)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
