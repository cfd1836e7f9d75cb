# SPDX-License-Identifier: Apache-2.0
"""The media pool: results go into the bin "FlowAnchor/<timeline>"."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flowanchor_resolve.held import put_back
from flowanchor_resolve.host import Say
from flowanchor_resolve.names import TRACK, safe_name
from flowanchor_resolve.opened import Opened
from flowanchor_resolve.problems import ResolveProblem


@contextmanager
def result_bin(opened: Opened, say: Say) -> Iterator[Any]:
    """Make the bin of a timeline's results the current one, since imports go there, and go back to the one
    before at the end."""
    calls, pool = opened.calls, opened.pool
    before = calls.need("give the current bin", pool, "GetCurrentFolder")
    try:
        root = calls.need("give the media pool's root", pool, "GetRootFolder")
        outer = _bin(opened, pool, root, TRACK)
        inner = _bin(opened, pool, outer, safe_name(opened.timeline_name))
        calls.need("open the bin of the results", pool, "SetCurrentFolder", inner)
        yield inner
    finally:
        put_back(
            [("The bin that was open before", lambda: calls.ask(pool, "SetCurrentFolder", before))],
            lambda left: say(f"{left[0]} could not be opened again."),
        )


def import_result(opened: Opened, folder: Any, path: Path) -> tuple[Any, bool]:
    """The media pool clip of a file in the current bin, and whether it was imported just now.

    Raises:
        ResolveProblem: "resolve-import", if Resolve does not take the file.
    """
    calls = opened.calls
    there = _clip_of(opened, folder, path)
    if there is not None:
        return there, False
    calls.ask(opened.pool, "ImportMedia", [str(path)])
    made = _clip_of(opened, folder, path)
    if made is None:
        calls.check_answering()
        raise ResolveProblem(
            "resolve-import",
            f'Resolve did not import "{path.name}".',
            "Import the file in Resolve by hand to see why.",
        )
    return made, True


def _bin(opened: Opened, pool: Any, parent: Any, name: str) -> Any:
    there = _named(opened, parent, name)
    if there is not None:
        return there
    opened.calls.need(f'add the bin "{name}"', pool, "AddSubFolder", parent, name)
    made = _named(opened, parent, name)
    if made is None:
        raise ResolveProblem(
            "resolve-refused", f'Resolve did not add the bin "{name}".', "Look at Resolve, then try again."
        )
    return made


def _named(opened: Opened, parent: Any, name: str) -> Any:
    calls = opened.calls
    folders = calls.many(parent, "GetSubFolderList")
    return next((one for one in folders if calls.ask(one, "GetName") == name), None)


def _clip_of(opened: Opened, folder: Any, path: Path) -> Any:
    wanted = os.path.realpath(path)
    for clip in opened.calls.many(folder, "GetClipList"):
        told = opened.calls.ask(clip, "GetClipProperty", "File Path")
        if told and os.path.realpath(str(told)) == wanted:
            return clip
    return None
