# SPDX-License-Identifier: Apache-2.0
"""The one-shot actions of the free edition, up to 21.0.4, inside Resolve: export a hand-off, place finished
ones, take the last result off again. Each ends by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from flowanchor_resolve import handoff, quicktime, session
from flowanchor_resolve.host import Footage, Host, Region, Say, Selection
from flowanchor_resolve.problems import ResolveProblem

NO_MASK = "resolve-no-mask"
"""Code of what `Host.export_mask` raises where the user has marked no region; it can be given outside."""

OTHER_PROJECT = "resolve-timeline-gone"
"""Code of what `Host.place` raises for a timeline that the open project does not have."""

BROKEN = ("handoff-broken", "resolve-note-broken")
"""Codes of what reading a hand-off raises."""


def act(action: str, resolve: Any, say: Say) -> str:
    """Do one action; gives a sentence on the outcome. ResolveProblem if it cannot be done."""
    return act_on(action, host_of(resolve, say), say)


def act_on(action: str, host: Host, say: Say) -> str:
    """`act` for any host."""
    actions: dict[str, Callable[[Host, Say], str]] = {"edit": export, "place": place, "undo": undo}
    if action not in actions:
        raise ResolveProblem(
            "resolve-needs-studio",
            "The free edition can only export, place and undo from here.",
            "Use FlowAnchor Edit, then `flowanchor resolve edit --handoff` in a terminal.",
        )
    return actions[action](host, say)


def host_of(resolve: Any, say: Say) -> Host:
    """The host inside Resolve, with a reader of movies that needs Python alone and sees no pictures."""
    from flowanchor_resolve.resolve_host import ResolveHost

    return ResolveHost(resolve, quicktime.probe, say, sees_pictures=False)


def export(host: Host, say: Say) -> str:
    """Leave a hand-off of the selected clip."""

    def fill(folder: Path) -> tuple[Selection, Footage, Region | None]:
        selection = host.select()
        say(f"Exporting {session.described(selection)}.")
        footage = host.export_range(selection, folder, say)
        try:
            return selection, footage, host.export_mask(selection, "auto", folder, say)
        except ResolveProblem as problem:
            if problem.code != NO_MASK:
                raise
            say("No region is marked on the timeline; give it outside with --box or --mask.")
            return selection, footage, None

    request = handoff.leave(fill)
    return f"The clip waits in {request.folder}. Now run `flowanchor resolve edit --handoff` in a terminal."


def place(host: Host, say: Say) -> str:
    """Place every finished hand-off whose timeline is in the open project; one that cannot be placed is told
    and keeps none from its turn. If there is none, the one that was placed last of those taken off the
    current timeline is put there again."""
    done = others = 0
    failed: list[ResolveProblem] = []
    for folder in handoff.finished():
        try:
            selection = _place(host, folder)
        except ResolveProblem as problem:
            if problem.code == OTHER_PROJECT:
                others += 1
            else:
                say(f"{folder.name} is not placed: {problem}")
                failed.append(problem)
            continue
        say(f"Placed {session.described(selection)}.")
        done += 1
    rest = f" {others} more belong to other projects." if others else ""
    if done:
        rest += f" {len(failed)} could not be placed." if failed else ""
        return f"{'1 result is' if done == 1 else f'{done} results are'} on the timeline.{rest}"
    if failed:
        raise failed[0]
    if again := _again(host):
        return f"Placed {session.described(again)} again, since nothing else waits.{rest}"
    raise ResolveProblem(
        "handoff-none-finished",
        f"No finished edit of this project waits to be placed.{rest}",
        "Run `flowanchor resolve edit --handoff` in a terminal first.",
    )


def _again(host: Host) -> Selection | None:
    """Place the result again that was placed last among those taken off the current timeline since."""
    for folder, where in handoff.placed():
        if host.taken_off(where):
            try:
                return _place(host, folder)
            except ResolveProblem as problem:
                if problem.code not in BROKEN:  # its files were removed since: then it is not meant
                    raise
    return None


def _place(host: Host, folder: Path) -> Selection:
    """Place a finished hand-off, and note in its folder that it is."""
    selection, result = handoff.read_result(folder)
    placed = host.place(selection, replace(result, settings={**result.settings, "at": time.time()}))
    try:
        handoff.note_placed(folder, placed)
    except ResolveProblem:
        host.undo(placed)  # or it would be placed once more the next time
        raise
    return selection


def undo(host: Host, say: Say) -> str:
    """Take the result that was placed last off the timeline."""
    placed, result = session.newest(list(host.placed()))
    host.undo(placed)
    return f"The result of the job {result.job} is off the timeline again."
