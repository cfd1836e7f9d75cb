# SPDX-License-Identifier: Apache-2.0
"""What Final Cut Pro 7 XML has of its own: cuts under transitions, files named once, retimed clips."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from flowanchor_interchange.model import Span
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.readers import common
from flowanchor_interchange.readers.fcp7 import read

RATE = "<rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate>"
FILE = f'<file id="f"><name>a.mov</name><pathurl>file:///a.mov</pathurl>{RATE}<duration>500</duration></file>'


def document(*items: str, more: str = "") -> bytes:
    return (
        f"<xmeml><sequence><name>S</name>{RATE}<media><video><track>{''.join(items)}</track></video></media>"
        f"</sequence>{more}</xmeml>"
    ).encode()


def item(
    start: int, end: int, begin: int = 100, *, file: str = FILE, more: str = "", rate: str = RATE
) -> str:
    return (
        f"<clipitem><name>c</name>{rate}<start>{start}</start><end>{end}</end><in>{begin}</in>"
        f"<out>{begin + 50}</out>{file}{more}</clipitem>"
    )


def track(*items: str):  # type: ignore[no-untyped-def]
    return read(document(*items), Path("/"), common.Choices()).tracks[0]


def dissolve(start: int, end: int, alignment: str) -> str:
    return (
        f"<transitionitem><start>{start}</start><end>{end}</end><alignment>{alignment}</alignment>"
        f"<effect><name>Dissolve</name></effect></transitionitem>"
    )


@pytest.mark.parametrize(
    ("alignment", "cut"), [("center", 50), ("start", 45), ("end", 55), ("start-black", 45)]
)
def test_a_clip_ends_at_the_cut_under_its_transition(alignment: str, cut: int) -> None:
    found = track(item(0, -1), dissolve(45, 55, alignment), item(-1, 100, 200))
    before, behind = found.clips
    assert (before.record, behind.record) == (Span(0, cut), Span(cut, 100))
    assert before.source == Span(100, 100 + cut)
    # What is seen at the transition's first frame is the second clip's "in".
    assert behind.source == Span(200 + cut - 45, 200 + 100 - 45)
    assert [one.record for one in found.transitions] == [Span(45, 55)]


def test_a_clip_under_a_transition_that_is_not_there() -> None:
    with pytest.raises(TimelineProblem) as failure:
        track(item(0, -1))
    assert "runs on under a transition" in failure.value.message


def test_a_file_is_written_once() -> None:
    found = track(item(0, 50), item(50, 100, 300, file='<file id="f"/>'))
    assert [clip.media.path for clip in found.clips if clip.media is not None] == [Path("/a.mov")] * 2


def effect(**values: str) -> str:
    parameters = "".join(
        f"<parameter><parameterid>{name}</parameterid><value>{value}</value></parameter>"
        for name, value in values.items()
    )
    return (
        f"<filter><effect><name>Time Remap</name><effectid>timeremap</effectid>{parameters}</effect></filter>"
    )


@pytest.mark.parametrize(
    ("more", "obstacles"),
    [
        (effect(speed="50"), (common.SPEED,)),
        (effect(speed="-100"), (common.REVERSED,)),
        (effect(speed="100", reverse="TRUE"), (common.REVERSED,)),
        (effect(speed="100", variablespeed="1"), (common.SPEED,)),
        (effect(speed="100", reverse="FALSE", variablespeed="0"), ()),
        ("<stillframe>TRUE</stillframe>", (common.FREEZE,)),
        ("<subclipinfo><startoffset>5</startoffset></subclipinfo>", ("it is a subclip",)),
        ("<sequence><name>inner</name></sequence>", (common.NESTED,)),
        ("<multiclip/>", (common.MULTICAM,)),
    ],
)
def test_what_keeps_a_clip_from_being_edited(more: str, obstacles: tuple[str, ...]) -> None:
    (clip,) = track(item(0, 50, more=more)).clips
    assert clip.obstacles == obstacles


def test_effects_are_named_unless_switched_off() -> None:
    on = "<filter><effect><name>Blur</name><effectid>blur</effectid></effect></filter>"
    off = "<filter><enabled>FALSE</enabled><effect><name>Glow</name></effect></filter>"
    (clip,) = track(item(0, 50, more=on + off)).clips
    assert clip.effects == ("Blur",)


def test_another_rate() -> None:
    other = "<rate><timebase>24</timebase><ntsc>TRUE</ntsc></rate>"
    (clip,) = track(item(0, 50, rate=other)).clips
    assert clip.obstacles == ("its file runs at 24000/1001 frames a second, the timeline at 25",)


def test_a_clip_without_a_file() -> None:
    (clip,) = track(item(0, 50, file="")).clips
    assert clip.obstacles == (common.NO_FILE,)
    generator = (
        "<generatoritem><name>g</name><start>0</start><end>50</end><in>0</in><out>50</out></generatoritem>"
    )
    assert track(generator).clips[0].obstacles == (common.GENERATOR,)


def test_nested_sequences_are_not_the_timeline() -> None:
    inner = (
        f"<clipitem><start>0</start><end>5</end><in>0</in><sequence><name>inner</name>{RATE}<media><video/></media>"
        f"</sequence></clipitem>"
    )
    assert read(document(inner), Path("/"), common.Choices()).name == "S"


def test_several_sequences() -> None:
    second = f"<sequence><name>T</name>{RATE}<media><video/></media></sequence>"
    data = document(item(0, 50), more=second)
    with pytest.raises(TimelineProblem) as failure:
        read(data, Path("/"), common.Choices())
    assert failure.value.code == "timeline-several"
    assert "--sequence: 'S', 'T'" in failure.value.action
    assert read(data, Path("/"), common.Choices(name="T")).tracks == ()
    assert len(read(data, Path("/"), common.Choices(name="S")).tracks) == 1
    with pytest.raises(TimelineProblem):
        read(data, Path("/"), common.Choices(name="U"))


@pytest.mark.parametrize("text", ["<xmeml/>", "<xmeml><sequence/></xmeml>"])
def test_no_sequence(text: str) -> None:
    with pytest.raises(TimelineProblem) as failure:
        read(text.encode(), Path("/"), common.Choices())
    assert failure.value.code == "timeline-unreadable"


@pytest.mark.parametrize("wrong", ["x", "", "1.5", "9" * 5000])
def test_numbers_that_are_none(wrong: str) -> None:
    data = document(item(0, 50)).replace(b"<in>100<", f"<in>{wrong}<".encode())
    with pytest.raises(TimelineProblem) as failure:
        read(data, Path("/"), common.Choices())
    assert failure.value.code == "timeline-unreadable"


def test_the_rate_may_be_missing() -> None:
    data = document(item(0, 50)).replace(RATE.encode(), b"")
    with pytest.raises(TimelineProblem) as failure:
        read(data, Path("/"), common.Choices())
    assert failure.value.code == "timeline-rate-unknown"
    assert read(data, Path("/"), common.Choices(rate=Fraction(25))).rate == 25


def test_a_source_of_another_length_is_retimed() -> None:
    """Some programs write a changed speed as nothing but that."""
    (clip,) = track(item(0, 25)).clips
    assert clip.obstacles == (common.SPEED,)


def test_handles_under_transitions_are_no_change_of_speed() -> None:
    found = track(item(0, -1), dissolve(40, 50, "center"), item(-1, 90, 200))
    assert [clip.obstacles for clip in found.clips] == [(), ()]


@pytest.mark.parametrize("length", ["9" * 5000, "x", "-3"])
def test_a_length_that_is_none_is_not_known(length: str) -> None:
    (clip,) = track(item(0, 50, file=FILE.replace("500", length))).clips
    assert clip.media is not None
    assert clip.media.frames is None


def test_clips_are_in_the_order_in_which_they_are_seen() -> None:
    assert [clip.record for clip in track(item(50, 100), item(0, 50)).clips] == [Span(0, 50), Span(50, 100)]
