# SPDX-License-Identifier: Apache-2.0
"""Takes a result off its timeline again, and says what could not be taken off."""

from __future__ import annotations

import functools
from collections.abc import Callable

from flowanchor_resolve.held import put_back
from flowanchor_resolve.host import Placed
from flowanchor_resolve.markers import delete_marker, find_marker
from flowanchor_resolve.names import is_result_track
from flowanchor_resolve.opened import Item, Opened
from flowanchor_resolve.problems import ResolveProblem

DELETE_TRIES = 2
"""The first deletion of a session has been seen to fail."""


def take_off(opened: Opened, placed: Placed) -> None:
    """Take a placed result off its timeline, with its marker and its track if that is ours and empty.

    Raises:
        ResolveProblem: "resolve-not-placed", if neither clip nor marker is there; "resolve-undo", if Resolve
            does not delete the clip, its marker or its track.
    """
    item = opened.find_item(placed.item_id)
    marked = find_marker(opened, placed.marker)
    if item is None and not marked:
        raise ResolveProblem(
            "resolve-not-placed",
            "The result is not on the timeline.",
            "Nothing needs to be undone; `flowanchor resolve place` puts it there again.",
        )
    if item is not None and not deleted(lambda: delete_item(opened, item)):
        raise ResolveProblem(
            "resolve-undo",
            f'Resolve does not delete the clip "{item.name}" on video track {item.track}.',
            "Unlock the track, then try again.",
        )
    steps: list[tuple[str, Callable[[], bool]]] = [
        ("its marker", lambda: delete_marker(opened, placed.marker))
    ]
    if placed.made_track:
        tracks = {placed.track, item.track if item is not None else placed.track}
        steps += [
            ("its empty track", functools.partial(remove_track, opened, track))
            for track in sorted(tracks, reverse=True)
        ]
    put_back(steps, say_what_is_left)


def deleted(attempt: Callable[[], bool]) -> bool:
    """Whether the clip or take of a result is gone.

    Raises:
        ResolveProblem: Resolve or the timeline does not answer; what may be left is part of its sentence.
    """
    try:
        return attempt()
    except ResolveProblem as problem:
        problem.action = f"{problem.action} What is still there of the result then has to be deleted by hand."
        raise


def say_what_is_left(left: list[str]) -> None:
    """Raise "resolve-undo" with what is left of a result whose clip is gone."""
    raise ResolveProblem(
        "resolve-undo",
        f"The result is off the timeline, but not {' and '.join(dict.fromkeys(left))}.",
        "Close any dialog in Resolve, and delete what is left by hand.",
    )


def delete_item(opened: Opened, item: Item) -> bool:
    """Delete a clip from the timeline without moving others; whether it is gone."""
    for _ in range(DELETE_TRIES):
        current = opened.find_item(item.item_id) if item.kind == "video" else item
        if current is None:
            return True
        opened.calls.ask(opened.timeline, "DeleteClips", [current.thing], False)
    return opened.find_item(item.item_id) is None


def remove_track(opened: Opened, track: int) -> bool:
    """Delete a track of ours if nothing is on it; whether it was left alone or is gone."""
    name = opened.track_name("video", track)
    if not name:
        opened.check_open()
    if not is_result_track(name) or opened.items("video", track):
        return True
    return bool(opened.calls.ask(opened.timeline, "DeleteTrack", "video", track))
