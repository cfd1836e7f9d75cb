# SPDX-License-Identifier: Apache-2.0
"""The one place where the transformer is asked for velocities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from flowanchor_core.attention import Anchor, CollapsedCrossAttention, collapse_texts, installed
from flowanchor_core.failures import model_at_work


@dataclass(frozen=True)
class Query:
    """A point to evaluate the velocity at: latent [1, C, F, H, W], text [L, D] (unpadded), SAR if
    anchored."""

    latent: Tensor
    text: Tensor
    anchor: Anchor | None = None

    def same_as(self, other: Query) -> bool:
        """Whether both ask for the same velocity, to the bit."""
        return (
            self.anchor is other.anchor
            and _equal(self.text, other.text)
            and _equal(self.latent, other.latent)
        )


class VelocityOracle:
    """Evaluates velocities v = noise - data, a batch at once or one by one, and counts what they cost.

    Queries of one call that ask for the same velocity are evaluated once. That is what makes the first step
    cost three forwards instead of four (source and edit coincide, so one unconditional forward serves both)
    and a null edit exactly zero however the branches are batched.

    Args:
        transformer: a diffusers WanTransformer3DModel, or anything with its call signature and `blocks`.
        text_length: tokens the model pads its text to; the pads are attended, so this is part of the model.
        batched: evaluate the queries of a call as one batch (faster) or one by one (less memory).
        device, dtype: where and in what the transformer computes; default: its patch embedding's, else CPU
            fp32.

    Attributes:
        forwards: samples sent through the transformer so far.
        text_columns: text columns they attended to in each block, pads collapsed, summed over the samples.
    """

    def __init__(
        self,
        transformer: Any,
        text_length: int,
        *,
        batched: bool = True,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        weight = getattr(getattr(transformer, "patch_embedding", None), "weight", torch.empty(0))
        self.transformer = transformer
        self.text_length = text_length
        self.batched = batched
        self.device = device or weight.device
        self.dtype = dtype or weight.dtype
        self.forwards = 0
        self.text_columns = 0
        self._processor = CollapsedCrossAttention()

    @torch.no_grad()
    def velocities(self, sigma: float, queries: Sequence[Query]) -> list[Tensor]:
        """Velocity of each query at noise level `sigma` (0..1), fp32 [1, C, F, H, W] on the query's device.

        Raises:
            ModelRunError: memory ran out, or the transformer failed.
        """
        distinct: list[Query] = []
        places: list[int] = []
        for query in queries:
            place = next((i for i, known in enumerate(distinct) if known.same_as(query)), len(distinct))
            if place == len(distinct):
                distinct.append(query)
            places.append(place)
        groups = [distinct] if self.batched else [[query] for query in distinct]
        with model_at_work("velocities"):
            found = [velocity for group in groups for velocity in self._forward(sigma, group)]
        return [found[place].to(query.latent.device) for place, query in zip(places, queries, strict=True)]

    def _forward(self, sigma: float, queries: Sequence[Query]) -> list[Tensor]:
        text, columns = collapse_texts(
            [query.text for query in queries], [query.anchor for query in queries], self.text_length
        )
        latents = torch.cat([query.latent for query in queries]).to(self.device, self.dtype)
        # A float: Wan's own samplers round timesteps to integers, which moves the sigmas the model is asked
        # at.
        timestep = torch.full((len(queries),), 1000.0 * sigma, device=self.device)
        self._processor.begin(columns, self.device)
        with installed(self.transformer, self._processor):
            velocity = self.transformer(
                hidden_states=latents,
                timestep=timestep,
                encoder_hidden_states=text.to(self.device, self.dtype),
                return_dict=False,
            )[0]
        self.forwards += len(queries)
        self.text_columns += sum(column.count for column in columns)
        return list(velocity.float().split(1))


def _equal(a: Tensor, b: Tensor) -> bool:
    return a is b or (a.shape == b.shape and torch.equal(a, b))
