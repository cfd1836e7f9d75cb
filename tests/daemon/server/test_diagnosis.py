# SPDX-License-Identifier: Apache-2.0
"""What Diagnose says of each thing, well and unwell."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from flowanchor.v1 import models_pb2, system_pb2, types_pb2
from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.server import diagnosis

OK = system_pb2.SEVERITY_OK
WARNING = system_pb2.SEVERITY_WARNING
PROBLEM = system_pb2.SEVERITY_PROBLEM
GB = 10**9


@pytest.mark.parametrize(("free", "severity"), [(0, PROBLEM), (1, PROBLEM), (5, WARNING), (500, OK)])
def test_disk(free: int, severity: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free * GB))
    found = diagnosis.disk(tmp_path, floor=2 * GB)
    assert found.severity == severity
    assert bool(found.action) == (severity != OK)


@pytest.mark.parametrize(
    ("used", "severity"), [(0, OK), (90, OK), (91, WARNING), (100, PROBLEM), (120, PROBLEM)]
)
def test_store(used: int, severity: int) -> None:
    found = diagnosis.store(used * GB, 100 * GB)
    assert found.severity == severity
    assert bool(found.action) == (severity != OK)
    assert "100.0 GB" in found.text


def test_queue_counts_what_waits_and_what_runs() -> None:
    assert (
        diagnosis.queue({"queued": 3, "running": 1, "failed": 9}).text
        == "3 jobs are waiting, 1 job is running."
    )


def test_engine_names_what_it_holds() -> None:
    text = diagnosis.engine(system_pb2.ENGINE_STATE_IDLE, "shapes", 5 * 10**8).text
    assert "shapes" in text
    assert "500.0 MB" in text
    assert "holds no memory" in diagnosis.engine(system_pb2.ENGINE_STATE_STOPPED, "", 0).text


def test_every_state_of_the_engine_has_a_sentence() -> None:
    for state in system_pb2.EngineState.values():
        if state != system_pb2.ENGINE_STATE_UNSPECIFIED:
            assert diagnosis.engine(state, "", 0).text


def test_models_of_a_toy_world_alone_are_not_enough() -> None:
    toy = models_pb2.Model(name="shapes", installed=True, world="shapes")
    missing = models_pb2.Model(name="wan2.1-t2v-1.3b")
    assert diagnosis.models([toy, missing]).severity == WARNING
    missing.installed = True
    assert diagnosis.models([toy, missing]).severity == OK


def test_failures_show_the_newest() -> None:
    assert diagnosis.failures([]).severity == OK
    found = diagnosis.failures(
        [types_pb2.Failure(message="New.", action="Do."), types_pb2.Failure(message="Old.")]
    )
    assert "New." in found.text
    assert found.action == "Do."


@pytest.mark.parametrize("failure", [ServiceError("queue-locked"), OSError(5, "Input/output error")])
def test_what_cannot_be_looked_at_is_a_problem_of_its_own(failure: Exception) -> None:
    def look() -> system_pb2.Finding:
        raise failure

    found = diagnosis.guarded("queue", look)
    assert (found.name, found.severity) == ("queue", PROBLEM)
    assert found.text
    assert found.action
