# SPDX-License-Identifier: Apache-2.0
"""One edit through the daemon: checked here, sent, watched, fetched. Ctrl-C cancels it there."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from flowanchor.v1 import jobs_pb2, system_pb2
from flowanchor_client import ENDED, Client, DaemonUnreachable, ServiceFailure, failure_of_job, new_request_id

from flowanchor_core.errors import ModelError
from flowanchor_daemon.cli.delivery import deliver
from flowanchor_daemon.cli.edit_upload import message, ship, uploaded
from flowanchor_daemon.cli.fetch import READS, UNNAMED
from flowanchor_daemon.cli.interruption import JOB_CANCELLED, at_job, retry
from flowanchor_daemon.cli.jobs_view import state_name
from flowanchor_daemon.cli.notation import free
from flowanchor_daemon.cli.progress import JobProgress, Reporter, bytes_shown

_NO_ENGINE_YET = (system_pb2.ENGINE_STATE_STOPPED, system_pb2.ENGINE_STATE_STARTING)

if TYPE_CHECKING:
    from flowanchor_core.edit_plan import EditPlan
    from flowanchor_core.progress import EditResult
    from flowanchor_core.request import EditRequest


def planned(request: EditRequest) -> EditPlan:
    """The request, checked; a model that could be pulled is named as such.

    Raises:
        FlowAnchorError: the request cannot be carried out.
    """
    from flowanchor_core.edit_plan import plan_edit

    with _named_if_it_can_be_pulled(request.model):
        return plan_edit(request)


def check_settings(request: EditRequest) -> None:
    """Look at all of a request but its files, for a clip that takes long to be made.

    Raises:
        FlowAnchorError: the request cannot be carried out, whatever the clip is.
    """
    from flowanchor_core import edit_plan, editors, models, presets

    edit_plan.check_prompts(request)
    edit_plan.check_numbers(request)
    editor = editors.get(request.editor)
    with _named_if_it_can_be_pulled(request.model):
        card = models.read_card(models.find_model(request.model), request.model)
    preset = edit_plan.own_schedule(request, presets.get(card, request.preset))
    editor.parse({**preset.params_for(editor.name), **request.params})
    edit_plan.check_sheet(request.sheet)


@contextmanager
def _named_if_it_can_be_pulled(model: str) -> Iterator[None]:
    from flowanchor_daemon.models import catalog

    try:
        yield
    except ModelError as failure:
        if failure.code != "unknown-model":
            raise
        if catalog.find(model) is None:
            pulls = " or ".join(f"`flowanchor models pull {known.name}`" for known in catalog.KNOWN)
            action = f"{failure.action} Models for real footage come with {pulls}."
            raise ModelError(failure.code, failure.message, action) from failure
        raise ModelError(
            failure.code,
            f"The model '{model}' is not installed.",
            f"Get it with `flowanchor models pull {model}`.",
        ) from failure


def submit(
    client: Client,
    plan: EditPlan,
    device: str,
    priority: int,
    show: Reporter,
    named: bool = True,
    kept: Mapping[str, object] = MappingProxyType({}),
) -> jobs_pb2.Job:
    """Send a checked edit's files and queue it.

    Interrupted in between, it leaves no job that runs on unseen, and raises Interrupted or Terminated.
    `named`: the output's name is the user's. `kept` stays with the job, for the command that submits it: what
    JSON can hold, beside our own names.
    """
    shipment = ship(plan)
    model = known_model(plan)

    def send(paths: Sequence[Path]) -> list[str]:
        return client.upload_all(paths, bytes_shown(show, "upload"))

    out, sheet = plan.request.delivery.out, plan.request.sheet
    read = (plan.request.clip, *plan.request.masks)
    deliver_to: dict[str, object] = {
        **kept,
        "out": str(out.absolute()),
        READS: [str(path.absolute()) for path in read],
    }
    if not named:
        deliver_to[UNNAMED] = "yes"
    if sheet is not None:
        deliver_to["sheet"] = str(sheet.absolute())
    suffixes = client.info().limits.media_suffixes
    edit = message(plan, shipment, uploaded(send, shipment), suffixes, model, device, deliver_to)
    wish = new_request_id()
    try:
        return client.submit(edit, wish, priority)
    except (KeyboardInterrupt, SystemExit) as interrupt:
        # Whether it arrived is unknown; asked for again, it is the same job.
        stopped = client.cancel(client.submit(edit, wish, priority).id)
        raise at_job(interrupt, stopped.id, state_name(stopped)) from None


def known_model(plan: EditPlan) -> str:
    """The name by which the daemon knows the plan's model; a folder given by its path gets one."""
    from flowanchor_core import models

    if plan.request.model in models.names():
        return plan.request.model
    from flowanchor_daemon.models.local import register_link

    return register_link(plan.card.folder)


def run(
    client: Client,
    plan: EditPlan,
    device: str,
    priority: int,
    show: Reporter,
    named: bool = True,
    kept: Mapping[str, object] = MappingProxyType({}),
) -> EditResult:
    """Edit and deliver; Ctrl-C and SIGTERM cancel the job and, when it has stopped, come through as
    Interrupted and Terminated.

    An output that the user gave no name (`named`) is called otherwise if its name is taken by then.

    Raises:
        ServiceFailure: the job failed, was cancelled from elsewhere, or its result could not be fetched.
    """
    job = submit(client, plan, device, priority, show, named, kept)
    try:
        job = follow(client, job, show)
    except (KeyboardInterrupt, SystemExit) as interrupt:
        raise at_job(interrupt, job.id, cancel(client, job.id)) from None
    except DaemonUnreachable as failure:
        raise with_job(failure, job.id) from failure
    request = plan.request
    delivery, out = plan.delivery, request.delivery.out
    if not named and (unused := free(out)) != out:
        delivery, out = replace(delivery, out=unused), unused
    targets = delivery.files(plan.clip, plan.first, plan.last)
    try:
        result = deliver(client, job, targets, out, request.sheet, bytes_shown(show, "download"))
    except ServiceFailure as failure:
        raise with_job(failure, job.id) from failure
    except (KeyboardInterrupt, SystemExit) as interrupt:
        show.note(f"The edit is done and kept: `flowanchor jobs fetch {job.id}` delivers it.")
        raise at_job(interrupt, job.id, state_name(job)) from None
    for notice in result.notices[len(job.result.notices) :]:
        show.note(notice)
    return replace(result, model=request.model)


def follow(client: Client, job: jobs_pb2.Job, show: Reporter) -> jobs_pb2.Job:
    """Show a job until it has succeeded; raises ServiceFailure when it ends otherwise."""
    shown, waits_for_engine = JobProgress(show), True
    shown.see(job)
    for update in client.watch(job.id, since=0):
        job = update.job
        shown.see(job)
        if waits_for_engine and job.state == jobs_pb2.JOB_STATE_RUNNING:
            waits_for_engine = False
            if not job.progress.phase and client.diagnose().engine in _NO_ENGINE_YET:
                show.say("Starting the engine: it loads torch, which takes about 10 s.")
    if job.state == jobs_pb2.JOB_STATE_FAILED:
        raise failure_of_job(job)
    if job.state == jobs_pb2.JOB_STATE_CANCELLED:
        raise ServiceFailure(JOB_CANCELLED, f"The job {job.id} was cancelled.", retry(job.id))
    return job


def cancel(client: Client, job: str) -> str:
    """Cancel a job and wait until it has stopped; interrupted again, say that it will and leave at once.

    Gives its state as users write it: "running" if the daemon could not be told.
    """
    try:
        print("Cancelling the edit; once more Ctrl-C leaves without waiting.", file=sys.stderr, flush=True)
        client.cancel(job)
        for update in client.watch(job):
            if update.job.state in ENDED:
                return state_name(update.job)
    except (KeyboardInterrupt, SystemExit):
        print(f"The job {job} goes on being cancelled in the daemon.", file=sys.stderr)
    except ServiceFailure as failure:
        print(f"The job {job} could not be cancelled: {failure}", file=sys.stderr)
        return "running"
    return "cancelling"


def with_job(failure: ServiceFailure, job: str) -> ServiceFailure:
    """The same failure, with the way to the result of a job that is not lost."""
    action = f"{failure.action} `flowanchor jobs fetch {job}` delivers this one."
    if isinstance(failure, DaemonUnreachable):
        return DaemonUnreachable(failure.code, failure.message, action, failure.log)
    return ServiceFailure(failure.code, failure.message, action, failure.kind)
