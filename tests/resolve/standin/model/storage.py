# SPDX-License-Identifier: Apache-2.0
"""Media Storage: the folders that Resolve knows as volumes."""

from __future__ import annotations

from pathlib import Path

from tests.resolve.standin.model.media import MediaPoolItem
from tests.resolve.standin.model.thing import Thing


class MediaStorage(Thing):
    contract_name = "MediaStorage"

    def GetMountedVolumeList(self) -> list[str]:
        return [str(volume) for volume in self.world.volumes]

    def GetSubFolderList(self, folder: str) -> list[str]:
        return sorted(str(one) for one in _listed(folder) if one.is_dir())

    def GetFileList(self, folder: str) -> list[str]:
        return sorted(str(one) for one in _listed(folder) if one.is_file())

    def RevealInStorage(self, path: str) -> bool:
        return self.holds(Path(path)) and Path(path).exists()

    def AddItemListToMediaPool(self, *items: object) -> list[MediaPoolItem]:
        project = self.world.project
        if project is None:
            return []
        listed = items[0] if len(items) == 1 and isinstance(items[0], list) else list(items)
        return project.pool.ImportMedia(
            [one["media"] if isinstance(one, dict) else str(one) for one in listed]
        )

    def AddClipMattesToMediaPool(self, item: MediaPoolItem, paths: list[str], eye: str | None = None) -> bool:
        if eye is not None or not all(Path(path).is_file() for path in paths):
            return False
        item.mattes.extend(path for path in paths if path not in item.mattes)
        return True

    def holds(self, path: Path) -> bool:
        """Whether a path is under one of the volumes."""
        resolved = path.resolve()
        return any(resolved.is_relative_to(volume.resolve()) for volume in self.world.volumes)


def _listed(folder: str) -> list[Path]:
    path = Path(folder)
    return list(path.iterdir()) if path.is_dir() else []
