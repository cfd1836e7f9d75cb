# SPDX-License-Identifier: Apache-2.0
"""The demo's clip on a timeline, and what tests of the commands ask of it afterwards."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from flowanchor_core.shapes.demo import DemoClip
from tests.resolve.standin.model.pictures import Stage
from tests.resolve.standin.world import Clip, World

SIZE, START, FIRST, FRAMES = (64, 64), 86_400, 5, 12
CIRCLE, SQUARE = 0, 1
Run = Callable[..., subprocess.CompletedProcess[str]]


def fill(world: World, demo: DemoClip) -> Any:
    edit = demo.edits[CIRCLE]
    clips = [
        Clip(demo.clip, at=FIRST, first=2, frames=FRAMES),
        Clip(edit.mask, at=FIRST, first=2, frames=FRAMES, track=2),
    ]
    timeline = world.add_timeline(Fraction(24), size=SIZE, clips=clips, name="Reel 1")
    timeline.tracks["video"][1].name = "FA MASK"
    timeline.tracks["video"][1].enabled = False
    wish = f"shows: {demo.source_prompt}\nshould show: {edit.target_prompt}\nwords: {', '.join(edit.words)}"
    assert timeline.tracks["video"][0].items[0].AddMarker(2.0, "Purple", "FlowAnchor", wish, 1.0)
    timeline.SetCurrentTimecode("01:00:00:08")
    return timeline


def environment_of(world: World, folders: dict[str, str]) -> dict[str, str]:
    found = world.environment()
    path = os.pathsep.join((found["PYTHONPATH"], folders["PYTHONPATH"]))
    return {**folders, **found, "PYTHONPATH": path}


def last(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(found, dict)
    return found


def shown(world: World) -> list[Any]:
    """The timeline's pictures over the clip, RGBA from 0 to 1, as it is now."""
    assert world.project is not None
    assert world.project.current is not None
    stage = Stage(world.project.current, SIZE)
    try:
        return [stage.at(START + FIRST + number) for number in range(FRAMES)]
    finally:
        stage.close()


def marked(demo: DemoClip, grow: int) -> list[Any]:
    """Where the circle is or may be changed, frame by frame of the clip on the timeline."""
    import cv2

    with av.open(str(demo.edits[CIRCLE].mask)) as container:
        masks = [frame.to_ndarray(format="gray") > 127 for frame in container.decode(video=0)]
    kernel = np.ones((2 * grow + 1, 2 * grow + 1), np.uint8)
    return [cv2.dilate(mask.astype(np.uint8), kernel) > 0 for mask in masks[2 : 2 + FRAMES]]


def leftovers(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def timeline_markers(world: World) -> list[str]:
    """customData of the timeline's markers."""
    assert world.project is not None
    assert world.project.current is not None
    return [str(marker["customData"]) for marker in world.project.current.GetMarkers().values()]
