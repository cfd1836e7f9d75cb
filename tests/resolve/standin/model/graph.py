# SPDX-License-Identifier: Apache-2.0
"""Node graphs of clips and timelines, and colour groups: whether there is a grade, not what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.resolve.standin.model.thing import Thing

if TYPE_CHECKING:
    from tests.resolve.standin.model.item import TimelineItem
    from tests.resolve.standin.world import World


class Graph(Thing):
    """`tools` are the names of the tools used, a list for each node."""

    contract_name = "Graph"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.tools: list[list[str]] = [[]]
        self.luts: dict[int, str] = {}

    def GetNumNodes(self) -> int:
        return len(self.tools)

    def GetToolsInNode(self, node: int) -> list[str] | None:
        """None for a node in which nothing has been set."""
        return (list(self.tools[node - 1]) or None) if 1 <= node <= len(self.tools) else None

    def GetLUT(self, node: int) -> str:
        return self.luts.get(node, "")

    def GetNodeLabel(self, node: int) -> str:
        return ""

    def ResetAllGrades(self) -> bool:
        self.tools, self.luts = [[]], {}
        return True


class ColorGroup(Thing):
    contract_name = "ColorGroup"

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world)
        self.name = name
        self.pre, self.post = Graph(world), Graph(world)

    def GetName(self) -> str:
        return self.name

    def GetPreClipNodeGraph(self) -> Graph:
        return self.pre

    def GetPostClipNodeGraph(self) -> Graph:
        return self.post


class Graded(Thing):
    """An item with a node graph."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.graph = Graph(world)
        self.group: ColorGroup | None = None

    def GetNodeGraph(self, layer: int | None = None) -> Graph | None:
        return self.graph if layer in (None, 1) else None

    def GetColorGroup(self) -> ColorGroup | None:
        return self.group

    def AssignToColorGroup(self, group: ColorGroup) -> bool:
        self.group = group
        return True

    def RemoveFromColorGroup(self) -> bool:
        had, self.group = self.group, None
        return had is not None

    def GetCurrentVersion(self) -> dict[str, str | int]:
        return {"versionName": "Version 1", "versionType": 0}


def grade(item: TimelineItem, tool: str) -> None:
    """Use a tool in an item's first node."""
    item.graph.tools[0].append(tool)
