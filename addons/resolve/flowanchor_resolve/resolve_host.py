# SPDX-License-Identifier: Apache-2.0
"""A running Resolve as a `Host`."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from flowanchor_resolve.at_work import at_work
from flowanchor_resolve.calls import Calls
from flowanchor_resolve.deliver import Delivery, Order
from flowanchor_resolve.direct import Differs, source_footage
from flowanchor_resolve.edition import check_usable, read_edition
from flowanchor_resolve.frames import Span
from flowanchor_resolve.host import Footage, MaskSource, Placed, Probe, Region, Result, Say, Selection
from flowanchor_resolve.names import is_mask_track
from flowanchor_resolve.opened import Opened, open_current
from flowanchor_resolve.place import Placement, check_result
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.regions import Regions
from flowanchor_resolve.results import placed_results
from flowanchor_resolve.select import read_selection, timeline_rate, timeline_size
from flowanchor_resolve.takes import Takes
from flowanchor_resolve.undo import take_off
from flowanchor_resolve.watch import Watch

_T = TypeVar("_T")


def _quiet(sentence: str) -> None:
    pass


class ResolveHost:
    """See `Host`. Nothing of Resolve is held between calls, since its objects go stale."""

    def __init__(
        self,
        resolve: Any,
        probe: Probe,
        say: Say = _quiet,
        watch: Watch | None = None,
        source_files: bool = False,
        sees_pictures: bool = True,
    ) -> None:
        """
        Args:
            resolve: what `scriptapp("Resolve")` gives, or the global `resolve` of a script inside.
            probe: looks into movie files.
            say: told what is not part of an answer, such as what could not be put back.
            watch: how renders are waited for.
            source_files: export the clip's own file where nothing that Resolve tells speaks against it (see
                direct.py); else the range is always rendered.
            sees_pictures: the probe tells whether a movie is transparent somewhere; else that is not what
                "auto" finds a region by.

        Raises:
            ResolveProblem: "resolve-free", "resolve-dialog-open".
        """
        self.calls = Calls(resolve)
        self.edition = read_edition(self.calls)
        check_usable(self.edition)
        self.probe, self.say = probe, say
        self.watch = watch or Watch()
        self.source_files, self.sees_pictures = source_files, sees_pictures

    def select(self, track: int | None = None, clip: str | None = None) -> Selection:
        return read_selection(open_current(self.calls), self.edition, track, clip)

    def export_range(self, selection: Selection, folder: Path, say: Say) -> Footage:
        """See `Host`. What is rendered is what is seen up to the clip's track: tracks above it, subtitles and
        the mask track are off, tracks below as they are."""
        with at_work(self.calls, selection.timeline_id, "deliver", say, self.watch) as opened:
            self._check_same_timeline(opened, selection)
            if missing := opened.need_item(selection.item_id, selection.name).missing_file:
                say(f'"{missing}" is not where Resolve has it: the clip may be rendered as offline.')
            if self.source_files:
                try:
                    return source_footage(opened, selection, self.probe)
                except Differs as difference:
                    say(f"The range is rendered, since {difference}.")
            masks = {
                track
                for track in range(1, opened.track_count("video") + 1)
                if is_mask_track(opened.track_name("video", track))
            }

            def wanted(kind: str, track: int, was: bool) -> bool:
                if kind != "video" or track > selection.track:
                    return False
                return track == selection.track or (was and track not in masks)

            order = Order(selection, f"range {uuid.uuid4().hex[:8]}", folder, wanted)
            path, _ = self._delivery(opened, say).render(order)
        return Footage(path, 0, selection.frames, direct=False)

    def export_mask(self, selection: Selection, source: MaskSource, folder: Path, say: Say) -> Region:
        with at_work(self.calls, selection.timeline_id, "deliver", say, self.watch) as opened:
            self._check_same_timeline(opened, selection)
            regions = Regions(self._delivery(opened, say), selection, folder, self.sees_pictures)
            return regions.read(source)

    def place(self, selection: Selection, result: Result, as_take: bool = False) -> Placed:
        check_result(selection, result, self.probe)

        def place(opened: Opened) -> Placed:
            self._check_same_timeline(opened, selection)
            if as_take:
                return Takes(opened, self.say).add(selection, result)
            return Placement(opened, self.say).place(selection, result)

        return self._changed(selection.timeline_id, place)

    def undo(self, placed: Placed) -> None:
        def take(opened: Opened) -> None:
            if placed.take:
                Takes(opened, self.say).remove(placed)
            else:
                take_off(opened, placed)

        self._changed(placed.timeline_id, take)

    def placed(self) -> Sequence[tuple[Placed, Result]]:
        return placed_results(open_current(self.calls))

    def taken_off(self, placed: Placed) -> bool:
        opened = open_current(self.calls)
        return opened.timeline_id == placed.timeline_id and opened.find_item(placed.item_id) is None

    def _changed(self, timeline_id: str, change: Callable[[Opened], _T]) -> _T:
        """Change a timeline on the Edit page. A Ctrl-C that comes when that is done, while page and timeline
        are put back, comes too late: what is on the timeline is told, and its file stays."""
        changed: list[_T] = []
        try:
            with at_work(self.calls, timeline_id, "edit", self.say, self.watch) as opened:
                changed.append(change(opened))
        except (KeyboardInterrupt, SystemExit):
            if not changed:
                raise
        return changed[0]

    def _delivery(self, opened: Opened, say: Say) -> Delivery:
        return Delivery(opened, self.edition, self.probe, say, self.watch)

    def _check_same_timeline(self, opened: Opened, selection: Selection) -> None:
        """What a selection states of its timeline must still hold, or frames would be counted wrongly."""
        rate, drop = timeline_rate(opened)
        now = (opened.start, rate, drop, timeline_size(opened))
        then = (
            selection.timeline_start,
            selection.rate,
            selection.drop_frame,
            (selection.width, selection.height),
        )
        if now != then or Span(selection.start, selection.end).frames <= 0:
            raise ResolveProblem(
                "resolve-timeline-changed",
                "The timeline's start, rate or size has changed since the clip was chosen.",
                "Select the clip and edit it again.",
            )
