# SPDX-License-Identifier: Apache-2.0
"""The wall clock is set back an hour, while the daemon runs and between two runs: nothing is decided by it.

The daemon's own clock is turned: a `sitecustomize` on its path adds what a file says to `time.time`.
"""

from __future__ import annotations

import os
from pathlib import Path

from flowanchor.v1 import jobs_pb2
from flowanchor_client import ServiceFailure

from tests.daemon.processes import standing_still
from tests.faults.conftest import NewMachine, Undisturbed
from tests.faults.harness import (
    client_job,
    edit_of,
    finish,
    follow,
    in_phase,
    is_gone,
    required,
    samples_of,
    succeed,
    wait_for,
)
from tests.source_tree import PYTHONPATH

HOUR = 3600
TURNED = """
import time, os

real, real_ns = time.time, time.time_ns

def seconds():
    with open(os.environ["FLOWANCHOR_TEST_CLOCK"]) as file:
        return int(file.read())

time.time = lambda: real() + seconds()
time.time_ns = lambda: real_ns() + seconds() * 10**9
"""


def test_a_clock_set_back_changes_no_order_and_no_result(
    new_machine: NewMachine, undisturbed: Undisturbed, clip: Path, tmp_path: Path
) -> None:
    clock = tmp_path / "clock"
    clock.write_text("0")
    customs = tmp_path / "customs"
    customs.mkdir()
    (customs / "sitecustomize.py").write_text(TURNED)
    machine = new_machine(
        "--idle-exit",
        "3",
        FLOWANCHOR_TEST_CLOCK=str(clock),
        PYTHONPATH=os.pathsep.join([str(customs), PYTHONPATH]),
    )
    with machine.client() as client:
        quick = edit_of(client.upload(clip), steps=1, last=0)
        first = finish(client, client.submit(quick).id)
        revision = first.revision
        long = client.submit(undisturbed.edit).id
        follow(client, long, in_phase("edit", 4))

        with standing_still(required(machine.engine(), "no engine").pid):
            clock.write_text(str(-HOUR))  # in the middle of an edit
            waiting = [client.submit(quick).id for _ in range(3)]
            assert client_job(client, waiting[0]).created_ms < first.created_ms, "the clock was not turned"
            assert [job.id for job in client.jobs()] == [*reversed(waiting), long, first.id]
            assert [job.id for job in client.jobs(order=jobs_pb2.JOB_ORDER_QUEUE)] == [long, *waiting]
            assert client_job(client, waiting[-1]).revision > revision
        follow(client, long, in_phase("edit", 8))

        clock.write_text(str(-2 * HOUR))  # and between two daemons
        seen = client_job(client, long).revision
        machine.kill_daemon()
        update = required(client.job(long, since=seen, wait=30), "no news after a restart")
        assert update.job.revision > seen
        assert [job.id for job in client.jobs()] == [*reversed(waiting), long, first.id]
        done = succeed(client, long)
        assert done.attempts[1].resumed_at >= 8
        assert samples_of(client, done, tmp_path) == undisturbed.samples
        ended = [succeed(client, job) for job in waiting]
        for job in (first, done, *ended):
            assert job.finished_ms >= job.started_ms
            assert all(one.ended_ms >= one.started_ms for one in job.attempts)
        assert [job.revision for job in ended] == sorted(job.revision for job in ended)
        daemon = required(machine.daemon(), "no daemon")
    # Idleness is told by another clock; forwards would end a daemon too early, backwards never.
    wait_for(lambda: is_gone(daemon.pid), "the idle daemon to end")
    try:
        with machine.client() as client:
            assert len(list(client.jobs())) == 5
    except ServiceFailure as failure:
        raise AssertionError(f"{failure}\n{machine.log()}") from failure
