# SPDX-License-Identifier: Apache-2.0
"""Values move between keyframes as Fusion moves them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from flowanchor_resolve.fusion.comp import CannotRead, Tool
from flowanchor_resolve.fusion.keys import frames_that_matter, thinned
from flowanchor_resolve.fusion.spline import Key, Spline, spline_of
from flowanchor_resolve.fusion.text import parse
from hypothesis import given
from hypothesis import strategies as st

values = st.floats(-100, 100)
keys = st.lists(
    st.tuples(st.integers(-50, 50), values), min_size=1, max_size=6, unique_by=lambda pair: pair[0]
)


def read(text: str) -> Spline:
    return spline_of(Tool("S", "BezierSpline", parse(f"BezierSpline {{ KeyFrames = {{ {text} }} }}")))


@given(keys, st.floats(-60, 60))
def test_without_handles_values_move_in_straight_lines(pairs: list[tuple[int, float]], frame: float) -> None:
    spline = Spline([Key(float(at), value) for at, value in pairs])
    assert spline.straight()
    ordered = sorted(pairs)
    expected = ordered[0][1]
    for (a, low), (b, high) in pairwise(ordered):
        if a <= frame <= b:
            expected = low + (high - low) * (frame - a) / (b - a)
    if frame > ordered[-1][0]:
        expected = ordered[-1][1]
    assert spline.at(frame) == pytest.approx(expected, abs=1e-6)


def test_an_ease_as_measured_on_resolve() -> None:
    """Handles of a third, level, from 0 to 1 in 24 frames: 0.1562 at 6, 0.5 at 12, 0.8438 at 18, as published
    from Studio 21.1."""
    spline = read("[0] = { 0, RH = { 8, 0 } }, [24] = { 1, LH = { 16, 1 } }")
    assert not spline.straight()
    assert [spline.at(frame) for frame in (6, 12, 18)] == pytest.approx([0.1562, 0.5, 0.8438], abs=1e-4)
    assert [spline.at(frame) for frame in (-3, 0, 24, 99)] == pytest.approx([0, 0, 1, 1])


def test_handles_on_the_line_leave_it_straight() -> None:
    assert read("[0] = { 0, RH = { 4, 0.333333333 } }, [12] = { 1, LH = { 8, 0.666666667 } }").straight()
    assert not read("[0] = { 0, Flags = { StepOut = true } }, [12] = { 1 }").straight()


def test_a_held_key_holds() -> None:
    spline = read("[0] = { 3, Flags = { StepOut = true } }, [12] = { 5 }")
    assert [spline.at(frame) for frame in (0, 11.9, 12, 20)] == [3, 3, 5, 5]
    assert spline.place(6) == (0, 0.0)


@given(keys.filter(lambda pairs: len(pairs) > 1), st.floats(-60, 60))
def test_a_place_is_between_two_keys(pairs: list[tuple[int, float]], frame: float) -> None:
    """Shapes are numbered 0, 1, 2 and move with the number."""
    frames = sorted(at for at, _ in pairs)
    spline = Spline([Key(float(at), float(number)) for number, at in enumerate(frames)])
    index, share = spline.place(frame)
    assert 0 <= share <= 1 + 1e-9
    assert index + share == pytest.approx(spline.at(frame), abs=1e-6)


def test_shapes_of_equal_numbers_move_evenly() -> None:
    spline = read("[0] = { 0 }, [10] = { 0 }")
    assert spline.place(4) == (0, 0.4)


@pytest.mark.parametrize("flag", ["StepIn", "Loop", "PingPong", "LoopRel"])
def test_what_is_not_followed_is_refused(flag: str) -> None:
    with pytest.raises(CannotRead, match=flag):
        read(f"[0] = {{ 0, Flags = {{ {flag} = true }} }}, [4] = {{ 1 }}")


@pytest.mark.parametrize("text", ["", "[0] = 3", '["a"] = { 1 }', "[0] = { nan }"])
def test_what_are_no_keyframes_is_refused(text: str) -> None:
    with pytest.raises(CannotRead):
        read(text)


def test_other_modifiers_are_refused() -> None:
    with pytest.raises(CannotRead, match="Shake"):
        spline_of(Tool("Shake", "PerturbNumber", parse("PerturbNumber { }")))


def test_which_frames_need_keyframes() -> None:
    assert frames_that_matter([], 0, 10, sampled=False) == [0]
    assert frames_that_matter([2, 5, 20], 3, 10, sampled=False) == [0, 2, 9]
    assert frames_that_matter([2.5], 0, 5, sampled=False) == [0, 1, 2, 3, 4]
    assert frames_that_matter([], 0, 3, sampled=True) == [0, 1, 2]
    assert frames_that_matter([7], 0, 1, sampled=False) == [0]


@given(st.lists(st.tuples(values, values), min_size=1, max_size=30))
def test_thinning_moves_nothing_by_more_than_it_may(points: list[tuple[float, float]]) -> None:
    keyframes = [(frame, [point]) for frame, point in enumerate(points)]
    kept = thinned(keyframes)
    assert kept[0][0] == 0
    for frame, (point,) in keyframes:
        before = max((one for one in kept if one[0] <= frame), key=lambda one: one[0])
        after = min((one for one in kept if one[0] >= frame), key=lambda one: one[0], default=before)
        share = (frame - before[0]) / (after[0] - before[0]) if after[0] > before[0] else 0
        for axis in (0, 1):
            expected = before[1][0][axis] + (after[1][0][axis] - before[1][0][axis]) * share
            assert abs(expected - point[axis]) <= 0.021


def test_what_stands_still_needs_one_keyframe() -> None:
    assert thinned([(frame, [(1.0, 2.0)]) for frame in range(9)]) == [(0, [(1.0, 2.0)])]
    moving = [(frame, [(float(frame), 2.0)]) for frame in range(9)]
    assert thinned(moving) == [moving[0], moving[-1]]
