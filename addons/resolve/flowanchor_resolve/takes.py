# SPDX-License-Identifier: Apache-2.0
"""A result as a take of its clip, in place of a clip of its own.

The take selector is never finalised, so that the original stays among the takes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flowanchor_resolve.frames import Span, whole
from flowanchor_resolve.held import put_back
from flowanchor_resolve.host import Placed, Result, Say, Selection
from flowanchor_resolve.markers import add_marker, delete_marker, find_marker, marker_data
from flowanchor_resolve.opened import Item, Opened, media_id
from flowanchor_resolve.place import drop_media, listing, still_there, take_back
from flowanchor_resolve.pool import import_result, result_bin
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.undo import deleted, say_what_is_left


@dataclass(frozen=True)
class Takes:
    """Takes on one timeline, which is current, with the Edit page open."""

    opened: Opened
    say: Say

    def add(self, selection: Selection, result: Result) -> Placed:
        """Add a checked result as a take and select it.

        Raises:
            ResolveProblem: "resolve-take-range", "resolve-take-differs", "resolve-clip-moved",
                "resolve-import", "resolve-marker", "resolve-refused", "resolve-dialog-open"; the take is
                gone again then, or the sentence says that it is not.
        """
        opened, calls = self.opened, self.opened.calls
        item = still_there(opened, selection)
        if item.span != Span(selection.start, selection.end):
            raise ResolveProblem(
                "resolve-take-range",
                "A take replaces the whole clip, and only a part of it was edited.",
                "Place the result on a track of its own, or edit the whole clip.",
            )
        before = listing(opened)
        selected = whole(calls.ask(item.thing, "GetSelectedTakeIndex") or 0)
        undo: list[Callable[[], bool]] = []
        try:
            with result_bin(opened, self.say) as folder:
                media, imported = import_result(opened, folder, result.path)
                if imported:
                    undo.append(lambda: drop_media(opened, media))
            wanted = media_id(calls, media)
            undo.append(lambda: self._remove(item.thing, wanted, selected))
            calls.need("add the result as a take", item.thing, "AddTake", media)
            index = self._index(item.thing, wanted)
            if index == 0:
                raise ResolveProblem(
                    "resolve-take-differs",
                    "Resolve did not add the result as a take.",
                    "Place the result on a track of its own.",
                )
            if calls.ask(item.thing, "GetSelectedTakeIndex") != index:
                calls.need("select the take", item.thing, "SelectTakeByIndex", index)
            self._check(before, item, wanted)
            placed = Placed(
                timeline_id=selection.timeline_id,
                item_id=item.item_id,
                track=item.track,
                start=item.span.start,
                end=item.span.end,
                made_track=False,
                media_id=wanted,
                marker="",
                take=index,
            )
            data = marker_data(placed, result)
            undo.append(lambda: delete_marker(opened, data))
            add_marker(opened, selection.relative_start, selection.frames, result, data)
        except BaseException as problem:
            take_back(undo, problem, self.say)
            raise
        return replace(placed, marker=data)

    def remove(self, placed: Placed) -> None:
        """Take a result's take away again and show the first take that is left.

        Raises:
            ResolveProblem: "resolve-not-placed", "resolve-undo".
        """
        opened = self.opened
        item = opened.find_item(placed.item_id)
        there = item is not None and self._index(item.thing, placed.media_id) > 0
        if not there and not find_marker(opened, placed.marker):
            raise ResolveProblem(
                "resolve-not-placed",
                "The result is not on the timeline.",
                "Nothing needs to be undone; `flowanchor resolve place` puts it there again.",
            )
        if item is not None and there and not deleted(lambda: self._remove(item.thing, placed.media_id, 1)):
            raise ResolveProblem(
                "resolve-undo",
                f'Resolve does not delete the take of the clip "{item.name}".',
                "Delete it in the clip's take selector.",
            )
        put_back([("its marker", lambda: delete_marker(opened, placed.marker))], say_what_is_left)

    def _check(self, before: dict[str, Item], item: Item, wanted: str) -> None:
        """All must lie as it did; the clip alone shows other media."""
        after = listing(self.opened)
        now = after.get(item.item_id)
        if now is None or now.span != item.span or now.media_id != wanted:
            raise ResolveProblem(
                "resolve-take-differs",
                "The clip changed its length or does not show the new take.",
                "Place the result on a track of its own.",
            )
        moved = [was.name for key, was in before.items() if key != item.item_id and after.get(key) != was]
        if moved or set(after) != set(before):
            raise ResolveProblem(
                "resolve-take-differs",
                f"The take changed other clips: {', '.join(moved[:3])}.",
                "Undo it in Resolve (Ctrl Z), and place the result on a track of its own.",
            )

    def _index(self, thing: Any, wanted: str) -> int:
        """The number of the take that shows a clip of the media pool, 0 if none does."""
        calls = self.opened.calls
        count = whole(calls.ask(thing, "GetTakesCount") or 0)
        if not count:
            self.opened.check_open()
        for index in range(1, count + 1):
            take = calls.ask(thing, "GetTakeByIndex", index)
            media = take.get("mediaPoolItem") if isinstance(take, dict) else None
            if media and media_id(calls, media) == wanted:
                return index
        return 0

    def _remove(self, thing: Any, wanted: str, selected: int) -> bool:
        calls = self.opened.calls
        index = self._index(thing, wanted)
        if index == 0:
            return True
        if selected and selected != index:
            calls.ask(thing, "SelectTakeByIndex", selected)
        elif calls.ask(thing, "GetSelectedTakeIndex") == index:
            calls.ask(thing, "SelectTakeByIndex", 2 if index == 1 else 1)
        calls.ask(thing, "DeleteTakeByIndex", index)
        return self._index(thing, wanted) == 0
