# SPDX-License-Identifier: Apache-2.0
"""Bootstrap intervals, over cases, with a fixed seed so that a report can be made again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

DRAWS = 10_000


def interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float, float]:
    """Mean and percentile bootstrap bounds of the mean. ValueError when there are no values."""
    if not len(values):
        raise ValueError("an interval needs at least one value")
    data = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(0)
    means = data[rng.integers(0, len(data), (DRAWS, len(data)))].mean(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(data.mean()), float(low), float(high)


def paired(
    values: Sequence[float], reference: Sequence[float], level: float = 0.95
) -> tuple[float, float, float]:
    """Mean difference to `reference`, case by case, with its interval."""
    if len(values) != len(reference):
        raise ValueError("a paired difference needs as many values on both sides")
    return interval(np.subtract(values, reference).tolist(), level)
