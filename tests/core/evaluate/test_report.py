# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

from flowanchor_core.evaluate import report
from flowanchor_core.evaluate.judge import Verdict
from flowanchor_core.evaluate.quality import Result


def _results() -> list[Result]:
    made = []
    for variant, gain in (("flowedit", 0.0), ("flowanchor", 0.5)):
        for case in range(8):
            keep = None if case == 0 else 1.0
            verdict = Verdict(float(case % 2) * 0.5 + gain, 0.4 + gain, keep, 30 + 4 * gain, 1.0)
            made.append(Result(f"c{case}", variant, "colour", "box", 17, False, 92, 2.0, verdict))
    return made


def test_rows_hold_means_intervals_and_paired_differences() -> None:
    base, anchored = report.summarise(_results())
    assert list(base.differences) == ["flowanchor"]
    assert base.differences["flowanchor"]["obj"] == (-0.5, -0.5, -0.5)
    assert anchored.differences["flowedit"]["obj"] == (0.5, 0.5, 0.5)
    assert anchored.measures["pixels"][0] == 0.9
    assert anchored.forwards == 92
    mean, low, high = base.measures["obj"]
    assert low < mean < high


def test_the_table_has_a_line_a_variant_and_names_every_measure() -> None:
    rows = report.summarise(_results())
    lines = report.table(rows).splitlines()
    assert len(lines) == 2 + len(rows)
    assert all(name in lines[0] for name in report.MEASURES.values())
    assert "| flowanchor | " in lines[3]
    assert "flowanchor: success +0.500 [+0.500, +0.500]" in report.differences(rows)


def test_a_run_is_read_as_it_was_kept(tmp_path: Path) -> None:
    results = _results()
    rows = report.summarise(results)
    report.write_json(rows, results, {"model": "shapes"}, tmp_path / "q.json")
    content = json.loads((tmp_path / "q.json").read_text())
    assert content["model"] == "shapes"
    assert len(content["edits"]) == 16
    assert report.read_rows(tmp_path / "q.json") == rows
