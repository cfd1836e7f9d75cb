# SPDX-License-Identifier: Apache-2.0
"""Bins of the media pool."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.resolve.standin.model.media import MediaPoolItem
from tests.resolve.standin.model.thing import Thing

if TYPE_CHECKING:
    from tests.resolve.standin.world import World


class Folder(Thing):
    contract_name = "Folder"

    def __init__(self, world: World, name: str, parent: Folder | None = None) -> None:
        super().__init__(world)
        self.name, self.parent = name, parent
        self.clips: list[MediaPoolItem] = []
        self.folders: list[Folder] = []

    def GetName(self) -> str:
        return self.name

    def GetClipList(self) -> list[MediaPoolItem]:
        return list(self.clips)

    def GetSubFolderList(self) -> list[Folder]:
        return list(self.folders)

    def GetIsFolderStale(self) -> bool:
        return False

    def GetUniqueId(self) -> str:
        return self.uid

    def inside(self) -> Iterator[Folder]:
        """This bin and all within it."""
        yield self
        for one in self.folders:
            yield from one.inside()
