# SPDX-License-Identifier: Apache-2.0
"""A project's render settings and render queue, as scripts reach them."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.resolve.standin.model.render_job import Job
from tests.resolve.standin.model.render_settings import CODECS, FORMATS, Deliver
from tests.resolve.standin.model.thing import Thing

if TYPE_CHECKING:
    from tests.resolve.standin.model.timeline import Timeline
    from tests.resolve.standin.world import World

STORAGE_DIALOG = "The target folder is not in Media Storage."


class Rendering(Thing):
    current: Timeline | None

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.render = Deliver()
        self.jobs: list[Job] = []
        if world.manner.traps.preset_underlay:
            self.render.load("Audio Only")

    # formats and presets

    def GetRenderFormats(self) -> dict[str, str]:
        return dict(FORMATS)

    def GetRenderCodecs(self, extension: str) -> dict[str, str]:
        return {
            name: codec
            for name, codec in CODECS.get(extension, {}).items()
            if self.world.prores or not codec.startswith("ProRes")
        }

    def GetCurrentRenderFormatAndCodec(self) -> dict[str, str]:
        return {"format": self.render.state.format, "codec": self.render.state.codec}

    def SetCurrentRenderFormatAndCodec(self, extension: str, codec: str) -> bool:
        if codec not in self.GetRenderCodecs(extension).values():
            return False
        self.render.state.format, self.render.state.codec = extension, codec
        return True

    def GetCurrentRenderMode(self) -> int:
        return self.render.mode

    def SetCurrentRenderMode(self, mode: int) -> bool:
        self.render.mode = mode
        return True

    def GetRenderResolutions(
        self, extension: str | None = None, codec: str | None = None
    ) -> list[dict[str, int]]:
        if (extension is not None) and codec not in self.GetRenderCodecs(extension).values():
            return []
        return [
            {"Width": 1280, "Height": 720},
            {"Width": 1920, "Height": 1080},
            {"Width": 3840, "Height": 2160},
        ]

    def GetRenderPresetList(self) -> list[str]:
        return list(self.render.presets)

    def LoadRenderPreset(self, name: str) -> bool:
        return self.render.load(name)

    def SaveAsNewRenderPreset(self, name: str) -> bool:
        return self.named_well(name) and self.render.save_as(name)

    def DeleteRenderPreset(self, name: str) -> bool:
        if name in self.render.stock or name not in self.render.presets:
            return False
        del self.render.presets[name]
        return True

    def SetRenderSettings(self, settings: dict[str, Any]) -> bool:
        """On top of what the page holds. Sizes and rates that the timeline or format cannot have are
        refused."""
        world, traps = self.world, self.world.manner.traps
        target = settings.get("TargetDir")
        if target is not None:
            if (
                traps.storage_only
                and world.overlay.number >= (21, 0)
                and not world.app.storage.holds(Path(target))
            ):
                world.open_dialog(STORAGE_DIALOG)
                return False
            if not Path(target).is_dir():
                return False
        name = settings.get("CustomName")
        if name is not None and not self.named_well(name):
            return False
        rate = settings.get("FrameRate")
        if rate is not None and self.current and abs(rate - float(self.current.rate)) > 0.001:
            return False
        self.render.state.settings.update(settings)
        return True

    # the queue

    def AddRenderJob(self) -> str:
        settings, timeline = self.render.state.settings, self.current
        if timeline is None or timeline.end == timeline.start or "TargetDir" not in settings:
            return ""
        job = Job(self.world, str(uuid.uuid4()), f"Job {len(self.jobs) + 1}", timeline, self.render)
        self.jobs.append(job)
        return job.id

    def DeleteRenderJob(self, job_id: str) -> bool:
        job = self._job(job_id)
        if job is None or job.busy:
            return False
        self.jobs.remove(job)
        return True

    def DeleteAllRenderJobs(self) -> bool:
        if any(job.busy for job in self.jobs):
            return False
        self.jobs.clear()
        return True

    def GetRenderJobList(self) -> list[dict[str, Any]]:
        return [job.told() for job in self.jobs]

    def GetRenderJobStatus(self, job_id: str) -> dict[str, Any]:
        job = self._job(job_id)
        return job.status() if job else {}

    def StartRendering(self, *asked: Any) -> bool:
        listed = [one for one in asked if not isinstance(one, bool)]
        if listed and isinstance(listed[0], list):
            listed = listed[0]
        jobs = [self._job(one) for one in listed] if listed else list(self.jobs)
        if not jobs or None in jobs or self.IsRenderingInProgress():
            return False
        self.world.renderer.start([job for job in jobs if job is not None])
        return True

    def StopRendering(self) -> None:
        self.world.renderer.stop()

    def IsRenderingInProgress(self) -> bool:
        return self.world.renderer.busy

    def _job(self, job_id: str) -> Job | None:
        return next((job for job in self.jobs if job.id == job_id), None)
