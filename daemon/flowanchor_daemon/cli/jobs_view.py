# SPDX-License-Identifier: Apache-2.0
"""Jobs as people and as programs read them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from flowanchor.v1 import jobs_pb2
from flowanchor_client import Client, ServiceFailure
from rich.console import Console
from rich.table import Table

from flowanchor_daemon.cli.fetch import asked_for

STATES = {
    "queued": jobs_pb2.JOB_STATE_QUEUED,
    "running": jobs_pb2.JOB_STATE_RUNNING,
    "cancelling": jobs_pb2.JOB_STATE_CANCELLING,
    "succeeded": jobs_pb2.JOB_STATE_SUCCEEDED,
    "failed": jobs_pb2.JOB_STATE_FAILED,
    "cancelled": jobs_pb2.JOB_STATE_CANCELLED,
}
_NAMES = {number: name for name, number in STATES.items()}


def state_name(job: jobs_pb2.Job) -> str:
    """ "queued", "running", ... as users write it."""
    return _NAMES.get(job.state, "unknown")


def with_requests(client: Client, listed: Iterable[jobs_pb2.Job]) -> list[jobs_pb2.Job]:
    """The listed jobs with their requests, which lists leave out. One that was deleted meanwhile is not among
    them."""
    found = []
    for job in listed:
        try:
            update = client.job(job.id)
        except ServiceFailure as failure:
            if failure.code != "job-unknown":
                raise
        else:
            found.append(job if update is None else update.job)
    return found


def clip_name(job: jobs_pb2.Job) -> str:
    """The clip as its owner calls it; of images the first one's name."""
    clip = job.request.clip
    return clip.movie.name or (clip.images.frames[0].name if clip.images.frames else "")


def as_plain(job: jobs_pb2.Job) -> dict[str, Any]:
    """A job for `--json`; times in ISO 8601, None where there is none yet."""
    plain: dict[str, Any] = {
        "job": job.id,
        "state": state_name(job),
        "label": job.label,
        "clip": clip_name(job) or None,
        "seed": job.request.seed if job.HasField("request") else None,
        # Another job's name is not its own: where it goes is settled when it is fetched.
        "output": None if job.parent else asked_for(job).get("out"),
        "client": job.client,
        "priority": job.priority,
        "queue_position": job.queue_position,
        "created": _time(job.created_ms),
        "started": _time(job.started_ms),
        "finished": _time(job.finished_ms),
        "attempts": len(job.attempts),
        "parent": job.parent or None,
        "files": [file.name for file in job.artifacts if file.kind == jobs_pb2.ARTIFACT_KIND_RESULT],
    }
    if job.state == jobs_pb2.JOB_STATE_RUNNING:
        progress = job.progress
        plain["progress"] = {
            "phase": progress.phase,
            "step": progress.step,
            "total": progress.total,
            "seconds_left": progress.seconds_left if progress.HasField("seconds_left") else None,
            "fraction": round(progress.fraction, 4),
        }
    if job.HasField("failure"):
        failure = job.failure
        plain["error"] = {"code": failure.code, "message": failure.message, "action": failure.action}
    return plain


def print_table(jobs: Sequence[jobs_pb2.Job], console: Console | None = None) -> None:
    """One line a job, newest first as given; OF is the job that it repeats or varies."""
    table = Table(box=None, pad_edge=False, header_style="")
    for heading in ("JOB", "STATE", "CREATED", "CLIP", "SEED", "OF"):
        table.add_column(heading, no_wrap=True)
    table.add_column("EDIT", no_wrap=True, overflow="ellipsis")
    for job in jobs:
        made = datetime.fromtimestamp(job.created_ms / 1000).strftime("%m-%d %H:%M:%S")
        clip = clip_name(job)
        clip = clip if len(clip) <= 24 else f"{clip[:12]}…{clip[-11:]}"
        table.add_row(job.id, _standing(job), made, clip, str(job.request.seed), job.parent[:6], job.label)
    # Where nobody looks at a screen, lines are as long as they are.
    width = None if sys.stdout.isatty() else 240
    (console or Console(highlight=False, markup=False, width=width)).print(table)


def _standing(job: jobs_pb2.Job) -> str:
    if job.state == jobs_pb2.JOB_STATE_QUEUED and job.queue_position:
        return f"queued ({job.queue_position}.)"
    if job.state == jobs_pb2.JOB_STATE_RUNNING and job.progress.phase:
        return f"running ({job.progress.fraction:.0%})"
    if job.state == jobs_pb2.JOB_STATE_FAILED:
        return f"failed ({job.failure.code})"
    return state_name(job)


def _time(milliseconds: int) -> str | None:
    if not milliseconds:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")
