# SPDX-License-Identifier: Apache-2.0
"""Judging an edit of the shapes world against its true rendering; no learned classifier is involved.

All measures are taken on the model's decoded output, before anything is composited.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from flowanchor_core.evaluate.cases import Case
from flowanchor_core.shapes import world

OUTSIDE_MARGIN = 2
"""Pixels around the region that count neither as inside nor as outside."""
SHAPE_SCALES = (0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4)
"""Sizes at which outlines are compared: a model redraws a shape, and may draw it smaller or larger."""
_SHAPE_FRAME_STEP = 4
_LEAST_CHANGE = 0.3
_PALETTE_NAMES = [*world.COLOURS, *world.BACKGROUNDS]
_PALETTE = torch.tensor([*world.COLOURS.values(), *world.BACKGROUNDS.values()]) * 2 - 1


@dataclass(frozen=True)
class Verdict:
    """Measures of one edit.

    obj: 1 if the edit succeeded. Colour: the mean colour of the thing over the clip is nearest to the wanted
        one of all colours and backgrounds. Shape: of all the world's shapes, drawn in the thing's place at
        `SHAPE_SCALES` of its size, the wanted one overlaps best with the pixels of its colour.
    pixels: share of the pixels that the truth changes (by more than an edge's blur) that came closer to the
        truth than half of the change.
    keep: share of the other things' inner pixels still nearest to their own colour; None when they are never
        visible.
    psnr_outside: PSNR in dB against the source, outside the truth's region and the user's mask, both
        widened by `OUTSIDE_MARGIN`.
    flicker: mean change of the thing's mean colour from frame to frame, in code values of 255 (the truth's is
        near 0).
    """

    obj: float
    pixels: float
    keep: float | None
    psnr_outside: float
    flicker: float


def judge(case: Case, output: Tensor) -> Verdict:
    """Measure `output`, float [3, T, S, S] in [-1, 1], against the case's truth."""
    source, truth = case.videos()
    before, after = case.masks()
    inside = _erode(after[case.thing])
    changed = (truth - source).norm(dim=0)
    decisive = (changed > _LEAST_CHANGE) & (inside | _erode(before[case.thing]))
    pixels = _share(((output - truth).norm(dim=0) < changed / 2)[decisive])
    means = [output[:, t][:, inside[t]].mean(1) for t in range(case.frames) if inside[t].any()]
    if case.change == "colour":
        mean = output[:, inside].mean(1)
        obj = float(_nearest(mean[None])[0] == _PALETTE_NAMES.index(case.truth.things[case.thing].colour))
    else:
        obj = float(_best_shape(case, output) == case.truth.things[case.thing].shape)
    steps = [float((b - a).abs().mean()) * 127.5 for a, b in itertools.pairwise(means)]
    return Verdict(
        obj=obj,
        pixels=pixels,
        keep=_keep(case, output, before & after),
        psnr_outside=_psnr_outside(output, source, before[case.thing] | after[case.thing] | case.mark()),
        flicker=sum(steps) / max(len(steps), 1),
    )


def _best_shape(case: Case, output: Tensor) -> str:
    """The shape whose outline best matches the pixels nearest to the thing's colour, by mean IoU."""
    thing = case.scene.things[case.thing]
    frames = range(0, case.frames, _SHAPE_FRAME_STEP)
    seen = _nearest(output.flatten(1).T).view(output.shape[1:]) == _PALETTE_NAMES.index(thing.colour)
    scores: dict[str, float] = {}
    for shape in world.SHAPES:
        for scale in SHAPE_SCALES:
            # Its centre comes from the scene: a larger thing would bounce off the frame's edge elsewhere.
            outline = torch.stack([world.outline(thing, shape, scale, t) for t in frames])
            both = (outline & seen[frames.start :: frames.step]).flatten(1).sum(1)
            either = (outline | seen[frames.start :: frames.step]).flatten(1).sum(1)
            score = float((both / either.clamp_min(1)).mean())
            scores[shape] = max(scores.get(shape, 0.0), score)
    return max(scores, key=lambda shape: scores[shape])


def _keep(case: Case, output: Tensor, visible: Tensor) -> float | None:
    shares = []
    for index, thing in enumerate(case.scene.things):
        inner = _erode(visible[index])
        if index != case.thing and inner.sum() > 20:
            nearest = _nearest(output[:, inner].T)
            shares.append(_share(nearest == _PALETTE_NAMES.index(thing.colour)))
    return sum(shares) / len(shares) if shares else None


def _psnr_outside(output: Tensor, source: Tensor, region: Tensor) -> float:
    side = 2 * OUTSIDE_MARGIN + 1
    near = max_pool2d(region.float()[:, None], side, 1, OUTSIDE_MARGIN)[:, 0] > 0
    error = (output - source)[:, ~near].square().mean()
    return float(10 * torch.log10(4 / error.clamp_min(1e-10)))


def _erode(mask: Tensor) -> Tensor:
    """Without the pixels at the rim, which anti-aliasing and the autoencoder blur."""
    return max_pool2d((~mask).float()[:, None], 3, 1, 1)[:, 0] == 0


def _nearest(colours: Tensor) -> Tensor:
    return torch.cdist(colours.float(), _PALETTE).argmin(1)


def _share(hits: Tensor) -> float:
    return float(hits.float().mean()) if hits.numel() else 0.0
