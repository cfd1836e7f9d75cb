# SPDX-License-Identifier: Apache-2.0
"""Gaussian noise that depends on the seed and the step alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor


def step_noise(seed: int, step: int, shape: Sequence[int], draw: int = 0) -> Tensor:
    """Standard normal noise for one step of an edit.

    A pure function of its arguments, drawn on the CPU by a generator of its own, so that a resumed edit,
    another device and a step evaluated on its own all see the same noise, and the global generator is left
    alone. The
    generator is seeded with a hash: consecutive seeds and steps give unrelated streams.

    Args:
        seed: the edit's seed, any integer.
        step: index i of the sigma this noise is mixed with, 0-based.
        shape: shape of the result; for an edit the latent's, [1, C, F, H, W], of the whole range.
        draw: which of several independent draws of the same step (n_avg), 0-based.

    Returns:
        float32 CPU tensor of `shape`.
    """
    digest = hashlib.sha256(f"flowanchor noise {seed} {step} {draw}".encode()).digest()
    generator = torch.Generator(device="cpu").manual_seed(int.from_bytes(digest[:8], "big", signed=True))
    return torch.randn(tuple(shape), generator=generator, dtype=torch.float32)
