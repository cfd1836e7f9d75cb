# SPDX-License-Identifier: Apache-2.0
import torch

from flowanchor_core.noise import step_noise

SHAPE = (1, 4, 3, 8, 8)


def test_noise_is_a_function_of_its_arguments_alone() -> None:
    first = step_noise(7, 3, SHAPE)
    step_noise(7, 4, SHAPE)
    torch.randn(100)
    assert torch.equal(step_noise(7, 3, SHAPE), first)


def test_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    step_noise(1, 2, SHAPE)
    assert torch.equal(torch.get_rng_state(), before)


def test_every_seed_step_and_draw_has_its_own_noise() -> None:
    draws = [step_noise(s, i, SHAPE, d).flatten() for s in (0, 1, -1, 2**70) for i in (0, 1) for d in (0, 1)]
    correlation = torch.corrcoef(torch.stack(draws)) - torch.eye(len(draws))
    assert correlation.abs().max() < 0.2


def test_noise_is_standard_normal() -> None:
    noise = step_noise(0, 0, (100_000,))
    assert noise.dtype == torch.float32
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - 1) < 0.02
