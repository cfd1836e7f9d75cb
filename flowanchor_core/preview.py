# SPDX-License-Identifier: Apache-2.0
"""Thumbnails of latents by a linear map from latent channels to RGB."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Projection:
    """rgb (0..1) = latent channels @ weight [C, 3] + bias [3]."""

    weight: Tensor
    bias: Tensor


def fit_projection(
    encode: Callable[[Tensor], Tensor], stride: int, cells: int = 8, pixels: int = 96
) -> Projection:
    """Least-squares map from latents to colours, fitted on a picture of random flat patches that `encode`
    encodes.

    Args:
        encode: pictures [3, 1, H, W] in -1..1 -> normalised latent [1, C, 1, H / stride, W / stride].
        stride: pixels a latent position covers.
        cells, pixels: patches in a row, and the picture's size; `pixels` a multiple of both `cells` and a
            token.
    """
    generator = torch.Generator().manual_seed(0)
    patches = torch.rand(1, 3, cells, cells, generator=generator)
    picture = F.interpolate(patches, size=(pixels, pixels), mode="nearest")
    latent = encode(picture[0][:, None] * 2 - 1)[0, :, 0].flatten(1).T
    colours = F.avg_pool2d(picture, stride)[0].flatten(1).T
    inputs = torch.cat([latent, torch.ones(len(latent), 1)], dim=1)
    solution = torch.linalg.lstsq(inputs, colours, driver="gelsd").solution
    return Projection(solution[:-1], solution[-1])


def project(latent: Tensor, projection: Projection) -> Tensor:
    """Pictures uint8 [F, h, w, 3] of a normalised latent [1, C, F, h, w]."""
    rgb = latent[0].float().cpu().permute(1, 2, 3, 0) @ projection.weight + projection.bias
    return (rgb.clamp(0, 1) * 255).round().to(torch.uint8)
