# SPDX-License-Identifier: Apache-2.0
"""Which clip, which of its frames, which frames of its file."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from flowanchor_interchange.model import Clip, Media, Span, Timeline, Track, Transition
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.readers.common import SPEED
from flowanchor_interchange.selection import Footage, Selection, frames_in_file, frames_to_edit, select
from hypothesis import given
from hypothesis import strategies as st

RATE = Fraction(24)
FILE = Media("a.mov", Path("/a.mov"), RATE, 0, 500)


def clip(name: str, at: int, length: int = 50, start: int = 100, **more: object) -> Clip:
    made = Clip(name, FILE, Span(start, start + length), Span(at, at + length))
    return replace(made, **more)  # type: ignore[arg-type]


def timeline(*tracks: tuple[Clip, ...]) -> Timeline:
    return Timeline("t", RATE, tracks=tuple(Track(n, f"V{n}", clips) for n, clips in enumerate(tracks, 1)))


THREE = timeline((clip("a", 0), clip("b", 50)), (clip("c", 10), clip("b", 60), clip("c", 120)), ())


@pytest.mark.parametrize(
    ("wanted", "track", "found"),
    [
        ("1", None, (2, 1)),  # the top track that has a clip
        ("3", None, (2, 3)),
        ("1", 1, (1, 1)),
        ("a", None, (1, 1)),  # by name on whichever track has it, the top one first
        ("b", None, (2, 2)),
        ("b", 1, (1, 2)),
    ],
)
def test_a_clip_is_found(wanted: str, track: int | None, found: tuple[int, int]) -> None:
    selection = select(THREE, wanted, track)
    assert (selection.track.number, selection.number) == found


@pytest.mark.parametrize(
    ("wanted", "track", "code", "words"),
    [
        ("4", None, "timeline-clip", "no clip number 4; track 2 has 3 clips"),
        ("0", None, "timeline-clip", "no clip number 0"),
        ("x", 1, "timeline-clip", "no clip called 'x'; track 1 has 2 clips"),
        ("a", 2, "timeline-clip", "no clip called 'a'"),
        ("c", None, "timeline-clip", "2 clips called 'c'. Choose one by its number: 1, 3."),
        ("1", 3, "timeline-clip", "Video track 3 has no clips"),
        ("1", 4, "timeline-track", "no video track 4; the timeline has 3 video tracks"),
    ],
)
def test_a_clip_that_is_not_there(wanted: str, track: int | None, code: str, words: str) -> None:
    with pytest.raises(TimelineProblem) as failure:
        select(THREE, wanted, track)
    assert failure.value.code == code
    assert words in str(failure.value)


def test_numbers_count_before_names_so_that_every_clip_can_be_chosen() -> None:
    """Clips called alike are told to be chosen by their numbers."""
    odd = timeline((clip("2", 0), clip("2", 50), clip("1", 100), clip("1957", 150)))
    assert [select(odd, str(number)).number for number in (1, 2, 3, 4)] == [1, 2, 3, 4]
    assert select(odd, "1957").number == 4


def only(one: Clip, *transitions: Transition) -> Selection:
    return Selection(Track(1, "V1", (one,), transitions), 1, one)


def test_frames_are_those_asked_for() -> None:
    assert frames_to_edit(only(clip("a", 10))) == Span(0, 50)
    assert frames_to_edit(only(clip("a", 10)), 5, 9) == Span(5, 10)
    assert frames_to_edit(only(clip("a", 10)), 49, 49) == Span(49, 50)


@pytest.mark.parametrize(("first", "last"), [(0, 50), (50, 50), (60, None), (9, 8)])
def test_frames_outside_the_clip(first: int, last: int | None) -> None:
    with pytest.raises(TimelineProblem) as failure:
        frames_to_edit(only(clip("a", 10)), first, last)
    assert failure.value.code == "timeline-frames"


def test_a_clip_that_cannot_be_edited_says_why() -> None:
    with pytest.raises(TimelineProblem) as failure:
        frames_to_edit(only(clip("a", 0, obstacles=(SPEED,))))
    assert failure.value.code == "timeline-clip-unsuitable"
    assert "'a' cannot be edited here: its speed is changed." in str(failure.value)


def test_frames_under_a_transition_are_refused_and_the_others_named() -> None:
    dissolves = Transition("Dissolve", Span(5, 15)), Transition("Wipe", Span(55, 70))
    selection = only(clip("a", 10), *dissolves)
    for first, last in [(0, None), (4, 10), (44, 45), (0, 0)]:
        with pytest.raises(TimelineProblem) as failure:
            frames_to_edit(selection, first, last)
        assert "Edit frames 5-44 with --frames." in str(failure.value)
    assert frames_to_edit(selection, 5, 44) == Span(5, 45)
    whole = only(clip("a", 10), Transition("Long", Span(0, 100)))
    with pytest.raises(TimelineProblem) as failure:
        frames_to_edit(whole)
    assert "--frames" not in str(failure.value)


@given(
    st.integers(0, 10**7), st.integers(0, 400), st.integers(1, 100), st.integers(0, 49), st.integers(1, 50)
)
def test_frames_in_the_file(start: int, first: int, length: int, begin: int, count: int) -> None:
    """Whatever the clip counts from, the frames are those of the file."""
    media = replace(FILE, start=start)
    one = replace(clip("a", 3, 200), media=media, source=Span(start + first, start + first + 200))
    span = Span(begin, begin + count)
    found = frames_in_file(timeline((one,)), one, span, Footage(RATE, 500 + length))
    assert found.frames == span.moved(first)


def place(
    start: int | None, source: int, label: str | None, named: str | None = None, frames: int = 500
) -> Span:
    one = clip("a", 0, start=source, media=replace(FILE, start=start), label=named)
    return frames_in_file(timeline((one,)), one, Span(0, 50), Footage(RATE, frames, label)).frames


def test_a_source_of_unknown_beginning_is_where_it_fits() -> None:
    assert place(None, 100, None) == Span(100, 150)
    assert place(None, 86500, "01:00:00:00") == Span(100, 150)
    assert place(None, 100, "01:00:00:00") == Span(100, 150)
    assert place(None, 100, "00:00:00:00") == Span(100, 150)
    with pytest.raises(TimelineProblem) as failure:
        place(None, 100, "00:00:02:00")  # from 0: 100, from the timecode: 52
    assert failure.value.code == "timeline-media-differs"
    assert "It is not clear" in str(failure.value)


def test_an_absolute_source_is_that_of_the_timecode() -> None:
    assert place(None, 100, "00:00:02:00", "00:00:04:04") == Span(52, 102)
    assert place(None, 100, None, "00:00:04:04") == Span(100, 150)
    assert place(None, 100, "23:59:59:00", "00:00:00:10") == Span(34, 84), "past midnight"


@pytest.mark.parametrize("drop", [False, True])
def test_a_label_counts_as_its_file_does(drop: bool) -> None:
    """In a list that counts drop-frame, footage need not: 300 frames after its start either way."""
    rate = Fraction(30000, 1001)
    one = clip("a", 0, media=replace(FILE, start=None, rate=rate), label="01:00:10:00", source=Span(1, 51))
    for label in ("01:00:00:00", "01:00:00;00"):
        timeline = Timeline("t", rate, drop=drop)
        found = frames_in_file(timeline, one, Span(0, 50), Footage(rate, 500, label))
        assert found.frames == Span(300, 350)
    later = replace(one, label="01:02:00:02")
    counts = {}
    for label in ("01:00:00:00", "01:00:00;00"):
        found = frames_in_file(Timeline("t", rate, drop=drop), later, Span(0, 50), Footage(rate, 9000, label))
        counts[label] = found.frames.start
    assert counts == {"01:00:00:00": 3602, "01:00:00;00": 3598}


@pytest.mark.parametrize(
    ("start", "source", "frames"), [(0, 460, 500), (0, 100, 149), (200, 100, 500), (None, 90000, 500)]
)
def test_frames_that_the_file_lacks(start: int | None, source: int, frames: int) -> None:
    with pytest.raises(TimelineProblem) as failure:
        place(start, source, None, frames=frames)
    assert failure.value.code == "timeline-media-differs"


def test_another_start_than_the_timeline_says_is_told() -> None:
    one = clip("a", 0, start=86500, media=replace(FILE, start=86400))
    found = frames_in_file(timeline((one,)), one, Span(0, 5), Footage(RATE, 500, "02:00:00:00"))
    assert found.frames == Span(100, 105)
    assert "starts at frame 86400, the file says 172800" in found.notices[0]


def test_another_rate_than_the_timelines_is_refused() -> None:
    one = clip("a", 0)
    with pytest.raises(TimelineProblem) as failure:
        frames_in_file(timeline((one,)), one, Span(0, 5), Footage(Fraction(25), 500))
    assert "runs at 25 frames a second, the timeline at 24" in str(failure.value)


def test_images_count_from_the_number_that_is_meant() -> None:
    media = replace(FILE, kind="images", first_number=1001, start=0)
    one = clip("a", 0, start=10, media=media)
    found = frames_in_file(timeline((one,)), one, Span(0, 5), Footage(RATE, 500, None, first_number=1000))
    assert found.frames == Span(11, 16)
