# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest
import torch

from flowanchor_core.attention import Anchor
from flowanchor_core.oracle import Query, VelocityOracle


def queries() -> list[Query]:
    torch.manual_seed(1)
    latents = torch.randn(2, 1, 4, 3, 6, 8)
    texts = [torch.randn(length, 16) for length in (1, 4, 9, 16)]
    anchor = Anchor(torch.rand(36) < 0.5, (1, 2), 0.3, 0.3)
    return [
        Query(latents[0], texts[0]),
        Query(latents[0], texts[1]),
        Query(latents[1], texts[0]),
        Query(latents[1], texts[2], anchor),
        Query(latents[1], texts[3]),
    ]


def test_batched_equals_one_by_one(transformer: Any) -> None:
    together = VelocityOracle(transformer, 16, batched=True)
    alone = VelocityOracle(transformer, 16, batched=False)
    for a, b in zip(together.velocities(0.7, queries()), alone.velocities(0.7, queries()), strict=True):
        assert a.shape == (1, 4, 3, 6, 8)
        torch.testing.assert_close(a, b, atol=1e-6, rtol=0)
    assert together.forwards == alone.forwards == 5
    # One column for each real token and one for the pads, if there are any.
    assert together.text_columns == alone.text_columns == 2 + 5 + 2 + 10 + 16


@pytest.mark.parametrize("batched", [True, False])
def test_one_velocity_asked_for_twice_costs_one_forward(transformer: Any, batched: bool) -> None:
    oracle = VelocityOracle(transformer, 16, batched=batched)
    latent, text = torch.randn(1, 4, 3, 6, 8), torch.randn(5, 16)
    a, b, c = oracle.velocities(
        0.5, [Query(latent, text), Query(latent + 0, text.clone()), Query(latent + 1, text)]
    )
    assert oracle.forwards == 2
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_anchored_and_plain_are_different_questions(transformer: Any) -> None:
    oracle = VelocityOracle(transformer, 16)
    latent, text = torch.randn(1, 4, 3, 6, 8), torch.randn(5, 16)
    anchor = Anchor(torch.arange(36) < 9, (1,), 0.9, 0.9)
    plain, anchored = oracle.velocities(0.5, [Query(latent, text), Query(latent, text, anchor)])
    assert oracle.forwards == 2
    assert (plain - anchored).abs().max() > 1e-5


def test_timesteps_are_not_rounded() -> None:
    seen: list[torch.Tensor] = []

    class Model:
        blocks = ()

        def __call__(self, hidden_states: torch.Tensor, timestep: torch.Tensor, **_: Any) -> Any:
            seen.append(timestep)
            return (hidden_states,)

    VelocityOracle(Model(), 16).velocities(0.6123, [Query(torch.randn(1, 4, 1, 2, 2), torch.randn(3, 16))])
    torch.testing.assert_close(seen[0], torch.tensor([612.3]))


def test_gradients_are_off_and_global_state_is_left_alone(transformer: Any) -> None:
    (velocity,) = VelocityOracle(transformer, 16).velocities(
        0.5, [Query(torch.randn(1, 4, 3, 6, 8), torch.randn(3, 16))]
    )
    assert not velocity.requires_grad
    assert torch.is_grad_enabled()
