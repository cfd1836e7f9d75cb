# SPDX-License-Identifier: Apache-2.0
"""What every inversion-free editor shares: its inputs, its steps, and FlowEdit's velocity difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from flowanchor_core.attention import Anchor
from flowanchor_core.editors.params import GuidanceParams
from flowanchor_core.errors import InputError
from flowanchor_core.failures import require_finite
from flowanchor_core.noise import step_noise
from flowanchor_core.oracle import Query, VelocityOracle
from flowanchor_core.windows import blend


@dataclass(frozen=True)
class Conditioning:
    """Text embeddings of an edit, each [L_real, D] without pads but with the end-of-sentence token, fp32; the
    length the model pads them to; and the target tokens' indices in `target` (empty: nothing to anchor)."""

    source: Tensor
    target: Tensor
    negative: Tensor
    text_length: int
    target_tokens: tuple[int, ...] = ()


@dataclass(frozen=True)
class EditInputs:
    """Everything an editor works on.

    Attributes:
        source: the clip's normalised latent x, fp32 [1, C, F, H, W].
        conditioning: the prompts' embeddings.
        sigmas: noise schedule [T + 1], falling to 0.
        skip: steps left out at the noisy end, 0 .. T - 1; the first step done has this index.
        seed: the noise of step i is a function of (seed, i) alone.
        mask: the region, bool [F, H / 2, W / 2] on the transformer's token grid, or None.
        windows: ranges of latent frames that cover the clip; one range when the model sees it whole.
        start: (index of the next step, z) to resume from; None starts at `skip` with z = x.
    """

    source: Tensor
    conditioning: Conditioning
    sigmas: Tensor
    skip: int
    seed: int
    mask: Tensor | None
    windows: tuple[range, ...]
    start: tuple[int, Tensor] | None = None

    def __post_init__(self) -> None:
        frames, steps = self.source.shape[2], len(self.sigmas) - 1
        if {frame for window in self.windows for frame in window} != set(range(frames)):
            raise ValueError(f"the windows do not cover the clip's {frames} latent frames")
        if not 0 <= self.skip < steps:
            raise ValueError(f"skip must be 0 to {steps - 1}, not {self.skip}")
        if self.start is not None and not self.skip <= self.start[0] <= steps:
            raise ValueError(f"an edit of {steps} steps cannot start at step {self.start[0]}")
        if self.mask is not None and self.mask.shape[0] != frames:
            raise ValueError(f"the mask has {self.mask.shape[0]} latent frames, the clip {frames}")

    def anchor_mask(self, window: range) -> Tensor | None:
        """The mask over one window's video tokens, bool [N] in token order (time, row, column)."""
        return None if self.mask is None else self.mask[window.start : window.stop].flatten()

    def latent_mask(self, editor: str) -> Tensor:
        """The mask at latent resolution, bool [F, H, W]; InputError when the edit has none."""
        if self.mask is None:
            raise InputError("mask-needed", f"The editor {editor} needs a mask.", "Mark a region.")
        rows = self.source.shape[3] // self.mask.shape[1]
        columns = self.source.shape[4] // self.mask.shape[2]
        grid = self.mask.to(self.source.device)
        return grid.repeat_interleave(rows, dim=1).repeat_interleave(columns, dim=2)


@dataclass(frozen=True)
class Step:
    """A step that has been done.

    Attributes:
        index: its index i in the schedule, `first` .. `total - 1`.
        first: index of the edit's first step (the number of skipped ones).
        total: number of steps T of the schedule.
        sigma: noise level the velocities were taken at.
        z: the edited latent after the step, fp32 [1, C, F, H, W]; never changed afterwards.
        velocity: returns the velocity difference dV the step followed, shaped like z.
    """

    index: int
    first: int
    total: int
    sigma: float
    z: Tensor
    velocity: Callable[[], Tensor]

    @property
    def checkpoint(self) -> tuple[int, Tensor]:
        """(next step, z): as `EditInputs.start` it continues the edit with the same bits."""
        return self.index + 1, self.z


def integrate(
    inputs: EditInputs,
    difference: Callable[[int, float, Tensor], Tensor],
    keep: Callable[[Tensor], Tensor] | None = None,
) -> Iterator[Step]:
    """Explicit Euler in fp32, `z <- z + (s_{i+1} - s_i) dV`, from z = x or from where `inputs.start` left
    off.

    Args:
        difference: dV from (step index, sigma, z).
        keep: applied to z after each update.

    Raises:
        ModelRunError: z is NaN or infinite after a step.
    """
    total = len(inputs.sigmas) - 1
    sigmas = inputs.sigmas.double().tolist()
    index, z = (inputs.skip, inputs.source) if inputs.start is None else inputs.start
    for i in range(index, total):
        dv = difference(i, sigmas[i], z)
        z = z + (sigmas[i + 1] - sigmas[i]) * dv
        require_finite(z, f"at step {i}")
        if keep is not None:
            z = keep(z)
        yield Step(i, inputs.skip, total, sigmas[i], z, lambda dv=dv: dv)  # type: ignore[misc]


def velocity_difference(
    oracle: VelocityOracle,
    inputs: EditInputs,
    params: GuidanceParams,
    index: int,
    sigma: float,
    z: Tensor,
    anchor: Callable[[range], Anchor | None] = lambda window: None,
) -> Tensor:
    """FlowEdit's dV = V_tar - V_src at step `index`, averaged over the noise draws, windows blended.

    `q = (1 - s) x + s e`, `p = q + (z - x)`, both with the same noise e, and classifier-free guidance on
    each: `V = v(., c_neg) + w (v(., c) - v(., c_neg))`. The order of the terms of p makes a null edit exactly
    zero.

    Args:
        anchor: SAR for a window's target-conditional forward, None for none.
    """
    x, draws = inputs.source, range(params.n_avg)
    total = torch.zeros_like(x)
    for draw in draws:
        noise = step_noise(inputs.seed, index, x.shape, draw).to(x.device)
        q = (1.0 - sigma) * x + sigma * noise
        p = q + (z - x)
        parts = []
        for window in inputs.windows:
            frames = slice(window.start, window.stop)
            parts.append(
                _guided_difference(
                    oracle,
                    inputs.conditioning,
                    params,
                    sigma,
                    q[:, :, frames],
                    p[:, :, frames],
                    anchor(window),
                )
            )
        total = total + blend(parts, inputs.windows)
    return total / params.n_avg


def _guided_difference(
    oracle: VelocityOracle,
    text: Conditioning,
    params: GuidanceParams,
    sigma: float,
    q: Tensor,
    p: Tensor,
    anchor: Anchor | None,
) -> Tensor:
    q_negative, q_source, p_negative, p_target = oracle.velocities(
        sigma,
        [
            Query(q, text.negative),
            Query(q, text.source),
            Query(p, text.negative),
            Query(p, text.target, anchor),
        ],
    )
    v_source = q_negative + params.source_guidance * (q_source - q_negative)
    v_target = p_negative + params.target_guidance * (p_target - p_negative)
    return v_target - v_source
