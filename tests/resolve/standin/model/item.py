# SPDX-License-Identifier: Apache-2.0
"""Items on a timeline's tracks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flowanchor_core.footage.timecode import Timecode
from tests.resolve.standin.model.colours import Coloured
from tests.resolve.standin.model.fusion import EMPTY, FusionComp
from tests.resolve.standin.model.graph import Graded
from tests.resolve.standin.model.item_properties import DEFAULTS, admitted
from tests.resolve.standin.model.markers import Marked
from tests.resolve.standin.model.takes import Take, Takes

if TYPE_CHECKING:
    from tests.resolve.standin.model.media import MediaPoolItem
    from tests.resolve.standin.model.timeline import Timeline
    from tests.resolve.standin.model.track import Track
    from tests.resolve.standin.world import World


@dataclass(frozen=True)
class Look:
    """What the Color page does to an item's pictures when they are rendered. `gain` multiplies code values;
    `alpha` is a box (left, top, width, height, in pixels of the source) that an Alpha Output lets through,
    None without one."""

    gain: float = 1.0
    alpha: tuple[int, int, int, int] | None = None


class TimelineItem(Marked, Takes, Graded, Coloured):
    """`start` counts record frames, `first` frames of the source, `speed` is 1 for 100 %."""

    contract_name = "TimelineItem"

    def __init__(
        self,
        world: World,
        timeline: Timeline,
        media: MediaPoolItem | None,
        kind: Literal["video", "audio"],
        start: int,
        duration: int,
        first: int,
    ) -> None:
        super().__init__(world)
        self.timeline, self.media, self.kind = timeline, media, kind
        self.start, self.duration, self.first = start, duration, first
        self.speed = Fraction(1)
        self.name = media.GetName() if media else ""
        self.enabled = True
        self.properties: dict[str, Any] = dict(DEFAULTS)
        self.comps: list[FusionComp] = []
        self.linked: list[TimelineItem] = []
        self.look = Look()
        self.transition = False

    @property
    def end(self) -> int:
        """The record frame after the last."""
        return self.start + self.duration

    @property
    def ratio(self) -> Fraction:
        """Source frames a record frame."""
        source = self.media.source if self.media else None
        rate = source.rate if source else self.timeline.rate
        return self.speed * rate / self.timeline.rate

    @property
    def track(self) -> tuple[Track, int] | None:
        """Its track and that track's number from 1, or None when it is on none."""
        for index, track in enumerate(self.timeline.tracks[self.kind], 1):
            if self in track.items:
                return track, index
        return None

    def source_frame(self, record: int) -> int:
        """The frame of the source that a record frame shows."""
        source = self.media.source if self.media else None
        if source and source.still:
            return 0
        return self.first + floor((record - self.start) * self.ratio)

    def marker_frames(self) -> int | None:
        return self.duration

    def GetName(self) -> str:
        return self.name

    def SetName(self, name: str) -> bool:
        if not self.named_well(name):
            return False
        self.name = name
        return True

    def GetType(self) -> str:
        return "transition" if self.transition else self.kind if self.media else "generator"

    def GetUniqueId(self) -> str:
        ghost = self.track is None and self.world.manner.traps.null_items
        return "" if ghost else self.uid

    def GetMediaPoolItem(self) -> MediaPoolItem | None:
        return self.media

    def GetTrackTypeAndIndex(self) -> list[str | int] | None:
        track = self.track
        return [self.kind, track[1]] if track else None

    def GetLinkedItems(self) -> list[TimelineItem]:
        return [one for one in self.linked if one.track]

    def GetStart(self, subframes: bool | None = None) -> int | float:
        return float(self.start) if subframes else self.start

    def GetEnd(self, subframes: bool | None = None) -> int | float:
        return float(self.end) if subframes else self.end

    def GetDuration(self, subframes: bool | None = None) -> int | float:
        return float(self.duration) if subframes else self.duration

    def GetLeftOffset(self, subframes: bool | None = None) -> int | float:
        exact = self.first / self.ratio
        return float(exact) if subframes else floor(exact)

    def GetRightOffset(self, subframes: bool | None = None) -> int | float:
        source = self.media.source if self.media else None
        left = (source.frames - self.first) / self.ratio - self.duration if source else Fraction(0)
        return float(left) if subframes else max(floor(left), 0)

    def GetSourceStartFrame(self) -> int:
        return self.first + self.world.manner.traps.source_frames_off

    def GetSourceEndFrame(self) -> int:
        """Exclusive where the rates agree, inclusive where they differ (field report: davinci-resolve-mcp,
        measured on 19.1.3.7)."""
        end = self.first + floor(self.duration * self.ratio)
        source = self.media.source if self.media else None
        return end if source is None or source.rate == self.timeline.rate else end - 1

    def GetSourceStartTime(self) -> float:
        return self._source_time(self.first)

    def GetSourceEndTime(self) -> float:
        return self._source_time(self.first + self.duration * self.ratio)

    def _source_time(self, frame: int | Fraction) -> float:
        """Seconds on the source's own timecode."""
        source = self.media.source if self.media else None
        if source is None:
            return float(frame / self.timeline.rate)
        start = Timecode.parse(source.start_timecode or "", source.rate)
        return float((frame + (start.frames if start else 0)) / source.rate)

    def GetClipEnabled(self) -> bool:
        return self.enabled

    def SetClipEnabled(self, enabled: bool) -> bool:
        self.enabled = enabled
        return True

    def GetProperty(self, key: str | None = None) -> Any:
        """A property, None if there is no such, or all. Retimes are not among them: 21.1 tells them with
        GetSpeed."""
        if self.transition:
            return None if key else {}
        return self.properties.get(key) if key else dict(self.properties)

    def SetProperty(self, key: str | dict[str, Any], value: Any = None) -> bool:
        wanted = key if isinstance(key, dict) else {key: value}
        size = (self.timeline.width, self.timeline.height)
        taken = {name: admitted(name, one, size) for name, one in wanted.items()}
        if any(one is None for one in taken.values()):
            return False
        self.properties.update(taken)
        return True

    def GetProperties(self) -> dict[str, Any]:
        return dict(self.properties)

    def GetSpeed(self) -> dict[str, Any]:
        return {"Percentage": float(self.speed * 100), "PitchCorrection": False}

    def GetFusionCompCount(self) -> int:
        return len(self.comps)

    def GetFusionCompNameList(self) -> list[str]:
        return [one.name for one in self.comps]

    def GetFusionCompByIndex(self, index: int) -> FusionComp | None:
        return self.comps[index - 1] if 1 <= index <= len(self.comps) else None

    def GetFusionCompByName(self, name: str) -> FusionComp | None:
        return next((one for one in self.comps if one.name == name), None)

    def AddFusionComp(self) -> FusionComp:
        return self.add_comp(EMPTY)

    def ImportFusionComp(self, path: str) -> FusionComp | None:
        return self.add_comp(Path(path).read_text()) if Path(path).is_file() else None

    def ExportFusionComp(self, path: str, index: int) -> bool:
        comp = self.GetFusionCompByIndex(index)
        if comp is None or not Path(path).parent.is_dir():
            return False
        Path(path).write_text(comp.text, encoding="utf-8")
        return True

    def DeleteFusionCompByName(self, name: str) -> bool:
        before = len(self.comps)
        self.comps = [one for one in self.comps if one.name != name]
        return len(self.comps) < before

    def RenameFusionCompByName(self, old: str, new: str) -> bool:
        comp = self.GetFusionCompByName(old)
        if comp is None or self.GetFusionCompByName(new):
            return False
        comp.name = new
        return True

    def LoadFusionCompByName(self, name: str) -> FusionComp | None:
        return self.GetFusionCompByName(name)

    def add_comp(self, text: str, shows: str = "") -> FusionComp:
        comp = FusionComp(self.world, f"Composition {len(self.comps) + 1}", text, shows)
        self.comps.append(comp)
        return comp

    def show(self, take: Take) -> None:
        """Show another take: as long as that is."""
        self.media, self.first, self.duration = take.media, take.first, take.frames(self)


def link(items: Iterable[TimelineItem]) -> None:
    """Link items to each other."""
    listed = list(items)
    for one in listed:
        one.linked = [other for other in listed if other is not one]
