# SPDX-License-Identifier: Apache-2.0
"""A daemon that ends, or is ended, while an edit runs: the edit goes on and comes out the same."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from typing import Any

import grpc
import pytest
from flowanchor.rendezvous import DaemonLock, Discovery
from flowanchor.v1 import jobs_pb2, system_pb2, types_pb2
from grpc_health.v1 import health_pb2

from tests.daemon.edits import get, small_edit, submit, wait_for_end, wait_for_step
from tests.daemon.processes import Caller, Daemons, failure_of, gone, standing_still, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the signals are those of POSIX")

STEPS = 24


def drains(caller: Caller) -> bool:
    """Whether health tells that the daemon takes nothing new."""
    status = caller.health.Check(health_pb2.HealthCheckRequest(), timeout=120).status
    return bool(status == health_pb2.HealthCheckResponse.NOT_SERVING)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_edit_goes_on_after_the_daemon_and_comes_out_the_same(
    number: int, daemon: Daemons, tmp_path: Path
) -> None:
    first = daemon()
    with first.call() as caller:
        # Images: a Matroska file has an identity of its own and is never twice the same.
        edit = small_edit(caller, tmp_path, STEPS, delivery=types_pb2.DeliverySettings(format="png"))
        job = submit(caller, edit).id
        wait_for_step(first, caller, job, 3)
        engine = first.engine_pid()
        assert engine is not None
        with standing_still(engine):
            first.signal(number)
            if number == signal.SIGTERM:
                until(lambda: drains(caller), "it heard the signal")
    assert first.wait() == (0 if number == signal.SIGTERM else -signal.SIGKILL)
    until(lambda: gone(engine), "the engine ends with its daemon")

    second = daemon()
    with second.call() as caller:
        ended = wait_for_end(caller, job)
        assert ended.state == jobs_pb2.JOB_STATE_SUCCEEDED, ended.failure
        assert [attempt.outcome for attempt in ended.attempts] == ["daemon-ended", "succeeded"]
        assert ended.attempts[1].resumed_at >= 3, "it went on from its checkpoint"
        undisturbed = wait_for_end(caller, submit(caller, edit).id)
    assert len(undisturbed.attempts) == 1
    results = [[artifact.sha256 for artifact in one.artifacts] for one in (ended, undisturbed)]
    assert results[0] == results[1]
    assert len(results[0]) == 9


def test_while_it_drains_it_answers_and_takes_nothing_new(daemon: Daemons, tmp_path: Path) -> None:
    """The engine is stopped in its tracks, so that the drain lasts as long as the test needs."""
    running = daemon()
    with running.call() as caller:
        edit = small_edit(caller, tmp_path, STEPS)
        job = submit(caller, edit).id
        wait_for_step(running, caller, job, 1)
        engine = running.engine_pid()
        assert engine is not None
        with standing_still(engine):
            running.signal(signal.SIGTERM)
            until(lambda: drains(caller), "health tells that it ends")
            with pytest.raises(grpc.RpcError) as refused:
                submit(caller, edit)
            error: Any = refused.value
            assert error.code() == grpc.StatusCode.UNAVAILABLE
            assert failure_of(error).code == "draining"
            listed = caller.jobs.ListJobs(jobs_pb2.ListJobsRequest(), timeout=120, metadata=caller.metadata)
            assert [found.id for found in listed.jobs] == [job]
            assert DaemonLock(running.runtime).is_held(), "a new daemon has to wait for this one's end"
            assert daemon(wait=False).wait() == 5

            running.signal(signal.SIGTERM)
            assert running.wait() == 1, "asked twice it leaves at once"
            assert Discovery.read(running.runtime) is None, "or clients would take it for a crash"
    until(lambda: gone(engine), "the engine notices that its daemon is gone")


def test_a_waiting_job_keeps_it_from_leaving_for_idleness(daemon: Daemons, tmp_path: Path) -> None:
    first = daemon()
    with first.call() as caller:
        job = submit(caller, small_edit(caller, tmp_path)).id
    first.kill()
    second = daemon("--idle-exit", "0.2", wait=False)
    assert second.wait() == 0
    begun = time.time()
    with daemon().call() as caller:
        ended = wait_for_end(caller, job)
        assert ended.state == jobs_pb2.JOB_STATE_SUCCEEDED
        assert ended.attempts[-1].ended_ms <= begun * 1000, "the second daemon stayed until it had run"


def test_diagnosis_of_a_daemon_that_has_worked(daemon: Daemons, tmp_path: Path) -> None:
    running = daemon()
    with running.call() as caller:
        look = caller.system.Diagnose
        before = look(system_pb2.DiagnoseRequest(), timeout=120, metadata=caller.metadata)
        assert before.engine == system_pb2.ENGINE_STATE_STOPPED
        assert before.engine_memory_bytes == 0
        job = wait_for_end(caller, submit(caller, small_edit(caller, tmp_path)).id)
        after = look(system_pb2.DiagnoseRequest(), timeout=120, metadata=caller.metadata)
        # A call that waits for a change does not hold up the end, and is answered.
        # Its last change is that its progress goes, after the record of its end.
        until(lambda: not get(caller, job.id).HasField("progress"), "the job's last change")
        request = jobs_pb2.GetJobRequest(id=job.id, since=get(caller, job.id).revision, wait_ms=30_000)
        waiting = caller.jobs.GetJob.future(request, timeout=120, metadata=caller.metadata)
        look(system_pb2.DiagnoseRequest(), timeout=120, metadata=caller.metadata)
        assert running.stop() == 0
        assert not waiting.result().changed, "it was answered, not cut off"
    assert {finding.name for finding in after.findings} == {
        *("disk", "store", "queue", "models", "failures", "engine")
    }
    assert after.pid == running.pid
    assert after.engine == system_pb2.ENGINE_STATE_IDLE
    assert after.loaded_model == "shapes"
    assert after.engine_memory_bytes > 0
    assert after.jobs["succeeded"] == 1
    assert after.store_bytes > before.store_bytes
    assert after.uptime_seconds > before.uptime_seconds > 0
    assert after.disk_free_bytes > 0
    assert not after.last_failures
    for finding in after.findings:
        assert finding.text
        assert bool(finding.action) == (finding.severity != system_pb2.SEVERITY_OK), finding
