# SPDX-License-Identifier: Apache-2.0
"""`flowanchor bench daemon` in its shortest form: what it counts, not how fast this machine is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from flowanchor_daemon.cli.bench.latency import Spread

ROOT = Path(__file__).parents[4]


def test_a_spread_names_calls_that_happened() -> None:
    seconds = [value / 1000 for value in range(200, 0, -1)]
    assert Spread.of(seconds) == Spread(200, 0.1005, 0.198, 0.2)
    assert Spread.of([0.5]) == Spread(1, 0.5, 0.5, 0.5)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_number_is_measured_and_nothing_is_left(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in (".", "proto", "addons", "daemon")),
        "TMPDIR": str(tmp_path / "t"),
        "OMP_NUM_THREADS": "1",
    }
    (tmp_path / "t").mkdir()
    counts = {"starts": 1, "rounds": 1, "calls": 5, "submits": 2, "megabytes": 2, "cancels": 1}
    options = [part for name, value in counts.items() for part in (f"--{name}", str(value))]
    line = [sys.executable, "-m", "flowanchor_daemon.cli", "bench", "daemon", *options, "--json"]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr
    *table, last = done.stdout.splitlines()
    found = json.loads(last)
    assert found["start"]["count"] == 1
    assert found["overhead"]["rounds"] == len(found["overhead"]["seconds_through_daemon"]) == 1
    assert found["calls"]["get_job_busy"]["calls"] == found["calls"]["get_job_idle"]["calls"] == 5
    assert found["calls"]["submit"]["calls"] == 2
    assert set(found["transfer"]["mb_per_second"]) == {
        "upload_chunks",
        "upload_stream",
        "download_chunks",
        "download_stream",
    }
    assert found["transfer"]["megabytes"] == pytest.approx(2.097152)
    assert set(found["cancel"]) == {"encode", "edit", "decode"}
    assert all(len(one["steps"]) == one["count"] <= 1 for one in found["cancel"].values())
    assert found["memory"]["rss"] > 0
    assert len(table) > 15
    left = [path.name for path in (tmp_path / "t").iterdir() if path.name.startswith("fa-bench-")]
    assert left == []
