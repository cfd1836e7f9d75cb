# SPDX-License-Identifier: Apache-2.0
"""Ends that are asked for: SIGTERM in the middle of an edit, idleness, and giving the memory back."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
from flowanchor.v1 import jobs_pb2, system_pb2
from flowanchor_client import DaemonUnreachable, ServiceFailure

from tests.faults.conftest import NewMachine, Undisturbed
from tests.faults.harness import (
    STEPS,
    Machine,
    client_job,
    follow,
    in_phase,
    is_gone,
    required,
    samples_of,
    succeed,
    wait_for,
)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to be heard")
def test_sigterm_keeps_the_step_and_the_next_daemon_goes_on_from_it(
    machine: Machine, undisturbed: Undisturbed, clip: Path, tmp_path: Path
) -> None:
    daemon = machine.start()
    with machine.client() as client:
        client.upload(clip)
        job = client.submit(undisturbed.edit).id
        reached = follow(client, job, in_phase("edit", 5)).progress.step
        engine = required(machine.engine(), "no engine")
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(120) == 0
        assert is_gone(engine.pid)
        # The daemon was stopped, so a watch does not start it again.
        with pytest.raises(DaemonUnreachable):
            list(client.watch(job))
        assert machine.daemon() is None

    machine.start()
    with machine.client(start=False) as client:
        done = succeed(client, job)
        assert [attempt.outcome for attempt in done.attempts] == ["daemon-ended", "succeeded"]
        resumed = done.attempts[1].resumed_at
        print(f"asked to end at step {reached} of {STEPS}, went on from {resumed}")
        assert reached <= resumed < STEPS
        assert samples_of(client, done, tmp_path) == undisturbed.samples
        # Only the steps that were missing were made again.
        assert done.result.forwards == undisturbed.forwards


def test_unload_frees_the_engine_and_is_refused_while_it_works(
    machine: Machine, undisturbed: Undisturbed, clip: Path
) -> None:
    with machine.client() as client:
        assert not client.unload()
        client.upload(clip)
        job = client.submit(undisturbed.edit).id
        follow(client, job, in_phase("edit", 1))
        with pytest.raises(ServiceFailure) as busy:
            client.unload()
        assert busy.value.code == "engine-busy"
        client.cancel(job)
        follow(client, job, lambda found: found.state == jobs_pb2.JOB_STATE_CANCELLED)
        engine = required(machine.engine(), "no engine")
        assert client.diagnose().engine_memory_bytes > 0
        assert wait_for(client.unload, "the engine to be free")
        assert is_gone(engine.pid)
        state = client.diagnose()
        assert state.engine == system_pb2.ENGINE_STATE_STOPPED
        assert state.engine_memory_bytes == 0
        assert client_job(client, job).state == jobs_pb2.JOB_STATE_CANCELLED


def test_an_engine_that_is_not_kept_ends_with_its_job_and_an_idle_daemon_ends_itself(
    new_machine: NewMachine, undisturbed: Undisturbed, clip: Path
) -> None:
    machine = new_machine("--keep-alive", "0", "--idle-exit", "3")
    with machine.client() as client:
        client.upload(clip)
        daemon = required(machine.daemon(), "no daemon")
        job = client.submit(undisturbed.edit).id
    # Nobody calls while the edit runs, for longer than the daemon idles.
    engine = required(wait_for(machine.engine, "an engine"), "an engine")
    wait_for(lambda: is_gone(engine.pid), "the engine to end with its job")
    wait_for(lambda: is_gone(daemon.pid), "the idle daemon to end")
    assert machine.daemon() is None
    assert not list(machine.runtime.glob("daemon.json"))
    with machine.client() as client:
        succeed(client, job)
