# SPDX-License-Identifier: Apache-2.0
"""A process that is killed while it commits: what it acknowledged is there afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flowanchor_daemon.queue import jobs
from flowanchor_daemon.queue.listing import Query
from flowanchor_daemon.queue.store import JobStore

WRITER = """
import sys
from pathlib import Path
from flowanchor_daemon.queue.store import JobStore
from tests.daemon.queue.wishes import wish

store = JobStore.open(Path(sys.argv[1]))
store.recover()
number = 0
while True:
    number += 1
    job, _ = store.submit(wish(f"request-{sys.argv[2]}-{number}"))
    print(job.id, flush=True)
    store.take()
"""


@pytest.mark.parametrize("acknowledged", [[1, 5, 17]])
def test_every_acknowledged_submit_survives_a_kill(tmp_path: Path, acknowledged: list[int]) -> None:
    path = tmp_path / "queue.sqlite"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    promised: list[str] = []
    for run, count in enumerate(acknowledged):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(run)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        try:
            assert writer.stdout is not None
            promised += [writer.stdout.readline().strip() for _ in range(count)]
        finally:
            writer.kill()
            rest, _ = writer.communicate()
        promised += [line for line in rest.split("\n")[:-1] if line]  # answered before the kill
    store = JobStore.open(path)
    store.recover()
    states = store.states()
    assert set(promised) <= set(states)
    assert len(promised) >= sum(acknowledged)
    assert set(states.values()) == {jobs.QUEUED}
    # The last commit of each run may have been made and not been answered.
    assert len(states) <= len(promised) + len(acknowledged)
    assert store.page(Query()).total == len(states)
    store.close()
