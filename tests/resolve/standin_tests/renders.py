# SPDX-License-Identifier: Apache-2.0
"""Rendering through the stand-in's queue, and what came of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from tests.blender.host import numbered


def order(project: Any, folder: Path, name: str = "out", codec: str = "ProRes422HQ", **settings: Any) -> str:
    """Put a job in the queue: all of the timeline unless marks are given."""
    assert project.SetCurrentRenderFormatAndCodec("mov", codec)
    assert project.SetRenderSettings(
        {
            "SelectAllFrames": "MarkIn" not in settings,
            "TargetDir": str(folder),
            "CustomName": name,
            "ExportAudio": False,
            **settings,
        }
    )
    job = project.AddRenderJob()
    assert isinstance(job, str)
    assert job
    return job


def finished(project: Any, *jobs: str, limit: float = 120) -> dict[str, Any]:
    """Render jobs and wait; the last one's status."""
    assert project.StartRendering(list(jobs))
    until = time.monotonic() + limit
    while project.IsRenderingInProgress():
        assert time.monotonic() < until
        time.sleep(0.005)
    status = project.GetRenderJobStatus(jobs[-1])
    assert isinstance(status, dict)
    return status


def frames_of(path: Path, form: str = "rgb24") -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        if not container.streams.video:
            return []
        return [
            frame.to_ndarray(format=form).astype(np.uint8, copy=False) for frame in container.decode(video=0)
        ]


def rendered(path: Path) -> list[int | None]:
    """The numbers of a movie's frames."""
    return [numbered.number_of(frame) for frame in frames_of(path)]
