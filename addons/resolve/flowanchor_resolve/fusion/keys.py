# SPDX-License-Identifier: Apache-2.0
"""Which keyframes a polygon needs."""

from __future__ import annotations

import math
from collections.abc import Sequence

NEAR = 0.02
"""Pixels that a left out keyframe may be away from the line between its neighbours."""

Points = Sequence[tuple[float, float]]
Keyframes = list[tuple[int, list[tuple[float, float]]]]


def frames_that_matter(key_frames: Sequence[float], first: float, frames: int, sampled: bool) -> list[int]:
    """Frames of the selection that need a keyframe, in order.

    Args:
        key_frames: where the composition has some.
        first: the composition's frame that is the selection's first.
        frames: how many the selection has.
        sampled: the shape does not move in straight lines.
    """
    if not key_frames and not sampled:
        return [0]
    inside = [frame - first for frame in key_frames if 0 < frame - first < frames - 1]
    if sampled or any(not float(frame).is_integer() for frame in inside):
        return list(range(frames))
    return sorted({0, *map(int, inside), frames - 1})


def thinned(keyframes: Keyframes) -> Keyframes:
    """The keyframes without those that lie where their neighbours put them (Douglas and Peucker's way)."""
    keep = {0, len(keyframes) - 1}
    pending = [(0, len(keyframes) - 1)]
    while pending:
        low, high = pending.pop()
        worst, far = NEAR, -1
        for index in range(low + 1, high):
            distance = _distance(keyframes[low], keyframes[high], keyframes[index])
            if distance > worst:
                worst, far = distance, index
        if far >= 0:
            keep.add(far)
            pending += [(low, far), (far, high)]
    kept = [keyframes[index] for index in sorted(keep)]
    if len(kept) == 2 and _distance(kept[0], kept[0], kept[1]) <= NEAR:
        return kept[:1]
    return kept


def _distance(before: tuple[int, Points], after: tuple[int, Points], between: tuple[int, Points]) -> float:
    """How far, at most, a point of a keyframe is from where its neighbours put it."""
    span = after[0] - before[0]
    share = (between[0] - before[0]) / span if span else 0.0
    return max(
        math.hypot(a[0] + (b[0] - a[0]) * share - c[0], a[1] + (b[1] - a[1]) * share - c[1])
        for a, b, c in zip(before[1], after[1], between[1], strict=True)
    )
