# SPDX-License-Identifier: Apache-2.0
"""The demo's clip: two moving things, a mask for each, and an edit for each.

It is drawn when needed and always the same, so nothing but this file has to be shipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from torch import Tensor

from flowanchor_core.shapes import world
from flowanchor_core.shapes.captions import caption
from flowanchor_core.shapes.world import Scene, Thing

RATE = Fraction(24)
SCENE = Scene(
    things=(
        Thing("red", "circle", radius=0.19, x=0.27, y=0.33, vx=0.012, vy=0.008),
        Thing("blue", "square", radius=0.19, x=0.72, y=0.70, vx=-0.010, vy=-0.006),
    ),
    background="grey",
    texture="stripes",
    amplitude=0.03,
    angle=0.6,
    waves=2.0,
)
WANTED = ("green", "yellow")
"""The colour each thing is to take, in the scene's order."""


@dataclass(frozen=True)
class DemoEdit:
    """One thing to change: its mask, what the clip should show afterwards, the words that drive the edit."""

    name: str
    mask: Path
    target_prompt: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class DemoClip:
    """The clip, what it shows, and an edit for each of its things."""

    clip: Path
    source_prompt: str
    edits: tuple[DemoEdit, ...]


def demo_clip(folder: Path) -> DemoClip:
    """Write the clip and its masks (lossless, 17 frames of 64x64 at 24/1) into `folder`, an existing one."""
    videos, masks = world.render([SCENE])
    clip = folder / "two-things.mkv"
    _write(clip, _bytes(videos[0]))
    edits = []
    for index, (thing, colour) in enumerate(zip(SCENE.things, WANTED, strict=True)):
        mask = folder / f"{thing.shape}-mask.mkv"
        _write(mask, np.repeat(masks[0, index].numpy().astype(np.uint8)[..., None] * 255, 3, axis=-1))
        target = caption(SCENE.with_thing(index, colour=colour))
        edits.append(DemoEdit(thing.shape, mask, target, (f"{colour} {thing.shape}",)))
    return DemoClip(clip, caption(SCENE), tuple(edits))


def _bytes(video: Tensor) -> np.ndarray:
    """[3, T, H, W] in [-1, 1] as uint8 [T, H, W, 3]."""
    return ((video.permute(1, 2, 3, 0) + 1) * 127.5).round().byte().numpy()


def _write(path: Path, frames: np.ndarray) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=RATE)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "bgr0"
        for picture in frames:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="bgr0")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
