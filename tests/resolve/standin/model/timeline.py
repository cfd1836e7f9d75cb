# SPDX-License-Identifier: Apache-2.0
"""A timeline: tracks of items, absolute frames, a playhead."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from flowanchor_core.footage.timecode import Timecode
from tests.resolve.standin.model.graph import Graph
from tests.resolve.standin.model.item import TimelineItem, link
from tests.resolve.standin.model.markers import Marked
from tests.resolve.standin.model.marks import Ranged
from tests.resolve.standin.model.media import MediaPoolItem, rounded
from tests.resolve.standin.model.track import Track

if TYPE_CHECKING:
    from tests.resolve.standin.model.project import Project
    from tests.resolve.standin.world import World

PLAYHEAD_PAGES = ("cut", "edit", "color", "fairlight", "deliver")


class Timeline(Marked, Ranged):
    contract_name = "Timeline"

    def __init__(
        self,
        world: World,
        project: Project,
        name: str,
        rate: Fraction,
        start_timecode: str,
        size: tuple[int, int],
        drop: bool = False,
    ) -> None:
        super().__init__(world)
        self.project, self.name, self.rate, self.drop = project, name, rate, drop
        self.width, self.height = size
        self.start = self.frame_at(start_timecode)
        self.playhead = self.start
        self.tracks: dict[str, list[Track]] = {
            "video": [Track("Video 1")],
            "audio": [Track("Audio 1", "stereo")],
            "subtitle": [],
        }
        self.selected: list[TimelineItem] = []
        self.graph = Graph(world)
        self.item = MediaPoolItem(world, project.pool.current, None, self)
        project.timelines.append(self)

    # frames and timecode

    def frame_at(self, label: str) -> int:
        """A timecode's record frame. Raises ValueError if it is none at this rate."""
        plain = label.replace(";", ":")
        head, _, frames = plain.rpartition(":")
        timecode = Timecode.parse(f"{head}{';' if self.drop else ':'}{frames}", self.rate)
        if timecode is None:
            raise ValueError(f"{label} is no timecode at {self.rate}")
        return timecode.frames

    def record_frame(self, label: str) -> int:
        """A timecode's record frame on this timeline, which may run past midnight."""
        frame = self.frame_at(label)
        whole = Timecode(0, round(self.rate), self.drop)
        return frame if frame >= self.start else frame + whole.advanced(-1).frames + 1

    def label(self, frame: int) -> str:
        """A record frame's timecode; past midnight from zero again."""
        return str(Timecode(0, round(self.rate), self.drop).advanced(frame))

    @property
    def end(self) -> int:
        """The record frame after the last item's last; the first frame's of an empty timeline."""
        ends = [one.end for kind in ("video", "audio") for track in self.tracks[kind] for one in track.items]
        return max([self.start, *ends])

    def items(self, kind: str = "video") -> list[TimelineItem]:
        return [one for track in self.tracks[kind] for one in track.items]

    def marker_frames(self) -> int | None:
        return None if self.end == self.start else self.end - self.start

    def GetName(self) -> str:
        return self.name

    def SetName(self, name: str) -> bool:
        taken = any(one.name == name for one in self.project.timelines if one is not self)
        if taken or not self.named_well(name):
            return False
        self.name = name
        return True

    def GetUniqueId(self) -> str:
        return self.uid

    def GetMediaPoolItem(self) -> MediaPoolItem:
        return self.item

    def GetNodeGraph(self) -> Graph:
        return self.graph

    def GetStartFrame(self) -> int:
        return self.start

    def GetEndFrame(self) -> int:
        return self.end

    def GetStartTimecode(self) -> str:
        return self.label(self.start)

    def SetStartTimecode(self, label: str) -> bool:
        try:
            start = self.frame_at(label)
        except ValueError:
            return False
        moved = start - self.start
        for kind in ("video", "audio"):
            for one in self.items(kind):
                one.start += moved
        self.start, self.playhead = start, self.playhead + moved
        return True

    def GetCurrentTimecode(self) -> str:
        return self.label(self.playhead) if self.world.app.page in PLAYHEAD_PAGES else ""

    def SetCurrentTimecode(self, label: str) -> bool:
        if self.world.app.page not in PLAYHEAD_PAGES:
            return False
        try:
            frame = self.record_frame(label)
        except ValueError:
            return False
        if not self.start <= frame <= self.end:
            return False
        self.playhead = frame
        return True

    def GetCurrentVideoItem(self) -> TimelineItem | None:
        for track in reversed(self.tracks["video"]):
            for one in track.items if track.enabled else ():
                if one.start <= self.playhead < one.end:
                    return one
        return None

    def GetSelectedClips(self) -> list[TimelineItem]:
        return [one for one in self.selected if one.track]

    # settings

    def GetSetting(self, key: str | None = None) -> Any:
        told = {
            "timelineFrameRate": rounded(self.rate),
            "timelineDropFrameTimecode": str(int(self.drop)),
            "timelineResolutionWidth": str(self.width),
            "timelineResolutionHeight": str(self.height),
            "timelineOutputResolutionWidth": str(self.width),
            "timelineOutputResolutionHeight": str(self.height),
            "useCustomSettings": "1",
            "colorScienceMode": self.project.colour_science,
        }
        return told.get(key, "") if key else told

    def SetSetting(self, key: str, value: str) -> bool:
        if key not in ("timelineResolutionWidth", "timelineResolutionHeight") or not value.isdigit():
            return False
        setattr(self, "width" if key.endswith("Width") else "height", int(value))
        return True

    # tracks

    def track(self, kind: str, index: int) -> Track | None:
        tracks = self.tracks[kind]
        return tracks[index - 1] if 1 <= index <= len(tracks) else None

    def GetTrackCount(self, kind: str) -> int:
        return len(self.tracks[kind])

    def AddTrack(self, kind: str, option: str | dict[str, Any] | None = None) -> bool:
        options: dict[str, Any] = option if isinstance(option, dict) else {"audioType": option}
        tracks = self.tracks[kind]
        index = int(options.get("index") or 0)
        sub_type = options.get("audioType") or options.get("audiotype") or "mono"
        track = Track(f"{kind.title()} {len(tracks) + 1}", sub_type if kind == "audio" else "")
        tracks.insert(index - 1 if 1 <= index <= len(tracks) else len(tracks), track)
        return True

    def DeleteTrack(self, kind: str, index: int) -> bool:
        track = self.track(kind, index)
        if track is None or track.locked or (kind == "video" and len(self.tracks[kind]) == 1):
            return False
        self.tracks[kind].remove(track)
        for one in track.items:
            one.stale = True
        return True

    def GetTrackName(self, kind: str, index: int) -> str:
        track = self.track(kind, index)
        return track.name if track else ""

    def SetTrackName(self, kind: str, index: int, name: str) -> bool:
        track = self.track(kind, index)
        if track is None or not self.named_well(name):
            return False
        track.name = name
        return True

    def GetTrackSubType(self, kind: str, index: int) -> str:
        track = self.track(kind, index)
        return track.sub_type if track else ""

    def GetIsTrackEnabled(self, kind: str, index: int) -> bool:
        track = self.track(kind, index)
        return bool(track and track.enabled)

    def SetTrackEnable(self, kind: str, index: int, enabled: bool) -> bool:
        track = self.track(kind, index)
        if track is None:
            return False
        track.enabled = enabled
        return True

    def GetIsTrackLocked(self, kind: str, index: int) -> bool:
        track = self.track(kind, index)
        return bool(track and track.locked)

    def SetTrackLock(self, kind: str, index: int, locked: bool) -> bool:
        track = self.track(kind, index)
        if track is None:
            return False
        track.locked = locked
        return True

    # items

    def GetItemListInTrack(self, kind: str, index: int) -> list[TimelineItem] | None:
        track = self.track(kind, index)
        return list(track.items) if track else None

    def DeleteClips(self, items: list[TimelineItem], ripple: bool | None = None) -> bool:
        """Linked items stay (field report: davinci-resolve-mcp)."""
        traps = self.world.manner.traps
        if traps.edit_page_only and self.world.app.page != "edit":
            return False
        if traps.flaky_delete and self.world.once("delete"):
            return False
        places = [(one, one.track) for one in items]
        if not places or any(place is None or place[0].locked for _, place in places):
            return False
        for one, place in places:
            assert place is not None
            place[0].items.remove(one)
            one.stale = True
            if ripple:
                for later in place[0].items:
                    if later.start >= one.end:
                        later.start -= one.duration
        return True

    def SetClipsLinked(self, items: list[TimelineItem], linked: bool) -> bool:
        if linked:
            link(items)
        else:
            for one in items:
                for other in one.linked:
                    other.linked = [left for left in other.linked if left is not one]
                one.linked = []
        return True

    def DuplicateTimeline(self, name: str | None = None) -> Timeline | None:
        wanted = name or f"{self.name} copy"
        if any(one.name == wanted for one in self.project.timelines) or not self.named_well(wanted):
            return None
        copy = Timeline(
            self.world,
            self.project,
            wanted,
            self.rate,
            self.GetStartTimecode(),
            (self.width, self.height),
            self.drop,
        )
        for kind, tracks in self.tracks.items():
            copy.tracks[kind] = [Track(one.name, one.sub_type, one.enabled, one.locked) for one in tracks]
            for old, new in zip(tracks, copy.tracks[kind], strict=True):
                for item in old.items:
                    again = TimelineItem(
                        self.world, copy, item.media, item.kind, item.start, item.duration, item.first
                    )
                    again.speed, again.properties, again.look = item.speed, dict(item.properties), item.look
                    again.markers = {frame: dataclasses.replace(one) for frame, one in item.markers.items()}
                    new.add(again)
        copy.markers = {frame: dataclasses.replace(one) for frame, one in self.markers.items()}
        return copy
