# SPDX-License-Identifier: Apache-2.0
"""Small videos of moving coloured shapes, with an exact mask for every shape.

A `Scene` is plain data, so the true result of an edit is just another scene: replace a colour or a shape and
render again. Colours are of similar brightness and backgrounds are dark, because in real footage brightness,
not hue, says where a thing is; a model trained on such a world can recolour a thing without losing it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

COLOURS: dict[str, tuple[float, float, float]] = {
    "red": (0.95, 0.22, 0.20),
    "green": (0.15, 0.74, 0.25),
    "blue": (0.25, 0.42, 0.98),
    "yellow": (0.93, 0.83, 0.12),
    "purple": (0.72, 0.28, 0.88),
    "cyan": (0.15, 0.80, 0.86),
}
SHAPES: tuple[str, ...] = ("circle", "square", "triangle", "star")
BACKGROUNDS: dict[str, tuple[float, float, float]] = {
    "black": (0.05, 0.05, 0.05),
    "grey": (0.24, 0.24, 0.24),
    "brown": (0.27, 0.17, 0.10),
    "navy": (0.07, 0.10, 0.28),
}
SIZE = 64
"""Side of a square frame in pixels."""
FRAMES = 17
"""Native clip length in pixel frames (five latent frames)."""
MAX_THINGS = 3
_RADIUS = {1: (0.16, 0.25), 2: (0.15, 0.21), 3: (0.135, 0.175)}
_PLACEMENT_TRIES = 10


@dataclass(frozen=True)
class Thing:
    """One shape. Lengths are fractions of the frame's side, velocity is per frame, tint is added to RGB."""

    colour: str
    shape: str
    radius: float
    x: float
    y: float
    vx: float
    vy: float
    tint: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Scene:
    """Things in drawing order (later ones cover earlier ones) on a softly textured background."""

    things: tuple[Thing, ...]
    background: str
    shade: tuple[float, float, float] = (0.0, 0.0, 0.0)
    texture: str = "plain"
    amplitude: float = 0.0
    angle: float = 0.0
    waves: float = 1.0
    phase: float = 0.0

    def with_thing(self, index: int, *, colour: str | None = None, shape: str | None = None) -> Scene:
        """The same scene with one thing recoloured or reshaped: the truth an edit is measured against."""
        thing = self.things[index]
        changed = replace(thing, colour=colour or thing.colour, shape=shape or thing.shape)
        return replace(self, things=(*self.things[:index], changed, *self.things[index + 1 :]))


def sample_scene(rng: random.Random, *, count: int | None = None, speed: float = 0.03) -> Scene:
    """A random scene whose things differ in shape and in colour.

    `count` is 1..3 (drawn when None); `speed` is the largest speed in sides per frame. Placement prefers
    starts and paths that keep the things apart over one native clip.
    """
    n = count or rng.choices((1, 2, 3), (0.2, 0.5, 0.3))[0]
    low, high = _RADIUS[n]
    radii = np.array([rng.uniform(low, high) for _ in range(n)])
    best: tuple[float, np.ndarray, np.ndarray] | None = None
    for _ in range(_PLACEMENT_TRIES):
        at = np.array([[rng.uniform(r, 1 - r), rng.uniform(r, 1 - r)] for r in radii])
        polar = [(rng.uniform(0, speed), rng.uniform(0, 2 * math.pi)) for _ in range(n)]
        velocity = np.array([[s * math.cos(a), s * math.sin(a)] for s, a in polar])
        gap = _least_gap(at, velocity, radii)
        if best is None or gap > best[0]:
            best = (gap, at, velocity)
    assert best is not None
    _, at, velocity = best
    shapes, colours = rng.sample(SHAPES, n), rng.sample(list(COLOURS), n)
    things = tuple(
        Thing(
            colours[i],
            shapes[i],
            radius=float(radii[i]),
            x=float(at[i, 0]),
            y=float(at[i, 1]),
            vx=float(velocity[i, 0]),
            vy=float(velocity[i, 1]),
            tint=_jitter(rng, 0.03),
        )
        for i in range(n)
    )
    return Scene(
        things,
        background=rng.choice(list(BACKGROUNDS)),
        shade=_jitter(rng, 0.025),
        texture=rng.choice(("plain", "gradient", "stripes", "checks")),
        amplitude=rng.uniform(0.02, 0.05),
        angle=rng.uniform(0, 2 * math.pi),
        waves=rng.uniform(1.0, 3.0),
        phase=rng.uniform(0, 2 * math.pi),
    )


def positions(thing: Thing, frames: int) -> np.ndarray:
    """Centres [frames, 2] (x, y) as fractions of the side; a thing bounces off the frame's edges."""
    t = np.arange(frames)[:, None]
    free = np.array([[thing.x, thing.y]]) + t * np.array([[thing.vx, thing.vy]])
    return _bounce(free, thing.radius)


def render(scenes: Sequence[Scene], frames: int = FRAMES, size: int = SIZE) -> tuple[Tensor, Tensor]:
    """Draw scenes: video float [B, 3, T, S, S] in [-1, 1] and masks bool [B, 3, T, S, S].

    A mask holds the pixels where its thing is visible (covered pixels belong to the thing on top); scenes
    with fewer than three things have empty masks at the end.
    """
    videos, masks = zip(*(_render_one(scene, frames, size) for scene in scenes), strict=True)
    return torch.from_numpy(np.stack(videos)), torch.from_numpy(np.stack(masks))


def outline(thing: Thing, shape: str, scale: float, frame: int, size: int = SIZE) -> Tensor:
    """Pixels bool [S, S] that another shape, `scale` times as large, would cover in the thing's place."""
    x, y = positions(thing, frame + 1)[frame]
    axis = (np.arange(size) + 0.5) / size
    yy, xx = np.meshgrid(axis, axis, indexing="ij")
    radius = thing.radius * scale
    return torch.from_numpy(_signed_distance(shape, (xx - x) / radius, (yy - y) / radius) < 0)


def _render_one(scene: Scene, frames: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size
    yy, xx = np.meshgrid(axis, axis, indexing="ij")
    base = np.clip(np.array(BACKGROUNDS[scene.background]) + scene.shade, 0, 1)
    ground = np.clip(base[:, None, None] + scene.amplitude * _texture(scene, xx, yy), 0, 1).astype(np.float32)
    video = np.repeat(ground[:, None], frames, axis=1)
    masks = np.zeros((MAX_THINGS, frames, size, size), dtype=bool)
    for index, thing in enumerate(scene.things):
        at = positions(thing, frames).astype(np.float32)
        x = (xx - at[:, 0, None, None]) / thing.radius
        y = (yy - at[:, 1, None, None]) / thing.radius
        distance = _signed_distance(thing.shape, x, y) * (thing.radius * size)
        alpha = np.clip(0.5 - distance, 0, 1)
        colour = np.clip(np.array(COLOURS[thing.colour]) + thing.tint, 0, 1).astype(np.float32)
        video += alpha[None] * (colour[:, None, None, None] - video)
        visible = alpha > 0.5
        masks[:index] &= ~visible
        masks[index] = visible
    return video * 2 - 1, masks


def _signed_distance(shape: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Distance-like field of a unit shape, negative inside, in units of the radius."""
    if shape == "circle":
        return np.asarray(np.sqrt(x * x + y * y) - 1)
    if shape == "square":
        return np.asarray(np.maximum(np.abs(x), np.abs(y)) - 0.86)
    if shape == "triangle":
        slope = math.sqrt(3) / 2
        return np.asarray(np.maximum(np.maximum(y, -slope * x - 0.5 * y), slope * x - 0.5 * y) - 0.6)
    if shape == "star":
        radius, angle = np.sqrt(x * x + y * y), np.arctan2(x, -y)
        wedge = 2 * math.pi / 5
        angle = np.abs((angle + wedge / 2) % wedge - wedge / 2)
        px, py = radius * np.cos(angle), radius * np.sin(angle)
        outer, inner = 1.2, 0.58
        ex, ey = inner * math.cos(wedge / 2) - outer, inner * math.sin(wedge / 2)
        return np.asarray((ey * (px - outer) - ex * py) / math.hypot(ex, ey))
    raise ValueError(f"Unknown shape {shape!r}; the world has {', '.join(SHAPES)}.")


def _texture(scene: Scene, xx: np.ndarray, yy: np.ndarray) -> np.ndarray:
    along = math.cos(scene.angle) * (xx - 0.5) + math.sin(scene.angle) * (yy - 0.5)
    across = -math.sin(scene.angle) * (xx - 0.5) + math.cos(scene.angle) * (yy - 0.5)
    stripes = np.sin(2 * math.pi * scene.waves * along + scene.phase)
    if scene.texture == "gradient":
        return np.asarray(1.4 * along)
    if scene.texture == "stripes":
        return np.asarray(stripes)
    if scene.texture == "checks":
        return np.asarray(stripes * np.sin(2 * math.pi * scene.waves * across))
    return np.zeros_like(along)


def _bounce(free: np.ndarray, radius: float | np.ndarray) -> np.ndarray:
    span = 1 - 2 * radius
    folded = (free - radius) % (2 * span)
    return np.asarray(radius + np.where(folded > span, 2 * span - folded, folded))


def _least_gap(at: np.ndarray, velocity: np.ndarray, radii: np.ndarray) -> float:
    """Smallest distance between any two rims over one native clip, in sides."""
    gap = 1.0
    for t in (0, FRAMES // 2, FRAMES - 1):
        now = _bounce(at + t * velocity, radii[:, None])
        for i in range(len(radii)):
            for j in range(i):
                gap = min(gap, float(np.hypot(*(now[i] - now[j]))) - radii[i] - radii[j])
    return gap


def _jitter(rng: random.Random, amount: float) -> tuple[float, float, float]:
    return (rng.uniform(-amount, amount), rng.uniform(-amount, amount), rng.uniform(-amount, amount))
