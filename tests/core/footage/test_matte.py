# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from flowanchor_core.footage.matte import grow_mask, matte_of

MASKS = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=3, max_side=14))


def distances(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Brute force: from every pixel to the nearest marked one."""
    rows, columns = np.nonzero(mask)
    grid = np.indices(mask.shape)
    squares = (grid[0][..., None] - rows) ** 2 + (grid[1][..., None] - columns) ** 2
    distance: NDArray[np.float64] = np.sqrt(squares.min(axis=-1))
    return distance


@given(MASKS, st.integers(0, 5), st.integers(0, 6))
def test_opaque_inside_zero_beyond_and_falling_between(
    mask: NDArray[np.bool_], grow: int, feather: int
) -> None:
    matte = matte_of(mask, grow, feather)
    assert matte.dtype == np.float32
    assert matte.shape == mask.shape
    if not mask.any():
        assert not matte.any()
        return
    distance = distances(mask)
    assert (matte[mask] == 1).all()
    assert (matte[distance <= grow] == 1).all()
    beyond = distance >= grow + feather if feather else distance > grow
    assert (matte[beyond] == 0).all()
    assert ((matte >= 0) & (matte <= 1)).all()
    order = np.argsort(distance, axis=None)
    assert (np.diff(matte.ravel()[order]) <= 1e-6).all()


@given(MASKS, st.integers(0, 5))
def test_growing_is_a_distance(mask: NDArray[np.bool_], pixels: int) -> None:
    grown = grow_mask(mask, pixels)
    if mask.any():
        assert np.array_equal(grown, distances(mask) <= pixels)
    else:
        assert not grown.any()
