# SPDX-License-Identifier: Apache-2.0
"""What a job still does after its cancel."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_client import ENDED, Client


@dataclass(frozen=True)
class Cancelled:
    """Steps that a job still took after the answer to its cancel, and seconds from asking to its end."""

    steps: int
    seconds: float


def cancel_in(client: Client, edit: types_pb2.EditRequest, phase: str, step: int) -> Cancelled | None:
    """Cancel an edit once it has done `step` steps of a phase; None if it left the phase before it heard."""
    job, since = client.submit(edit).id, 0
    while True:
        update = client.job(job, since=since, wait=1.0)
        if update is None:
            continue
        since, at = update.job.revision, update.job.progress
        if update.job.state in ENDED:
            return None
        if at.phase == phase and at.step >= step:
            break
    begun = time.perf_counter()
    answer = client.cancel(job)
    last = answer.progress.step
    for seen in client.watch(job):
        if seen.job.state not in ENDED:
            if seen.job.progress.phase != answer.progress.phase:
                return None
            last = max(last, seen.job.progress.step)
    seconds = time.perf_counter() - begun
    if seen.job.state != jobs_pb2.JOB_STATE_CANCELLED or answer.progress.phase != phase:
        return None
    return Cancelled(last - answer.progress.step, seconds)


def repeated(measure: Callable[[], Any], count: int) -> list[Any]:
    """`count` values of a measure that sometimes has none (None); at most three tries for each."""
    found: list[Any] = []
    for _ in range(3 * count):
        if len(found) == count:
            break
        if (value := measure()) is not None:
            found.append(value)
    return found
