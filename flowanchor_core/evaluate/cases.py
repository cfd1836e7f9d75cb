# SPDX-License-Identifier: Apache-2.0
"""The clips of the quality benchmark: scenes of the shapes world, what to change in them, and how it is
marked.

Two splits that share no scene: `tuning` is for choosing settings, `held-out` for reporting them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from flowanchor_core.masks import Keyframe, Scribble, rasterize
from flowanchor_core.shapes import world
from flowanchor_core.shapes.captions import caption
from flowanchor_core.shapes.world import Scene

Change = Literal["colour", "shape"]
Marking = Literal["tight", "box", "scribble"]
_LENGTHS = (17, 17, 17, 33, 17, 17, 17, 49, 17, 17, 17, 17, 17, 17, 17, 81)
"""Pixel frames of consecutive cases: three quarters and more at the native length, the rest in windows."""
_FAST = 0.045
_SHAPE_SHARE = 1 / 3
_MARKINGS: tuple[Marking, ...] = ("tight", "box", "scribble")


@dataclass(frozen=True)
class Case:
    """One edit with its truth. `scene` is the source, `truth` the scene the edit should lead to."""

    name: str
    scene: Scene
    truth: Scene
    thing: int
    change: Change
    marking: Marking
    fast: bool
    frames: int
    source_prompt: str
    target_prompt: str

    @property
    def words(self) -> tuple[str, ...]:
        """What drives the edit: the wanted thing, named as the target prompt names it."""
        thing = self.truth.things[self.thing]
        return (f"{thing.colour} {thing.shape}",)

    def videos(self) -> tuple[Tensor, Tensor]:
        """Source and true result, float [3, T, S, S] in [-1, 1]."""
        both, _ = world.render([self.scene, self.truth], self.frames)
        return both[0], both[1]

    def masks(self) -> tuple[Tensor, Tensor]:
        """Visible pixels of every thing, bool [3, T, S, S], in the source and in the true result."""
        _, both = world.render([self.scene, self.truth], self.frames)
        return both[0], both[1]

    def mark(self) -> Tensor:
        """The user's mask, bool [T, S, S]: all pixels the edit may need, their box, or a loose stroke."""
        before, after = self.masks()
        tight = before[self.thing] | after[self.thing]
        if self.marking == "tight":
            return tight
        return _boxes(tight) if self.marking == "box" else self._scribble() | _core(tight)

    def _scribble(self) -> Tensor:
        """Two quick strokes over the thing, short of its rim and a bit off, following its motion."""
        thing = self.scene.things[self.thing]
        radius = thing.radius * world.SIZE
        strokes = []
        for side in (-0.4, 0.4):
            keys = tuple(
                Keyframe(
                    t,
                    (
                        (x - 0.55 * radius, y + (side + 0.1) * radius),
                        (x + 0.55 * radius, y + (side - 0.1) * radius),
                    ),
                )
                for t, (x, y) in enumerate((world.positions(thing, self.frames) * world.SIZE).tolist())
            )
            strokes.append(Scribble(keys, width=0.9 * radius))
        return rasterize(strokes, self.frames, world.SIZE, world.SIZE)


def make_cases(split: Literal["tuning", "held-out"], count: int) -> list[Case]:
    """The first `count` cases of a split; the same for everybody, always."""
    return [_make(split, index) for index in range(count)]


def _make(split: str, index: int) -> Case:
    rng = random.Random(f"flowanchor quality {split} {index}")
    fast = index % 5 == 4
    scene = world.sample_scene(rng, count=2 + index % 2, speed=_FAST if fast else 0.03)
    thing = rng.randrange(len(scene.things))
    change: Change = "shape" if rng.random() < _SHAPE_SHARE else "colour"
    if change == "colour":
        free = [name for name in world.COLOURS if name not in {other.colour for other in scene.things}]
        truth = scene.with_thing(thing, colour=rng.choice(free))
    else:
        free = [name for name in world.SHAPES if name not in {other.shape for other in scene.things}]
        truth = scene.with_thing(thing, shape=rng.choice(free))
    return Case(
        name=f"{split}-{index:03d}",
        scene=scene,
        truth=truth,
        thing=thing,
        change=change,
        marking=_MARKINGS[index % len(_MARKINGS)],
        fast=fast,
        frames=_LENGTHS[index % len(_LENGTHS)],
        source_prompt=caption(scene),
        target_prompt=caption(truth),
    )


def _boxes(mask: Tensor, margin: int = 2) -> Tensor:
    result = torch.zeros_like(mask)
    for t, frame in enumerate(mask):
        rows, columns = (np.flatnonzero(frame.any(axis).numpy()) for axis in (1, 0))
        if len(rows):
            top, bottom = max(rows[0] - margin, 0), rows[-1] + margin + 1
            left, right = max(columns[0] - margin, 0), columns[-1] + margin + 1
            result[t, top:bottom, left:right] = True
    return result


def _core(mask: Tensor) -> Tensor:
    """One pixel of every frame's region, so that a scribble on a thing half covered by another never misses
    it."""
    result = torch.zeros_like(mask)
    for t, frame in enumerate(mask):
        inside = frame.nonzero()
        if len(inside):
            y, x = inside[len(inside) // 2].tolist()
            result[t, y, x] = True
    return result
