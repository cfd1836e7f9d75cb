# SPDX-License-Identifier: Apache-2.0
"""A project: its timelines, its settings, its render queue."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tests.resolve.standin.model.media import rounded
from tests.resolve.standin.model.pool import MediaPool
from tests.resolve.standin.model.rendering import Rendering
from tests.resolve.standin.model.timeline import Timeline

if TYPE_CHECKING:
    from tests.resolve.standin.world import World


class Project(Rendering):
    contract_name = "Project"

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world)
        self.name = name
        self.rate, self.size = Fraction(24), (1920, 1080)
        self.colour_science = "davinciYRGB"
        self.timelines: list[Timeline] = []
        self.current: Timeline | None = None
        self.pool = MediaPool(world, self)

    def close(self) -> None:
        """Everything that was got from it is stale."""
        self.stale = self.pool.stale = True
        for timeline in list(self.timelines):
            self.drop_timeline(timeline)

    def drop_timeline(self, timeline: Timeline) -> None:
        """A timeline is deleted."""
        self.timelines.remove(timeline)
        if timeline.item in timeline.item.folder.clips:
            timeline.item.folder.clips.remove(timeline.item)
        timeline.stale = timeline.item.stale = True
        for kind in ("video", "audio"):
            for item in timeline.items(kind):
                item.stale = True
        if self.current is timeline:
            self.current = None

    def GetName(self) -> str:
        return self.name

    def SetName(self, name: str) -> bool:
        manager = self.world.app.manager
        if name in manager.projects or not self.named_well(name):
            return False
        manager.projects[name] = manager.projects.pop(self.name)
        self.name = name
        return True

    def GetUniqueId(self) -> str:
        return self.uid

    def GetMediaPool(self) -> MediaPool:
        return self.pool

    def GetTimelineCount(self) -> int:
        return len(self.timelines)

    def GetTimelineByIndex(self, index: int) -> Timeline | None:
        return self.timelines[index - 1] if 1 <= index <= len(self.timelines) else None

    def GetCurrentTimeline(self) -> Timeline | None:
        return self.current

    def SetCurrentTimeline(self, timeline: Timeline) -> bool:
        if timeline not in self.timelines:
            return False
        self.current = timeline
        return True

    def GetSetting(self, key: str | None = None) -> Any:
        told = self.GetSettings()
        return told.get(key, "") if key else told

    def GetSettings(self) -> dict[str, Any]:
        width, height = self.size
        return {
            "timelineFrameRate": rounded(self.rate),
            "timelineDropFrameTimecode": "0",
            "timelineResolutionWidth": str(width),
            "timelineResolutionHeight": str(height),
            "timelineOutputResolutionWidth": str(width),
            "timelineOutputResolutionHeight": str(height),
            "nodeStackLayers": "1",
            "colorScienceMode": self.colour_science,
        }

    def SetSetting(self, key: str, value: str) -> bool:
        """The frame rate is fixed once there is a timeline."""
        if key == "timelineFrameRate":
            rate = RATES.get(value)
            if rate is None or self.timelines:
                return False
            self.rate = rate
            return True
        if key in ("timelineResolutionWidth", "timelineResolutionHeight") and value.isdigit():
            width, height = self.size
            self.size = (int(value), height) if key.endswith("Width") else (width, int(value))
            return True
        return False


RATES = {
    **{str(whole): Fraction(whole) for whole in (16, 18, 24, 25, 30, 48, 50, 60, 72, 90, 96, 100, 120)},
    **{
        text: Fraction(whole * 1000, 1001)
        for text, whole in (
            ("23.976", 24),
            ("29.97", 30),
            ("29.97 DF", 30),
            ("47.952", 48),
            ("59.94", 60),
            ("59.94 DF", 60),
            ("119.88", 120),
        )
    },
}
"""Timeline frame rates as Resolve writes them."""
