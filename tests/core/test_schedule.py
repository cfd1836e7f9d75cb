# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from flowanchor_core.schedule import wan_sigmas

WAN_25 = [
    1.000, 0.992, 0.983, 0.973, 0.963, 0.952, 0.940, 0.928, 0.914, 0.899, 0.882, 0.864, 0.844,
    0.822, 0.797, 0.769, 0.738, 0.702, 0.661, 0.612, 0.556, 0.488, 0.405, 0.303, 0.172, 0.0,
]  # fmt: skip


def test_golden_grid_of_wan_at_25_steps() -> None:
    torch.testing.assert_close(wan_sigmas(25, 5.0), torch.tensor(WAN_25), atol=1e-3, rtol=0)


def test_golden_tail_is_wans_and_not_the_twice_shifted_one() -> None:
    tail = wan_sigmas(25, 5.0)[-4:]
    torch.testing.assert_close(tail, torch.tensor([0.4054, 0.3030, 0.1724, 0.0]), atol=6e-5, rtol=0)


def test_eighteen_of_the_twenty_three_edited_steps_lie_above_tau() -> None:
    assert int((wan_sigmas(25, 5.0)[2:-1] >= 0.6).sum()) == 18


@given(st.integers(1, 200), st.floats(0.1, 20))
def test_grid_falls_from_one_to_zero(steps: int, shift: float) -> None:
    sigmas = wan_sigmas(steps, shift)
    assert sigmas.dtype == torch.float32
    assert sigmas.shape == (steps + 1,)
    assert sigmas[0] == 1
    assert sigmas[-1] == 0
    assert (sigmas.diff() < 0).all()


@pytest.mark.parametrize(("steps", "shift"), [(0, 5.0), (-1, 5.0), (25, 0.0), (25, float("nan"))])
def test_senseless_settings_are_refused(steps: int, shift: float) -> None:
    with pytest.raises(ValueError):
        wan_sigmas(steps, shift)
