# SPDX-License-Identifier: Apache-2.0
"""The files of an edit on a timeline: the clip's own, and the one that its edited frames go to."""

from __future__ import annotations

import os
import re
from pathlib import Path

from flowanchor_interchange import files
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.selection import Selection, unsuitable

from flowanchor_core.footage.probe import ClipInfo, probe
from flowanchor_core.request import DeliverySettings
from flowanchor_daemon.cli.notation import FULL_FORMATS, PATCH_FORMATS, free, output_for
from flowanchor_daemon.cli.timeline.wish import Wish


def footage_of(source: files.TimelineFile, selection: Selection, wish: Wish) -> ClipInfo:
    """The clip's file, looked at.

    Raises:
        InputError: it is not there or cannot be used.
    """
    clip = selection.clip
    if clip.media is None:
        raise unsuitable(clip, "the timeline names no file for it")
    path = wish.media or clip.media.path
    if path is None:
        raise TimelineProblem(
            "timeline-media-missing",
            f"The timeline names '{clip.media.stated[:120]}' for '{clip.name[:60]}', which is no file here.",
            "Name the file with --media.",
        )
    if wish.media is None and clip.media.kind == "movie" and not there(path):
        raise TimelineProblem(
            "timeline-media-missing",
            f"The file of '{clip.name[:60]}' is not there: {path}.",
            "Name it with --media, or export the timeline again.",
        )
    images = clip.media.kind == "images" or path.is_dir()
    return probe(path, source.timeline.rate if images else None)


def there(path: Path) -> bool:
    """Whether a file lies at a path, which may be too long or odd to be one."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def delivery_of(
    source: files.TimelineFile, selection: Selection, wish: Wish
) -> tuple[DeliverySettings, bool]:
    """Where the edited frames go, as what, and whether the user named the place."""
    formats = FULL_FORMATS if wish.deliver == "full" else PATCH_FORMATS
    usual = "prores" if wish.deliver == "full" else "prores4444"
    out = wish.media_out
    if out is None:
        ending = {value: key for key, value in formats.items()}.get(wish.out_format or usual, ".mov")
        name = re.sub(r"[^\w.-]+", "-", Path(selection.clip.name).stem).strip("-.")[:60] or "clip"
        out = free(wish.out.absolute().parent / f"{wish.out.stem}-{name}{ending}")
    elif os.path.lexists(out):
        raise TimelineProblem(
            "timeline-exists", f"{out.name[:80]} is there already.", "Choose another name for --media-out."
        )
    chosen, path = output_for(out, wish.deliver, wish.out_format, out)
    if chosen == "png":
        raise TimelineProblem(
            "timeline-place",
            "A timeline takes the edited frames as a movie, not as images.",
            f"Use --format {usual}.",
        )
    if path.absolute() == wish.out.absolute():
        raise TimelineProblem(
            "timeline-exists",
            "The timeline and the edited frames have the same name.",
            "Name another --media-out.",
        )
    return DeliverySettings(out=path.absolute(), kind=wish.deliver, format=chosen), wish.media_out is not None
