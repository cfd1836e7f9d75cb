# SPDX-License-Identifier: Apache-2.0
"""Commands that wait for a job which is not theirs: what interrupts them leaves it as it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from flowanchor.v1 import jobs_pb2
from flowanchor_client import ENDED, Client, ServiceFailure

from flowanchor_daemon.cli.interruption import DELIVERS, at_job
from flowanchor_daemon.cli.jobs_view import state_name


@contextmanager
def leaving_it(client: Client, job: jobs_pb2.Job, delivers: str = DELIVERS) -> Iterator[None]:
    """Say that Ctrl-C or SIGTERM has ended this command and not the job (Interrupted or Terminated, with its
    state).

    `delivers`: the command that goes on where this one was left.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as interrupt:
        try:
            update = client.job(job.id)
        except ServiceFailure:
            update = None  # what was known of it is told
        found = update.job if update else job
        if found.state not in ENDED:
            print(
                f"No longer waiting for the job {job.id}; `flowanchor jobs cancel` stops it.", file=sys.stderr
            )
        raise at_job(interrupt, job.id, state_name(found), delivers) from None
