# SPDX-License-Identifier: Apache-2.0
"""Overlapping windows of latent frames for clips longer than the model sees at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from flowanchor_core.spans import plan_windows

__all__ = ["blend", "plan_windows", "ramp_weights"]


def ramp_weights(windows: Sequence[range]) -> list[Tensor]:
    """Weight of each window's frames, float32 [len(window)]: linear ramps over overlaps, sum 1 on every
    frame."""
    raw = []
    for k, window in enumerate(windows):
        weight = torch.ones(len(window), dtype=torch.float64)
        if k > 0:
            shared = windows[k - 1].stop - window.start
            weight[:shared] *= torch.arange(1, shared + 1) / (shared + 1)
        if k + 1 < len(windows):
            shared = window.stop - windows[k + 1].start
            weight[len(window) - shared :] *= torch.arange(shared, 0, -1) / (shared + 1)
        raw.append(weight)
    total = torch.zeros(max(window.stop for window in windows), dtype=torch.float64)
    for window, weight in zip(windows, raw, strict=True):
        total[window.start : window.stop] += weight
    return [
        (weight / total[window.start : window.stop]).float()
        for window, weight in zip(windows, raw, strict=True)
    ]


def blend(parts: Sequence[Tensor], windows: Sequence[range]) -> Tensor:
    """Join the windows' tensors [B, C, len(window), H, W] into one over the whole clip, overlaps ramped."""
    if len(parts) == 1:
        return parts[0]
    batch, channels, _, height, width = parts[0].shape
    whole = parts[0].new_zeros(batch, channels, max(window.stop for window in windows), height, width)
    for part, window, weight in zip(parts, windows, ramp_weights(windows), strict=True):
        whole[:, :, window.start : window.stop] += part * weight.to(part)[:, None, None]
    return whole
