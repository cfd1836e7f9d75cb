# SPDX-License-Identifier: Apache-2.0
"""How many steps an edit still takes after it was cancelled: counted, not timed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from flowanchor.v1 import jobs_pb2
from flowanchor_client import ENDED, Client

from tests.daemon.processes import standing_still
from tests.faults.conftest import Undisturbed
from tests.faults.harness import (
    FRAMES,
    Machine,
    brief,
    client_job,
    follow,
    in_phase,
    required,
    samples_of,
    succeed,
)

FRAMES_OF_A_LATENT = 4
LATENTS = (FRAMES - 1) // FRAMES_OF_A_LATENT + 1


def steps_after_cancel(machine: Machine, client: Client, job: str) -> tuple[jobs_pb2.Job, int]:
    """Cancel a running job: its record at the end, and the steps it still took.

    The engine stands still while the cancel is on its way: steps it took meanwhile would count for nothing.
    """
    with standing_still(required(machine.engine(), "no engine").pid):
        at, before = client_job(client, job).progress, None
        while at != before:  # the daemon may still have steps to read
            time.sleep(0.2)
            at, before = client_job(client, job).progress, at
        answer = client.cancel(job)
    assert answer.state == jobs_pb2.JOB_STATE_CANCELLING, brief(answer)
    last = at.step
    for update in client.watch(job):
        if update.job.state not in ENDED:
            assert update.job.progress.phase == at.phase, "it went on to the next phase"
            last = update.job.progress.step
        final = update.job
    return final, last - at.step


@pytest.mark.parametrize(
    ("phase", "step", "most"),
    [
        ("edit", 5, 1),
        ("encode", 4, 1),  # three prompts, then a step for each latent frame
        ("decode", 2, FRAMES_OF_A_LATENT),  # a step for each frame; a latent frame gives four at once
    ],
)
def test_a_cancelled_edit_takes_at_most_one_more_step(
    warm: Machine, undisturbed: Undisturbed, phase: str, step: int, most: int
) -> None:
    with warm.client() as client:
        job = client.submit(undisturbed.edit).id
        reached = follow(client, job, in_phase(phase, step))
        assert reached.progress.total > step + most, "nothing would be left to cancel"
        final, after = steps_after_cancel(warm, client, job)
        print(f"cancelled in {phase}: {after} more steps")
        assert final.state == jobs_pb2.JOB_STATE_CANCELLED
        assert [attempt.outcome for attempt in final.attempts] == ["cancelled"]
        assert not final.artifacts
        assert after <= most
        assert client_job(client, job).state == jobs_pb2.JOB_STATE_CANCELLED


def test_the_engine_is_as_good_as_new_after_a_cancelled_edit(
    warm: Machine, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    with warm.client() as client:
        job = client.submit(undisturbed.edit).id
        follow(client, job, in_phase("edit", 5))
        engine = warm.engine()
        client.cancel(job)
        done = succeed(client, client.retry(job).id)
        assert samples_of(client, done, tmp_path) == undisturbed.samples
        assert warm.engine() == engine
