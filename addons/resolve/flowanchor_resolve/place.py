# SPDX-License-Identifier: Apache-2.0
"""Puts a result over its clip, on a track of its own.

Resolve drops or moves what does not fit and says that all is well. So the timeline is listed before and
after, and anything but the one new clip in its place means that all is taken back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flowanchor_resolve.frames import Span, is_timecode_of, timecode_of_frame
from flowanchor_resolve.held import put_back
from flowanchor_resolve.host import Placed, Probe, Result, Say, Selection
from flowanchor_resolve.markers import add_marker, delete_marker, mark_item, marker_data
from flowanchor_resolve.names import TRACK, is_result_track
from flowanchor_resolve.opened import Item, Opened, media_id, open_current
from flowanchor_resolve.pool import import_result, result_bin
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.results import placed_results
from flowanchor_resolve.undo import delete_item, remove_track

STILLS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".exr", ".dpx", ".webp", ".gif")
VIDEO_ONLY = 1


def check_result(selection: Selection, result: Result, probe: Probe) -> None:
    """Look into a result before anything is changed for it.

    Raises:
        ResolveProblem: "resolve-still", "resolve-result-gone", "resolve-result-differs", or what the probe
            raises.
    """
    path = result.path
    if path.suffix.lower() in STILLS or "%" in path.name or path.is_dir():
        raise ResolveProblem(
            "resolve-still",
            f'"{path.name}" is made of images, and Resolve is given movies only.',
            "Deliver the edit as a movie.",
        )
    if not path.is_file():
        raise ResolveProblem(
            "resolve-result-gone",
            f'The result "{path.name}" is not where it was.',
            "Fetch it again with `flowanchor jobs fetch`.",
        )
    probed = probe(path)
    if unlike := probed.unlike(selection):
        what, found, wanted = unlike
        raise ResolveProblem(
            "resolve-result-differs",
            f"The result has {found} {what}, and its place on the timeline {wanted}.",
            "Edit the clip again as it is now on the timeline.",
        )
    timecode = timecode_of_frame(selection.start, selection.rate, selection.drop_frame)
    if not is_timecode_of(probed.start_timecode, timecode):
        raise ResolveProblem(
            "resolve-result-differs",
            f"The result begins at {probed.start_timecode or 'no timecode'}, and its place on the"
            f" timeline at {timecode}.",
            f"Fetch it anew with `flowanchor resolve place {result.job}`.",
        )
    if result.deliver == "patch" and not probed.alpha:
        raise ResolveProblem(
            "resolve-result-differs",
            "The result is a patch, and its movie has no alpha.",
            "Deliver the patch as ProRes 4444.",
        )


@dataclass(frozen=True)
class Placement:
    """Places on one timeline, which is current, with the Edit page open."""

    opened: Opened
    say: Say

    def place(self, selection: Selection, result: Result) -> Placed:
        """Put a checked result on a track named "FlowAnchor".

        Raises:
            ResolveProblem: "resolve-clip-moved", "resolve-place-differs", "resolve-import",
                "resolve-marker", "resolve-refused", "resolve-dialog-open"; all has been taken back then, or
                the sentence says what has not.
        """
        opened = self.opened
        still_there(opened, selection)
        before = listing(opened)
        span = Span(selection.start, selection.end)
        undo: list[Callable[[], bool]] = []
        try:
            with result_bin(opened, self.say) as folder:
                media, imported = import_result(opened, folder, result.path)
                if imported:
                    undo.append(lambda: drop_media(opened, media))
                track, made = self._track(selection, span, undo)
                undo.append(lambda: self._remove_new(before))
                opened.check_current()
                self._append(media, track, span, undo)
            item = self._read_back(before, media, track, span)
            placed = Placed(
                timeline_id=selection.timeline_id,
                item_id=item.item_id,
                track=track,
                start=span.start,
                end=span.end,
                made_track=made,
                media_id=media_id(opened.calls, media),
                marker="",
            )
            return self._marked(placed, item, selection, result, undo)
        except BaseException as problem:
            take_back(undo, problem, self.say)
            raise

    def _marked(
        self,
        placed: Placed,
        item: Item,
        selection: Selection,
        result: Result,
        undo: list[Callable[[], bool]],
    ) -> Placed:
        data = marker_data(placed, result)
        undo.append(lambda: delete_marker(self.opened, data))
        add_marker(self.opened, selection.relative_start, selection.frames, result, data)
        if not mark_item(self.opened, item, result, data):
            self.say("Resolve took no marker on the placed clip; the one on the timeline tells the same.")
        return replace(placed, marker=data)

    def _track(self, selection: Selection, span: Span, undo: list[Callable[[], bool]]) -> tuple[int, bool]:
        """A track of ours that is free at the span, above all others that have something there; a new one at
        the top if there is none. And whether we have made it, now or for another result."""
        opened = self.opened
        calls, timeline = opened.calls, opened.timeline
        count = opened.track_count("video")
        for track in range(count, selection.track, -1):
            busy = any(item.span.overlap(span) for item in opened.items("video", track))
            usable = (
                is_result_track(opened.track_name("video", track))
                and calls.ask(timeline, "GetIsTrackEnabled", "video", track)
                and not calls.ask(timeline, "GetIsTrackLocked", "video", track)
            )
            if busy:
                break
            if usable:
                return track, self._made(track)
        calls.need("add a video track", timeline, "AddTrack", "video")
        track = opened.track_count("video")
        if track != count + 1:
            raise ResolveProblem(
                "resolve-refused", "Resolve did not add a video track.", "Look at Resolve, then try again."
            )
        undo.append(lambda: remove_track(opened, track))
        calls.need("name the new track", timeline, "SetTrackName", "video", track, TRACK)
        return track, True

    def _made(self, track: int) -> bool:
        """Whether a track was made for a result that is on it: whichever is taken off last takes it along."""
        made = {placed.item_id for placed, _ in placed_results(self.opened) if placed.made_track}
        return any(item.item_id in made for item in self.opened.items("video", track))

    def _append(self, media: Any, track: int, span: Span, undo: list[Callable[[], bool]]) -> None:
        info = {
            "mediaPoolItem": media,
            "startFrame": 0,
            "endFrame": span.frames,
            "mediaType": VIDEO_ONLY,
            "trackIndex": track,
            "recordFrame": span.start,
        }
        calls, pool = self.opened.calls, self.opened.pool
        made = calls.need("put the result on the timeline", pool, "AppendToTimeline", [info])
        things = made if isinstance(made, (list, tuple)) else ()
        ids = [str(calls.ask_if_there(one, "GetUniqueId") or "") for one in things]
        undo.append(lambda: self._remove_stray(ids))
        self.opened.check_current()

    def _read_back(self, before: dict[str, Item], media: Any, track: int, span: Span) -> Item:
        """The one new clip, if it is in its place and all else as it was."""
        after = listing(self.opened)
        new = [item for key, item in after.items() if key not in before]
        changed = [item.name for key, item in before.items() if after.get(key) != item]
        if changed:
            raise ResolveProblem(
                "resolve-place-differs",
                f"Placing the result changed other clips: {', '.join(changed[:3])}.",
                "Undo it in Resolve (Ctrl Z), then try again.",
            )
        wanted = media_id(self.opened.calls, media)
        place = ("video", track, span)
        fits = len(new) == 1 and (new[0].kind, new[0].track, new[0].span) == place
        if not fits or new[0].media_id != wanted:
            found = "; ".join(
                f"{item.kind} track {item.track}, frames {item.span.start} to {item.span.end - 1}"
                for item in new
            )
            raise ResolveProblem(
                "resolve-place-differs",
                f"The result was to be on video track {track}, frames {span.start} to {span.end - 1}, and is"
                f" {'on ' + found if found else 'nowhere'}.",
                "Look at the timeline, then try again.",
            )
        return new[0]

    def _remove_stray(self, ids: list[str]) -> bool:
        """Take away what came to lie on another timeline, because the user opened that one just then."""
        now = open_current(self.opened.calls)
        if now.timeline_id == self.opened.timeline_id:
            return True  # what is here, the listing before tells
        gone = [self._gone_from(now, item_id) for item_id in ids]
        return bool(gone) and all(gone)

    def _gone_from(self, now: Opened, item_id: str) -> bool:
        """Whether a clip is no longer on a timeline that is not ours; false if nobody knows where it is."""
        item = now.find_item(item_id) if item_id else None
        if item is not None:
            return delete_item(now, item)
        return bool(item_id) and self.opened.find_item(item_id) is not None

    def _remove_new(self, before: dict[str, Item]) -> bool:
        new = [item for key, item in listing(self.opened).items() if key not in before]
        gone = [delete_item(self.opened, item) for item in new]
        return all(gone)


def take_back(undo: list[Callable[[], bool]], problem: BaseException, say: Say) -> None:
    """Undo what was done, the last first; what cannot be is added to the problem's sentence."""

    def tell(left: list[str]) -> None:
        sentence = "Not all of it could be taken back: undo it in Resolve (Ctrl Z)."
        say(sentence)
        if isinstance(problem, ResolveProblem):
            problem.action = f"{problem.action} {sentence}"

    put_back([(str(number), step) for number, step in reversed(list(enumerate(undo)))], tell)


def still_there(opened: Opened, selection: Selection) -> Item:
    """The clip, which must lie where it was when it was exported.

    Raises:
        ResolveProblem: "resolve-clip-moved".
    """
    item = opened.find_item(selection.item_id)
    span = Span(selection.start, selection.end)
    if item is None or not item.span.covers(span) or not _shows_the_same(item, selection):
        raise ResolveProblem(
            "resolve-clip-moved",
            f'The clip "{selection.name}" was moved, cut, slipped or removed since it was exported.',
            "Undo that, or edit the clip again where it is now.",
        )
    return item


def _shows_the_same(item: Item, selection: Selection) -> bool:
    """Whether each record frame of a clip still shows the frame of its source that was exported, as far as
    starts and offsets tell: a trimmed clip's move together, a moved or slipped one's do not."""
    if selection.clip_start is None:
        return True
    moved = item.span.start - selection.clip_start
    if selection.clip_offset is None or (now := item.left_offset) is None:
        return moved == 0
    return now - selection.clip_offset == moved


def listing(opened: Opened) -> dict[str, Item]:
    """Every clip of the timeline, by its id."""
    return {item.item_id: item for item in opened.everything()}


def drop_media(opened: Opened, media: Any) -> bool:
    """Take a clip out of the media pool; whether Resolve says that it did."""
    return bool(opened.calls.ask(opened.pool, "DeleteClips", [media]))
