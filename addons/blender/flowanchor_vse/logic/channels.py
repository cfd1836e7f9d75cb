# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a result goes: Blender's `new_movie` and `new_image` do not avoid what is there."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from .frames import FrameRange

HIGHEST = 128
"""Channels of Blender's sequencer."""


class Taken(NamedTuple):
    """A strip on its channel: scene frames `start` to `end`, `end` not included."""

    channel: int
    start: int
    end: int


def first_free(
    taken: Iterable[Taken],
    over: FrameRange,
    above: int,
    highest: int = HIGHEST,
    barred: Collection[int] = (),
) -> int | None:
    """Lowest channel above `above` with nothing over the range, and not `barred`; None if there is none up to
    `highest`."""
    used = {strip.channel for strip in taken if strip.start < over.end and strip.end > over.first}
    used.update(barred)
    return next((channel for channel in range(max(above, 0) + 1, highest + 1) if channel not in used), None)
