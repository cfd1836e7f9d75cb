# SPDX-License-Identifier: Apache-2.0
"""The results on a timeline, found again by their markers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from flowanchor_resolve.calls import in_order
from flowanchor_resolve.frames import Span
from flowanchor_resolve.host import Placed, Result
from flowanchor_resolve.markers import read_marker
from flowanchor_resolve.names import is_result_track
from flowanchor_resolve.opened import Item, Opened


def placed_results(opened: Opened) -> list[tuple[Placed, Result]]:
    """What the timeline's markers tell of results that are there; where the user has removed those, what the
    markers on the placed clips tell.

    A duplicated timeline has the markers of the one it was made of. There the results are told as they lie
    on the duplicate, so that nothing is done to the original.
    """
    items = list(opened.everything(("video",)))
    timeline = opened.timeline_id
    found: dict[tuple[str, str], tuple[Placed, Result]] = {}

    def take(data: str) -> None:
        told = read_marker(data)
        if told is not None and told[0].timeline_id != timeline:
            told = _on_the_duplicate(told, items, timeline)
        if told is not None and any(item.item_id == told[0].item_id for item in items):
            found.setdefault((told[0].item_id, told[0].media_id), told)

    for marker in opened.markers().values():
        take(str(marker.get("customData", "")))
    known = {item_id for item_id, _ in found}
    for data in _on_clips(opened, [item for item in items if item.item_id not in known]):
        take(data)
    return list(found.values())


def _on_clips(opened: Opened, items: Sequence[Item]) -> Iterator[str]:
    """The data of markers on clips that lie on tracks of ours."""
    ours = {
        track
        for track in {item.track for item in items}
        if is_result_track(opened.track_name("video", track))
    }
    for item in items:
        if item.track in ours:
            for _, marker in in_order(opened.calls.table(item.thing, "GetMarkers")):
                yield str(marker.get("customData", ""))


def _on_the_duplicate(
    told: tuple[Placed, Result], items: Sequence[Item], timeline: str
) -> tuple[Placed, Result] | None:
    """A result as it lies on a copy of its timeline, where clips have other ids; None if it does not."""
    placed, result = told
    span = Span(placed.start, placed.end)
    copy = next((item for item in items if item.span == span and item.media_id == placed.media_id), None)
    if copy is None:
        return None
    track = result.settings.get("track")
    clip = next((item for item in items if item.track == track and item.span.covers(span)), None)
    settings = {**result.settings, **({} if clip is None else {"item": clip.item_id})}
    placed = replace(placed, timeline_id=timeline, item_id=copy.item_id, track=copy.track)
    return placed, replace(result, settings=settings)
