# SPDX-License-Identifier: Apache-2.0
"""Adaptive magnitude modulation: amplify the edit signal where it is strong (FlowAnchor, arXiv
2604.22586)."""

from __future__ import annotations

import math
from typing import Literal

from torch import Tensor

Contrast = Literal["signed", "magnitude"]


def modulate(
    dv: Tensor, gamma: float, f0: int = 21, contrast: Contrast = "signed", frames: int | None = None
) -> Tensor:
    """Scale the velocity difference by its own normalised contrast.

    `c = mean over channels of dV`, `C = (c - min c) / (max c - min c + 1e-7)` over all F*H*W positions of a
    sample, `gamma_F = gamma * ln F / ln f0`, result `(1 + gamma_F * C) * dV`. One frame (F = 1) gives the
    identity, `f0` frames give the full gamma.

    Args:
        dv: velocity difference [B, C, F, H, W].
        gamma: strength, 0 or more; 0 is the identity.
        f0: latent frames at which gamma applies in full, above 1 (21 latent frames are 81 pixel frames).
        contrast: "signed" takes the mean of dV (the paper's literal form, which favours positive edits
            whatever their strength); "magnitude" takes the mean of |dV|.
        frames: F for gamma_F when `dv` covers more frames than the model sees at once (windows); default:
            dv's own.

    Raises:
        ValueError: `dv` not 5-dimensional, `f0` not above 1, `frames` below 1 or an unknown contrast.
    """
    if dv.ndim != 5:
        raise ValueError(f"dv must be [B, C, F, H, W], not {tuple(dv.shape)}")
    if f0 <= 1:
        raise ValueError(f"f0 must be above 1, not {f0}")
    if contrast not in ("signed", "magnitude"):
        raise ValueError(f"contrast must be signed or magnitude, not {contrast}")
    count = dv.shape[2] if frames is None else frames
    if count < 1:
        raise ValueError(f"frames must be at least 1, not {count}")
    gamma_f = gamma * math.log(count) / math.log(f0)
    c = (dv if contrast == "signed" else dv.abs()).mean(dim=1, keepdim=True)
    low = c.amin(dim=(1, 2, 3, 4), keepdim=True)
    high = c.amax(dim=(1, 2, 3, 4), keepdim=True)
    return (1.0 + gamma_f * (c - low) / (high - low + 1e-7)) * dv
