# SPDX-License-Identifier: Apache-2.0
import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from flowanchor_core.windows import blend, plan_windows, ramp_weights

plans = st.tuples(st.integers(1, 120), st.integers(1, 25), st.integers(0, 24)).filter(lambda p: p[2] < p[1])


@given(plans)
def test_windows_cover_the_clip_with_the_overlap_asked_for(plan: tuple[int, int, int]) -> None:
    frames, native, overlap = plan
    windows = plan_windows(frames, native, overlap)
    assert {frame for window in windows for frame in window} == set(range(frames))
    assert windows[0].start == 0
    assert windows[-1].stop == frames
    assert {len(window) for window in windows} == {min(native, frames)}
    for before, after in itertools.pairwise(windows):
        assert after.start > before.start
        assert before.stop - after.start >= overlap


@given(plans)
def test_windows_are_as_few_as_can_be(plan: tuple[int, int, int]) -> None:
    frames, native, overlap = plan
    count = len(plan_windows(frames, native, overlap))
    assert count == 1 or (count - 1) * (native - overlap) + overlap < frames


@given(plans)
def test_weights_sum_to_one_on_every_frame(plan: tuple[int, int, int]) -> None:
    windows = plan_windows(*plan)
    total = torch.zeros(plan[0])
    for window, weight in zip(windows, ramp_weights(windows), strict=True):
        assert (weight > 0).all()
        total[window.start : window.stop] += weight
    torch.testing.assert_close(total, torch.ones(plan[0]))


def test_ramps_are_linear() -> None:
    windows = plan_windows(9, 6, 3)
    assert windows == (range(6), range(3, 9))
    first, second = ramp_weights(windows)
    torch.testing.assert_close(first, torch.tensor([1, 1, 1, 0.75, 0.5, 0.25]))
    torch.testing.assert_close(second, torch.tensor([0.25, 0.5, 0.75, 1, 1, 1]))


def test_one_window_is_handed_through() -> None:
    part = torch.randn(1, 2, 5, 3, 3)
    assert blend([part], plan_windows(5, 8, 2)) is part


@given(plans)
def test_windows_that_agree_give_the_whole(plan: tuple[int, int, int]) -> None:
    whole = torch.randn(1, 2, plan[0], 2, 2)
    windows = plan_windows(*plan)
    joined = blend([whole[:, :, window.start : window.stop] for window in windows], windows)
    torch.testing.assert_close(joined, whole, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("frames", "native", "overlap"), [(0, 5, 1), (5, 0, 0), (9, 4, 4), (9, 4, -1)])
def test_senseless_plans_are_refused(frames: int, native: int, overlap: int) -> None:
    with pytest.raises(ValueError):
        plan_windows(frames, native, overlap)
