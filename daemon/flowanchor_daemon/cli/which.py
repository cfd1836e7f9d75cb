# SPDX-License-Identifier: Apache-2.0
"""Which job is meant: people write the beginning of an id, or `last`."""

from __future__ import annotations

from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_client import Client, ServiceFailure

LAST = "last"
_LIST = "`flowanchor jobs list` shows the ids."


def find_id(client: Client, text: str) -> str:
    """The id that is meant. ServiceFailure "job-unknown" if it is none's or more than one's beginning."""
    return find(client, text).id


def find(client: Client, text: str) -> jobs_pb2.Job:
    """The job whose id is `text` or begins so; for "last" the one submitted last.

    Raises:
        ServiceFailure: "job-unknown", with the text, or the ids that begin so.
    """
    if text == LAST:
        newest = next(client.jobs(limit=1), None)
        if newest is None:
            raise _unknown("There are no jobs.", "`flowanchor edit` submits one.")
        text = newest.id
    try:
        update = client.job(text)
        if update is not None:
            return update.job
    except ServiceFailure as failure:
        if failure.code != "job-unknown":
            raise
    fitting = [job.id for job in client.jobs() if text and job.id.startswith(text.lower())]
    if len(fitting) > 1:
        shown = ", ".join(fitting[:4]) + (", …" if len(fitting) > 4 else "")
        raise _unknown(f"{len(fitting)} jobs begin with {text}: {shown}.", "Give more of the id.")
    update = client.job(fitting[0]) if fitting else None
    if update is None:
        raise _unknown(f"There is no job {text[:40]}.", _LIST)
    return update.job


def _unknown(message: str, action: str) -> ServiceFailure:
    return ServiceFailure("job-unknown", message, action, types_pb2.FAILURE_KIND_INPUT)
