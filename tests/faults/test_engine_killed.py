# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the engine at random moments: the job is not lost, ends once, and gives the same bits."""

from __future__ import annotations

from pathlib import Path

import pytest
from flowanchor.v1 import jobs_pb2, system_pb2
from flowanchor_client import ENDED, Client

from tests.faults.conftest import Undisturbed
from tests.faults.harness import (
    Machine,
    brief,
    client_job,
    edit_of,
    follow,
    in_phase,
    is_gone,
    kill,
    random_moment,
    required,
    samples_of,
    seeded,
    succeed,
    wait_for,
)


def kill_at(machine: Machine, client: Client, job: str, delay: float, before: int) -> int:
    """Kill the engine `delay` seconds after it is there, unless the job ends first; its pid, else 0.

    `before` is the pid of the engine before it.
    """

    def running() -> int:
        engine = machine.engine()
        return engine.pid if engine is not None and engine.pid != before else 0

    pid = wait_for(lambda: running() or ended(client, job), "an engine")
    engine = machine.engine() if random_moment(client, job, delay) else None
    if engine is None or engine.pid != pid:
        return 0
    kill(engine)
    wait_for(lambda: is_gone(pid), "the engine to be gone")
    return pid


def ended(client: Client, job: str) -> bool:
    return client_job(client, job).state in ENDED


def kill_until(
    machine: Machine, undisturbed: Undisturbed, clip: Path, kills: int, folder: Path
) -> list[jobs_pb2.Job]:
    """Jobs of two kills each, at moments anywhere in an attempt, until `kills` of them have hit one."""
    done: list[jobs_pb2.Job] = []
    chance, seconds = seeded(), undisturbed.seconds
    with machine.client() as client:
        client.upload(clip)
        while crashes(done) < kills:
            assert len(done) < 4 + 3 * kills, "most kills miss: the moments are not where the work is"
            job, pid = client.submit(undisturbed.edit).id, 0
            for _ in range(min(2, kills - crashes(done))):
                pid = kill_at(machine, client, job, chance.uniform(0, seconds * 0.9), pid) or pid
            done.append(succeed(client, job))
            print(brief(done[-1]))
            outcomes = [attempt.outcome for attempt in done[-1].attempts]
            assert set(outcomes[:-1]) <= {"engine-crashed"}, outcomes
            assert samples_of(client, done[-1], folder) == undisturbed.samples
            if len(outcomes) == 1:  # this machine may have more time for us than when it was measured
                seconds = min(seconds, seconds_of(done[-1].attempts[0]))
        assert client.diagnose().jobs == {"succeeded": len(done)}
    return done


def seconds_of(attempt: jobs_pb2.Attempt) -> float:
    return (attempt.ended_ms - attempt.started_ms) / 1000


def crashes(jobs: list[jobs_pb2.Job]) -> int:
    return sum(attempt.outcome == "engine-crashed" for job in jobs for attempt in job.attempts)


def test_an_engine_killed_at_any_moment_costs_a_job_nothing_but_time(
    machine: Machine, undisturbed: Undisturbed, clip: Path, tmp_path: Path
) -> None:
    done = kill_until(machine, undisturbed, clip, 2, tmp_path)
    assert crashes(done) == 2


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_ten_kills_of_the_engine_at_any_moment(
    machine: Machine, undisturbed: Undisturbed, clip: Path, tmp_path: Path
) -> None:
    done = kill_until(machine, undisturbed, clip, 10, tmp_path)
    resumed = [attempt.resumed_at for job in done for attempt in job.attempts[1:]]
    print(f"engine, any moment: {crashes(done)} kills, {len(done)} jobs, resumed at {resumed}")
    assert crashes(done) == 10


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_one_job_outlives_ten_kills_as_long_as_each_attempt_gets_further(
    machine: Machine, undisturbed: Undisturbed, clip: Path, tmp_path: Path
) -> None:
    """Crashes without any progress between them end a job after the third; those with progress never do."""
    chance, steps = seeded(), 150
    with machine.client() as client:
        edit = edit_of(client.upload(clip), steps=steps)
        expected = samples_of(client, succeed(client, client.submit(edit).id), tmp_path)
        job = client.submit(edit).id
        for number in range(10):
            # Far enough for a checkpoint beyond the last attempt's, and still inside of the sampling.
            follow(client, job, lambda found, number=number: len(found.attempts) > number)  # type: ignore[misc]
            started = follow(client, job, in_phase("edit", 1))
            step = min(5 + chance.randrange(8), started.progress.total - 1)
            follow(client, job, in_phase("edit", step))
            kill(required(machine.engine(), "no engine"))
        done = succeed(client, job)
        print(f"engine, one job: {crashes([done])} kills, {brief(done)}")
        assert crashes([done]) == 10
        resumed = [attempt.resumed_at for attempt in done.attempts]
        assert resumed == sorted(resumed), "an attempt began before the one before it"
        assert len(set(resumed)) == 11
        assert samples_of(client, done, tmp_path) == expected


def test_a_job_that_kills_its_engine_each_time_is_given_up_and_the_next_one_runs(
    machine: Machine, clip: Path
) -> None:
    with machine.client() as client:
        job = client.submit(edit_of(client.upload(clip), last=0)).id
        pid = 0
        for number in range(1, 4):
            follow(client, job, lambda found, number=number: len(found.attempts) >= number)  # type: ignore[misc]
            pid = required(kill_at(machine, client, job, 0.0, pid) or None, "the engine got away")
        failed = follow(client, job, lambda found: found.state in ENDED)
        assert failed.state == jobs_pb2.JOB_STATE_FAILED
        assert failed.failure.code == "engine-crashed"
        assert failed.failure.action
        assert [attempt.outcome for attempt in failed.attempts] == ["engine-crashed"] * 3
        assert not failed.artifacts
        assert len(succeed(client, client.retry(job).id).attempts) == 1
        assert client.diagnose().engine == system_pb2.ENGINE_STATE_IDLE
