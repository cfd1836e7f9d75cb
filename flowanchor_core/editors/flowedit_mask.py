# SPDX-License-Identifier: Apache-2.0
"""FlowEdit with mask blending (Wan-Edit + Mask): the latent outside the mask stays the source's, to the
bit."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from flowanchor_core.editors.base import EditInputs, Step, integrate, velocity_difference
from flowanchor_core.editors.params import GuidanceParams
from flowanchor_core.oracle import VelocityOracle


def edit(oracle: VelocityOracle, inputs: EditInputs, params: GuidanceParams) -> Iterator[Step]:
    """FlowEdit's step, then `z <- M z + (1 - M) x` at latent resolution. InputError without a mask."""
    mask = inputs.latent_mask("flowedit-mask")
    return integrate(
        inputs,
        lambda i, sigma, z: velocity_difference(oracle, inputs, params, i, sigma, z),
        keep=lambda z: torch.where(mask, z, inputs.source),
    )
