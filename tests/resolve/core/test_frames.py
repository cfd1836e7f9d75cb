# SPDX-License-Identifier: Apache-2.0
"""Frame numbers, rates and timecodes, against the definitions and a second library."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flowanchor_resolve.frames import (
    Span,
    a_day,
    frame_of_timecode,
    nominal,
    parse_rate,
    span_of_marks,
    timecode_of_frame,
    to_record,
    to_relative,
    whole,
)
from flowanchor_resolve.problems import ResolveProblem
from hypothesis import given
from hypothesis import strategies as st
from timecode.timecode import Timecode

from tests.resolve.core.scene import RATES

frames = st.integers(0, 10_000_000)
DROP = [Fraction(30000, 1001), Fraction(60000, 1001)]


@pytest.mark.parametrize(
    ("text", "rate", "drop"),
    [
        ("24", Fraction(24), False),
        ("24.0", Fraction(24), False),
        (24.0, Fraction(24), False),
        (23.976, Fraction(24000, 1001), False),
        ("23.976", Fraction(24000, 1001), False),
        ("23.98", Fraction(24000, 1001), False),
        ("29.97", Fraction(30000, 1001), False),
        ("29.97 DF", Fraction(30000, 1001), True),
        ("29.97 NDF", Fraction(30000, 1001), False),
        ("29,97", Fraction(30000, 1001), False),
        ("47.952", Fraction(48000, 1001), False),
        ("47.95", Fraction(48000, 1001), False),
        ("59.94 DF", Fraction(60000, 1001), True),
        ("119.88", Fraction(120000, 1001), False),
        ("95.904", Fraction(96000, 1001), False),
        ("16", Fraction(16), False),
        ("60 fps", Fraction(60), False),
    ],
)
def test_rates_as_resolve_writes_them(text: object, rate: Fraction, drop: bool) -> None:
    assert parse_rate(text) == (rate, drop)


@given(st.sampled_from(RATES))
def test_a_rate_rounded_to_three_digits_is_found_again(rate: Fraction) -> None:
    assert parse_rate(round(float(rate), 3)) == (rate, False)
    assert parse_rate(f"{float(rate):.3f}") == (rate, False)


@pytest.mark.parametrize("text", ["", "None", None, "24.5", "23.9", "0", "-24", "fast", "1e3", "24 25"])
def test_what_is_no_rate_is_refused(text: object) -> None:
    with pytest.raises(ResolveProblem) as problem:
        parse_rate(text)
    assert problem.value.code == "resolve-rate"


@pytest.mark.parametrize(
    ("timecode", "rate", "drop", "frame"),
    [
        ("01:00:00:00", Fraction(24), False, 86400),
        ("01:00:00:00", Fraction(24000, 1001), False, 86400),
        ("01:00:00:00", Fraction(30000, 1001), False, 108000),
        ("01:00:00;00", Fraction(30000, 1001), True, 107892),
        ("00:01:00;02", Fraction(30000, 1001), True, 1800),
        ("00:10:00;00", Fraction(30000, 1001), True, 17982),
        ("10:00:00:00", Fraction(25), False, 900000),
    ],
)
def test_timecodes_as_resolve_counts_them(timecode: str, rate: Fraction, drop: bool, frame: int) -> None:
    assert frame_of_timecode(timecode, rate, drop) == frame
    assert timecode_of_frame(frame, rate, drop) == timecode


@pytest.mark.parametrize(("rate", "drop"), [(Fraction(24), False), (Fraction(30000, 1001), True)])
def test_past_midnight_timecodes_begin_anew(rate: Fraction, drop: bool) -> None:
    day = a_day(rate, drop)
    assert frame_of_timecode("24:00:00:00", rate, drop) == day
    assert timecode_of_frame(day - 1, rate, drop)[:8] == "23:59:59"
    assert timecode_of_frame(day + 5, rate, drop) == f"00:00:00{';' if drop else ':'}05"


@given(frames, st.sampled_from(RATES))
def test_a_timecode_leads_back_to_its_frame(frame: int, rate: Fraction) -> None:
    timecode = timecode_of_frame(frame, rate, False)
    assert frame_of_timecode(timecode, rate, False) == frame % a_day(rate, False)


@given(frames, st.sampled_from(DROP))
def test_a_drop_frame_timecode_leads_back_to_its_frame(frame: int, rate: Fraction) -> None:
    timecode = timecode_of_frame(frame, rate, True)
    assert frame_of_timecode(timecode, rate, True) == frame % a_day(rate, True)
    minutes, seconds, rest = int(timecode[3:5]), int(timecode[6:8]), int(timecode[9:])
    assert not (minutes % 10 and seconds == 0 and rest < nominal(rate) // 15)


@given(st.integers(0, 2_589_407), st.sampled_from(["29.97", "59.94"]))
def test_drop_frame_agrees_with_another_library(frame: int, rate: str) -> None:
    other = Timecode(rate, frames=frame + 1, force_non_drop_frame=False)
    exact, _ = parse_rate(rate)
    assert timecode_of_frame(frame, exact, True).replace(";", ":") == str(other).replace(";", ":")


@pytest.mark.parametrize("text", ["", "01:00:00", "01:00:00:24", "01:60:00:00", "aa:bb:cc:dd", "1:2:3:4"])
def test_what_is_no_timecode_is_refused(text: str) -> None:
    with pytest.raises(ResolveProblem) as problem:
        frame_of_timecode(text, Fraction(24), False)
    assert problem.value.code == "resolve-timecode"


@given(frames, frames)
def test_relative_and_record_frames_are_each_others_way_back(frame: int, start: int) -> None:
    assert to_record(to_relative(frame, start), start) == frame


@given(frames, st.integers(1, 10_000))
def test_marks_of_a_render_hold_as_many_frames_as_the_span(start: int, count: int) -> None:
    span = Span(start, start + count)
    first, last = span.marks()
    assert first == start
    assert len(range(first, last + 1)) == span.frames == count


@given(frames, st.integers(1, 500), frames, st.integers(1, 500))
def test_an_overlap_is_within_both(a: int, a_long: int, b: int, b_long: int) -> None:
    one, two = Span(a, a + a_long), Span(b, b + b_long)
    both = one.overlap(two)
    assert both == two.overlap(one)
    if both is None:
        assert not set(range(one.start, one.end)) & set(range(two.start, two.end))
    else:
        assert one.covers(both)
        assert two.covers(both)
        assert set(range(both.start, both.end)) == set(range(one.start, one.end)) & set(
            range(two.start, two.end)
        )


@given(frames, st.integers(0, 500), st.integers(0, 500))
def test_in_and_out_marks_include_their_last_frame(start: int, first: int, length: int) -> None:
    answer = {"video": {"in": first, "out": first + length}, "audio": {"in": 0, "out": 1}}
    span = span_of_marks(answer, start, Span(start, start + 10_000))
    assert span is not None
    assert span.frames == length + 1
    assert span.start == start + first


@pytest.mark.parametrize(
    ("answer", "span"),
    [
        ({}, None),
        (None, None),
        (False, None),
        ({"audio": {"in": 1, "out": 2}}, None),
        ({"video": {"in": 5}}, Span(105, 150)),
        ({"video": {"out": 9}}, Span(110, 110)),
        ({"video": {"out": 19}}, Span(110, 120)),
    ],
)
def test_marks_that_are_not_all_set(answer: object, span: Span | None) -> None:
    assert span_of_marks(answer, 100, Span(110, 150)) == span


def test_only_whole_numbers_are_frames() -> None:
    assert whole(3.0) == 3
    for value in (None, False, "3", 3.5, float("nan")):
        with pytest.raises(ResolveProblem):
            whole(value)
