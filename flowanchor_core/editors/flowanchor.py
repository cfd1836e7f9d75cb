# SPDX-License-Identifier: Apache-2.0
"""FlowAnchor: FlowEdit with the edit signal anchored in space and amplified (arXiv 2604.22586)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from flowanchor_core.amm import modulate
from flowanchor_core.attention import Anchor
from flowanchor_core.editors.base import EditInputs, Step, integrate, velocity_difference
from flowanchor_core.editors.params import FlowAnchorParams
from flowanchor_core.oracle import VelocityOracle

__all__ = ["FlowAnchorParams", "edit"]


def edit(oracle: VelocityOracle, inputs: EditInputs, params: FlowAnchorParams) -> Iterator[Step]:
    """`z <- z + ds * AMM(V_tar - V_src)`, with SAR in the target-conditional forward while sigma >= tau.

    SAR needs a mask and target tokens and is left out without them (a removal has none); `blend` raises
    InputError without a mask. In windows, AMM sees the whole clip but takes a window's length as its frame
    count.
    """
    window_frames = len(inputs.windows[0])
    beta1 = params.beta1 if params.text_modulation else 0.0
    beta2 = params.beta2 if params.spatial_modulation else 0.0
    target = inputs.conditioning.target_tokens

    def anchor(window: range) -> Anchor | None:
        in_mask = inputs.anchor_mask(window)
        if in_mask is None or not target or beta1 == beta2 == 0:
            return None
        return Anchor(in_mask, target, beta1, beta2)

    def difference(i: int, sigma: float, z: Tensor) -> Tensor:
        refine = anchor if sigma >= params.tau else lambda window: None
        dv = velocity_difference(oracle, inputs, params, i, sigma, z, refine)
        return modulate(dv, params.gamma, contrast=params.contrast, frames=window_frames)

    if not params.blend:
        return integrate(inputs, difference)
    mask = inputs.latent_mask("flowanchor with blend")
    return integrate(inputs, difference, keep=lambda z: torch.where(mask, z, inputs.source))
