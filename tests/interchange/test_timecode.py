# SPDX-License-Identifier: Apache-2.0
"""Timecode against two libraries and against the core's own reader of movie labels."""

from __future__ import annotations

from fractions import Fraction

import opentimelineio as otio  # type: ignore[import-untyped]
import pytest
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.timecode import Timecode, can_drop, exact_rate
from hypothesis import given
from hypothesis import strategies as st
from timecode import timecode as peer

from flowanchor_core.footage.timecode import Timecode as Label

NTSC = [Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120)]
RATES = [*NTSC, *map(Fraction, (24, 25, 30, 48, 50, 60, 120))]
DAY = 24 * 3600


@st.composite
def codes(draw: st.DrawFn, hours: int = 24) -> Timecode:
    """A frame of the first `hours`, at any rate, drop-frame where there is that."""
    rate = draw(st.sampled_from(RATES))
    drop = draw(st.booleans()) and can_drop(rate)
    # a tenth of a percent below the nominal count, which drop-frame never reaches
    return Timecode(draw(st.integers(0, hours * 3600 * round(rate) * 999 // 1000 - 1)), rate, drop)


@given(codes(hours=200))
def test_a_label_reads_back_as_its_frame(code: Timecode) -> None:
    assert Timecode.parse(str(code), code.rate, code.drop) == code
    assert Timecode.parse(str(code), code.rate) == code


@given(codes(hours=200), st.integers(0, 10**6))
def test_labels_rise_with_their_frames(code: Timecode, further: int) -> None:
    def parts(each: Timecode) -> list[int]:
        return [int(part) for part in str(each).replace(";", ":").split(":")]

    later = code.advanced(further)
    assert (parts(later) > parts(code)) == (further > 0)
    assert later.advanced(-further) == code


@given(codes())
def test_timecode_library_agrees(code: Timecode) -> None:
    # The library rounds fractions to two digits, which makes 23.98 of 24000/1001; it is told the usual name.
    name = f"{float(code.rate):.3f}" if code.rate.denominator > 1 else str(code.rate)
    theirs = peer.Timecode(name, str(code), force_non_drop_frame=not code.drop)
    assert theirs.drop_frame == code.drop
    assert theirs.frame_number == code.frames
    made = peer.Timecode(name, frames=code.frames + 1, force_non_drop_frame=not code.drop)
    assert Timecode.parse(str(made), code.rate, code.drop) == code


# It has no 120 frames a second, and at NTSC rates its day ends 86 s early.
@given(codes(hours=23).filter(lambda code: round(code.rate) != 120))
def test_opentimelineio_agrees(code: Timecode) -> None:
    rate = float(code.rate)
    label = otio.opentime.to_timecode(otio.opentime.RationalTime(code.frames, rate), rate, code.drop)
    assert label == str(code)
    assert otio.opentime.from_timecode(str(code), rate).value == code.frames


@given(codes())
def test_the_core_agrees(code: Timecode) -> None:
    label = Label.parse(str(code), code.rate)
    assert label is not None
    assert (label.frames, label.drop, str(label)) == (code.frames, code.drop, str(code))


@given(codes(hours=200))
def test_seconds_are_exact(code: Timecode) -> None:
    assert code.seconds * code.rate == code.frames


@pytest.mark.parametrize(
    ("text", "rate", "drop", "frames"),
    [
        ("01:00:00:00", Fraction(24), False, 86400),
        ("01:00:00:00", Fraction(24000, 1001), False, 86400),
        ("01:00:00:00", Fraction(30000, 1001), False, 108000),
        ("01:00:00;00", Fraction(30000, 1001), True, 107892),
        ("01:00:00;00", Fraction(60000, 1001), True, 215784),
        ("01:00:00;000", Fraction(120000, 1001), True, 431568),
        ("00:10:00;00", Fraction(30000, 1001), True, 17982),
        ("00:00:59;29", Fraction(30000, 1001), True, 1799),
        ("00:01:00;02", Fraction(30000, 1001), True, 1800),
        ("25:00:00:00", Fraction(25), False, 2250000),
        ("100:00:00:01", Fraction(48), False, 17280001),
        ("00:00:01:100", Fraction(120), False, 220),
    ],
)
def test_known_labels(text: str, rate: Fraction, drop: bool, frames: int) -> None:
    code = Timecode.parse(text, rate)
    assert (code.frames, code.drop) == (frames, drop)
    assert str(code) == text


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("00:01:00;00", Fraction(30000, 1001)),  # dropped
        ("00:01:00;03", Fraction(60000, 1001)),  # dropped
        ("00:00:00:24", Fraction(24)),
        ("00:60:00:00", Fraction(24)),
        ("00:00:60:00", Fraction(24)),
        ("-1:00:00:00", Fraction(24)),
        ("00:00:00:00", Fraction(1, 3)),
        ("one", Fraction(24)),
        ("", Fraction(24)),
    ],
)
def test_what_is_no_label(text: str, rate: Fraction) -> None:
    with pytest.raises(TimelineProblem) as failure:
        Timecode.parse(text, rate)
    assert failure.value.code == "timecode"


def test_the_separator_gives_way_to_what_the_format_states() -> None:
    assert Timecode.parse("01:00:00:00", Fraction(30000, 1001), drop=True).frames == 107892
    assert Timecode.parse("01:00:00;00", Fraction(30000, 1001), drop=False).frames == 108000
    assert not Timecode.parse("01:00:00;00", Fraction(25)).drop


def test_negative_is_refused() -> None:
    with pytest.raises(TimelineProblem):
        Timecode(-1, Fraction(24))
    with pytest.raises(TimelineProblem):
        Timecode(3, Fraction(24)).advanced(-4)


def test_drop_frame_where_there_is_none_is_refused() -> None:
    with pytest.raises(TimelineProblem):
        Timecode(0, Fraction(25), drop=True)


@given(st.integers(1, 240), st.booleans())
def test_rounded_rates_become_exact(nominal: int, ntsc: bool) -> None:
    rate = Fraction(nominal * 1000, 1001) if ntsc else Fraction(nominal)
    assert exact_rate(float(rate)) == rate
    assert exact_rate(f"{rate.numerator}/{rate.denominator}") == rate
    if not ntsc or nominal > 12:  # below, three digits cannot tell the two apart
        assert exact_rate(f"{float(rate):.3f}") == rate


@pytest.mark.parametrize(
    ("stated", "rate"),
    [
        ("23.98", Fraction(24000, 1001)),
        (23.976, Fraction(24000, 1001)),
        (47.95, Fraction(48000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (16.0, Fraction(16)),
        (12.5, Fraction(25, 2)),
        (14.985, Fraction(15000, 1001)),
    ],
)
def test_rates_as_programs_write_them(stated: float | str, rate: Fraction) -> None:
    assert exact_rate(stated) == rate


@pytest.mark.parametrize("wrong", ["", "fast", "1/0", "-24", "0", float("nan"), float("inf"), "5000"])
def test_what_is_no_rate(wrong: float | str) -> None:
    with pytest.raises(TimelineProblem) as failure:
        exact_rate(wrong)
    assert failure.value.code == "timeline-rate"
