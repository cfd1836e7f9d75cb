# SPDX-License-Identifier: Apache-2.0
import math
from typing import Any, Literal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from flowanchor_core.amm import modulate


def test_golden_vector() -> None:
    # Channel means -1, 0, 1, 3 over two frames of 1x2: C = 0, .25, .5, 1; F = 2 with f0 = 2 gives gamma in
    # full.
    dv = torch.tensor([[-2.0, -1.0, 1.0, 2.0], [0.0, 1.0, 1.0, 4.0]]).view(1, 2, 2, 1, 2)
    scale = torch.tensor([1.0, 1.5, 2.0, 3.0]).view(1, 1, 2, 1, 2)
    torch.testing.assert_close(modulate(dv, 2.0, f0=2), scale * dv)
    # Means of |dV| 1, 1, 1, 3: only the last position is amplified.
    scale = torch.tensor([1.0, 1.0, 1.0, 3.0]).view(1, 1, 2, 1, 2)
    torch.testing.assert_close(modulate(dv, 2.0, f0=2, contrast="magnitude"), scale * dv)


@pytest.mark.parametrize("contrast", ["signed", "magnitude"])
def test_one_frame_and_zero_gamma_are_the_identity(contrast: Literal["signed", "magnitude"]) -> None:
    one, many = torch.randn(2, 4, 1, 6, 6), torch.randn(2, 4, 5, 6, 6)
    assert torch.equal(modulate(one, 1.0, contrast=contrast), one)
    assert torch.equal(modulate(many, 0.0, contrast=contrast), many)


@given(st.integers(2, 25), st.floats(0.0, 3.0))
def test_the_strongest_position_gets_gamma_of_the_frame_count(frames: int, gamma: float) -> None:
    dv = torch.zeros(1, 2, frames, 2, 2)
    dv[0, :, 1, 1, 1] = 1.0
    peak = modulate(dv, gamma)[0, 0, 1, 1, 1]
    assert peak == pytest.approx(1 + gamma * math.log(frames) / math.log(21), abs=1e-4)


def test_41_frames_have_the_papers_strength() -> None:
    dv = torch.zeros(1, 1, 11, 1, 1)
    dv[0, 0, 3] = 1.0
    assert modulate(dv, 1.0).max() == pytest.approx(1.788, abs=1e-3)


def test_samples_are_normalised_on_their_own() -> None:
    dv = torch.randn(2, 3, 4, 5, 5) * torch.tensor([1.0, 100.0]).view(2, 1, 1, 1, 1)
    alone = torch.cat([modulate(dv[:1], 1.0), modulate(dv[1:], 1.0)])
    assert torch.equal(modulate(dv, 1.0), alone)


def test_magnitude_contrast_is_blind_to_the_sign_and_signed_is_not() -> None:
    dv = torch.randn(1, 3, 4, 5, 5)
    torch.testing.assert_close(
        modulate(-dv, 1.0, contrast="magnitude"), -modulate(dv, 1.0, contrast="magnitude")
    )
    assert not torch.allclose(modulate(-dv, 1.0), -modulate(dv, 1.0))


def test_a_range_in_windows_uses_the_windows_length() -> None:
    dv = torch.randn(1, 3, 30, 4, 4)
    full, window = modulate(dv, 1.0) / dv, modulate(dv, 1.0, frames=5) / dv
    torch.testing.assert_close(
        (window.max() - 1) / (full.max() - 1), torch.tensor(math.log(5) / math.log(30))
    )


@pytest.mark.parametrize("options", [{"f0": 1}, {"frames": 0}, {"contrast": "other"}])
def test_senseless_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        modulate(torch.randn(1, 3, 4, 5, 5), 1.0, **options)


def test_a_tensor_without_a_batch_axis_is_refused() -> None:
    with pytest.raises(ValueError):
        modulate(torch.randn(3, 4, 5, 5), 1.0)
