# SPDX-License-Identifier: Apache-2.0
"""The swap gate's arithmetic, on oracles whose answer is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from flowanchor_core.evaluate.gates import SwapSet, swap_accuracy, swap_set
from flowanchor_core.oracle import Query


class _Oracle:
    """Answers with the true velocity of the latents it knows, off by `error(text)`."""

    def __init__(self, latent: Tensor, error: dict[float, float]) -> None:
        self.latent, self.error = latent, error

    def velocities(self, sigma: float, queries: Sequence[Query]) -> list[Tensor]:
        return [
            (query.latent - self.latent) / sigma + self.error[float(query.text[0, 0])] for query in queries
        ]


def _accuracy(right: float, swapped: float) -> float:
    latent = torch.randn(1, 2, 1, 4, 4)
    oracle: Any = _Oracle(latent, {0.0: right, 1.0: swapped})
    test = SwapSet([latent] * 3, ["right"] * 3, ["swapped"] * 3)
    return swap_accuracy(oracle, lambda words: torch.full((1, 1), float(words == "swapped")), test, 0.5)


def test_a_model_that_reads_captions_wins_and_one_that_does_not_loses() -> None:
    assert _accuracy(right=0.1, swapped=0.2) == 1.0
    assert _accuracy(right=0.2, swapped=0.1) == 0.0


def test_a_tie_is_no_win() -> None:
    assert _accuracy(right=0.1, swapped=0.1) == 0.0


def test_captions_of_the_set_differ_by_their_two_colours_alone() -> None:
    test = swap_set(lambda image: image, count=6)
    for right, swapped in zip(test.right, test.swapped, strict=True):
        assert sorted(right.split()) == sorted(swapped.split())
        assert sum(a != b for a, b in zip(right.split(), swapped.split(), strict=True)) == 2
