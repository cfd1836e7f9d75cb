# SPDX-License-Identifier: Apache-2.0
"""Ranges, rates and trims: held to brute force and to the exact fractions."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

import pytest
from flowanchor_vse.logic.frames import LARGEST_DENOMINATOR, FrameRange, StripSpan, exact_rate
from hypothesis import assume, given
from hypothesis import strategies as st

frames = st.integers(-10_000, 10_000)
lengths = st.integers(1, 500)


@st.composite
def ranges(draw: st.DrawFn) -> FrameRange:
    first = draw(frames)
    return FrameRange(first, first + draw(lengths) - 1)


def as_blender_keeps(base: float) -> float:
    """A 32-bit float."""
    return float(struct.unpack("<f", struct.pack("<f", base))[0])


@given(ranges())
def test_a_half_open_range_and_an_inclusive_one_hold_the_same_frames(one: FrameRange) -> None:
    assert FrameRange.half_open(one.first, one.end) == one
    assert list(one) == list(range(one.first, one.last + 1)) == list(range(one.first, one.end))
    assert one.count == len(list(one))
    assert one.first in one
    assert one.last in one
    assert one.end not in one
    assert one.first - 1 not in one


@given(ranges())
def test_export_index_and_frame_are_each_others_inverse(one: FrameRange) -> None:
    assert [one.frame(one.index(frame)) for frame in one] == list(one)
    assert [one.index(frame) for frame in one] == list(range(one.count))
    for outside in (one.first - 1, one.end):
        with pytest.raises(ValueError, match="is not in"):
            one.index(outside)
    for beyond in (-1, one.count):
        with pytest.raises(ValueError, match="no frame"):
            one.frame(beyond)


@given(ranges(), ranges())
def test_common_frames_are_those_in_both(one: FrameRange, other: FrameRange) -> None:
    both = sorted(set(one) & set(other))
    found = one.common(other)
    assert (list(found) if found is not None else []) == both
    assert found == other.common(one)


@given(ranges(), frames)
def test_a_moved_range_is_as_long(one: FrameRange, by: int) -> None:
    assert list(one.moved(by)) == [frame + by for frame in one]


@given(frames, st.integers(0, 100))
def test_an_empty_range_cannot_be_made(start: int, length: int) -> None:
    with pytest.raises(ValueError, match="no frames"):
        FrameRange.half_open(start, start - length)


@pytest.mark.parametrize(
    ("fps", "base", "rate"),
    [
        (24, 1.001, Fraction(24000, 1001)),
        (30, 1.001, Fraction(30000, 1001)),
        (60, 1.001, Fraction(60000, 1001)),
        (120, 1.001, Fraction(120000, 1001)),
        (24, 1.0, Fraction(24)),
        (25, 1.0, Fraction(25)),
        (50, 1.0, Fraction(50)),
        (2997, 100.0, Fraction(2997, 100)),
        (60, 2.5, Fraction(24)),
        (25, 25 / 24, Fraction(24)),
        (1, 3.0, Fraction(1, 3)),
    ],
)
def test_rates_are_exact(fps: int, base: float, rate: Fraction) -> None:
    assert exact_rate(fps, base) == rate
    assert exact_rate(fps, as_blender_keeps(base)) == rate


@given(st.integers(1, 240), st.integers(1, 1200), st.integers(1, 1200))
def test_a_base_that_is_a_simple_fraction_is_found_again(fps: int, above: int, below: int) -> None:
    base = Fraction(above, below)
    assume((fps / base).denominator <= LARGEST_DENOMINATOR)
    assert exact_rate(fps, as_blender_keeps(float(base))) == fps / base


@given(st.integers(1, 240), st.floats(0.015625, 1000.0, width=32))
def test_any_base_gives_a_rate_that_blender_would_round_to_the_same(fps: int, base: float) -> None:
    rate = exact_rate(fps, base)
    assert rate.denominator <= LARGEST_DENOMINATOR
    assert math.isclose(float(rate), fps / base, rel_tol=1e-6, abs_tol=1e-9)


@pytest.mark.parametrize(
    ("fps", "base"), [(0, 1.0), (-1, 1.0), (24, 0.0), (24, -1.0), (24, math.inf), (24, math.nan)]
)
def test_what_is_no_rate_is_refused(fps: int, base: float) -> None:
    with pytest.raises(ValueError, match="no frame rate"):
        exact_rate(fps, base)


@st.composite
def spans(draw: st.DrawFn) -> StripSpan:
    content = draw(frames)
    length = draw(lengths)
    start = content + draw(st.integers(-20, length + 20))
    return StripSpan(content, length, start, start + draw(st.integers(0, 100)), draw(st.integers(0, 50)))


def shown(span: StripSpan, frame: int) -> int | None:
    """The source frame seen, by walking: the first is held before the content, the last after it."""
    if not span.start <= frame < span.end:
        return None
    timeline = {int(span.content_start) + index: index for index in range(span.content_length)}
    index = timeline.get(frame, 0 if frame < span.content_start else span.content_length - 1)
    return span.skipped + index


@given(spans())
def test_a_strip_shows_the_source_frames_that_its_trims_leave(span: StripSpan) -> None:
    for frame in range(span.start - 2, span.end + 2):
        assert span.source_index(frame) == shown(span, frame)
    visible = span.visible
    assert (list(visible) if visible is not None else []) == list(range(span.start, span.end))


@given(spans(), ranges())
def test_a_plain_run_of_source_frames_is_one_only_if_none_is_held(span: StripSpan, part: FrameRange) -> None:
    found = span.source_range(part)
    seen = [shown(span, frame) for frame in part]
    inside = part.first >= span.content_start and part.last < span.content_start + span.content_length
    if None in seen or not inside:
        assert found is None
    else:
        assert found is not None
        assert list(found) == seen


@given(spans(), st.data())
def test_every_part_of_the_trimmed_content_is_a_plain_run(span: StripSpan, data: st.DataObject) -> None:
    content = FrameRange(int(span.content_start), int(span.content_start) + span.content_length - 1)
    whole = span.visible.common(content) if span.visible is not None else None
    assume(whole is not None)
    assert whole is not None
    first = data.draw(st.integers(whole.first, whole.last))
    part = FrameRange(first, data.draw(st.integers(first, whole.last)))
    found = span.source_range(part)
    assert found is not None
    assert found.count == part.count


def test_a_start_between_frames_is_no_plain_run() -> None:
    span = StripSpan(0.5, 10, 1, 11)
    assert span.source_index(1) == 0
    assert span.source_index(2) == 1
    assert span.source_range(FrameRange(2, 5)) is None


def test_a_strip_without_content_shows_nothing() -> None:
    assert StripSpan(0, 0, 0, 5).source_index(2) is None
    assert StripSpan(0, 5, 3, 3).visible is None
