# SPDX-License-Identifier: Apache-2.0
"""Wan's flow-matching noise schedule, as a pure function."""

from __future__ import annotations

import torch
from torch import Tensor


def wan_sigmas(steps: int, shift: float) -> Tensor:
    """Sigmas of Wan's sampler, from pure noise to the clean video.

    `u = linspace(1, 1/T, T)`, `s = shift * u / (1 + (shift - 1) * u)`, then a final 0. Computed here because
    diffusers' `FlowMatchEulerDiscreteScheduler(shift=...)` shifts its smallest sigma twice and so ends on
    another tail than Wan's.

    Args:
        steps: number of steps T, at least 1.
        shift: resolution shift, above 0; 1 leaves the grid linear, Wan uses 3 to 5 (12 in FlowDirector).

    Returns:
        float32 [steps + 1], strictly decreasing from 1 to 0. The model's timestep is `1000 * sigma`, not
        rounded.

    Raises:
        ValueError: `steps` below 1 or `shift` not above 0.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}")
    if not shift > 0:
        raise ValueError(f"shift must be above 0, not {shift}")
    u = torch.linspace(1.0, 1.0 / steps, steps, dtype=torch.float64)
    sigmas = shift * u / (1.0 + (shift - 1.0) * u)
    return torch.cat([sigmas, sigmas.new_zeros(1)]).float()
