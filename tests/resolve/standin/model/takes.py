# SPDX-License-Identifier: Apache-2.0
"""Takes: several sources for one item, one of them shown.

The extents of a take are taken as those of an appended clip, half-open; the vendor's text does not say.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Any

from tests.resolve.standin.model.thing import Thing

if TYPE_CHECKING:
    from tests.resolve.standin.model.item import TimelineItem
    from tests.resolve.standin.model.media import MediaPoolItem
    from tests.resolve.standin.world import World


@dataclass(frozen=True)
class Take:
    media: MediaPoolItem | None
    first: int
    end: int

    def frames(self, item: TimelineItem) -> int:
        """How long the item is when it shows this take."""
        source = self.media.source if self.media else None
        rate = source.rate if source else item.timeline.rate
        return max(floor((self.end - self.first) * item.timeline.rate / rate), 1)


class Takes(Thing):
    """The take selector of an item; it has none until a take is added."""

    media: MediaPoolItem | None
    first: int
    duration: int

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.takes: list[Take] = []
        self.selected = 0

    def show(self, take: Take) -> None:
        raise NotImplementedError

    def AddTake(self, media: MediaPoolItem, start: int | None = None, end: int | None = None) -> bool:
        source = media.source
        if source is None:
            return False
        first = 0 if start is None else start
        last = source.frames if end is None else end
        if not 0 <= first < last <= source.frames:
            return False
        if not self.takes:
            self.takes.append(Take(self.media, self.first, self.first + self.duration))
        self.takes.append(Take(media, first, last))
        self.selected = len(self.takes)
        self.show(self.takes[-1])
        return True

    def GetTakesCount(self) -> int:
        return len(self.takes)

    def GetSelectedTakeIndex(self) -> int:
        return self.selected

    def GetTakeByIndex(self, index: int) -> dict[str, Any] | None:
        if not 1 <= index <= len(self.takes):
            return None
        take = self.takes[index - 1]
        return {"startFrame": take.first, "endFrame": take.end, "mediaPoolItem": take.media}

    def SelectTakeByIndex(self, index: int) -> bool:
        if not 1 <= index <= len(self.takes):
            return False
        self.selected = index
        self.show(self.takes[index - 1])
        return True

    def DeleteTakeByIndex(self, index: int) -> bool:
        if not 1 <= index <= len(self.takes) or len(self.takes) == 1:
            return False
        del self.takes[index - 1]
        if self.selected == index:
            self.selected = 1
            self.show(self.takes[0])
        elif self.selected > index:
            self.selected -= 1
        if len(self.takes) == 1:
            self.takes, self.selected = [], 0
        return True

    def FinalizeTake(self) -> bool:
        if not self.takes:
            return False
        self.takes, self.selected = [], 0
        return True
