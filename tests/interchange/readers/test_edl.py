# SPDX-License-Identifier: Apache-2.0
"""What edit decision lists have of their own: dissolves in two lines, speed in a third, files in comments."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from flowanchor_interchange.files import format_of
from flowanchor_interchange.model import Span, Timeline
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.readers import common
from flowanchor_interchange.readers.edl import is_list, names_of_files, read
from flowanchor_interchange.timecode import Timecode

HEAD = "TITLE:   My list \nFCM: NON-DROP FRAME\n\n"
CUT = "001  TAPE1    V     C        01:00:10:00 01:00:12:00 01:00:00:00 01:00:02:00\n"


def timeline(text: str, rate: Fraction = Fraction(25), folder: Path = Path("/")) -> Timeline:
    return read(text.encode(), folder, common.Choices(rate=rate))


def test_a_cut() -> None:
    found = timeline(HEAD + CUT)
    (clip,) = found.tracks[0].clips
    assert found.name == "My list"
    assert (found.start, clip.record, clip.source) == (90000, Span(0, 50), Span(90250, 90300))
    assert clip.media is not None
    assert (clip.media.start, clip.label) == (None, "01:00:10:00")


def test_the_timeline_starts_at_the_hour_of_its_first_event() -> None:
    late = CUT.replace("01:00:00:00 01:00:02:00", "10:00:05:00 10:00:07:00")
    found = timeline(HEAD + late)
    assert (found.start, found.tracks[0].clips[0].record) == (900000, Span(125, 175))


def test_a_dissolve_covers_the_clip_that_comes() -> None:
    text = (
        HEAD
        + CUT
        + "002  TAPE1    V     C        01:00:12:00 01:00:12:00 01:00:02:00 01:00:02:00\n"
        + "002  TAPE2    V     D    010 01:00:20:00 01:00:23:00 01:00:02:00 01:00:05:00\n"
        + "* FROM CLIP NAME: one.mov\n* TO CLIP NAME: two.mov\n"
    )
    track = timeline(text).tracks[0]
    assert [(clip.name, clip.record) for clip in track.clips] == [
        ("TAPE1", Span(0, 50)),
        ("two.mov", Span(50, 125)),
    ]
    assert [(one.name, one.record) for one in track.transitions] == [("dissolve", Span(50, 60))]


@pytest.mark.parametrize(
    ("line", "obstacles"),
    [
        ("M2   TAPE1       025.0                01:00:10:00\n", ()),
        ("M2   TAPE1       050.0                01:00:10:00\n", (common.SPEED,)),
        ("M2   TAPE1       -025.0               01:00:10:00\n", (common.REVERSED,)),
        ("M2   TAPE1       000.0                01:00:10:00\n", (common.FREEZE,)),
    ],
)
def test_speed(line: str, obstacles: tuple[str, ...]) -> None:
    assert timeline(HEAD + CUT + line).tracks[0].clips[0].obstacles == obstacles


@pytest.mark.parametrize("speed", ["024.0", "023.976", "023.98"])
def test_the_speed_of_ntsc_rates_is_rounded(speed: str) -> None:
    line = f"M2   TAPE1       {speed}                01:00:10:00\n"
    assert timeline(HEAD + CUT + line, Fraction(24000, 1001)).tracks[0].clips[0].obstacles == ()


def test_a_source_of_another_length_is_retimed() -> None:
    assert timeline(HEAD + CUT.replace("01:00:12:00", "01:00:14:00")).tracks[0].clips[0].obstacles == (
        common.SPEED,
    )


def test_black_is_no_clip_with_a_file() -> None:
    (clip,) = timeline(HEAD + CUT.replace("TAPE1", "BL   ")).tracks[0].clips
    assert (clip.media, clip.obstacles) == (None, (common.GENERATOR,))


def test_files_come_from_comments(tmp_path: Path) -> None:
    (tmp_path / "beside.mov").touch()
    named = HEAD + CUT + "* FROM CLIP NAME: beside.mov\n"
    (clip,) = timeline(named, folder=tmp_path).tracks[0].clips
    assert clip.media is not None
    assert clip.media.path == tmp_path / "beside.mov"
    assert names_of_files(named.encode(), tmp_path) == [tmp_path / "beside.mov"]
    whole = HEAD + CUT + "* FROM CLIP NAME: a.mov\n* SOURCE FILE: /media/b c.mov\n"
    (clip,) = timeline(whole).tracks[0].clips
    assert clip.media is not None
    assert (clip.name, clip.media.path) == ("a.mov", Path("/media/b c.mov"))


def test_drop_frame_by_its_heading() -> None:
    rate = Fraction(30000, 1001)
    text = HEAD.replace("NON-DROP FRAME", "DROP FRAME") + CUT
    found = timeline(text, rate)
    assert (found.drop, found.start, found.label(0)) == (True, 107892, "01:00:00;00")
    assert timeline(HEAD + CUT, rate).start == 108000
    assert timeline(text, Fraction(25)).start == 90000, "there is no drop-frame at 25"


def test_footage_that_does_not_drop_in_a_list_that_does() -> None:
    """Its labels may be none of drop-frame, and its length is that of its own count."""
    rate = Fraction(30000, 1001)
    times = "01:01:00:00 01:02:00:00 01:00:00:00 01:01:00:02"
    text = HEAD.replace("NON-DROP FRAME", "DROP FRAME") + f"001  TAPE1    V     C        {times}\n"
    (clip,) = timeline(text, rate).tracks[0].clips
    assert (clip.label, clip.record) == ("01:01:00:00", Span(0, 1800))
    assert clip.obstacles == ()


def test_windows_line_ends_and_letters() -> None:
    text = (HEAD + CUT + "* FROM CLIP NAME: \xe4.mov\n").replace("\n", "\r\n").encode("cp1252")
    (clip,) = read(text, Path("/"), common.Choices(rate=Fraction(25))).tracks[0].clips
    assert clip.name == "ä.mov"


def test_sound_alone_is_no_clip() -> None:
    found = timeline(HEAD + CUT + CUT.replace(" V ", " A2 "))
    assert (len(found.tracks[0].clips), found.sound_tracks) == (1, 1)


def test_events_over_each_other_are_refused() -> None:
    with pytest.raises(TimelineProblem) as failure:
        timeline(HEAD + CUT + CUT.replace("01:00:00:00 01:00:02:00", "01:00:01:00 01:00:03:00"))
    assert "lie over each other" in failure.value.message


def test_the_rate_has_to_be_said() -> None:
    with pytest.raises(TimelineProblem) as failure:
        read((HEAD + CUT).encode(), Path("/"), common.Choices())
    assert failure.value.code == "timeline-rate-unknown"
    with pytest.raises(TimelineProblem) as failure:
        timeline(HEAD + CUT.replace("01:00:12:00", "01:00:12:24"), Fraction(24))
    assert failure.value.code == "timecode"


def test_what_is_a_list() -> None:
    assert is_list(HEAD + CUT)
    assert not is_list("001 is no event\nTITLE: x")


def test_footage_past_midnight_is_at_normal_speed() -> None:
    text = HEAD + CUT.replace("01:00:10:00 01:00:12:00", "23:59:59:00 00:00:01:00")
    (clip,) = timeline(text).tracks[0].clips
    assert (clip.obstacles, clip.record, clip.label) == ((), Span(0, 50), "23:59:59:00")


def test_an_event_past_midnight_is_not_lost() -> None:
    text = HEAD + CUT.replace("01:00:00:00 01:00:02:00", "23:59:59:00 00:00:01:00")
    found = timeline(text)
    (clip,) = found.tracks[0].clips
    assert (found.label(clip.record.start), clip.record.duration, clip.obstacles) == ("23:59:59:00", 50, ())


@pytest.mark.parametrize("speed", ["99999", "0.0001", "-99999"])
def test_a_speed_that_is_no_rate_is_a_changed_one(speed: str) -> None:
    (clip,) = timeline(HEAD + CUT + f"M2   TAPE1       {speed}                01:00:10:00\n").tracks[0].clips
    assert clip.obstacles in ((common.SPEED,), (common.REVERSED,))


def test_what_cannot_be_read_is_not_called_xml() -> None:
    with pytest.raises(TimelineProblem) as failure:
        format_of((HEAD + CUT).encode("utf-16"), "a.edl")
    assert "UTF-16" in failure.value.message
    assert "XML" not in failure.value.action


@pytest.mark.parametrize(("rate", "drop"), [(Fraction(25), False), (Fraction(30000, 1001), True)])
@pytest.mark.parametrize("order", [1, -1])
def test_a_timeline_goes_on_past_midnight(rate: Fraction, drop: bool, order: int) -> None:
    """Labels begin again, and what they name then lies behind all before midnight, in lists of any order."""
    first = f"23:59:50{';' if drop else ':'}00"
    begin, seconds = Timecode.parse(first, rate, drop), (0, 8, 16, 24)
    spans = [(round(start * rate), round((start + 8) * rate)) for start in seconds]
    day = Timecode.parse("24:00:00:00", rate, drop).frames

    def label(frame: int) -> str:
        return str(Timecode((begin.frames + frame) % day, rate, drop))

    lines = [
        f"00{number}  TAPE  V  C  {first} {label(end - start)} {label(start)} {label(end)}\n"
        for number, (start, end) in enumerate(spans, 1)
    ]
    head = f"TITLE: x\nFCM: {'DROP FRAME' if drop else 'NON-DROP FRAME'}\n"
    found = timeline(head + "".join(lines[::order]), rate)
    assert found.label(0).startswith("23:00:00")
    records = [clip.record.moved(found.start - begin.frames) for clip in found.tracks[0].clips]
    assert [(span.start, span.end) for span in records] == spans
    assert [clip.obstacles for clip in found.tracks[0].clips] == [()] * 4


def test_a_speed_is_that_of_the_reel_it_names() -> None:
    """Both sides of a dissolve may have one, and both lines stand behind the event."""
    dissolve = (
        "002  TAPE1    V     C        01:00:12:00 01:00:12:00 01:00:02:00 01:00:02:00\n"
        "002  TAPE2    V     D    010 01:00:20:00 01:00:23:00 01:00:02:00 01:00:05:00\n"
    )
    one, two = "M2   TAPE1       {0}       01:00:12:00\n", "M2   TAPE2       {0}       01:00:20:00\n"
    text = HEAD + CUT + dissolve
    for lines, expected in (
        (two.format("050.0") + one.format("025.0"), (common.SPEED,)),
        (one.format("050.0") + two.format("025.0"), ()),
        (one.format("050.0"), ()),
        (two.format("-25.0"), (common.REVERSED,)),
    ):
        assert timeline(text + lines).tracks[0].clips[-1].obstacles == expected


@pytest.mark.parametrize(
    "comments",
    [
        # as OpenTimelineIO writes them, as Avid does, and with a file for one of the two alone
        ["FROM CLIP NAME: one", "FROM CLIP: /m/one.mov", "TO CLIP NAME: two", "TO CLIP: /m/two.mov"],
        ["FROM CLIP NAME: one", "SOURCE FILE: /m/one.mov", "TO CLIP NAME: two", "SOURCE FILE: /m/two.mov"],
        ["FROM CLIP NAME: one", "TO CLIP NAME: two", "SOURCE FILE: /m/one.mov", "SOURCE FILE: /m/two.mov"],
        ["FROM FILE: /m/one.mov", "TO FILE: /m/two.mov"],
        ["FROM CLIP NAME: one", "SOURCE FILE: /m/one.mov", "TO CLIP NAME: /m/two.mov"],
    ],
)
def test_a_transition_leads_to_the_file_of_its_own_side(comments: list[str]) -> None:
    dissolve = (
        "002  TAPE1    V     C        01:00:12:00 01:00:12:00 01:00:02:00 01:00:02:00\n"
        "002  TAPE2    V     D    010 01:00:20:00 01:00:23:00 01:00:02:00 01:00:05:00\n"
    )
    text = HEAD + CUT + dissolve + "".join(f"* {comment}\n" for comment in comments)
    _, clip = timeline(text).tracks[0].clips
    assert clip.media is not None
    assert clip.media.path == Path("/m/two.mov")
