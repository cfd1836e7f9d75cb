# SPDX-License-Identifier: Apache-2.0
"""A daemon stays where it is found, moves when its place is taken away, and is found from any session."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from flowanchor.rendezvous import Discovery
from flowanchor.v1 import jobs_pb2, system_pb2

from tests.daemon.edits import get, small_edit, submit, wait_for_step
from tests.daemon.processes import SECONDS, Caller, Daemons, RunningDaemon, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the folders and limits are those of POSIX")


def flowanchor(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flowanchor_daemon.cli", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def is_running(found: Discovery, job: str) -> bool:
    with Caller(found.address, found.token) as caller:
        return get(caller, job).state == jobs_pb2.JOB_STATE_RUNNING


def found_in(folder: Path, daemon: RunningDaemon) -> Discovery | None:
    found = Discovery.read(folder)
    return found if found is not None and found.pid == daemon.pid else None


def test_a_running_edit_outlives_the_meeting_place(daemon: Daemons, tmp_path: Path) -> None:
    """As when the last session of a desktop ends, and then begins again."""
    running = daemon("--idle-exit", "-1")
    with running.call() as caller:
        job = submit(caller, small_edit(caller, tmp_path, steps=1000)).id
        wait_for_step(running, caller, job, 1)
    shutil.rmtree(running.runtime)
    again = until(lambda: found_in(running.runtime, running), "the place is made anew")
    assert is_running(again, job)

    shutil.rmtree(running.runtime)
    running.runtime.write_text("a system that lets nobody make the folder")
    spare = running.state / "meeting"
    elsewhere = until(lambda: found_in(spare, running), "the place is made in the state folder")
    assert is_running(elsewhere, job)
    session = {name: value for name, value in running.environment.items() if name != "FLOWANCHOR_RUNTIME"}
    session["XDG_RUNTIME_DIR"] = str(tmp_path)
    stopped = flowanchor("stop", "--json", environment=session)
    assert json.loads(stopped.stdout) == {"stopped": running.pid}
    assert running.wait() == 0
    assert Discovery.read(spare) is None


def test_a_session_with_another_runtime_folder_finds_the_daemon(daemon: Daemons, tmp_path: Path) -> None:
    running = daemon()
    (tmp_path / "session").mkdir()
    session = {name: value for name, value in running.environment.items() if name != "FLOWANCHOR_RUNTIME"}
    session["XDG_RUNTIME_DIR"] = str(tmp_path / "session")
    listed = flowanchor("jobs", "list", environment=session)
    assert listed.returncode == 0, listed.stderr
    refused = flowanchor("serve", environment=session)
    assert refused.returncode == 5
    assert str(running.runtime) in refused.stderr
    stopped = flowanchor("stop", "--json", environment=session)
    assert json.loads(stopped.stdout) == {"stopped": running.pid}
    assert running.wait() == 0


def test_a_stranger_gets_only_so_many_connections(daemon: Daemons) -> None:
    running = daemon("--listen", "127.0.0.1:0")
    host, _, port = running.log.partition(", ")[2].partition(" ")[0].rpartition(":")
    process = psutil.Process(running.pid)
    before = process.num_fds()
    soft, hard = process.rlimit(psutil.RLIMIT_NOFILE)
    assert soft == hard or soft >= 8192
    with contextlib.ExitStack() as held:
        for _ in range(400):
            held.enter_context(contextlib.closing(socket.create_connection((host, int(port)), timeout=120)))
        with running.call() as caller:
            caller.system.GetInfo(system_pb2.GetInfoRequest(), timeout=120, metadata=caller.metadata)
        assert process.num_fds() < before + 350


def test_a_daemon_whose_program_was_updated_makes_room_for_the_new_one(
    daemon: Daemons, tmp_path: Path
) -> None:
    installed = tmp_path / "installed" / "flowanchor-1.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: flowanchor\nVersion: 1.0\n")
    path = os.pathsep.join([str(installed.parent), daemon.environment["PYTHONPATH"]])
    running = daemon("--idle-exit", "-1", environment={"PYTHONPATH": path})
    assert running.discovery is not None
    assert running.discovery.version == "1.0"
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: flowanchor\nVersion: 2.0\n")
    assert running.wait() == 0
    assert "FlowAnchor 2.0 was installed" in running.log
    assert Discovery.read(running.runtime) == running.discovery, "who waits for a job starts the new one"
