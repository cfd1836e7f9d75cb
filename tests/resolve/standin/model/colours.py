# SPDX-License-Identifier: Apache-2.0
"""Clip colours and flags, of media and timeline items alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.resolve.standin.model.thing import Thing

if TYPE_CHECKING:
    from tests.resolve.standin.world import World


class Coloured(Thing):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.colour = ""
        self.flags: list[str] = []

    def GetClipColor(self) -> str:
        return self.colour

    def SetClipColor(self, colour: str) -> bool:
        self.colour = colour
        return True

    def ClearClipColor(self) -> bool:
        self.colour = ""
        return True

    def AddFlag(self, colour: str) -> bool:
        if colour not in self.flags:
            self.flags.append(colour)
        return True

    def GetFlagList(self) -> list[str]:
        return list(self.flags)

    def ClearFlags(self, colour: str) -> bool:
        before = len(self.flags)
        self.flags = [one for one in self.flags if colour not in ("All", one)]
        return len(self.flags) < before
