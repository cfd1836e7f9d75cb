# SPDX-License-Identifier: Apache-2.0
"""What `flowanchor resolve` and its sidecar do: edit, edit again, place, undo."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowanchor_client import Client
from flowanchor_resolve import handoff, session
from flowanchor_resolve.host import Host, Placed, Result, Say
from flowanchor_resolve.record import Recorder
from flowanchor_resolve.session import Editing, Order, Task
from flowanchor_resolve.sidecar import Act

from flowanchor_core.errors import InputError
from flowanchor_daemon.cli.connected import connected
from flowanchor_daemon.cli.edit_options import EditOptions
from flowanchor_daemon.cli.interruption import DELIVERS, at_job
from flowanchor_daemon.cli.leaving import leaving_it
from flowanchor_daemon.cli.progress import Reporter, reporter
from flowanchor_daemon.cli.resolve import job_results, reach
from flowanchor_daemon.cli.resolve.editing import DaemonEditing, Deliver
from flowanchor_daemon.cli.resolve.wish import again
from flowanchor_daemon.cli.which import LAST

if TYPE_CHECKING:
    from flowanchor_core.progress import EditResult

PLACES = "resolve place"
"""The command that places what a finished job has made."""


@dataclass(frozen=True)
class Wanted:
    """An edit as asked for: the options, which of them were typed, the clip, and where the result goes.

    `source_files`: the clip's own file will do where nothing that Resolve tells speaks against it.
    """

    options: EditOptions
    typed: Collection[str]
    order: Order
    deliver: Deliver = "patch"
    out: Path | None = None
    detach: bool = False
    source_files: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of it; `report` is None for an edit that was left to the daemon, `folder` its hand-off."""

    job: str
    report: EditResult | None
    placed: Placed | None
    folder: Path | None = None


def edit(wanted: Wanted) -> Outcome:
    """Edit a clip on the timeline and place the result."""
    with at_work() as (client, show):
        host = reach.studio(show.say, wanted.source_files)
        return _edited(host, wanted, client, show)


def edit_again(wanted: Wanted) -> Outcome:
    """Edit as the result placed last was edited; the earlier result stays where it is."""
    with at_work() as (client, show):
        host = reach.studio(show.say, wanted.source_files)
        if (recorder := reach.RECORDER.get()) is not None:
            recorder.note_again()
        placed, result = session.newest(list(host.placed()))
        repeated = as_before(wanted, placed, result)
        return _edited(host, repeated, client, show)


def edit_handoff(wanted: Wanted, text: str) -> Outcome:
    """Edit what the free edition's menu script has left; the result goes back into the hand-off."""
    if wanted.detach or wanted.out is not None:
        raise InputError(
            "handoff-options",
            "A hand-off's result stays in its folder.",
            "Leave out -o and --detach.",
        )
    request = handoff.read(handoff.find(text))
    with (
        at_work() as (client, show),
        session.temporary_folder() as made,
    ):
        out = request.folder / ".edited.mov"
        out.unlink(missing_ok=True)  # of an earlier edit that was cut off
        # Named, so that no other folder is made for it.
        editing = replace(editing_of(wanted, client, show), out=out)
        editing.check(request.selection)
        region = request.region if wanted.order.mask is not None else None
        show.say(f"Editing {session.described(request.selection)}.")
        with _telling_of(editing, DELIVERS):
            result = editing.edit(Task(request.selection, request.footage, region, Path(made)))
            assert result is not None
            assert editing.result is not None
            kept = handoff.finish(request, result)
        return Outcome(result.job, replace(editing.result, output=kept.path), None, request.folder)


def place(job: str, out: Path | None, as_take: bool) -> Outcome:
    """Fetch a job's result and place it at the clip it was made from."""
    with at_work() as (client, show):
        host = reach.studio(show.say)
        found = job_results.find_job(client, job)
        made: list[Path] = []
        with leaving_it(client, found, PLACES):
            selection, result, report, wanted_take = job_results.fetched(client, found, out, show, made)
            show.say(f"Placing the result at {session.described(selection)}.")
            editing = DaemonEditing(client, EditOptions(source="", target=""), (), show, out=out, _made=made)
            if (recorder := reach.RECORDER.get()) is not None:
                recorder.note_place(selection, result, as_take or wanted_take)
            placed = session.place(host, selection, result, editing, as_take or wanted_take)
        return Outcome(found.id, report, placed)


def undo(job: str) -> str:
    """Take a placed result off the current timeline; gives its job."""
    with reporter() as show:
        host = reach.studio(show.say)
        wanted = None if job == LAST else job
        if (recorder := reach.RECORDER.get()) is not None:
            recorder.note_undo(wanted)
        placed, result = session.newest(list(host.placed()), wanted)
        host.undo(placed)
        return result.job


def look() -> str:
    """What would be edited, and what has been placed, in a sentence; changes nothing."""
    with reporter() as show:
        host = reach.studio(show.say)
        if (recorder := reach.RECORDER.get()) is not None:
            recorder.note_look()
        return session.look(host)


def for_sidecar(wanted: Wanted) -> Act:
    """What the sidecar does for each of its actions, a sentence on the outcome each."""

    def act(action: str, say: Say) -> str:
        if action == "undo":
            return f"The result of the job {undo(LAST)} is off the timeline again."
        if action == "place":
            made = place(LAST, None, wanted.order.as_take)
        else:
            made = edit_again(wanted) if action == "again" else edit(wanted)
        where = "" if made.placed is None else f", on video track {made.placed.track}"
        return f"The result of the job {made.job} is on the timeline{where}."

    return act


@contextmanager
def recording(path: Path, action: str) -> Iterator[None]:
    """Within it, what passes between us and Resolve is written to `path`."""
    try:
        recorder = Recorder.create(path, action)
    except OSError as failure:
        raise InputError(
            "record-place",
            f"The recording {path} cannot be written ({failure.strerror}).",
            "Name a new file in a folder of yours.",
        ) from failure
    token = reach.RECORDER.set(recorder)
    try:
        yield
    finally:
        reach.RECORDER.reset(token)
        recorder.close()


@contextmanager
def at_work() -> Iterator[tuple[Client, Reporter]]:
    """The daemon, which is started before anything is exported in vain, and a place to show progress."""
    with reporter() as show, connected(show) as client:
        if client.warning:
            show.note(client.warning)
        yield client, show


def editing_of(wanted: Wanted, client: Client, show: Reporter) -> DaemonEditing:
    return DaemonEditing(
        client=client,
        options=wanted.options,
        typed=wanted.typed,
        show=show,
        deliver=wanted.deliver,
        mask=wanted.order.mask,
        out=wanted.out,
        detach=wanted.detach,
        as_take=wanted.order.as_take,
    )


def _edited(host: Host, wanted: Wanted, client: Client, show: Reporter) -> Outcome:
    editing: Editing
    editing = made = editing_of(wanted, client, show)
    if (recorder := reach.RECORDER.get()) is not None:
        recorder.note_order(wanted.order)
        editing = recorder.editing(made)
    with _telling_of(made, PLACES):
        done = session.edit(host, wanted.order, editing, show.say)
    return Outcome(made.job, made.result, done.placed)


@contextmanager
def _telling_of(editing: DaemonEditing, delivers: str) -> Iterator[None]:
    """Let what interrupts the command after its edit, while the result is placed, tell of the job and of the
    command that goes on there."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as interrupt:
        if not editing.job:
            raise
        state = "queued" if editing.result is None else "succeeded"
        raise at_job(interrupt, editing.job, state, delivers) from None


def as_before(wanted: Wanted, placed: Placed, result: Result) -> Wanted:
    """An edit as a placed result's marker tells it; what was typed now wins.

    Raises:
        InputError: "marker-unusable".
    """
    kept: Mapping[str, Any] = result.settings
    prompts = {"source": result.source_prompt, "target": result.target_prompt}
    kept_options = kept.get("options")
    stated = {**prompts, **kept_options} if isinstance(kept_options, Mapping) else kept_options
    options = again(wanted.options, stated, wanted.typed)
    typed = {*wanted.typed, *prompts, *(("words",) if options.words is not None else ())}
    item, track, mask = kept.get("item"), kept.get("track"), kept.get("mask")
    order = wanted.order
    if not {"clip", "track"} & set(wanted.typed):
        order = replace(
            order,
            clip=item if isinstance(item, str) else None,
            track=track if isinstance(track, int) and track > 0 else None,
        )
    if "frames" not in wanted.typed:
        order = replace(order, span=(placed.start, placed.end))
    if not {"mask_from", "mask", "box"} & set(wanted.typed):
        order = replace(order, mask=mask if mask in ("auto", "track", "alpha", "fusion", "matte") else None)
    deliver: Deliver = "full" if result.deliver == "full" else "patch"
    return replace(
        wanted,
        options=options,
        typed=typed,
        order=order,
        deliver=wanted.deliver if "deliver" in wanted.typed else deliver,
    )
