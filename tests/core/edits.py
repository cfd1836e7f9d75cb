# SPDX-License-Identifier: Apache-2.0
"""Edits over a tiny random Wan: its model, clips, masks, and what came of them."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from flowanchor_core.backbone import Backbone
from flowanchor_core.edit import plan_edit, run_edit
from flowanchor_core.masks import Box
from flowanchor_core.progress import Done, EditResult, Event
from flowanchor_core.request import DeliverySettings, EditRequest, RegionSettings

WIDTH, HEIGHT, FRAMES = 64, 48, 9


def tiny_model(wan_folder: Path, folder: Path) -> Path:
    """The tiny model, in `folder`, with settings that make an edit three steps long."""
    shutil.copytree(wan_folder, folder)
    card = json.loads((folder / "flowanchor.json").read_text())
    card["sampling"] = {"steps": 4, "skip": 1, "negative_prompt": "", "minimum_crop": 32, "overlap": 1}
    (folder / "flowanchor.json").write_text(json.dumps(card))
    return folder


def write_clip(path: Path, frames: int = FRAMES, rate: Fraction = Fraction(24)) -> Path:
    """A lossless clip of moving ramps."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=rate)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv444p"
        for index in range(frames):
            rgb = np.stack([x * 4 + index, y * 5, (x + y + 3 * index) * 2], axis=-1) % 256
            frame = av.VideoFrame.from_ndarray(rgb.astype(np.uint8), format="rgb24").reformat(
                format="yuv444p"
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def request_of(clip: Path, model: Path, folder: Path) -> EditRequest:
    """An edit of a small box, with its result in `folder`."""
    return EditRequest(
        clip=clip,
        delivery=DeliverySettings(folder / "out.mkv", "full", "ffv1"),
        source_prompt="a red circle",
        target_prompt="a blue circle",
        geometry=(Box(20, 12, 16, 16),),
        model=str(model),
        region=RegionSettings(margin=0.25, feather=2),
    )


def run(request: EditRequest, backbone: Backbone, **options: Any) -> tuple[EditResult, list[Event]]:
    events = list(run_edit(plan_edit(request), backbone, **options))
    assert isinstance(events[-1], Done)
    return events[-1].result, events


def samples(path: Path) -> NDArray[np.uint8]:
    """All frames in their own planes, [T, 3, H, W]."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray() for frame in container.decode(video=0)])


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write_mask(path: Path) -> Path:
    """A white square of 4 x 4 pixels in the upper left corner."""
    drawn = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    drawn[:4, :4] = 255
    frame = av.VideoFrame.from_ndarray(drawn, format="rgb24")
    with av.open(str(path), "w", format="image2") as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "rgb24"
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_sequence(folder: Path) -> Path:
    folder.mkdir()
    for index in range(FRAMES):
        write_mask(folder / f"f.{index:04d}.png")
    return folder
