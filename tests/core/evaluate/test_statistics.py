# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from flowanchor_core.evaluate.statistics import interval, paired


def test_an_interval_holds_its_mean_and_shrinks_with_more_values() -> None:
    mean, low, high = interval([0.0, 1.0] * 10)
    assert mean == 0.5
    assert low < mean < high
    _, low_more, high_more = interval([0.0, 1.0] * 1000)
    assert high_more - low_more < (high - low) / 5


def test_equal_values_have_no_width() -> None:
    assert interval([2.0] * 5) == (2.0, 2.0, 2.0)


def test_a_constant_gain_is_certain() -> None:
    assert paired([1.5, 2.5, 9.5], [1.0, 2.0, 9.0]) == (0.5, 0.5, 0.5)


def test_nothing_and_unequal_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        interval([])
    with pytest.raises(ValueError, match="as many"):
        paired([1.0], [1.0, 2.0])
