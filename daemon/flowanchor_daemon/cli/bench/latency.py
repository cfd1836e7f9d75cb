# SPDX-License-Identifier: Apache-2.0
"""How long single calls take."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from flowanchor.v1 import types_pb2
from flowanchor_client import ENDED, Client


@dataclass(frozen=True)
class Spread:
    """Seconds of many calls."""

    calls: int
    p50: float
    p99: float
    worst: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        ordered = sorted(seconds)
        at = max(0, -(-99 * len(ordered) // 100) - 1)
        return cls(len(ordered), statistics.median(ordered), ordered[at], ordered[-1])


def get_job(client: Client, job: str, calls: int) -> list[float]:
    """Seconds of calls of GetJob, made every few milliseconds; fewer when the job ends before."""
    seconds = []
    for _ in range(calls):
        begun = time.perf_counter()
        update = client.job(job)
        seconds.append(time.perf_counter() - begun)
        if update is not None and update.job.state in ENDED:
            break
        time.sleep(0.003)
    return seconds


def submits(client: Client, edit: types_pb2.EditRequest, calls: int) -> list[float]:
    """Seconds of submitting as many edits while one runs; they are cancelled then."""
    running = client.submit(edit)
    seconds, made = [], []
    for seed in range(calls):
        edit.seed = seed
        begun = time.perf_counter()
        made.append(client.submit(edit).id)
        seconds.append(time.perf_counter() - begun)
    for job in (*made, running.id):
        client.cancel(job)
    for _ in client.watch(running.id):
        pass
    return seconds
