# SPDX-License-Identifier: Apache-2.0
"""`flowanchor resolve`: edit a clip on a DaVinci Resolve timeline, place results, and look after the link."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from flowanchor_resolve import handoff, meeting, session
from flowanchor_resolve.sidecar import Sidecar

from flowanchor_core.errors import InputError
from flowanchor_daemon.cli import doctor as doctor_command
from flowanchor_daemon.cli.edit_options import EditOptions
from flowanchor_daemon.cli.notation import parse_frames
from flowanchor_daemon.cli.outcome import reported
from flowanchor_daemon.cli.resolve import actions, reach
from flowanchor_daemon.cli.resolve.actions import Wanted
from flowanchor_daemon.cli.resolve.options import (
    AsJson,
    Delivery,
    MaskFrom,
    Out,
    SourceFile,
    Take,
    mask_source,
    with_optional_prompts,
)
from flowanchor_daemon.cli.resolve.printed import print_outcome, print_undone, say
from flowanchor_daemon.cli.resolve.wish import typed_options
from flowanchor_daemon.cli.which import LAST

app = typer.Typer(help="Edit clips on a DaVinci Resolve timeline.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Edit clips on a DaVinci Resolve timeline."""


@app.command(short_help="Edit the selected clip and place the result above it.")
@with_optional_prompts
def edit(
    context: typer.Context,
    options: EditOptions,
    folder: Annotated[
        str | None,
        typer.Argument(metavar="[HAND-OFF]", help="With --handoff: its folder; else the newest that waits."),
    ] = None,
    from_handoff: Annotated[
        bool,
        typer.Option("--handoff", help="Edit a clip that the free edition's menu script has exported."),
    ] = False,
    track: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Video track of the clip, from 1 at the bottom.")
    ] = None,
    clip: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The clip's name or id; else the selected one, or the playhead's."),
    ] = None,
    frames: Annotated[
        str | None,
        typer.Option(metavar="A-B", help="Frames of the clip on the timeline, from 0, both ends included."),
    ] = None,
    mask_from: MaskFrom = None,
    source_file: SourceFile = False,
    deliver: Delivery = "patch",
    take: Take = False,
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="Edit as the result placed last was edited; what is typed here differs."
        ),
    ] = False,
    no_place: Annotated[bool, typer.Option("--no-place", help="Make the movie only.")] = False,
    out: Out = None,
    detach: Annotated[
        bool,
        typer.Option(
            "--detach", help="Export, print the job's id and leave; `flowanchor resolve place` ends it."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Edit the marked region of the clip that is selected in Resolve so that SOURCE becomes TARGET.

    The prompts may stand in a marker on the clip, named FlowAnchor, with the note "this -> that".
    """
    with reported(as_json), reach.told():
        if folder is not None and not from_handoff:
            raise InputError("handoff-unasked", f"{folder} is not expected.", "Say --handoff before it.")
        first, last = parse_frames(frames)
        wanted = Wanted(
            options=options,
            typed=typed_options(context),
            order=session.Order(
                track=track,
                clip=clip,
                first=first,
                last=last,
                mask=mask_source(mask_from, options),
                place=not (no_place or detach),
                as_take=take,
            ),
            deliver=deliver,
            out=out,
            detach=detach,
            source_files=source_file,
        )
        if from_handoff:
            outcome = actions.edit_handoff(wanted, folder or handoff.NEWEST)
        elif again:
            outcome = actions.edit_again(wanted)
        else:
            outcome = actions.edit(wanted)
        print_outcome(outcome, as_json)


@app.command(short_help="Place a finished job's result at the clip it was made from.")
def place(
    job: Annotated[
        str,
        typer.Argument(metavar="JOB", help="The job's id, its beginning, or `last`: the last from Resolve."),
    ] = LAST,
    out: Out = None,
    take: Take = False,
    undo_it: Annotated[
        bool, typer.Option("--undo", help="Take its result off again: `flowanchor resolve undo JOB`.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch a job's result, after waiting for it if need be, and place it at the clip it was made from."""
    with reported(as_json), reach.told():
        if undo_it:
            print_undone(actions.undo(job), as_json)
        else:
            print_outcome(actions.place(job, out, take), as_json)


@app.command(short_help="Take a placed result off the timeline again.")
def undo(
    job: Annotated[
        str,
        typer.Argument(metavar="JOB", help="The job's id or its beginning; `last`: the one placed last."),
    ] = LAST,
    as_json: AsJson = False,
) -> None:
    """Take a result off the current timeline, with its marker; its file stays."""
    with reported(as_json), reach.told():
        print_undone(actions.undo(job), as_json)


@app.command(short_help="Wait for Resolve's menu and do what it asks.")
@with_optional_prompts
def sidecar(
    context: typer.Context,
    options: EditOptions,
    mask_from: MaskFrom = None,
    source_file: SourceFile = False,
    deliver: Delivery = "patch",
    take: Take = False,
    idle: Annotated[
        float | None,
        typer.Option(
            metavar="MINUTES", min=0.01, help="End after so long without anything to do; else never."
        ),
    ] = None,
) -> None:
    """Wait for Workspace > Scripts > FlowAnchor Edit in Resolve, and edit with these options.

    One thing at a time. Ctrl-C cancels what is at work, or else ends the sidecar.
    """
    with reported(), reach.told():
        wanted = Wanted(
            options=options,
            typed=typed_options(context),
            order=session.Order(mask=mask_source(mask_from, options), as_take=take),
            deliver=deliver,
            source_files=source_file,
        )
        acts = actions.for_sidecar(wanted)
        seconds = None if idle is None else idle * 60
        Sidecar(meeting.open_folder(), acts, say, seconds).serve()


@app.command(short_help="Look at all that edits from Resolve need, and say what helps.")
def doctor(as_json: doctor_command.AsJson = False) -> None:
    """Report Python, scripting module, edition, preference, menu scripts, sidecar and hand-offs.

    Exit code 4 if edits could not run. Nothing is changed."""
    doctor_command.doctor("resolve", as_json)


@app.command(
    short_help="Write down what passes between FlowAnchor and Resolve.",
    options_metavar="-o FILE COMMAND [ARGS]...",
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
    },
)
def record(
    context: typer.Context,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="The recording, JSON lines.")],
) -> None:
    """Do a command (edit, place or undo, with its options, or doctor) and write every call to Resolve and its
    reply to a file.

    Names, paths and prompts are replaced by hashes whose key is drawn for the file and kept nowhere. `doctor`
    only asks what is there, and changes nothing.
    """
    words = list(context.args)
    with reported("--json" in words), reach.told():
        if not words or words[0] not in ("edit", "place", "undo", "doctor"):
            raise InputError(
                "record-nothing",
                f"`{words[0][:40]}` cannot be recorded." if words else "Nothing says what to record.",
                "Write edit, place or undo with its options behind it, or doctor.",
            )
        with actions.recording(out, words[0]):
            try:
                if words[0] == "doctor":
                    print(actions.look())
                app(words, prog_name="flowanchor resolve")
            except SystemExit as ended:
                code = ended.code
        say(f"The recording is {out}; look into it before you send it.")
        raise typer.Exit(code if isinstance(code, int) else 0)
