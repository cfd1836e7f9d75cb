# SPDX-License-Identifier: Apache-2.0
"""Remembers what a render changes in Resolve, and puts it back: format and codec, render mode and settings,
which tracks are on, in and out marks, the playhead, the render queue.

Render settings can be set but not read, so they are kept as a render preset of ours for as long as the
render takes. Where renders go and which frames is read from a job that is added to the queue and taken out
again at once; the name of files cannot be read and is never set. (Measured
by users on 19.1.3.)
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from flowanchor_resolve.calls import has
from flowanchor_resolve.edition import Edition
from flowanchor_resolve.held import put_back
from flowanchor_resolve.host import Say
from flowanchor_resolve.opened import Opened, find_timeline
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.volumes import in_media_storage
from flowanchor_resolve.watch import Watch

PRESET = "FlowAnchor keep"
"""How the names of our presets begin."""
GUARDED = (21, 0)
"""The version from which on a render folder has to be within Media Storage."""
_VISIBLE = ("video", "subtitle")


class Kept:
    """What was found, and how to get back to it."""

    def __init__(self, opened: Opened, edition: Edition, watch: Watch) -> None:
        """Read what can be read; `begin` does the rest. Changes nothing.

        Raises:
            ResolveProblem: "resolve-refused", "resolve-dialog-open".
        """
        calls, project = opened.calls, opened.project
        self.opened = opened
        self.watch = watch
        self.guarded = edition.version >= GUARDED
        self.own_jobs: list[str] = []
        """Render jobs that were added since, and go again."""
        self.render_folder: Path | None = None
        """Where renders go meanwhile."""
        self.format = calls.table(project, "GetCurrentRenderFormatAndCodec")
        if not {"format", "codec"} <= set(self.format):
            calls.check_answering()
            raise ResolveProblem(
                "resolve-refused",
                "Resolve did not tell its render format.",
                "Look at the Deliver page, then try again.",
            )
        self.mode = calls.ask(project, "GetCurrentRenderMode")
        self.tracks = {
            (kind, track): self._is_on(kind, track)
            for kind in _VISIBLE
            for track in range(1, opened.track_count(kind) + 1)
        }
        self.marks = self._read_marks()
        self.playhead = calls.ask(opened.timeline, "GetCurrentTimecode")
        self.deletes = has(project, "DeleteRenderPreset")
        self.preset = f"{PRESET} {uuid.uuid4().hex[:8]}"
        self.timeline_id = opened.timeline_id
        self.theirs: str | None = None
        """The timeline that the user has opened meanwhile."""
        self.saved = False
        self.place: dict[str, Any] = {}

    def begin(self, say: Say) -> None:
        """Save the render settings as a preset, and read where renders go.

        Raises:
            ResolveProblem: "resolve-refused", "resolve-dialog-open".
        """
        left = [name for name in preset_names(self.opened) if name.startswith(PRESET)]
        if left and self.deletes:
            say(
                f'An earlier export was cut off: the render preset "{left[0]}" holds the render settings from'
                " before it."
            )
        self.opened.calls.need(
            "save its render settings as a preset", self.opened.project, "SaveAsNewRenderPreset", self.preset
        )
        self.saved = True
        # In the mode for single clips: in the other one a job may be refused.
        self.opened.calls.need(
            "choose a single clip as render mode", self.opened.project, "SetCurrentRenderMode", 1
        )
        self.place = self._read_place()

    def show_only(self, wanted: Callable[[str, int, bool], bool]) -> None:
        """Switch tracks on and off.

        Args:
            wanted: kind ("video", "subtitle"), number and whether it was on -> whether it is to be on.

        Raises:
            ResolveProblem: "resolve-refused", if a track does not switch.
        """
        for (kind, track), was in self.tracks.items():
            on = wanted(kind, track, was)
            if self._is_on(kind, track) != on and not self._switch(kind, track, on):
                self.opened.calls.check_answering()
                raise ResolveProblem(
                    "resolve-refused",
                    f"Resolve did not switch {kind} track {track} {'on' if on else 'off'}.",
                    "Look at Resolve, then try again.",
                )

    def restore(self, say: Say) -> None:
        """Put everything back; `say` is told what could not be, and what helps."""
        all_back = True

        def tell(left: list[str]) -> None:
            nonlocal all_back
            all_back = False
            help_ = f'Load the render preset "{self.preset}" and check the rest.'
            reason = "" if self.opened.calls.answering() else " since a dialog is open in Resolve"
            say(f"What could not be put back in Resolve{reason}: {', '.join(left)}. {help_}")

        put_back(list(self._steps()), tell)
        if all_back and not self.deletes:
            say(f'This version deletes no render presets: delete "{self.preset}" on the Deliver page.')

    def _steps(self) -> Iterator[tuple[str, Callable[[], bool]]]:
        yield "which timeline is open", self._open_ours
        yield "the render queue", self._restore_queue
        yield "which tracks are on", self._restore_tracks
        if self.marks is not None:
            yield "the in and out marks", self._restore_marks
        if self.playhead:
            yield "the playhead", lambda: self.watch.settled(self.opened.calls, self._restore_playhead)
        yield "the render settings", self._restore_settings
        yield "the range of renders", self._restore_range
        yield "the folder of renders", self._restore_folder
        yield "which timeline is open", self._open_theirs

    def _open_ours(self) -> bool:
        """Much of the rest can only be set on the timeline that is open, and the user may have opened another
        one meanwhile."""
        calls, project = self.opened.calls, self.opened.project
        now = calls.ask(project, "GetCurrentTimeline")
        found = calls.ask(now, "GetUniqueId") if now else None
        if found == self.timeline_id:
            return True
        self.theirs = found
        ours = find_timeline(calls, project, self.timeline_id)
        opened = bool(calls.ask(project, "SetCurrentTimeline", ours))
        self.opened = replace(self.opened, timeline=calls.ask(project, "GetCurrentTimeline") or ours)
        return opened

    def _open_theirs(self) -> bool:
        if self.theirs is None:
            return True
        calls, project = self.opened.calls, self.opened.project
        theirs = find_timeline(calls, project, self.theirs)
        return bool(calls.ask(project, "SetCurrentTimeline", theirs))

    def _restore_queue(self) -> bool:
        calls, project = self.opened.calls, self.opened.project
        for job in self.own_jobs:
            calls.ask(project, "DeleteRenderJob", job)
        listed = {job.get("JobId") for job in calls.tables(project, "GetRenderJobList")}
        return calls.answering() and not listed & set(self.own_jobs)

    def _restore_tracks(self) -> bool:
        back = [
            self._is_on(kind, track) == on or self._switch(kind, track, on)
            for (kind, track), on in self.tracks.items()
        ]
        return all(back)

    def _restore_marks(self) -> bool:
        timeline, calls = self.opened.timeline, self.opened.calls
        if self._read_marks() == self.marks:
            return True
        calls.ask(timeline, "ClearMarkInOut", "all")
        for kind, marks in (self.marks or {}).items():
            if marks.get("in") is not None and marks.get("out") is not None:
                calls.ask(timeline, "SetMarkInOut", marks["in"], marks["out"], kind)
        return self._read_marks() == self.marks

    def _restore_playhead(self) -> bool:
        timeline, calls = self.opened.timeline, self.opened.calls
        if calls.ask(timeline, "GetCurrentTimecode") != self.playhead:
            calls.ask(timeline, "SetCurrentTimecode", self.playhead)
        return bool(calls.ask(timeline, "GetCurrentTimecode") == self.playhead)

    def _restore_settings(self) -> bool:
        calls, project = self.opened.calls, self.opened.project
        if not self.saved:
            return True
        loaded = bool(calls.ask(project, "LoadRenderPreset", self.preset))
        if calls.ask(project, "GetCurrentRenderFormatAndCodec") != self.format:
            calls.ask(project, "SetCurrentRenderFormatAndCodec", self.format["format"], self.format["codec"])
        if self.mode is not None and calls.ask(project, "GetCurrentRenderMode") != self.mode:
            calls.ask(project, "SetCurrentRenderMode", self.mode)
        same = (
            calls.ask(project, "GetCurrentRenderFormatAndCodec") == self.format
            and calls.ask(project, "GetCurrentRenderMode") == self.mode
        )
        if not (loaded and same):
            return False
        return not self.deletes or bool(calls.ask(project, "DeleteRenderPreset", self.preset))

    def _restore_range(self) -> bool:
        first, last = self.place.get("MarkIn"), self.place.get("MarkOut")
        if self.render_folder is None or not (isinstance(first, int) and isinstance(last, int)):
            return True
        whole = (first, last) == (self.opened.start, self._last_frame())
        settings = {"MarkIn": first, "MarkOut": last, "SelectAllFrames": whole}
        return bool(self.opened.calls.ask(self.opened.project, "SetRenderSettings", settings))

    def _restore_folder(self) -> bool:
        """Naming a folder outside Media Storage opens a dialog from 21.0 on, even if it is the user's own."""
        if self.render_folder is None:
            return True
        calls, project, told = self.opened.calls, self.opened.project, self.place.get("TargetDir")
        if told and not (self.guarded and not in_media_storage(calls, Path(str(told)))):
            return bool(calls.ask(project, "SetRenderSettings", {"TargetDir": str(told)}))
        # Ours is removed, and none cannot be set; so the folder that it was in.
        fallback = {"TargetDir": str(self.render_folder.parent)}
        return bool(calls.ask(project, "SetRenderSettings", fallback)) and not told

    def _last_frame(self) -> int:
        ends = [item.span.end for item in self.opened.everything(("video", "audio"))]
        return max(ends, default=self.opened.start) - 1

    def _read_place(self) -> dict[str, Any]:
        """What a job tells of the user's render settings; nothing if none can be added, as long as no folder
        was ever chosen."""
        calls, project = self.opened.calls, self.opened.project
        job = self.watch.settled(calls, lambda: calls.ask(project, "AddRenderJob"), tries=3)
        if not job:
            return {}
        listed = calls.tables(project, "GetRenderJobList")
        told: dict[str, Any] = next((one for one in listed if one.get("JobId") == job), {})
        if not calls.ask(project, "DeleteRenderJob", job):
            self.own_jobs.append(str(job))
        return told

    def _is_on(self, kind: str, track: int) -> bool:
        return bool(self.opened.calls.ask(self.opened.timeline, "GetIsTrackEnabled", kind, track))

    def _switch(self, kind: str, track: int, on: bool) -> bool:
        self.opened.calls.ask(self.opened.timeline, "SetTrackEnable", kind, track, on)
        return self._is_on(kind, track) == on

    def _read_marks(self) -> dict[str, Any] | None:
        """None from versions that do not tell them."""
        timeline = self.opened.timeline
        if not (has(timeline, "GetMarkInOut") and has(timeline, "SetMarkInOut")):
            return None
        return self.opened.calls.table(timeline, "GetMarkInOut")


@contextmanager
def kept(opened: Opened, edition: Edition, watch: Watch, say: Say) -> Iterator[Kept]:
    """Remember what a render changes, and put it back at the end, however it ends; `say` is told what could
    not be put back."""
    keep = Kept(opened, edition, watch)
    try:
        keep.begin(say)
        yield keep
    finally:
        keep.restore(say)


def preset_names(opened: Opened) -> list[str]:
    """The names of the render presets, which Resolve lists as names or as their properties."""
    listed = opened.calls.many(opened.project, "GetRenderPresetList")
    return [str(one.get("name", "")) if isinstance(one, dict) else str(one) for one in listed]
