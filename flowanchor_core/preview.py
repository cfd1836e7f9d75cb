# SPDX-License-Identifier: Apache-2.0
"""Thumbnails of latents by linear maps from latent channels to RGB: one for the first latent frame, which
stands for a single picture, and one for all later ones, which stand for several and are encoded otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

CLIP_FRAMES = 9
"""Of the clip that maps are fitted on: a first latent frame and two later ones, of Wan's time stride 4."""


@dataclass(frozen=True)
class Projection:
    """rgb (0..1) = latent channels @ weight[k] [C, 3] + bias[k] [3]; k is 0 for a clip's first latent frame,
    1 for all others."""

    weight: Tensor
    bias: Tensor

    @classmethod
    def of(cls, maps: Sequence[Sequence[Sequence[float]]]) -> Projection:
        """Two maps as a model's card keeps them: C rows of weights and a row of biases, three numbers
        each."""
        both = torch.tensor(maps, dtype=torch.float32)
        return cls(both[:, :-1], both[:, -1])

    @property
    def channels(self) -> int:
        return int(self.weight.shape[1])

    def maps(self) -> list[list[list[float]]]:
        """What `of` takes, to four decimals."""
        both = torch.cat([self.weight, self.bias[:, None]], dim=1)
        return [[[round(value, 4) for value in row] for row in one] for one in both.tolist()]


def fit(latents: Tensor, videos: Tensor, stride: int) -> Projection:
    """Least-squares maps from latents to the colours they stand for.

    Args:
        latents: normalised [N, C, F, h, w], F at least 2.
        videos: what they were encoded from, [N, 3, 1 + 4 (F - 1), h * stride, w * stride] in -1..1.
        stride: pixels a latent position covers.
    """
    pictures = F.avg_pool3d((videos.float() + 1) / 2, (1, stride, stride))
    later = F.avg_pool3d(pictures[:, :, 1:], (4, 1, 1))
    solutions = torch.stack([_solve(latents[:, :, :1], pictures[:, :, :1]), _solve(latents[:, :, 1:], later)])
    return Projection(solutions[:, :-1], solutions[:, -1])


def fit_projection(
    encode: Callable[[Tensor], Tensor], stride: int, cells: int = 8, pixels: int = 96
) -> Projection:
    """Maps for any model, fitted on a still clip of random flat patches that `encode` encodes.

    Args:
        encode: clip [3, CLIP_FRAMES, H, W] in -1..1 -> normalised latent [1, C, 3, H / stride, W / stride].
        stride: pixels a latent position covers.
        cells, pixels: patches in a row, and the picture's size; `pixels` a multiple of both `cells` and a
            token.
    """
    generator = torch.Generator().manual_seed(0)
    patches = torch.rand(1, 3, cells, cells, generator=generator)
    picture = F.interpolate(patches, size=(pixels, pixels), mode="nearest") * 2 - 1
    clip = picture[0][:, None].expand(-1, CLIP_FRAMES, -1, -1)
    return fit(encode(clip), clip[None], stride)


def project(latent: Tensor, projection: Projection, first: int = 0) -> Tensor:
    """Pictures uint8 [F, h, w, 3] of a normalised latent [1, C, F, h, w] whose first frame is latent frame
    `first` of its clip."""
    values = latent[0].float().cpu().permute(1, 2, 3, 0)
    kinds = torch.tensor([min(first + index, 1) for index in range(len(values))])
    rgb = torch.einsum("fhwc,fck->fhwk", values, projection.weight[kinds])
    rgb = rgb + projection.bias[kinds][:, None, None]
    shown: Tensor = (rgb.clamp(0, 1) * 255).round().to(torch.uint8)
    return shown


def _solve(latents: Tensor, pictures: Tensor) -> Tensor:
    """The map [C + 1, 3], its last row the bias."""
    inputs = latents.float().cpu().movedim(1, -1).flatten(0, -2)
    inputs = torch.cat([inputs, torch.ones(len(inputs), 1)], dim=1)
    colours = pictures.cpu().movedim(1, -1).flatten(0, -2)
    solution: Tensor = torch.linalg.lstsq(inputs, colours, driver="gelsd").solution
    return solution
