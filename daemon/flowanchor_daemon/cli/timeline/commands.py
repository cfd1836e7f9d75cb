# SPDX-License-Identifier: Apache-2.0
"""The sub-commands of `flowanchor timeline`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from flowanchor_daemon.cli.edit import print_result
from flowanchor_daemon.cli.edit_options import EditOptions, with_edit_options
from flowanchor_daemon.cli.notation import parse_frames, parse_rate
from flowanchor_daemon.cli.outcome import reported

app = typer.Typer(help="Clips on timelines of other editing programs.", no_args_is_help=True)

File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="Timeline: OTIO (bundles too), Final Cut Pro 7 XML, FCPXML, EDL, MLT XML or a Kdenlive project.",
    ),
]
Rate = Annotated[
    str | None,
    typer.Option(
        "--timeline-rate",
        metavar="N",
        help="Frames a second of a timeline that does not state them, such as an EDL.",
    ),
]
Sequence = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Which sequence, where the file holds several."),
]


@app.callback()
def _root() -> None:
    """Clips on timelines of other editing programs."""


@app.command("list")
def list_clips(
    file: File,
    timeline_rate: Rate = None,
    sequence: Sequence = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the video tracks of FILE and their clips, and what keeps a clip from being edited."""
    with reported(as_json):
        from flowanchor_daemon.cli.timeline import reading, view

        source = reading.read(file, parse_rate(timeline_rate), sequence)
        if as_json:
            print(json.dumps(view.as_plain(source), ensure_ascii=False))
        else:
            view.print_table(source)


@app.command("edit", short_help="Edit a clip where it lies, into a new timeline file.")
@with_edit_options
def edit_clip(
    file: File,
    options: EditOptions,
    clip: Annotated[
        str, typer.Option(metavar="N|NAME", help="Its number on the track, from 1, or its name.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "-o",
            "--out",
            metavar="NEW",
            help="New timeline file; its ending chooses the format (.otio, .xml, .fcpxml, .edl, .mlt, "
            ".kdenlive; of a bundle also .otioz and .otiod). Nothing is ever replaced.",
        ),
    ],
    track: Annotated[
        int | None,
        typer.Option(
            metavar="V",
            min=1,
            help="Number of the video track, 1 at the bottom; else the top one with a clip.",
        ),
    ] = None,
    frames: Annotated[
        str | None,
        typer.Option(
            metavar="A-B", help="Frames of the clip to edit, from its first visible one, 0, both included."
        ),
    ] = None,
    media: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The clip's file, where the timeline's own name for it is wrong."),
    ] = None,
    media_out: Annotated[
        Path | None,
        typer.Option(
            "--media-out",
            metavar="FILE",
            help="The edited frames' own file; else a name beside NEW that nothing has.",
        ),
    ] = None,
    deliver: Annotated[
        Literal["full", "patch"], typer.Option(help="Whole frames, or the region with its matte as alpha.")
    ] = "full",
    out_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="prores, h264 or ffv1; patch: prores4444. Else by --media-out's ending, without it prores, "
            "of a patch prores4444.",
        ),
    ] = None,
    timeline_rate: Rate = None,
    sequence: Sequence = None,
    flavour: Annotated[
        Literal["resolve", "any"] | None,
        typer.Option(
            "--for",
            help="How an .otio file names media: for Resolve by path, for any other program by URL; else as "
            "FILE does.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Last line of output: the result as JSON.")] = False,
) -> None:
    """Edit a clip of the timeline FILE; NEW is the timeline with the result on a new track above all others.

    FILE and its media stay as they are.
    """
    with reported(as_json):
        from flowanchor_daemon.cli.timeline import job, reading
        from flowanchor_daemon.cli.timeline.wish import Wish

        first, last = parse_frames(frames)
        source = reading.read(file, parse_rate(timeline_rate), sequence)
        wish = Wish(
            clip=clip,
            track=track,
            first=first,
            last=last,
            media=media,
            out=out,
            media_out=media_out,
            deliver=deliver,
            out_format=out_format,
            flavour=flavour,
        )
        done = job.run(source, wish, options)
        if as_json:
            print(json.dumps(done.to_json(), ensure_ascii=False))
            return
        print_result(done.result, exact="ffv1 or --deliver patch")
        print(f"{done.timeline}")
        print(f'  track {done.track} "{done.track_name}", from {done.start} on, {done.result.frames} frames')
