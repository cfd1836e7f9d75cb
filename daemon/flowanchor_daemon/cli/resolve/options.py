# SPDX-License-Identifier: Apache-2.0
"""Options that commands of `flowanchor resolve` share."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Literal

import typer
from flowanchor_resolve.host import MaskSource

from flowanchor_daemon.cli.edit_options import EditOptions, with_edit_options
from flowanchor_daemon.cli.resolve.wish import PROMPTS

with_optional_prompts = functools.partial(with_edit_options, optional=PROMPTS)
"""The options of an edit whose prompts may stand in the clip's marker."""

MaskFrom = Annotated[
    Literal["auto", "track", "alpha", "fusion", "matte"] | None,
    typer.Option(
        help='Region from the timeline: a clip on the track "FA MASK", the picture\'s alpha, a polygon of '
        "the clip's Fusion composition, an attached matte, or the first of these. Default: auto, without "
        "--mask and --box.",
    ),
]
Delivery = Annotated[
    Literal["patch", "full"],
    typer.Option(help="The region with its matte as alpha, or whole frames (compressed again)."),
]
SourceFile = Annotated[
    bool,
    typer.Option(
        "--source-file",
        help="Take the clip's own file in place of a render, unless Resolve tells of something that changes "
        "its pictures. It does not tell of fades.",
    ),
]
Take = Annotated[
    bool, typer.Option("--take", help="Add it as a take of the clip, not on a track of its own.")
]
Out = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--out",
        metavar="FILE.mov",
        help="The result's file, which the project will refer to. Else by timeline and clip in the folder of "
        "videos, under FlowAnchor.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Last line of output: the outcome as JSON.")]


def mask_source(asked: MaskSource | None, options: EditOptions) -> MaskSource | None:
    """Where on the timeline the region is looked for: nowhere if it is given by options alone."""
    if asked is not None:
        return asked
    return None if options.mask or options.box else "auto"
