# SPDX-License-Identifier: Apache-2.0
"""Small pictures of an edit while it runs: what they look like and how often they come."""

from __future__ import annotations

import time
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

LONGEST_SIDE = 320
"""Pixels."""

QUALITY = 80


def to_jpeg(picture: NDArray[np.uint8], scale: int) -> bytes:
    """RGB [h, w, 3] as a JPEG, enlarged `scale` times but to no more than `LONGEST_SIDE`."""
    rows, columns = picture.shape[:2]
    factor = min(scale, LONGEST_SIDE / max(rows, columns))
    size = (max(1, int(columns * factor)), max(1, int(rows * factor)))
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    shown = cv2.resize(picture[..., ::-1], size, interpolation=method)
    done, content = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise ValueError(f"a picture of {columns}x{rows} cannot be a JPEG")
    return content.tobytes()


class Pace:
    """Says when the next preview may be made: at most so many a second, and in no more than a share of the
    time that passes.

    Args:
        interval: least seconds between two.
        share: of the time since the one before that the next may be expected to take.
    """

    def __init__(
        self, interval: float = 0.25, share: float = 0.05, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval, self._share, self._clock = interval, share, clock
        self._since = clock()
        self._cost = 0.0

    def due(self) -> bool:
        passed = self._clock() - self._since
        return passed >= max(self._interval, self._cost / self._share)

    def made(self, began: float) -> None:
        """One was made, begun at `began` by the clock."""
        self._since = self._clock()
        self._cost = self._since - began

    def now(self) -> float:
        return self._clock()
