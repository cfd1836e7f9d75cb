# SPDX-License-Identifier: Apache-2.0
"""The application: pages, version, product."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.resolve.standin.model.fusion import Fusion
from tests.resolve.standin.model.manager import ProjectManager
from tests.resolve.standin.model.render_settings import RenderState
from tests.resolve.standin.model.storage import MediaStorage
from tests.resolve.standin.model.thing import Thing

if TYPE_CHECKING:
    from tests.resolve.standin.world import World


class App(Thing):
    contract_name = "Resolve"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.page = "edit"
        self.keyframe_mode = 0
        self.fusion = Fusion(world)
        self.storage = MediaStorage(world)
        self.manager = ProjectManager(world)

    def Fusion(self) -> Fusion:
        return self.fusion

    def GetMediaStorage(self) -> MediaStorage:
        return self.storage

    def GetProjectManager(self) -> ProjectManager:
        return self.manager

    def OpenPage(self, page: str) -> bool:
        if self.manager.project is None:
            return False
        self.page = page
        return True

    def GetCurrentPage(self) -> str | None:
        return self.page if self.manager.project else None

    def GetProductName(self) -> str:
        return self.world.overlay.product

    def GetVersion(self) -> list[int | str]:
        return [*self.world.overlay.number, ""]

    def GetVersionString(self) -> str:
        return self.world.overlay.build

    def IsStudio(self) -> bool:
        return self.world.overlay.studio

    def GetKeyframeMode(self) -> int:
        return self.keyframe_mode

    def SetKeyframeMode(self, mode: int) -> bool:
        self.keyframe_mode = mode
        return True

    def Quit(self) -> None:
        self.world.running = False

    def ImportRenderPreset(self, path: str) -> bool:
        """Presets are kept as our own JSON here: their real form is Resolve's own business."""
        project = self.manager.project
        if project is None or not Path(path).is_file():
            return False
        name = Path(path).stem
        project.render.presets[name] = RenderState.loaded(json.loads(Path(path).read_text()))
        return project.render.load(name)

    def ExportRenderPreset(self, name: str, path: str) -> bool:
        project = self.manager.project
        if project is None or name not in project.render.presets:
            return False
        Path(path).write_text(json.dumps(project.render.presets[name].saved()))
        return True
