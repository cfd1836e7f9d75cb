# SPDX-License-Identifier: Apache-2.0
"""In and out marks, counted from the first frame, both ends included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.resolve.standin.model.thing import Thing

if TYPE_CHECKING:
    from tests.resolve.standin.world import World


class Ranged(Thing):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.marks: dict[str, dict[str, int]] = {}

    def GetMarkInOut(self) -> dict[str, dict[str, int]]:
        return {kind: dict(marks) for kind, marks in self.marks.items()}

    def SetMarkInOut(self, mark_in: int, mark_out: int, kind: str = "all") -> bool:
        if not 0 <= mark_in <= mark_out:
            return False
        for one in _kinds(kind):
            self.marks[one] = {"in": mark_in, "out": mark_out}
        return True

    def ClearMarkInOut(self, kind: str = "all") -> bool:
        for one in _kinds(kind):
            self.marks.pop(one, None)
        return True


def _kinds(kind: str | None) -> tuple[str, ...]:
    return ("video", "audio") if kind in (None, "all") else (str(kind),)
