# SPDX-License-Identifier: Apache-2.0
"""Fetch the result of a job that was made from Resolve, for the clip it was made from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowanchor.v1 import jobs_pb2
from flowanchor_client import Client, ServiceFailure
from flowanchor_resolve import plain
from flowanchor_resolve.host import Result, Selection

from flowanchor_core.errors import InputError
from flowanchor_daemon.cli import edit_job, fetch
from flowanchor_daemon.cli.delivery import deliver
from flowanchor_daemon.cli.notation import free
from flowanchor_daemon.cli.progress import Reporter, bytes_shown
from flowanchor_daemon.cli.resolve.editing import KEPT, OUT, check_output, in_place, now, result_path
from flowanchor_daemon.cli.which import LAST, find

if TYPE_CHECKING:
    from flowanchor_core.progress import EditResult

_CLIENT = "cli"
_LOOK_BACK = 200
"""Jobs among which the last one from Resolve is looked for."""


def find_job(client: Client, text: str) -> jobs_pb2.Job:
    """The job that is meant; for "last" the last one that was made from Resolve.

    Raises:
        ServiceFailure: "job-unknown".
        InputError: "job-not-from-resolve".
    """
    if text != LAST:
        job = find(client, text)
        kept_with(job)
        return job
    for listed in client.jobs(client=_CLIENT, limit=_LOOK_BACK):
        try:
            update = client.job(listed.id)
        except ServiceFailure as failure:
            if failure.code != "job-unknown":
                raise
            continue  # deleted meanwhile
        if update is not None and _kept(update.job) is not None:
            return update.job
    raise InputError(
        "job-not-from-resolve",
        "No job was made from Resolve.",
        "Make one with `flowanchor resolve edit`; `flowanchor jobs list` shows all jobs.",
    )


def kept_with(job: jobs_pb2.Job) -> tuple[Selection, Mapping[str, Any], bool]:
    """The clip a job was made from, what the result's marker is to keep, and whether it goes on as a take.

    Raises:
        InputError: "job-not-from-resolve".
        ResolveProblem: "resolve-note-broken".
    """
    kept = _kept(job)
    if kept is None:
        raise InputError(
            "job-not-from-resolve",
            f"The job {job.id} was not made from Resolve, so it has no place on a timeline.",
            "Deliver it with `flowanchor jobs fetch`.",
        )
    settings = kept.get("settings")
    selection = plain.read_selection(kept.get("selection"))
    return selection, settings if isinstance(settings, dict) else {}, kept.get("as_take") is True


def fetched(
    client: Client, job: jobs_pb2.Job, out: Path | None, show: Reporter, made: list[Path]
) -> tuple[Selection, Result, EditResult, bool]:
    """The result of a job, once it has ended, as a movie: called `out`, else as was asked for when it was
    left to the daemon, else by its timeline and clip. Nothing of that name is replaced.

    Args:
        made: gets the folders that had to be made.

    Raises:
        ServiceFailure: the job failed or was cancelled, or its result could not be fetched.
        InputError: `out` cannot be used, or the job was not made from Resolve.
    """
    check_output(out)
    selection, settings, as_take = kept_with(job)
    job = edit_job.follow(client, job, show)
    kind = "full" if job.result.deliver == "full" else "patch"
    path = out or asked_out(job) or result_path(selection, "full" if kind == "full" else "patch", made)
    path = free(path)
    names = fetch.targets(job, path)
    fetch.check_places(job, names, None)
    report = deliver(client, job, names, path, None, bytes_shown(show, "download"))
    report = in_place(report, selection)
    result = Result(
        path=path.absolute(),
        frames=report.frames,
        deliver="full" if kind == "full" else "patch",
        job=job.id,
        seed=report.seed,
        source_prompt=job.request.source_prompt,
        target_prompt=job.request.target_prompt,
        settings={**_with_seed(settings, report.seed), "at": now()},
    )
    return selection, result, report, as_take


def asked_out(job: jobs_pb2.Job) -> Path | None:
    """The file that was named for a job's result when the job was left to the daemon."""
    named = (_kept(job) or {}).get(OUT)
    return Path(named) if isinstance(named, str) and "\0" not in named else None


def _with_seed(settings: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Settings of the job itself: a variation has another seed than the edit it varies."""
    options = settings.get("options")
    return {**settings, "options": {**options, "seed": seed}} if isinstance(options, dict) else dict(settings)


def _kept(job: jobs_pb2.Job) -> Mapping[str, Any] | None:
    if job.client != _CLIENT:
        return None
    try:
        raw = json.loads(job.request.host_context)
    except (ValueError, RecursionError):
        return None
    kept = raw.get(KEPT) if isinstance(raw, dict) else None
    return kept if isinstance(kept, dict) else None
