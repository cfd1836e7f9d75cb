# SPDX-License-Identifier: Apache-2.0
"""The add-on in real Blenders with the real daemon and the embedded model, from button to result strip."""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import Any

import pytest

from tests.blender.ui.blenders import VERSIONS, run_inside
from tests.blender.ui.clips import FIRST, FRAMES
from tests.daemon.processes import Daemons, RunningDaemon

TIMES = "FLOWANCHOR_TEST_TIMES"
"""Set on a quiet machine: what holds Blender is then held to these seconds. It is printed in any case."""
LONGEST_POLL = 0.030
"""99 times of 100."""
LONGEST_SUBMIT = 10.0
LONGEST_PLACEMENT = 2.0


pytestmark = pytest.mark.parametrize("version", VERSIONS)


def test_registers_and_unregisters_twice(version: str, tmp_path: Path, daemon: Daemons) -> None:
    run_inside(version, "registers_twice", tmp_path / "blender", daemon.environment)


def test_an_edit_ends_with_its_result_placed(
    version: str, tmp_path: Path, daemon: Daemons, clip: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    running = daemon()
    arguments = {**clip, "steps": 4, "as_users_do": True}
    found = run_inside(version, "whole_edit", tmp_path / "blender", running.environment, **arguments)
    result, source = found["result"], found["source"]
    assert (source["start"], source["end"]) == (FIRST, FIRST + FRAMES)
    assert (result["start"], result["end"]) == (FIRST, FIRST + FRAMES)
    assert result["channel"] > source["channel"]
    assert result["blend"] == "ALPHA_OVER"
    assert len(found["files"]) == FRAMES
    assert found["left"] == [], "the export was not removed"
    assert found["reopened"] == result
    again = found["placed_again"]
    assert {**again, "name": ""} == {**result, "name": ""}
    held = {did: sorted(seconds) for did, seconds in found["held"].items()}
    p99 = held["poll"][int(0.99 * (len(held["poll"]) - 1))]
    with capsys.disabled():
        print(
            f"\nBlender {version} was held: button with export {1e3 * found['submit_seconds']:.0f} ms; ",
            end="",
        )
        for did, seconds in held.items():
            print(f"{did}: {len(seconds)} times, median {1e3 * statistics.median(seconds):.1f} ms, ", end="")
            print(f"longest {1e3 * seconds[-1]:.1f} ms; ", end="")
        print(f"99 % of polls within {1e3 * p99:.1f} ms")
    # Half of the polls are quick on any machine; no more is sure where others take the processor.
    assert statistics.median(held["poll"]) < 10 * LONGEST_POLL
    if os.environ.get(TIMES):
        assert p99 < LONGEST_POLL
        assert held["place"][-1] < LONGEST_PLACEMENT
        assert found["submit_seconds"] < LONGEST_SUBMIT


def test_settings_seeds_and_the_servers_parameters(
    version: str, tmp_path: Path, served: RunningDaemon, clip: dict[str, Any]
) -> None:
    found = run_inside(version, "settings_and_seeds", tmp_path / "blender", served.environment, **clip)
    assert "what it should show" in found["said"]
    assert found["kept"] in found["said"]


def test_a_result_that_ended_while_blender_was_closed_is_offered(
    version: str, tmp_path: Path, served: RunningDaemon, clip: dict[str, Any]
) -> None:
    folder = tmp_path / "blender"
    left = run_inside(version, "closed_while_it_runs", folder, served.environment, **clip)
    assert left["job"]
    found = run_inside(version, "opened_later", folder, served.environment, **clip)
    assert found["result"]["start"] == FIRST
