# SPDX-License-Identifier: Apache-2.0
"""How a value moves in Fusion: keyframes with Bezier handles between time and value.

A handle is written as an absolute {frame, value}. Keys without handles are joined by straight lines. Before
the first key and after the last the value holds.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from itertools import pairwise

from flowanchor_resolve.fusion.comp import CannotRead, Comp, Tool
from flowanchor_resolve.fusion.text import Table

_STRAIGHT = 1e-6
"""How far off a straight line a handle may be, in values, to be on it."""


@dataclass(frozen=True)
class Key:
    """`left` and `right` are handles; `hold` keeps the value until the next key; `shape` is what a spline of
    outlines holds besides its number."""

    frame: float
    value: float
    left: tuple[float, float] | None = None
    right: tuple[float, float] | None = None
    hold: bool = False
    shape: Table | None = None


class Spline:
    """Keys in the order of their frames, at least one."""

    def __init__(self, keys: list[Key]) -> None:
        self.keys = sorted(keys, key=lambda key: key.frame)
        self.frames = [key.frame for key in self.keys]

    def place(self, frame: float) -> tuple[int, float]:
        """Where a frame is: the key before it and, by time and handles, how much of the way to the next key's
        value is gone; 0 at and outside the ends."""
        index = bisect.bisect_right(self.frames, frame) - 1
        if index < 0:
            return 0, 0.0
        if index >= len(self.keys) - 1 or self.keys[index].hold:
            return min(index, len(self.keys) - 1), 0.0
        before, after = self.keys[index], self.keys[index + 1]
        if after.value == before.value:
            return index, (frame - before.frame) / (after.frame - before.frame)
        return index, (self.at(frame) - before.value) / (after.value - before.value)

    def at(self, frame: float) -> float:
        """The value at a frame."""
        index = bisect.bisect_right(self.frames, frame) - 1
        if index < 0:
            return self.keys[0].value
        before = self.keys[index]
        if index == len(self.keys) - 1 or before.hold:
            return before.value
        return _bezier(before, self.keys[index + 1], frame)

    def straight(self) -> bool:
        """Whether the value moves in straight lines between the keys."""
        return not any(key.hold for key in self.keys) and all(
            _is_straight(before, after) for before, after in pairwise(self.keys)
        )


def spline_of(tool: Tool) -> Spline:
    """The spline a modifier is.

    Raises:
        CannotRead: it loops, steps in, or is none.
    """
    table = tool.table.table("KeyFrames")
    if tool.kind != "BezierSpline" or table is None:
        raise CannotRead(f"is animated by {tool.name} ({tool.kind}), which is no Bezier spline")
    return Spline(
        [_key(frame, entry) for frame, entry in table.named.items()]
        + [_key(float(index), entry) for index, entry in enumerate(table.listed, 1)]
        or _no_keys(tool)
    )


def number_of(comp: Comp, tool: Tool, name: str, default: float) -> float | Spline:
    """An input's number, or the spline that moves it.

    Raises:
        CannotRead: something else moves it.
    """
    source = tool.source(name)
    if source is None:
        return tool.number(name, default)
    if source not in comp.tools:
        raise CannotRead(f'has its "{name}" connected to {source}, which is not in the composition')
    return spline_of(comp.tools[source])


def _no_keys(tool: Tool) -> list[Key]:
    raise CannotRead(f"is animated by {tool.name}, which has no keyframes")


def _key(frame: object, entry: object) -> Key:
    if not isinstance(frame, float) or not isinstance(entry, Table):
        raise CannotRead("has keyframes that are no keyframes")
    numbers = entry.numbers()
    flags = entry.table("Flags")
    flagged = {str(name) for name, on in (flags.named if flags else {}).items() if on is True}
    refused = flagged & {"StepIn", "Loop", "PingPong", "LoopRel"}
    if refused:
        raise CannotRead(f"has keyframes with {sorted(refused)[0]}")
    value = numbers[0] if numbers else 0.0
    if not (math.isfinite(frame) and math.isfinite(value)):
        raise CannotRead("has a keyframe that is no number")
    return Key(
        frame,
        value,
        _handle(entry, "LH"),
        _handle(entry, "RH"),
        "StepOut" in flagged,
        entry.table("Value"),
    )


def _handle(entry: Table, name: str) -> tuple[float, float] | None:
    table = entry.table(name)
    numbers = table.numbers() if table else []
    if len(numbers) != 2 or not all(map(math.isfinite, numbers)):
        return None
    return numbers[0], numbers[1]


def _controls(before: Key, after: Key) -> tuple[tuple[float, float], tuple[float, float]]:
    """The two handles of a piece; times are kept within it, so that time never runs backwards."""
    frames, values = after.frame - before.frame, after.value - before.value
    right = before.right or (before.frame + frames / 3, before.value + values / 3)
    left = after.left or (after.frame - frames / 3, after.value - values / 3)
    low, high = before.frame, after.frame
    return (min(max(right[0], low), high), right[1]), (min(max(left[0], low), high), left[1])


def _bezier(before: Key, after: Key, frame: float) -> float:
    (x1, y1), (x2, y2) = _controls(before, after)
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _cubic(before.frame, x1, x2, after.frame, middle) < frame:
            low = middle
        else:
            high = middle
    return _cubic(before.value, y1, y2, after.value, (low + high) / 2)


def _cubic(a: float, b: float, c: float, d: float, t: float) -> float:
    s = 1 - t
    return s * s * s * a + 3 * s * s * t * b + 3 * s * t * t * c + t * t * t * d


def _is_straight(before: Key, after: Key) -> bool:
    if before.right is None and after.left is None:
        return True
    slope = (after.value - before.value) / (after.frame - before.frame)
    return all(
        abs(before.value + slope * (x - before.frame) - y) <= _STRAIGHT * max(1.0, abs(y))
        for x, y in _controls(before, after)
    )
