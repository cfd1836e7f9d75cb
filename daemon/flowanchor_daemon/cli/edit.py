# SPDX-License-Identifier: Apache-2.0
"""`flowanchor edit`: one clip, one region, two prompts."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from flowanchor_daemon.cli import edit_job
from flowanchor_daemon.cli.connected import connected
from flowanchor_daemon.cli.edit_options import EditOptions, with_edit_options
from flowanchor_daemon.cli.notation import output_for, parse_frames, parse_rate
from flowanchor_daemon.cli.outcome import reported
from flowanchor_daemon.cli.progress import reporter

if TYPE_CHECKING:
    from flowanchor_core.progress import EditResult


@with_edit_options
def edit(
    clip: Annotated[
        Path,
        typer.Argument(metavar="CLIP", help="Movie file, or numbered images (folder or name.%04d.png)."),
    ],
    options: EditOptions,
    frames: Annotated[
        str | None,
        typer.Option(
            metavar="A-B", help="Frames to edit, from 0, both ends included; or one, as 5; else all."
        ),
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option(metavar="N", help="Frames a second of an image sequence, such as 24000/1001; else 24."),
    ] = None,
    deliver: Annotated[
        Literal["full", "patch"], typer.Option(help="Whole frames, or the region with its matte as alpha.")
    ] = "full",
    out_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="h264, prores (both compress the whole frame again), ffv1, png (both exact); patch: "
            "prores4444, png. Else by -o's ending; without -o h264, of a patch prores4444.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            help="Output file, or pattern for images, or their folder with --format png; a movie of that "
            "name is replaced. Else CLIP-full or CLIP-patch beside the clip, or the next free -2, -3 …",
        ),
    ] = None,
    detach: Annotated[
        bool,
        typer.Option("--detach", help="Print the job's id and leave; `flowanchor jobs fetch ID` delivers."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Last line of output: the result as JSON.")] = False,
) -> None:
    """Edit the marked region of CLIP so that SOURCE becomes TARGET; outside it only its soft edge changes."""
    with reported(as_json):
        from flowanchor_core.request import DeliverySettings

        first, last = parse_frames(frames)
        file_format, path = output_for(clip, deliver, out_format, out)
        delivery = DeliverySettings(out=path, kind=deliver, format=file_format)
        request = options.request(clip, delivery, first, last, parse_rate(rate))
        # Here first: messages name the user's own files, and nothing is sent in vain.
        plan, named = edit_job.planned(request), out is not None
        with reporter() as show, connected(show) as client:
            if client.warning:
                show.note(client.warning)
            if detach:
                job = edit_job.submit(client, plan, options.device, options.priority, show, named)
            else:
                result = edit_job.run(client, plan, options.device, options.priority, show, named)
        if detach:
            print(json.dumps({"job": job.id}) if as_json else job.id)
            tell_of_fetch(job.id)
        else:
            print_result(result, as_json)


def print_result(
    result: EditResult, as_json: bool = False, exact: str = "ffv1, png or --deliver patch"
) -> None:
    """The outcome on standard output: one JSON line, or the same facts to read (but the notices, which were
    told on standard error when they came up). `exact` names what the command at hand delivers exactly."""
    if as_json:
        print(json.dumps(result.to_json(), ensure_ascii=False))
        return
    total = sum(result.seconds.values())
    phases = ", ".join(f"{phase} {spent:.1f}" for phase, spent in result.seconds.items())
    print(result.output.absolute())
    count = "1 frame" if result.frames == 1 else f"{result.frames} frames"
    print(f"  {count} at {result.rate}, {result.deliver} as {result.format}")
    steps, skip = result.sampling["steps"], result.sampling["skip"]
    how = f"{result.editor} with {result.model}, {result.preset}, {steps} steps of which {skip} are skipped"
    print(f"  {how}, seed {result.seed}: {runs_of_the_model(result.forwards)}")
    difference = f"{result.max_abs_diff_outside}{_why(result, exact)}"
    print(f"  largest difference outside the region and its soft edge: {difference}")
    print(f"  {total:.1f} s ({phases})")
    if result.sheet is not None:
        print(f"  contact sheet: {result.sheet.absolute()}")


def runs_of_the_model(count: int) -> str:
    """ "1 run of the model", "92 runs of the model"."""
    return "1 run of the model" if count == 1 else f"{count} runs of the model"


def tell_of_fetch(job: str) -> None:
    """Say on standard error how a job that was left to the daemon gets delivered."""
    print(f"`flowanchor jobs fetch {job}` delivers it.", file=sys.stderr)


def _why(result: EditResult, exact: str) -> str:
    """Where the codec, not the edit, changed what lies outside."""
    if result.max_abs_diff_outside == 0 or result.deliver == "patch":
        return ""
    return f" ({result.format} compresses the whole frame again; with {exact} it stays exact)"
