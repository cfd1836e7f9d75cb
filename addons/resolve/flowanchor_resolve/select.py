# SPDX-License-Identifier: Apache-2.0
"""Which clip is to be edited, and which part of it."""

from __future__ import annotations

from typing import Any

from flowanchor_resolve.calls import has
from flowanchor_resolve.edition import Edition
from flowanchor_resolve.frames import Span, a_day, frame_of_timecode, parse_rate, span_of_marks
from flowanchor_resolve.host import Selection
from flowanchor_resolve.names import is_mask_track, is_result_track
from flowanchor_resolve.opened import Item, Opened
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.wishes import wish_of_markers


def read_selection(
    opened: Opened, edition: Edition, track: int | None = None, clip: str | None = None
) -> Selection:
    """The clip to edit on the current timeline; see `Host.select`.

    Raises:
        ResolveProblem: "resolve-no-clip", "resolve-clip-unknown", "resolve-clip-ambiguous",
            "resolve-clip-disabled", "resolve-no-track", "resolve-marks-outside", "resolve-rate",
            "resolve-timeline-size".
    """
    rate, drop = timeline_rate(opened)
    width, height = timeline_size(opened)
    item = _find(opened, edition, track, clip)
    if has(item.thing, "GetClipEnabled") and opened.calls.ask(item.thing, "GetClipEnabled") is False:
        raise ResolveProblem(
            "resolve-clip-disabled",
            f'The clip "{item.name}" is disabled on the timeline.',
            "Enable it (D), then try again.",
        )
    span = _narrowed(opened, edition, item)
    return Selection(
        project=str(opened.calls.need("tell the project's name", opened.project, "GetName")),
        timeline=opened.timeline_name,
        timeline_id=opened.timeline_id,
        item_id=item.item_id,
        name=item.name,
        track=item.track,
        start=span.start,
        end=span.end,
        timeline_start=opened.start,
        rate=rate,
        drop_frame=drop,
        width=width,
        height=height,
        wish=wish_of_markers(opened.calls.table(item.thing, "GetMarkers")),
        clip_start=item.span.start,
        clip_offset=item.left_offset,
    )


def timeline_rate(opened: Opened) -> tuple[Any, bool]:
    """The timeline's exact rate, and whether its timecode drops frames.

    Raises:
        ResolveProblem: "resolve-rate".
    """
    rate, drop = parse_rate(opened.setting("timelineFrameRate"))
    return rate, drop or opened.setting("timelineDropFrameTimecode") == "1"


def timeline_size(opened: Opened) -> tuple[int, int]:
    """The timeline's width and height in pixels.

    Raises:
        ResolveProblem: "resolve-timeline-size", if Resolve states none.
    """
    width = opened.setting("timelineResolutionWidth")
    height = opened.setting("timelineResolutionHeight")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise ResolveProblem(
            "resolve-timeline-size",
            f'Resolve states a picture size of "{width}" x "{height}" for the timeline.',
            "Check the timeline's resolution in its settings.",
        )
    return int(width), int(height)


def _find(opened: Opened, edition: Edition, track: int | None, clip: str | None) -> Item:
    if track is not None and not 1 <= track <= opened.track_count("video"):
        raise ResolveProblem(
            "resolve-no-track",
            f"The timeline has no video track {track}.",
            f"Use 1 to {opened.track_count('video')}.",
        )
    if clip is not None:
        return _named(opened, track, clip)
    if track is not None:
        return _under_playhead(opened, track)
    return _selected(opened, edition) or _current(opened)


def _named(opened: Opened, track: int | None, clip: str) -> Item:
    items = [item for item in opened.everything(("video",)) if track in (None, item.track)]
    found = [item for item in items if item.item_id == clip] or [item for item in items if item.name == clip]
    if not found:
        place = "the timeline" if track is None else f"video track {track}"
        raise ResolveProblem(
            "resolve-clip-unknown",
            f'There is no clip "{clip}" on {place}.',
            "Check the clip's name, or select it in Resolve and leave the name out.",
        )
    if len(found) > 1:
        names = ", ".join(f"{item.item_id} (track {item.track})" for item in found[:5])
        raise ResolveProblem(
            "resolve-clip-ambiguous",
            f'{len(found)} clips are named "{clip}": {names}.',
            "Name the one by its id, or select it in Resolve.",
        )
    return found[0]


def _under_playhead(opened: Opened, track: int) -> Item:
    timecode, frame = _playhead(opened)
    found = _at(opened, track, frame)
    if found is not None:
        return found
    raise ResolveProblem(
        "resolve-no-clip",
        f"There is no clip under the playhead ({timecode}) on video track {track}.",
        "Move the playhead onto the clip, or name the clip.",
    )


def _playhead(opened: Opened) -> tuple[str, int]:
    """Where the playhead is: its timecode, and the record frame."""
    rate, drop = timeline_rate(opened)
    timecode = str(opened.calls.need("tell where the playhead is", opened.timeline, "GetCurrentTimecode"))
    drop = drop or ";" in timecode
    frame = frame_of_timecode(timecode, rate, drop)
    # A timeline may run past midnight, where timecodes begin anew and record frames do not.
    return timecode, frame if frame >= opened.start else frame + a_day(rate, drop)


def _at(opened: Opened, track: int, frame: int) -> Item | None:
    """The clip of a video track at a record frame."""
    return next(
        (item for item in opened.items("video", track) if item.span.start <= frame < item.span.end), None
    )


def _selected(opened: Opened, edition: Edition) -> Item | None:
    """The selected video clip, where Resolve tells the selection and there is one."""
    if not (edition.selected_clips and has(opened.timeline, "GetSelectedClips")):
        return None
    chosen = {
        opened.calls.ask(thing, "GetUniqueId")
        for thing in opened.calls.many(opened.timeline, "GetSelectedClips")
    }
    items = [item for item in opened.everything(("video",)) if item.item_id in chosen] if chosen else []
    if len(items) > 1:
        raise ResolveProblem(
            "resolve-clip-ambiguous",
            f"{len(items)} video clips are selected on the timeline.",
            "Select one.",
        )
    return items[0] if items else None


def _current(opened: Opened) -> Item:
    """The uppermost clip under the playhead. A mask or a result above it is not what the user means."""
    calls = opened.calls
    thing = calls.ask(opened.timeline, "GetCurrentVideoItem")
    found = opened.find_item(str(calls.ask(thing, "GetUniqueId"))) if thing else None
    if found is not None and not _is_ours(opened, found.track):
        return found
    if found is not None:
        _, frame = _playhead(opened)
        for track in range(found.track - 1, 0, -1):
            if _is_ours(opened, track) or not calls.ask(opened.timeline, "GetIsTrackEnabled", "video", track):
                continue
            below = _at(opened, track, frame)
            if below is not None:
                return below
        raise ResolveProblem(
            "resolve-no-clip",
            "Under the playhead there are only masks and results.",
            "Move the playhead onto the clip, or select or name it.",
        )
    calls.check_answering()
    raise ResolveProblem(
        "resolve-no-clip",
        "No clip is selected, and there is none under the playhead.",
        "Move the playhead onto the clip, or select it.",
    )


def _is_ours(opened: Opened, track: int) -> bool:
    """Whether a video track holds masks or results, by its name."""
    name = opened.track_name("video", track)
    return is_mask_track(name) or is_result_track(name)


def _narrowed(opened: Opened, edition: Edition, item: Item) -> Span:
    """The part of the clip between the timeline's in and out marks, as far as they are set."""
    if not (edition.marks and has(opened.timeline, "GetMarkInOut")):
        return item.span
    answer = opened.calls.ask(opened.timeline, "GetMarkInOut")
    marked = span_of_marks(answer, opened.start, item.span)
    if marked is None:
        return item.span
    both = item.span.overlap(marked)
    if both is None:
        raise ResolveProblem(
            "resolve-marks-outside",
            f'The timeline\'s in and out marks lie outside the clip "{item.name}".',
            "Clear them (Alt X), or set them within the clip.",
        )
    return both
