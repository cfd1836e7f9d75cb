# SPDX-License-Identifier: Apache-2.0
"""What a user of the add-on sees when the daemon is missing, wrong, dies or has forgotten a result."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flowanchor.v1 import jobs_pb2

from tests.blender.ui.blenders import VERSIONS, run_inside
from tests.blender.ui.clips import FIRST, FRAMES
from tests.daemon.processes import Daemons, RunningDaemon, until

pytestmark = pytest.mark.parametrize("version", VERSIONS)


def beside(act: Callable[[], None], run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """`run` a scenario while `act` does what it waits for."""
    with ThreadPoolExecutor(1) as pool:
        acting = pool.submit(act)
        found = run()
        acting.result(60)
    return found


def test_a_missing_daemon_is_told_with_its_reason(
    version: str, tmp_path: Path, daemon: Daemons, clip: dict[str, Any]
) -> None:
    environment = {**daemon.environment, "FLOWANCHOR_DAEMON": "/no/such/program serve"}
    found = run_inside(version, "daemon_missing", tmp_path / "blender", environment, **clip)
    code, message, action = found["problem"]
    assert code == "daemon-start-failed"
    assert "/no/such/program" in message
    assert action
    assert found["job"] == "starting", "the edit is kept until there is a daemon"


def test_a_file_from_anybody_touches_no_folder_of_the_user(
    version: str, tmp_path: Path, daemon: Daemons
) -> None:
    environment = {**daemon.environment, "FLOWANCHOR_DAEMON": "/no/such/program serve"}
    run_inside(version, "hostile_file", tmp_path / "blender", environment)


def test_a_daemon_of_another_version_is_told(
    version: str, tmp_path: Path, daemon: Daemons, clip: dict[str, Any]
) -> None:
    running = daemon()
    assert running.discovery is not None
    replace(running.discovery, api=(99, 0)).write(running.runtime)
    found = run_inside(version, "daemon_missing", tmp_path / "blender", running.environment, **clip)
    assert found["state"] == "wrong-version"
    assert found["problem"][0] == "api-version"
    running.discovery.write(running.runtime)


def test_an_edit_survives_the_daemons_death(
    version: str, tmp_path: Path, daemon: Daemons, clip: dict[str, Any]
) -> None:
    running = daemon()
    folder = tmp_path / "blender"

    def kill_and_start() -> None:
        until(lambda: (folder / "kill-now").exists(), "the edit runs", 200)
        running.kill()
        until(lambda: (folder / "start-now").exists(), "the loss is seen", 200)
        daemon()

    found = beside(
        kill_and_start,
        lambda: run_inside(version, "dies_in_mid_job", folder, running.environment, **{**clip, "steps": 60}),
    )
    assert (found["result"]["start"], found["result"]["end"]) == (FIRST, FIRST + FRAMES)


def test_a_result_that_is_gone_is_told(
    version: str, tmp_path: Path, served: RunningDaemon, clip: dict[str, Any]
) -> None:
    folder = tmp_path / "blender"

    def delete() -> None:
        until(lambda: (folder / "delete-now").exists(), "the edit is done", 200)
        job = (folder / "delete-now").read_text(encoding="utf-8")
        with served.call() as caller:
            request = jobs_pb2.DeleteJobRequest(id=job)
            caller.jobs.DeleteJob(request, timeout=60, metadata=caller.metadata)
        (folder / "deleted").touch()

    found = beside(delete, lambda: run_inside(version, "result_deleted", folder, served.environment, **clip))
    code, message, action = found["problem"]
    assert code
    assert message
    assert action
