# SPDX-License-Identifier: Apache-2.0
"""Where windows over a long clip begin and end: plain arithmetic, without torch."""

from __future__ import annotations


def plan_windows(latent_frames: int, native: int, overlap: int) -> tuple[range, ...]:
    """Cover a clip with as few windows as can be, all `native` frames long, evenly spread.

    Args:
        latent_frames: length of the clip, at least 1.
        native: frames the model sees at once, at least 1.
        overlap: frames that neighbours share at least, 0 .. native - 1.

    Returns:
        Ranges of latent frames in order; one range, the whole clip, when it fits.

    Raises:
        ValueError: a number outside its range.
    """
    if latent_frames < 1 or native < 1 or not 0 <= overlap < native:
        raise ValueError(f"no windows of {native} with overlap {overlap} over {latent_frames} frames")
    if latent_frames <= native:
        return (range(latent_frames),)
    count = -(-(latent_frames - overlap) // (native - overlap))
    # Floor of an even spread: neighbours are never further apart than native - overlap.
    starts = [k * (latent_frames - native) // (count - 1) for k in range(count)]
    return tuple(range(start, start + native) for start in starts)
