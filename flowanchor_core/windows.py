# SPDX-License-Identifier: Apache-2.0
"""Overlapping windows of latent frames for clips longer than the model sees at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def plan_windows(latent_frames: int, native: int, overlap: int) -> tuple[range, ...]:
    """Cover a clip with as few windows as can be, all `native` frames long, evenly spread.

    Args:
        latent_frames: length of the clip, at least 1.
        native: frames the model sees at once, at least 1.
        overlap: frames that neighbours share at least, 0 .. native - 1.

    Returns:
        Ranges of latent frames in order; one range, the whole clip, when it fits.

    Raises:
        ValueError: a number outside its range.
    """
    if latent_frames < 1 or native < 1 or not 0 <= overlap < native:
        raise ValueError(f"no windows of {native} with overlap {overlap} over {latent_frames} frames")
    if latent_frames <= native:
        return (range(latent_frames),)
    count = -(-(latent_frames - overlap) // (native - overlap))
    # Floor of an even spread: neighbours are never further apart than native - overlap.
    starts = [k * (latent_frames - native) // (count - 1) for k in range(count)]
    return tuple(range(start, start + native) for start in starts)


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
