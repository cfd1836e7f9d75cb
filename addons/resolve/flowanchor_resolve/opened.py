# SPDX-License-Identifier: Apache-2.0
"""What is open in Resolve: project, timeline, media pool, and the clips on the timeline's tracks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flowanchor_resolve.calls import Calls, in_order
from flowanchor_resolve.frames import Span, whole
from flowanchor_resolve.problems import ResolveProblem

KINDS = ("video", "audio", "subtitle")
"""Resolve's kinds of tracks."""


@dataclass(frozen=True)
class Item:
    """A clip on a track: which it is and where. Two are equal if it has not moved."""

    calls: Calls = field(compare=False, repr=False)
    thing: Any = field(compare=False, repr=False)
    item_id: str
    kind: str
    track: int
    """From 1, the lowest."""
    span: Span

    @property
    def name(self) -> str:
        """Read when it is asked for: timelines have thousands of clips, and each call takes time."""
        told = self.calls.ask(self.thing, "GetName")
        return str(told) if told else f"at frame {self.span.start} of {self.kind} track {self.track}"

    @property
    def left_offset(self) -> float | None:
        """Frames of the source left of what the clip shows; None if that is not told."""
        told = self.calls.ask_if_there(self.thing, "GetLeftOffset")
        return float(told) if isinstance(told, (int, float)) and not isinstance(told, bool) else None

    @property
    def media(self) -> Any:
        """The media pool clip it shows; None for a title or generator."""
        return self.calls.ask(self.thing, "GetMediaPoolItem") or None

    @property
    def missing_file(self) -> str:
        """The name of the clip's file if it is not where Resolve has it; "" if it is there, or the clip has
        none, or it is a row of images, whose path is a pattern."""
        media = self.media
        told = self.calls.ask(media, "GetClipProperty", "File Path") if media else ""
        if not isinstance(told, str) or not os.path.isabs(told) or set("[]%#") & set(os.path.basename(told)):
            return ""
        return "" if os.path.exists(told) else os.path.basename(told)

    @property
    def media_id(self) -> str:
        """The id of that, "" if there is none."""
        media = self.media
        return media_id(self.calls, media) if media else ""


@dataclass(frozen=True)
class Opened:
    """The open project and one of its timelines."""

    calls: Calls
    project: Any
    timeline: Any

    @property
    def pool(self) -> Any:
        return self.calls.need("give its media pool", self.project, "GetMediaPool")

    @property
    def timeline_name(self) -> str:
        return str(self.calls.need("tell the timeline's name", self.timeline, "GetName"))

    @property
    def timeline_id(self) -> str:
        return str(self.calls.need("tell the timeline's id", self.timeline, "GetUniqueId"))

    @property
    def start(self) -> int:
        """Record frame of the timeline's first frame."""
        answer = self.calls.ask(self.timeline, "GetStartFrame")
        if answer is None:
            self.calls.check_answering()
        return whole(answer)

    def setting(self, key: str) -> str:
        """A setting of the timeline, or of the project where the timeline has none of its own."""
        for thing in (self.timeline, self.project):
            answer = self.calls.ask(thing, "GetSetting", key)
            if answer not in (None, False, ""):
                return str(answer)
        self.calls.check_answering()
        return ""

    def track_count(self, kind: str) -> int:
        answer = self.calls.ask(self.timeline, "GetTrackCount", kind)
        if answer is None or answer is False:
            self.calls.check_answering()
            raise ResolveProblem(
                "resolve-timeline-closed",
                "The timeline was closed in Resolve.",
                "Open it again, then try again.",
            )
        return whole(answer)

    def check_open(self) -> None:
        """Raise what is wrong if the timeline answers nothing: then "nothing there" says nothing.

        Raises:
            ResolveProblem: "resolve-timeline-closed", "resolve-dialog-open".
        """
        self.track_count("video")

    def check_current(self) -> None:
        """Raise what is wrong if this is not the timeline that is open now, to which all goes that names
        none: render jobs, and clips that are appended.

        Raises:
            ResolveProblem: "resolve-timeline-closed", "resolve-dialog-open".
        """
        current = self.calls.ask(self.project, "GetCurrentTimeline")
        if current and self.calls.ask(current, "GetUniqueId") == self.timeline_id:
            return
        self.calls.check_answering()
        raise self.switched()

    def switched(self) -> ResolveProblem:
        """What is wrong where the user has opened another timeline in the middle of something."""
        return ResolveProblem(
            "resolve-timeline-closed",
            "The timeline was closed in Resolve meanwhile, or another one was opened.",
            "Open it again, leave it open, and try again.",
        )

    def markers(self) -> Mapping[float, Mapping[str, Any]]:
        """The timeline's markers, by their frames, which count from its first, in order."""
        answer = self.calls.table(self.timeline, "GetMarkers")
        if not answer:
            self.check_open()
        return dict(in_order(answer))

    def track_name(self, kind: str, track: int) -> str:
        return str(self.calls.ask(self.timeline, "GetTrackName", kind, track) or "")

    def items(self, kind: str, track: int) -> list[Item]:
        """The clips of a track, from left to right. (Since 21.1 Resolve lists transitions among them; those
        are left out.)"""
        found = [
            self.item(thing, kind, track)
            for thing in self._things(kind, track)
            if self.calls.ask_if_there(thing, "GetType") != "transition"
        ]
        return sorted(found, key=lambda item: item.span.start)

    def item(self, thing: Any, kind: str, track: int) -> Item:
        """A clip, read."""
        start = whole(self._number(thing, "GetStart"))
        return Item(
            calls=self.calls,
            thing=thing,
            item_id=str(self.calls.need("tell a clip's id", thing, "GetUniqueId")),
            kind=kind,
            track=track,
            span=Span(start, start + whole(self._number(thing, "GetDuration"))),
        )

    def everything(self, kinds: tuple[str, ...] = KINDS) -> Iterator[Item]:
        """The clips of all tracks."""
        for kind in kinds:
            for track in range(1, self.track_count(kind) + 1):
                yield from self.items(kind, track)

    def find_item(self, item_id: str) -> Item | None:
        """The video clip of an id, if it is on the timeline."""
        for track in range(1, self.track_count("video") + 1):
            for thing in self._things("video", track):
                if self.calls.ask(thing, "GetUniqueId") == item_id:
                    return self.item(thing, "video", track)
        return None

    def need_item(self, item_id: str, name: str) -> Item:
        """The video clip of an id; `name` is what it was called.

        Raises:
            ResolveProblem: "resolve-clip-gone".
        """
        item = self.find_item(item_id)
        if item is None:
            raise ResolveProblem(
                "resolve-clip-gone",
                f'The clip "{name}" is no longer on the timeline.',
                "Select the clip again.",
            )
        return item

    def _things(self, kind: str, track: int) -> list[Any]:
        answer = self.calls.many(self.timeline, "GetItemListInTrack", kind, track)
        if not answer:
            self.check_open()
        return answer

    def _number(self, thing: Any, name: str) -> Any:
        answer = self.calls.ask(thing, name)
        if answer is None:
            self.calls.check_answering()
        return answer


def media_id(calls: Calls, media: Any) -> str:
    """The id of a clip in the media pool."""
    return str(calls.need("tell a media pool clip's id", media, "GetMediaId"))


def open_project(calls: Calls) -> Any:
    """The open project.

    Raises:
        ResolveProblem: "resolve-no-project", "resolve-dialog-open".
    """
    calls.check_answering()
    manager = calls.need("give its project manager", calls.resolve, "GetProjectManager")
    project = calls.ask(manager, "GetCurrentProject")
    if not project:
        calls.check_answering()
        raise ResolveProblem(
            "resolve-no-project", "No project is open in Resolve.", "Open the project, then try again."
        )
    return project


def open_current(calls: Calls) -> Opened:
    """The open project with its current timeline.

    Raises:
        ResolveProblem: "resolve-no-timeline", "resolve-no-project", "resolve-dialog-open".
    """
    project = open_project(calls)
    timeline = calls.ask(project, "GetCurrentTimeline")
    if not timeline:
        calls.check_answering()
        raise ResolveProblem(
            "resolve-no-timeline", "No timeline is open in Resolve.", "Open the timeline, then try again."
        )
    return Opened(calls, project, timeline)


def find_timeline(calls: Calls, project: Any, timeline_id: str) -> Any:
    """The timeline of an id in a project.

    Raises:
        ResolveProblem: "resolve-timeline-gone", if the project has none of this id.
    """
    for index in range(1, whole(calls.ask(project, "GetTimelineCount") or 0) + 1):
        timeline = calls.ask(project, "GetTimelineByIndex", index)
        if timeline and calls.ask(timeline, "GetUniqueId") == timeline_id:
            return timeline
    calls.check_answering()
    raise ResolveProblem(
        "resolve-timeline-gone",
        "The timeline this belongs to is not in the open project.",
        "Open the project it is in, then try again.",
    )
