# SPDX-License-Identifier: Apache-2.0
"""Jobs of the render queue, and the thread that renders them."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.resolve.standin.model import movie, pictures
from tests.resolve.standin.model.media import rounded
from tests.resolve.standin.model.render_settings import CODECS, FORMATS, SINGLE_CLIP, Deliver

if TYPE_CHECKING:
    from tests.resolve.standin.model.timeline import Timeline
    from tests.resolve.standin.world import World

TRANSLATED = {
    "Ready": "Bereit",
    "Rendering": "Rendern",
    "Complete": "Abgeschlossen",
    "Failed": "Fehlgeschlagen",
    "Cancelled": "Abgebrochen",
}
"""What the states read in a Resolve whose windows are not in English."""
TICK = 0.01
"""Seconds between looks at whether a hung job has been stopped."""


class Job:
    """A render that has been asked for: what the Deliver page held at that moment.

    `first` and `last` are record frames, both included. Marks beyond the timeline are cut to it; marks
    entirely outside of it, and SelectAllFrames, mean all of it.
    """

    def __init__(self, world: World, job_id: str, name: str, timeline: Timeline, page: Deliver) -> None:
        self.world, self.id, self.name, self.timeline = world, job_id, name, timeline
        self.state, self.mode = page.state.copied(), page.mode
        settings = self.state.settings
        self.first, self.last = timeline.start, timeline.end - 1
        marks = (settings.get("MarkIn", self.first), settings.get("MarkOut", self.last))
        first, last = max(self.first, marks[0]), min(self.last, marks[1])
        if not settings.get("SelectAllFrames") and first <= last:
            self.first, self.last = first, last
        self.phase, self.percent, self.error, self.took = "Ready", 0, "", 0
        self.began = 0.0

    @property
    def busy(self) -> bool:
        return self.phase == "Rendering"

    @property
    def file(self) -> Path:
        settings = self.state.settings
        name = settings.get("CustomName") or self.timeline.name
        return Path(settings["TargetDir"]) / f"{name}.{self.state.format}"

    @property
    def size(self) -> tuple[int, int]:
        settings = self.state.settings
        return (
            settings.get("FormatWidth", self.timeline.width),
            settings.get("FormatHeight", self.timeline.height),
        )

    def told(self) -> dict[str, Any]:
        """Keys as Resolve lists them (printed by users, and typed by the vendor in 21.1)."""
        settings, codecs = self.state.settings, CODECS[self.state.format]
        formats = {extension: name for name, extension in FORMATS.items()}
        names = {codec: name for name, codec in codecs.items()}
        width, height = self.size
        return {
            "JobId": self.id,
            "RenderJobName": self.name,
            "TimelineName": self.timeline.name,
            "TargetDir": settings["TargetDir"],
            "IsExportVideo": settings.get("ExportVideo", True),
            "IsExportAudio": settings.get("ExportAudio", True),
            "FormatWidth": width,
            "FormatHeight": height,
            "FrameRate": f"{rounded(self.timeline.rate):g}",
            "PixelAspectRatio": 1.0,
            "MarkIn": self.first,
            "MarkOut": self.last,
            "AudioBitDepth": settings.get("AudioBitDepth", 16),
            "AudioSampleRate": settings.get("AudioSampleRate", 48000),
            "ExportAlpha": settings.get("ExportAlpha", False),
            "OutputFilename": self.file.name,
            "RenderMode": "Single clip" if self.mode == SINGLE_CLIP else "Individual clips",
            "PresetName": self.state.preset,
            "VideoFormat": formats[self.state.format],
            "VideoCodec": names.get(self.state.codec, self.state.codec),
            "AudioCodec": settings.get("AudioCodec", "lpcm"),
        }

    def status(self) -> dict[str, Any]:
        translated = self.world.manner.traps.translated_status
        told: dict[str, Any] = {
            "JobStatus": TRANSLATED[self.phase] if translated else self.phase,
            "CompletionPercentage": self.percent,
        }
        if self.phase == "Complete":
            told["TimeTakenToRenderInMs"] = self.took
        elif self.phase == "Rendering":
            told["EstimatedTimeRemainingInMs"] = 1000
        elif self.phase == "Failed":
            told["Error"] = self.error
        return told


class Renderer:
    """Renders jobs in a thread of its own, one after the other."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    @property
    def busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self, jobs: list[Job]) -> None:
        self._stop.clear()
        for job in jobs:
            job.phase, job.percent, job.began = "Rendering", 0, time.monotonic()
        self._thread = threading.Thread(target=self._run, args=(jobs,), name="stand-in renderer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Cancel what is being rendered."""
        self._stop.set()

    def close(self) -> None:
        """Stop, and wait until it has."""
        self.stop()
        if self._thread is not None:
            self._thread.join(30)

    def _run(self, jobs: list[Job]) -> None:
        for job in jobs:
            try:
                outcome = self._render(job)
            except (pictures.NotModelled, OSError, ValueError) as problem:
                job.error, outcome = str(problem), "Failed"
            job.took = round(1000 * (time.monotonic() - job.began))
            job.percent = 100 if outcome == "Complete" else job.percent
            job.phase = outcome

    def _render(self, job: Job) -> str:
        fate = self.world.render_fate
        if fate == "fail":
            job.error = "The render failed: the disk is full."
            return "Failed"
        if job.mode != SINGLE_CLIP:
            raise pictures.NotModelled("the stand-in renders single clips only")
        frames = range(job.first, job.last + (0 if fate == "short" else 1))
        stage = pictures.Stage(job.timeline, job.size)
        with closing(stage), movie.Writer(job) as writer:
            for count, record in enumerate(frames):
                while fate == "hang" and count == len(frames) // 2 and not self._stop.wait(TICK):
                    pass
                if self._stop.is_set() or (fate == "cancel" and count == len(frames) // 2):
                    return "Cancelled"
                writer.add(stage.at(record))
                job.percent = min(99, 100 * (count + 1) // len(frames))
                if self.world.frame_seconds:
                    self._stop.wait(self.world.frame_seconds)
        return "Complete"
