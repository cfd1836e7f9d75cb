# SPDX-License-Identifier: Apache-2.0
"""`flowanchor bench quality` keeps the numbers of its run and draws its picture from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flowanchor_daemon.cli.main import app
from typer.testing import CliRunner

from flowanchor_core.evaluate import figure, quality
from flowanchor_core.evaluate.judge import Verdict
from flowanchor_core.evaluate.quality import Result
from flowanchor_core.evaluate.report import read_rows


def test_numbers_and_picture_are_of_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = Verdict(1.0, 0.75, 1.0, 31.0, 2.0)
    results = [
        Result(f"c{case}", variant, "colour", "box", 17, False, 140, 3.5, verdict)
        for variant in ("flowedit", "flowanchor")
        for case in range(3)
    ]

    def run(model: str, out: Path, **_: Any) -> list[Result]:
        assert out.is_dir()
        return results

    monkeypatch.setattr(quality, "run", run)
    done = CliRunner().invoke(app, ["bench", "quality", "--count", "3", "-o", str(tmp_path / "q")])
    assert done.exit_code == 0, done.output
    assert "| flowanchor | 1.000 [1.000, 1.000] | 0.750" in done.output
    numbers = tmp_path / "q" / "quality-held-out.json"
    kept = json.loads(numbers.read_text())
    assert (kept["model"], kept["clips"], len(kept["edits"])) == ("shapes", 3, 6)
    figure.write_figure(read_rows(numbers), tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "q" / "quality-held-out.png").read_bytes()
