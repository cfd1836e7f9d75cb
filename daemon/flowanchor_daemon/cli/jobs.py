# SPDX-License-Identifier: Apache-2.0
"""`flowanchor jobs`: what is waiting, running and done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from flowanchor.v1 import jobs_pb2
from flowanchor_client import ENDED

from flowanchor_core.errors import InputError
from flowanchor_daemon.cli import edit_job, fetch, jobs_view
from flowanchor_daemon.cli.connected import connected
from flowanchor_daemon.cli.delivery import deliver
from flowanchor_daemon.cli.edit import print_result, tell_of_fetch
from flowanchor_daemon.cli.leaving import leaving_it
from flowanchor_daemon.cli.notation import whole_number
from flowanchor_daemon.cli.outcome import reported
from flowanchor_daemon.cli.progress import bytes_shown, reporter
from flowanchor_daemon.cli.which import find, find_id

app = typer.Typer(help="Edits that are waiting, running and done.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="JOB", help="The job's id, its beginning, or `last`.")]
Json = Annotated[bool, typer.Option("--json", help="Last line of output: the outcome as JSON.")]


@app.callback()
def _root() -> None:
    """Edits that are waiting, running and done."""


@app.command("list")
def list_jobs(
    state: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help=f"Only these: {', '.join(jobs_view.STATES)}. Repeatable."),
    ] = None,
    queue: Annotated[
        bool, typer.Option("--queue", help="Waiting and running jobs, in the order they will run.")
    ] = False,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="At most so many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list instead of a table.")] = False,
) -> None:
    """List jobs, newest first."""
    with reported(as_json):
        unknown = [name for name in state or () if name not in jobs_view.STATES]
        if unknown:
            raise InputError(
                "unknown-state", f"There is no state '{unknown[0]}'.", f"Use {', '.join(jobs_view.STATES)}."
            )
        order = jobs_pb2.JOB_ORDER_QUEUE if queue else jobs_pb2.JOB_ORDER_NEWEST
        with connected() as client:
            listed = client.jobs([jobs_view.STATES[name] for name in state or ()], order, limit=limit)
            found = jobs_view.with_requests(client, listed)
        if as_json:
            print(json.dumps([jobs_view.as_plain(job) for job in found], ensure_ascii=False))
        elif found:
            jobs_view.print_table(found)
        else:
            print("There are no such jobs." if state or queue else "There are no jobs.")


@app.command()
def watch(job: Id, as_json: Json = False) -> None:
    """Show a job's progress until it ends. Ctrl-C stops watching; the job goes on."""
    with reported(as_json), reporter() as show, connected(show) as client:
        found = find(client, job)
        with leaving_it(client, found):
            ended = edit_job.follow(client, found, show)
        if as_json:
            print(json.dumps(jobs_view.as_plain(ended), ensure_ascii=False))
        else:
            print(f"{ended.id} has succeeded. `flowanchor jobs fetch {ended.id}` delivers it.")


@app.command("fetch")
def fetch_job(
    job: Id,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            help="Output file, or pattern or folder for images; else as first asked, with -2, -3 … added to "
            "a name that is taken if the job is a variation or was given no name.",
        ),
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Write the contact sheet, if one was made, here.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Deliver a job's result; wait for it if the job has not ended yet."""
    with reported(as_json):
        with reporter() as show, connected(show) as client:
            found = find(client, job)
            with leaving_it(client, found):
                ended = edit_job.follow(client, found, show)
                out, sheet = fetch.destination(ended, out, sheet)
                names = fetch.targets(ended, out)
                fetch.check_places(ended, names, sheet)
                output = names[0] if out.is_dir() and len(names) == 1 else out
                result = deliver(client, ended, names, output, sheet, bytes_shown(show, "download"))
            for notice in result.notices[len(ended.result.notices) :]:
                show.note(notice)
        print_result(result, as_json)


@app.command()
def cancel(job: Id, as_json: Json = False) -> None:
    """Stop a job: at once while it waits, within a step while it runs."""
    with reported(as_json), connected() as client:
        found = find(client, job)
        if found.state in ENDED and found.state != jobs_pb2.JOB_STATE_CANCELLED:
            state = jobs_view.state_name(found)
            _tell(found, as_json, f"{found.id} has already ended ({state}).")
            return
        found = client.cancel(found.id)
        with leaving_it(client, found):
            for update in client.watch(found.id):
                found = update.job
        _tell(found, as_json, f"{found.id} is {jobs_view.state_name(found)}.")


@app.command(short_help="Queue a job's edit again, with the same seed.")
def retry(job: Id, as_json: Json = False) -> None:
    """Queue a job's edit again, with the same seed, and print the new job's id."""
    with reported(as_json), connected() as client:
        found = client.retry(find_id(client, job))
        _tell(found, as_json, found.id)
        tell_of_fetch(found.id)


@app.command(short_help="Queue a job's edit again, with another seed.")
def vary(
    job: Id,
    seed: Annotated[
        int | None, typer.Option(metavar="N", parser=whole_number, help="The new seed; else one is drawn.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Queue a job's edit again, with another seed, and print the new job's id."""
    with reported(as_json), connected() as client:
        found = client.vary(find_id(client, job), seed)
        _tell(found, as_json, found.id)
        tell_of_fetch(found.id)


@app.command()
def move(
    job: Id,
    priority: Annotated[
        int | None, typer.Option(metavar="N", min=-100, max=100, help="Higher runs first.")
    ] = None,
    before: Annotated[str, typer.Option(metavar="JOB", help="A waiting job to run it before.")] = "",
    as_json: Json = False,
) -> None:
    """Change a waiting job's place in the queue."""
    with reported(as_json):
        if priority is None and not before:
            raise InputError("request-invalid", "Nothing says where to.", "Give --priority or --before.")
        with connected() as client:
            found = client.move(find_id(client, job), priority, find_id(client, before) if before else "")
        place = f"place {found.queue_position}" if found.queue_position else jobs_view.state_name(found)
        _tell(found, as_json, f"{found.id} has priority {found.priority}: {place}.")


@app.command()
def delete(
    jobs: Annotated[
        list[str],
        typer.Argument(metavar="JOB...", help="Jobs that have ended: ids, their beginnings, or `last`."),
    ],
    as_json: Json = False,
) -> None:
    """Forget jobs that have ended and remove their results."""
    with reported(as_json), connected() as client:
        ids = list(dict.fromkeys(find_id(client, job) for job in jobs))
        for job in ids:
            client.delete(job)
            if not as_json:
                print(f"{job} is deleted.")
        if as_json:
            print(json.dumps({"deleted": ids}))


def _tell(job: jobs_pb2.Job, as_json: bool, text: str) -> None:
    print(json.dumps(jobs_view.as_plain(job), ensure_ascii=False) if as_json else text)
