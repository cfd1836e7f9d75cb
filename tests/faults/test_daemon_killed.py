# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the daemon at random moments: what it took on is kept, ends once, and gives the same bits."""

from __future__ import annotations

from pathlib import Path

import pytest
from flowanchor.v1 import jobs_pb2
from flowanchor_client import new_request_id

from tests.faults.conftest import Undisturbed
from tests.faults.harness import Machine, brief, follow, random_moment, samples_of, seeded, succeed


def kill_repeatedly(machine: Machine, undisturbed: Undisturbed, clip: Path, kills: int, folder: Path) -> None:
    """Kill the daemon right after it acknowledged a job, then at a random moment of its run, and so on."""
    chance = seeded()
    acknowledged: dict[str, str] = {}  # request id -> job id
    resumed: list[int] = []
    with machine.client() as client:
        client.upload(clip)
        for number in range(kills):
            if number % 2 == 0:
                wish = new_request_id()
                acknowledged[wish] = client.submit(undisturbed.edit, request_id=wish).id
                machine.kill_daemon()
                # Asked again, as a client does that did not hear the answer: the same job, not a second one.
                assert client.submit(undisturbed.edit, request_id=wish).id == acknowledged[wish]
                continue
            job = acknowledged[wish]
            follow(client, job, lambda found: found.state == jobs_pb2.JOB_STATE_RUNNING)
            # A watch goes on over the death: revisions never go back, so it misses nothing.
            watching = client.watch(job)
            revisions = [next(watching).job.revision]
            random_moment(client, job, chance.uniform(0, undisturbed.seconds))
            machine.kill_daemon()
            revisions += [update.job.revision for update in watching]
            assert revisions == sorted(set(revisions))
            done = succeed(client, job)
            print(brief(done))
            resumed += [attempt.resumed_at for attempt in done.attempts[1:]]
            assert samples_of(client, done, folder) == undisturbed.samples
        for wish, job in acknowledged.items():
            done = succeed(client, job)
            assert done.request_id == wish
            outcomes = [attempt.outcome for attempt in done.attempts]
            assert set(outcomes[:-1]) <= {"daemon-ended"}, outcomes
            assert samples_of(client, done, folder) == undisturbed.samples
        assert sorted(job.id for job in client.jobs()) == sorted(acknowledged.values())
        assert client.diagnose().jobs == {"succeeded": len(acknowledged)}
    print(f"daemon: {kills} kills, {len(acknowledged)} jobs, resumed at {resumed}")


def test_a_daemon_killed_at_any_moment_loses_no_job(
    machine: Machine, undisturbed: Undisturbed, clip: Path, tmp_path: Path
) -> None:
    kill_repeatedly(machine, undisturbed, clip, 2, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_twenty_kills_of_the_daemon(
    machine: Machine, undisturbed: Undisturbed, clip: Path, tmp_path: Path
) -> None:
    kill_repeatedly(machine, undisturbed, clip, 20, tmp_path)
