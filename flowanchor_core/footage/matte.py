# SPDX-License-Identifier: Apache-2.0
"""The composite matte: opaque inside the user's mask, softly down to nothing outside."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from flowanchor_core.footage.colour import Picture


def matte_of(mask: NDArray[np.bool_], grow: int, feather: int) -> Picture:
    """Matte of a mask [H, W], float32.

    1 inside the mask and up to `grow` pixels around it; from there smoothly down over `feather` pixels;
    exactly 0 from `grow + feather` pixels on (with no feather: beyond `grow`). Distances are Euclidean,
    between pixel centres.
    """
    if not mask.any():
        return np.zeros(mask.shape, dtype=np.float32)
    if grow == 0 and feather == 0:
        return mask.astype(np.float32)
    distance = _distance(mask)
    if feather == 0:
        return (distance <= grow).astype(np.float32)
    fall = np.clip((distance - np.float32(grow)) / np.float32(feather), 0, 1)
    soft: Picture = np.float32(1) - fall * fall * (np.float32(3) - np.float32(2) * fall)
    return soft


def grow_mask(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    """The mask [H, W] widened by `pixels` on all sides (Euclidean)."""
    if pixels <= 0 or not mask.any():
        return mask
    return _distance(mask) <= pixels


def _distance(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Pixels from each pixel's centre to the nearest marked one's. Exact: the squares are whole numbers."""
    outside = (~mask).astype(np.uint8)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.sqrt(np.rint(distance.astype(np.float64) ** 2)).astype(np.float32)
