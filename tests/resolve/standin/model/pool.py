# SPDX-License-Identifier: Apache-2.0
"""The media pool: bins, imports, and what is put on timelines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.resolve.standin.model import append
from tests.resolve.standin.model.folder import Folder
from tests.resolve.standin.model.item import TimelineItem
from tests.resolve.standin.model.media import MediaPoolItem, look_into
from tests.resolve.standin.model.thing import Thing
from tests.resolve.standin.model.timeline import Timeline

if TYPE_CHECKING:
    from tests.resolve.standin.model.project import Project
    from tests.resolve.standin.world import World


class MediaPool(Thing):
    contract_name = "MediaPool"

    def __init__(self, world: World, project: Project) -> None:
        super().__init__(world)
        self.project = project
        self.root = Folder(world, "Master")
        self.current = self.root
        self.selected: list[MediaPoolItem] = []

    def GetUniqueId(self) -> str:
        return self.uid

    # bins

    def GetRootFolder(self) -> Folder:
        return self.root

    def GetCurrentFolder(self) -> Folder:
        return self.current

    def SetCurrentFolder(self, folder: Folder) -> bool:
        if folder not in self.root.inside():
            return False
        self.current = folder
        return True

    def AddSubFolder(self, parent: Folder, name: str) -> Folder | None:
        """The new bin becomes the current one."""
        taken = any(one.name == name for one in parent.folders)
        if taken or not self.named_well(name) or parent not in self.root.inside():
            return None
        folder = Folder(self.world, name, parent)
        parent.folders.append(folder)
        self.current = folder
        return folder

    def DeleteFolders(self, folders: list[Folder]) -> bool:
        if not folders or any(one is self.root or one.parent is None for one in folders):
            return False
        for one in folders:
            assert one.parent is not None
            one.parent.folders.remove(one)
            for inner in one.inside():
                inner.stale = True
                if inner is self.current:
                    self.current = self.root
                for clip in inner.clips:
                    clip.stale = True
        return True

    def RefreshFolders(self) -> bool:
        return True

    def MoveClips(self, clips: list[MediaPoolItem], target: Folder) -> bool:
        if not clips:
            return False
        for one in clips:
            one.folder.clips.remove(one)
            one.folder = target
            target.clips.append(one)
        return True

    def MoveFolders(self, folders: list[Folder], target: Folder) -> bool:
        if any(one.parent is None or target in one.inside() for one in folders):
            return False
        for one in folders:
            assert one.parent is not None
            one.parent.folders.remove(one)
            one.parent = target
            target.folders.append(one)
        return bool(folders)

    # clips

    def ImportMedia(self, items: list[Any]) -> list[MediaPoolItem]:
        """Into the current bin; what is no media is left out. A file that is there already is not imported
        again."""
        found = []
        for one in items:
            path = Path(one["FilePath"] if isinstance(one, dict) else one)
            if not path.is_file():
                continue
            here = next(
                (clip for clip in self.current.clips if clip.source and clip.source.path == path), None
            )
            if here is not None:
                found.append(here)
            elif source := look_into(path, self.world.rate):
                found.append(MediaPoolItem(self.world, self.current, source))
        return found

    def DeleteClips(self, clips: list[MediaPoolItem]) -> bool:
        """Their items leave the timelines with them."""
        if not clips or any(one.folder is None or one not in one.folder.clips for one in clips):
            return False
        for clip in clips:
            clip.folder.clips.remove(clip)
            clip.stale = True
            for timeline in self.project.timelines:
                for track in (*timeline.tracks["video"], *timeline.tracks["audio"]):
                    for item in [one for one in track.items if one.media is clip]:
                        track.items.remove(item)
                        item.stale = True
        return True

    def GetSelectedClips(self) -> list[MediaPoolItem]:
        return list(self.selected)

    def SetSelectedClip(self, clip: MediaPoolItem) -> bool:
        self.selected = [clip]
        return True

    def GetClipMatteList(self, clip: MediaPoolItem) -> list[str]:
        return list(clip.mattes)

    def GetTimelineMatteList(self, folder: Folder) -> list[MediaPoolItem]:
        return []

    def DeleteClipMattes(self, clip: MediaPoolItem, paths: list[str]) -> bool:
        if not paths or any(path not in clip.mattes for path in paths):
            return False
        clip.mattes = [path for path in clip.mattes if path not in paths]
        return True

    # timelines

    def CreateEmptyTimeline(self, name: str) -> Timeline | None:
        if any(one.name == name for one in self.project.timelines) or not self.named_well(name):
            return None
        timeline = Timeline(
            self.world, self.project, name, self.project.rate, "01:00:00:00", self.project.size
        )
        self.project.current = timeline
        return timeline

    def CreateTimelineFromClips(self, name: str, *clips: Any) -> Timeline | None:
        timeline = self.CreateEmptyTimeline(name)
        if timeline is not None:
            append.append(self.world, timeline, clips)
        return timeline

    def DeleteTimelines(self, timelines: list[Timeline]) -> bool:
        if not timelines:
            return False
        for one in timelines:
            self.project.drop_timeline(one)
        return True

    def AppendToTimeline(self, *clips: Any) -> list[TimelineItem]:
        timeline = self.project.current
        return append.append(self.world, timeline, clips) if timeline else []
