# SPDX-License-Identifier: Apache-2.0
"""Tracks: no published class, but what timelines are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.resolve.standin.model.item import TimelineItem


@dataclass(eq=False)
class Track:
    name: str
    sub_type: str = ""
    enabled: bool = True
    locked: bool = False
    items: list[TimelineItem] = field(default_factory=list)

    def occupied(self, start: int, end: int) -> bool:
        return any(one.start < end and start < one.end for one in self.items)

    def free_from(self, start: int, frames: int) -> int:
        """The first frame from `start` on at which so many frames are free."""
        for one in sorted(self.items, key=lambda item: item.start):
            if one.start < start + frames and start < one.end:
                start = one.end
        return start

    def add(self, item: TimelineItem) -> None:
        self.items.append(item)
        self.items.sort(key=lambda one: one.start)
