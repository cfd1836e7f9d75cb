# SPDX-License-Identifier: Apache-2.0
"""One edit from the timeline to the timeline: select, export, edit, place.

How frames are edited is handed in (`Editing`), so that this file knows no daemon.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from flowanchor_resolve.host import Footage, Host, MaskSource, Placed, Region, Result, Say, Selection
from flowanchor_resolve.problems import ResolveProblem


@dataclass(frozen=True)
class Order:
    """What to edit, and what to do with the result.

    `track` and `clip` name the clip (else the selected one), `first` and `last` a part of it, frames from 0
    with both ends included; `span` names that part by its record frames instead. `mask` says where on the
    timeline the region is; None: it is given otherwise.
    """

    track: int | None = None
    clip: str | None = None
    first: int = 0
    last: int | None = None
    span: tuple[int, int] | None = None
    mask: MaskSource | None = "auto"
    place: bool = True
    as_take: bool = False


@dataclass(frozen=True)
class Task:
    """What is edited: the clip, its pictures and its region (None: given otherwise).

    `folder` is for files that are needed until the edit is done, and removed then.
    """

    selection: Selection
    footage: Footage
    region: Region | None
    folder: Path


class Editing(Protocol):
    """Edits frames, somewhere."""

    def check(self, selection: Selection) -> None:
        """Raise what can be known to be wrong before anything is exported: no prompts, say."""

    def edit(self, task: Task) -> Result | None:
        """The edited movie; None if the edit was left to run by itself."""

    def discard(self, result: Result) -> None:
        """Remove a result's file that could not be placed, unless the user has named it."""


@dataclass(frozen=True)
class Done:
    """How it ended: `result` is None for an edit that was left to itself, `placed` for one not placed."""

    selection: Selection
    result: Result | None
    placed: Placed | None


def edit(host: Host, order: Order, editing: Editing, say: Say) -> Done:
    """Carry out an order. Exported files are gone afterwards, however it ends.

    Raises:
        ResolveProblem: Resolve could not do a step; what was begun there is taken back.
        Exception: what `editing` raises, KeyboardInterrupt included.
    """
    selection = host.select(order.track, order.clip)
    if order.span is not None:
        start, end = order.span
        selection = narrowed(selection, start - selection.start, end - selection.start - 1)
    else:
        selection = narrowed(selection, order.first, order.last)
    editing.check(selection)
    say(f"Editing {described(selection)}.")
    with temporary_folder() as made:
        folder = Path(made)
        footage = host.export_range(selection, folder, say)
        region = None
        if order.mask is not None:
            region = host.export_mask(selection, order.mask, folder, say)
        result = editing.edit(Task(selection, footage, region, folder))
    if result is None or not order.place:
        return Done(selection, result, None)
    say("Placing the result on the timeline.")
    return Done(selection, result, place(host, selection, result, editing, order.as_take))


def temporary_parent() -> str:
    """Where exports lie while they are needed: /var/tmp where there is one, as /tmp may be kept in memory and
    movies are large; what is set for temporary files ($TMPDIR) wins."""
    chosen = tempfile.tempdir or any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    large = "/var/tmp"
    if not chosen and os.path.isdir(large) and os.access(large, os.W_OK):
        return large
    return tempfile.gettempdir()


def temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for exports that goes at the end of its context."""
    parent = temporary_parent()
    return tempfile.TemporaryDirectory(prefix="flowanchor-resolve-", dir=parent, ignore_cleanup_errors=True)


def place(
    host: Host, selection: Selection, result: Result, editing: Editing, as_take: bool = False
) -> Placed:
    """Put a finished result on the timeline.

    Raises:
        ResolveProblem: it is not there; the edit itself is kept by the daemon, as the action says.
    """
    try:
        return host.place(selection, result, as_take)
    except BaseException as failure:
        editing.discard(result)
        if isinstance(failure, ResolveProblem):
            way = f"`flowanchor resolve place {result.job}` then places the finished edit."
            raise ResolveProblem(failure.code, failure.message, f"{failure.action} {way}") from failure
        raise


def narrowed(selection: Selection, first: int, last: int | None) -> Selection:
    """Frames `first` to `last` of a selection, counted from its first, both included; None: to its end.

    Raises:
        ResolveProblem: "resolve-frames", if it has no such frames.
    """
    end = selection.frames if last is None else last + 1
    if not 0 <= first < end <= selection.frames:
        asked = f"{first}-{'' if last is None else last}"
        raise ResolveProblem(
            "resolve-frames",
            f"The clip {selection.name} has the frames 0 to {selection.frames - 1}, not {asked}.",
            "Choose frames within the part of the clip that is on the timeline.",
        )
    return replace(selection, start=selection.start + first, end=selection.start + end)


def newest(placed: list[tuple[Placed, Result]], job: str | None = None) -> tuple[Placed, Result]:
    """The result that was placed last, or the one of a job (the beginning of its id will do).

    Raises:
        ResolveProblem: "resolve-nothing-placed".
    """
    fitting = [pair for pair in placed if job is None or pair[1].job.startswith(job)]
    if fitting:
        return max(fitting, key=lambda pair: moment(pair[1].settings))
    raise ResolveProblem(
        "resolve-nothing-placed",
        "The current timeline has no result of FlowAnchor's."
        if job is None
        else f"No result of the job {job} is on the current timeline.",
        "Open the timeline it was placed on, then try again.",
    )


def moment(settings: Mapping[str, object]) -> float:
    """When a result was placed, or its edit made, seconds since 1970; 0 if its settings do not say."""
    made = settings.get("at")
    return float(made) if isinstance(made, (int, float)) and not isinstance(made, bool) else 0.0


def described(selection: Selection) -> str:
    """A selection in words: the clip, its track, how many frames."""
    count = "1 frame" if selection.frames == 1 else f"{selection.frames} frames"
    return f'"{selection.name}" on track {selection.track} of "{selection.timeline}", {count}'


def look(host: Host) -> str:
    """What would be edited, and what has been placed, in a sentence; changes nothing.

    Raises:
        ResolveProblem: nothing can be edited, and why.
    """
    selection = host.select()
    placed = len(host.placed())
    results = "1 result is" if placed == 1 else f"{placed} results are"
    return f"Would edit {described(selection)}; {results} on the timeline."
