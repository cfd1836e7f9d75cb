# SPDX-License-Identifier: Apache-2.0
"""Masks as tensors: from a user's geometry, and from pixels to the transformer's token grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from flowanchor_core.drawing import draw
from flowanchor_core.errors import InputError
from flowanchor_core.geometry import Box, Geometry, Keyframe, Point, Polygon, Scribble

__all__ = ["Box", "Geometry", "Keyframe", "Point", "Polygon", "Scribble", "rasterize", "to_token_grid"]


def to_token_grid(mask: Tensor, stride_t: int = 4, token_h: int = 16, token_w: int = 16) -> Tensor:
    """Max-pool a pixel mask to the transformer's tokens (time, rows, columns; flattened: token order).

    Latent frame 0 sees pixel frame 0; latent frame j sees pixel frames `stride_t * (j-1) + 1 .. stride_t *
    j`. A token is in when any of its pixels, on any of its frames, is.

    Args:
        mask: [T, H, W], bool, or 0..1 where 0.5 and more counts as inside; T = stride_t * n + 1, H and W
            multiples of the token's size.
        stride_t: pixel frames a latent frame (Wan: 4).
        token_h, token_w: pixels a token covers (Wan: VAE stride 8 times patch 2).

    Returns:
        bool [F, H / token_h, W / token_w], F = 1 + (T - 1) / stride_t.

    Raises:
        InputError: the mask has another number of axes or does not fit the grid.
    """
    if mask.ndim != 3 or 0 in mask.shape:
        raise InputError(
            "mask-shape", f"The mask has shape {tuple(mask.shape)}.", "Give it as frames, height and width."
        )
    frames, height, width = mask.shape
    if (frames - 1) % stride_t or height % token_h or width % token_w:
        raise InputError(
            "mask-grid",
            f"A mask of {frames} frames of {width}x{height} does not fit tokens of {token_w}x{token_h} px.",
            f"Use {stride_t}n+1 frames and multiples of {token_w} by {token_h} pixels.",
        )
    inside = (mask if mask.dtype == torch.bool else mask >= 0.5).to(torch.float32)
    tokens = F.max_pool2d(inside[:, None], (token_h, token_w))[:, 0]
    first, rest = tokens[:1], tokens[1:]
    if len(rest):
        rest = rest.reshape(-1, stride_t, *rest.shape[1:]).amax(dim=1)
    return torch.cat([first, rest]) > 0


def rasterize(geometry: Geometry | Sequence[Geometry], frames: int, height: int, width: int) -> Tensor:
    """Draw shapes as one mask (their union): a pixel is inside when its centre is.

    Args:
        geometry: one shape or several; parts outside the picture are cut off.
        frames, height, width: size of the result, each at least 1.

    Returns:
        bool [frames, height, width].

    Raises:
        InputError: a size or a width that is not positive, a coordinate that is not finite, no keyframes,
            keyframes with differing point counts or repeated frames, a polygon of fewer than three points.
    """
    return torch.from_numpy(np.stack(list(draw(geometry, frames, height, width))))
