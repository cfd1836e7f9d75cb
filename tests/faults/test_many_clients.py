# SPDX-License-Identifier: Apache-2.0
"""Sixteen clients at once, some with the same wish, and no daemon yet: one is started, and each wish
is one job."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest
from flowanchor.v1 import jobs_pb2
from flowanchor_client import ENDED

from tests.faults.harness import (
    Machine,
    brief,
    edit_of,
    finish,
    required,
    seeded,
    succeed,
    wait_for,
)

CLIENTS = 16


def submit_at_once(machine: Machine, clip: Path, each: int) -> None:
    """Have 16 processes submit `each` wishes, every tenth of them shared by two processes."""
    wishes = [[f"wish-{index:02}-{number:04}" for number in range(each)] for index in range(CLIENTS)]
    for index in range(CLIENTS):
        wishes[(index + 1) % CLIENTS] += wishes[index][:each:10]
    chance = seeded()
    with machine.client() as client:
        edit = edit_of(client.upload(clip), steps=1, last=0)
        old = required(machine.daemon(), "no daemon").pid
        client.shutdown()
    wait_for(lambda: machine.daemon() is None, "the daemon to end")

    workers = [machine.run_worker("submit") for _ in range(CLIENTS)]
    for worker, own in zip(workers, wishes, strict=True):
        chance.shuffle(own)
        assert worker.stdin is not None
        worker.stdin.write(json.dumps({"edit": edit.SerializeToString().hex(), "wishes": own}).encode())
        worker.stdin.close()
    answers: dict[str, set[str]] = defaultdict(set)
    heard = 0
    for worker, own in zip(workers, wishes, strict=True):
        assert worker.stdout is not None
        lines = worker.stdout.read().decode().splitlines()
        assert worker.wait(120) == 0
        assert len(lines) == len(own)
        heard += len(lines)
        for line in lines:
            wish, job = line.split()
            answers[wish].add(job)
    assert heard == sum(map(len, wishes)) > CLIENTS * each
    assert len(answers) == CLIENTS * each
    assert all(len(jobs) == 1 for jobs in answers.values()), "a wish became two jobs"
    jobs = {wish: job for wish, (job,) in answers.items()}
    assert len(set(jobs.values())) == CLIENTS * each, "two wishes became one job"
    starts = (machine.state / "logs" / "daemon.log").read_text().count("Serving on")
    assert starts == 2, "sixteen clients that find no daemon start one between them"
    assert required(machine.daemon(), "no daemon").pid != old

    with machine.client() as client:
        listed = list(client.jobs())
        assert len(listed) == CLIENTS * each
        assert {job.request_id: job.id for job in listed} == jobs
        # A few of them run to their ends, the others are cancelled.
        kept = [job.id for job in client.jobs(order=jobs_pb2.JOB_ORDER_QUEUE, limit=4)]
        for found in listed:
            if found.id not in kept:
                client.cancel(found.id)
        for job in kept:
            succeed(client, job)
        for found in listed:
            done = finish(client, found.id)
            assert done.state in (jobs_pb2.JOB_STATE_SUCCEEDED, jobs_pb2.JOB_STATE_CANCELLED), brief(done)
            assert len(done.attempts) <= 1, brief(done)
        assert all(job.state in ENDED for job in client.jobs())
        counts = client.diagnose().jobs
        assert sum(counts.values()) == CLIENTS * each
        print(f"{CLIENTS} clients, {heard} submits, {len(listed)} jobs: {dict(counts)}")


def test_two_hundred_jobs_of_sixteen_clients_at_once(machine: Machine, clip: Path) -> None:
    submit_at_once(machine, clip, 13)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_two_hundred_jobs_each_of_sixteen_clients_at_once(machine: Machine, clip: Path) -> None:
    submit_at_once(machine, clip, 200)
