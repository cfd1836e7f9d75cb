# SPDX-License-Identifier: Apache-2.0
"""What MLT XML has of its own: times in three notations, speeds as services, files by several ways."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from flowanchor_interchange.model import Span
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.readers import common
from flowanchor_interchange.readers.mlt_parts import frames_of
from hypothesis import given
from hypothesis import strategies as st

from tests.interchange.readers.mlt_pieces import (
    ENTRY,
    PLAYED,
    chain,
    document,
    playlist,
    producer,
    timeline,
)
from tests.interchange.scene import RATES


@pytest.mark.parametrize("rate", RATES, ids=str)
@given(hours=st.integers(0, 9), minutes=st.integers(0, 59), share=st.floats(0, 0.999))
def test_times_to_the_millisecond_are_frames(rate: Fraction, hours: int, minutes: int, share: float) -> None:
    """MLT writes seconds behind the whole frames of hours and of minutes, both rounded down."""
    within = int(60 * rate * Fraction(share))
    frames = int(3600 * rate * hours) + int(60 * rate * minutes) + within
    clock = f"{hours:02d}:{minutes:02d}:{float(within / rate):06.3f}"
    assert frames_of(clock, rate) == frames
    assert frames_of(clock.replace(".", ","), rate) == frames
    assert frames_of(str(frames), rate) == frames


@pytest.mark.parametrize(
    ("text", "rate", "frames"),
    [
        ("00:00:59.960", 30, 1797),
        ("00:09:59.983", 30, 17981),
        ("01:17:03.458", 24, 110851),
        ("01:17:03.458", 60, 277129),
        ("05:30.5", 24, 7923),
        ("00:00:59;29", 30, 1798),
        ("00:10:00;00", 30, 17982),
        ("00:20:00:05", 60, 71933),
    ],
)
def test_what_melt_makes_of_times(text: str, rate: int, frames: int) -> None:
    """Of melt 7.12, asked for `<entry out="…"/>` at 29.97, 23.976 and 59.94 frames a second."""
    assert frames_of(text, Fraction(rate * 1000, 1001)) == frames


@pytest.mark.parametrize(
    ("text", "frames"), [("00:00:02:05", 55), ("01:00:00:00", 90000), ("01:02.5", 1562), ("3.5", 3)]
)
def test_other_times(text: str, frames: int) -> None:
    assert frames_of(text, Fraction(25)) == frames


@pytest.mark.parametrize("text", ["", "x", "-5", "1:2:3:4:5", "9" * 13])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(TimelineProblem):
        frames_of(text, Fraction(25))


def test_a_playlist_alone() -> None:
    found = timeline(document(producer(), playlist('<blank length="10"/>', ENTRY)))
    (clip,) = found.tracks[0].clips
    assert (clip.record, clip.source, clip.obstacles) == (Span(10, 60), Span(100, 150), ())


def test_entries_without_ends_play_all() -> None:
    found = timeline(document(producer(), playlist('<entry producer="p"/>'), PLAYED))
    assert found.tracks[0].clips[0].source == Span(0, 500)


def test_tracks_within_a_multitrack() -> None:
    played = '<tractor id="t"><multitrack><track producer="v1"/></multitrack></tractor>'
    assert len(timeline(document(producer(), playlist(ENTRY), played)).tracks[0].clips) == 1


@pytest.mark.parametrize(
    ("part", "obstacle"),
    [
        (producer(service="timewarp", resource="0.5:/a.mov"), common.SPEED),
        (producer(service="timewarp", resource="-1:/a.mov"), common.REVERSED),
        (producer(service="qimage", resource="/a.png"), common.FREEZE),
        (producer(service="color", resource="red"), common.GENERATOR),
        (producer(service="xml", resource="/inner.mlt"), common.NESTED),
        (producer(resource=""), common.NO_FILE),
        (producer().replace('in="0"', 'in="10"'), "its file is trimmed twice"),
        (producer(more='<property name="force_fps">24</property>'), "its file's frame rate is overridden"),
        (
            chain('<link><property name="mlt_service">timeremap</property></link>'),
            common.SPEED,
        ),
        (playlist('<blank length="5"/>', name="p"), common.NESTED),
        (producer(more='<filter><property name="mlt_service">freeze</property></filter>'), common.FREEZE),
    ],
)
def test_what_keeps_a_clip_from_being_edited(part: str, obstacle: str) -> None:
    (clip,) = timeline(document(part, playlist(ENTRY), PLAYED)).tracks[0].clips
    assert obstacle in clip.obstacles


def test_a_chain_without_links_is_a_file() -> None:
    assert timeline(document(chain(), playlist(ENTRY), PLAYED)).tracks[0].clips[0].obstacles == ()


def test_paths_are_relative_to_the_root_or_the_file() -> None:
    parts = producer(resource="a.mov"), playlist(ENTRY), PLAYED
    found = timeline(document(*parts))
    assert found.relative
    assert found.tracks[0].clips[0].media.path == Path("/here/a.mov")  # type: ignore[union-attr]
    found = timeline(document(*parts, root='root="/media"'))
    assert not found.relative
    assert found.tracks[0].clips[0].media.path == Path("/media/a.mov")  # type: ignore[union-attr]


def test_shotcuts_transitions() -> None:
    mix = (
        '<tractor id="x" in="0" out="9"><property name="shotcut:transition">lumaMix</property>'
        '<track producer="p"/><track producer="p"/></tractor>'
    )
    found = timeline(
        document(producer(), mix, playlist(ENTRY, '<entry producer="x" in="0" out="9"/>', ENTRY), PLAYED)
    ).tracks[0]
    assert [clip.record for clip in found.clips] == [Span(0, 50), Span(60, 110)]
    assert [one.record for one in found.transitions] == [Span(50, 60)]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (document(playlist(ENTRY), PLAYED), "timeline-unreadable"),
        (document(), "timeline-unreadable"),
        (document(producer(), playlist(ENTRY), PLAYED, profile=""), "timeline-rate-unknown"),
        (document(producer(), playlist(ENTRY), profile="<profile/>"), "timeline-rate"),
        (document(producer(), PLAYED), "timeline-unreadable"),
        (document(producer(), playlist('<blank length="x"/>'), PLAYED), "timeline-unreadable"),
    ],
)
def test_what_cannot_be_read(data: bytes, code: str) -> None:
    with pytest.raises(TimelineProblem) as failure:
        timeline(data)
    assert failure.value.code == code


def test_a_freeze_that_is_switched_off_freezes_nothing() -> None:
    off = (
        '<filter><property name="mlt_service">freeze</property><property name="disable">1</property></filter>'
    )
    (clip,) = timeline(document(producer(more=off), playlist(ENTRY), PLAYED)).tracks[0].clips
    assert clip.obstacles == ()


@pytest.mark.parametrize(
    ("more", "path", "obstacles"),
    [
        ('<property name="shotcut:resource">/films/a.mov</property>', Path("/films/a.mov"), ()),
        ("", None, (common.PROXY,)),
    ],
)
def test_a_clip_that_shotcut_shows_by_a_proxy_is_its_original(
    more: str, path: Path | None, obstacles: tuple[str, ...]
) -> None:
    shown = producer(resource="/proxies/1.mp4", more=f'<property name="shotcut:proxy">1</property>{more}')
    (clip,) = timeline(document(shown, playlist(ENTRY), PLAYED)).tracks[0].clips
    assert (clip.media.path if clip.media else None, clip.obstacles) == (path, obstacles)


def measured(numerator: object, denominator: object) -> str:
    return (
        f'<property name="meta.media.frame_rate_num">{numerator}</property>'
        f'<property name="meta.media.frame_rate_den">{denominator}</property>'
    )


@pytest.mark.parametrize(
    ("num", "den", "rate"),
    [
        (30000, 1001, Fraction(30000, 1001)),
        (25, 1, Fraction(25)),
        (0, 1, None),
        (25, 0, None),
        ("x", "", None),
    ],
)
def test_the_rate_that_a_program_has_found(num: object, den: object, rate: Fraction | None) -> None:
    """It is told, but what the file itself says counts."""
    (clip,) = timeline(document(producer(more=measured(num, den)), playlist(ENTRY), PLAYED)).tracks[0].clips
    assert clip.media is not None
    assert (clip.media.rate, clip.obstacles) == (rate, ())


def test_shotcuts_own_name_is_not_the_timelines() -> None:
    data = document(producer(), playlist(ENTRY), PLAYED, root='title="Shotcut version 25.03.29"')
    assert timeline(data).name == ""
    assert timeline(data.replace(b"Shotcut version 25.03.29", b"Mine")).name == "Mine"
