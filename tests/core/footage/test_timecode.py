# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowanchor_core.footage.timecode import Timecode, advance

NTSC = Fraction(30000, 1001)
NTSC60 = Fraction(60000, 1001)
RATES = [
    Fraction(10),
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    NTSC,
    Fraction(50),
    NTSC60,
    Fraction(120),
]


@pytest.mark.parametrize(
    ("text", "rate", "frames", "expected"),
    [
        ("01:00:00:00", Fraction(24), 24, "01:00:01:00"),
        ("10:59:59:24", Fraction(25), 1, "11:00:00:00"),
        ("23:59:59:23", Fraction(24000, 1001), 1, "00:00:00:00"),
        ("00:00:59;29", NTSC, 1, "00:01:00;02"),  # two labels are dropped each minute
        ("00:09:59;29", NTSC, 1, "00:10:00;00"),  # but not each tenth
        ("01:00:00;00", NTSC, 17982, "01:10:00;00"),
        ("00:00:59;59", NTSC60, 1, "00:01:00;04"),
        ("23:59:59;29", NTSC, 1, "00:00:00;00"),
        ("00:00:59:29", NTSC, 1, "00:01:00:00"),  # colons: nothing is dropped
        ("00:00:59;23", Fraction(24), 1, "00:01:00:00"),  # drop-frame exists at 29.97 and 59.94 only
        ("01:00:00:0", Fraction(10), 11, "01:00:01:01"),  # FFmpeg writes one digit at 10 fps
    ],
)
def test_known_labels(text: str, rate: Fraction, frames: int, expected: str) -> None:
    assert advance(text, rate, frames) == expected


@pytest.mark.parametrize(
    "text", ["", "01:00", "24:00:00:00", "00:60:00:00", "00:00:00:24", "00:01:00;00", "x"]
)
def test_what_is_no_label_is_none(text: str) -> None:
    rate = NTSC if ";" in text else Fraction(24)
    assert Timecode.parse(text, rate) is None
    assert advance(text, rate, 3) is None


def test_no_timecode_stays_none() -> None:
    assert advance(None, Fraction(24), 5) is None


@given(st.sampled_from(RATES), st.booleans(), st.integers(0, 24 * 3600 * 120))
def test_reading_a_written_label_gives_it_back(rate: Fraction, drop: bool, count: int) -> None:
    drop = drop and rate in (NTSC, NTSC60)
    start = Timecode(0, round(rate), drop).advanced(count)
    again = Timecode.parse(str(start), rate)
    assert again == start


@given(st.sampled_from(RATES), st.integers(0, 2_000_000), st.integers(0, 2_000_000))
def test_advancing_twice_is_advancing_once(rate: Fraction, a: int, b: int) -> None:
    start = Timecode(0, round(rate), rate in (NTSC, NTSC60))
    assert start.advanced(a).advanced(b) == start.advanced(a + b)


@given(st.sampled_from([NTSC, NTSC60]), st.integers(0, 24 * 3600 * 29))
def test_drop_frame_keeps_up_with_the_clock(rate: Fraction, count: int) -> None:
    hours, minutes, rest = str(Timecode(count, round(rate), True)).split(":")
    seconds, frame = rest.split(";")
    shown = 3600 * int(hours) + 60 * int(minutes) + int(seconds) + int(frame) / round(rate)
    assert abs(shown - count / float(rate)) < 0.2
