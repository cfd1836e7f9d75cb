# SPDX-License-Identifier: Apache-2.0
"""The project manager: projects by name, one of them open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.resolve.standin.model.project import Project
from tests.resolve.standin.model.thing import Thing

if TYPE_CHECKING:
    from tests.resolve.standin.world import World


class ProjectManager(Thing):
    contract_name = "ProjectManager"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.projects: dict[str, Project] = {}
        self.project: Project | None = None
        self.saves = 0

    def CreateProject(self, name: str, media_location: str | None = None) -> Project | None:
        if name in self.projects or not self.named_well(name):
            return None
        project = Project(self.world, name)
        self.projects[name] = self.project = project
        return project

    def LoadProject(self, name: str) -> Project | None:
        self.project = self.projects.get(name, self.project)
        return self.projects.get(name)

    def GetCurrentProject(self) -> Project | None:
        return self.project

    def SaveProject(self) -> bool:
        if self.project is None:
            return False
        self.saves += 1
        return True

    def CloseProject(self, project: Project) -> bool:
        if project is not self.project:
            return False
        project.close()
        self.project = None
        return True

    def GetProjectListInCurrentFolder(self) -> list[str]:
        return sorted(self.projects)

    def GetFolderListInCurrentFolder(self) -> list[str]:
        return []

    def GetCurrentFolder(self) -> str:
        return ""

    def GotoRootFolder(self) -> bool:
        return True

    def GetCurrentDatabase(self) -> dict[str, str]:
        return {"DbType": "Disk", "DbName": "Local Database"}

    def GetDatabaseList(self) -> list[dict[str, str]]:
        return [self.GetCurrentDatabase()]
