# SPDX-License-Identifier: Apache-2.0
"""What FCPXML has of its own: clocks within clocks, lanes, storylines that hang on clips, exact seconds."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from flowanchor_interchange.model import Clip, Span, Timeline
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.readers import common
from flowanchor_interchange.readers.fcpxml import read
from flowanchor_interchange.readers.fcpxml_parts import seconds

ASSETS = """
<format id="r1" frameDuration="100/2500s" width="1920" height="1080"/>
<format id="r3" frameDuration="1001/24000s"/>
<asset id="a" start="3600s" duration="100s" hasVideo="1" format="r1" src="file:///a.mov"/>
<asset id="b" start="0s" duration="100s" hasVideo="1" format="r3" src="file:///b.mov"/>
<asset id="s" start="0s" duration="100s" hasAudio="1" src="file:///s.wav"/>
<asset id="p" start="0s" duration="0s" hasVideo="1" format="r1" src="file:///p.png"/>
<effect id="t" name="Title"/>
"""


def timeline(spine: str, start: str = "3600s") -> Timeline:
    data = (
        f'<fcpxml version="1.8"><resources>{ASSETS}</resources><project name="P"><sequence format="r1" '
        f'tcStart="{start}"><spine>{spine}</spine></sequence></project></fcpxml>'
    )
    return read(data.encode(), Path("/"), common.Choices())


def test_lanes_become_tracks_on_the_clock_of_what_they_hang_on() -> None:
    found = timeline(
        """<gap offset="3600s" start="7200s" duration="4s">
             <asset-clip ref="a" lane="2" offset="7201s" start="3610s" duration="2s" name="up"/>
             <asset-clip ref="a" lane="-1" offset="7200s" start="3600s" duration="1s" name="low"/>
           </gap>
           <asset-clip ref="a" offset="3604s" start="3650s" duration="4s" name="main">
             <asset-clip ref="a" lane="1" offset="3651s" duration="1s" name="over"/>
           </asset-clip>"""
    )
    tracks = [(track.name, [(clip.name, clip.record) for clip in track.clips]) for track in found.tracks]
    assert tracks == [
        ("lane -1", [("low", Span(0, 25))]),
        ("primary storyline", [("main", Span(100, 200))]),
        ("lane 1", [("over", Span(125, 150))]),
        ("lane 2", [("up", Span(25, 75))]),
    ]
    over = found.tracks[2].clips[0]
    assert over.source == Span(90000, 90025), "without a start an asset's clip begins where the asset does"
    assert [clip.media.start for track in found.tracks for clip in track.clips if clip.media is not None] == [
        90000
    ] * 4
    assert not any(clip.obstacles for track in found.tracks for clip in track.clips)


def test_a_storyline_that_hangs_on_a_clip_has_a_clock_from_zero() -> None:
    found = timeline(
        """<asset-clip ref="a" offset="3600s" start="3700s" duration="10s" name="main">
             <spine lane="1" offset="3703s">
               <asset-clip ref="a" offset="0s" start="3600s" duration="2s" name="x"/>
               <transition offset="1s" duration="2s" name="Cross"/>
               <asset-clip ref="a" offset="2s" start="3620s" duration="1s" name="y"/>
             </spine>
           </asset-clip>"""
    )
    upper = found.tracks[1]
    assert [(clip.name, clip.record) for clip in upper.clips] == [("x", Span(75, 125)), ("y", Span(125, 150))]
    assert [(one.name, one.record) for one in upper.transitions] == [("Cross", Span(100, 150))]


def test_items_without_offsets_follow_each_other() -> None:
    found = timeline(
        '<gap duration="1s"/><asset-clip ref="a" duration="1s"/><asset-clip ref="a" duration="2s"/>'
    )
    assert [clip.record for clip in found.tracks[0].clips] == [Span(25, 50), Span(50, 100)]


def test_a_clip_around_a_video_is_on_that_ones_clock() -> None:
    found = timeline(
        """<clip offset="3600s" start="12s" duration="1s" name="c">
             <video ref="a" offset="2s" start="3610s" duration="50s"/>
           </clip>"""
    )
    assert found.tracks[0].clips[0].source == Span((3620) * 25, 3621 * 25)


@pytest.mark.parametrize(
    ("item", "obstacle"),
    [
        ('<asset-clip ref="a" duration="1s"><timeMap/></asset-clip>', common.SPEED),
        ('<ref-clip ref="m" duration="1s"/>', common.NESTED),
        ('<sync-clip duration="1s"/>', common.NESTED),
        ('<mc-clip ref="m" duration="1s"/>', common.MULTICAM),
        ('<title ref="t" duration="1s"/>', common.GENERATOR),
        ('<video ref="t" duration="1s"/>', common.GENERATOR),
        ('<video ref="p" duration="1s"/>', common.FREEZE),
        ('<clip duration="1s"><video ref="a"/><video ref="a"/></clip>', common.NESTED),
        ('<asset-clip ref="a" duration="3/50s" name="x"/>', common.OFF_FRAMES),
        ('<asset-clip ref="a" start="180001/50s" duration="1s"/>', common.OFF_FRAMES),
        (
            '<asset-clip ref="b" duration="1s"/>',
            "its file runs at 24000/1001 frames a second, the timeline at 25",
        ),
        (
            '<asset-clip ref="a" duration="1s"><conform-rate srcFrameRate="23.98"/></asset-clip>',
            "its file runs at 24000/1001 frames a second, the timeline at 25",
        ),
    ],
)
def test_what_keeps_a_clip_from_being_edited(item: str, obstacle: str) -> None:
    found = timeline(item)
    (clip,) = found.tracks[0].clips
    assert obstacle in clip.obstacles


def test_sound_is_no_track_of_video() -> None:
    found = timeline(
        """<asset-clip ref="a" duration="1s"><asset-clip ref="s" lane="-1" duration="1s"/></asset-clip>
           <asset-clip ref="a" srcEnable="audio" duration="1s"/>"""
    )
    assert [len(track.clips) for track in found.tracks] == [1]
    assert found.sound_tracks == 2


def test_what_lies_on_a_clip_is_named() -> None:
    found = timeline(
        """<asset-clip ref="a" duration="1s" enabled="0"><adjust-crop/><adjust-volume/>
           <filter-video ref="t" name="Blur"/><filter-video ref="t" name="Off" enabled="0"/></asset-clip>"""
    )
    (clip,) = found.tracks[0].clips
    assert clip.effects == ("crop", "Blur")
    assert not clip.enabled


@pytest.mark.parametrize(
    ("text", "value"),
    [("10s", 10), ("1001/24000s", Fraction(1001, 24000)), ("3.5s", Fraction(7, 2)), ("-2s", -2), ("0s", 0)],
)
def test_times(text: str, value: Fraction) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "10", "1/0s", "s", "1/2/3s", "1e5s", "9" * 5000 + "s"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(TimelineProblem):
        seconds(text)


def test_a_start_between_frames_is_refused() -> None:
    with pytest.raises(TimelineProblem):
        timeline("", "1/1000s")


def test_events_without_a_project_hold_no_timeline() -> None:
    with pytest.raises(TimelineProblem) as failure:
        read(b'<fcpxml version="1.9"><event><asset-clip/></event></fcpxml>', Path("/"), common.Choices())
    assert failure.value.code == "timeline-unreadable"


def test_an_audition_is_the_first_of_its_clips() -> None:
    """That is the one that plays; an audition itself has no length."""
    found = timeline(
        """<audition offset="3600s">
             <asset-clip ref="a" start="3610s" duration="2s" name="plays">
               <asset-clip ref="a" lane="1" offset="3611s" duration="1s" name="above"/></asset-clip>
             <asset-clip ref="a" duration="9s" name="waits"/>
           </audition>
           <asset-clip ref="a" duration="1s" name="next"/>"""
    )
    lower, upper = found.tracks
    assert [(clip.name, clip.record, clip.obstacles) for clip in lower.clips] == [
        ("plays", Span(0, 50), ()),
        ("next", Span(50, 75), ()),
    ]
    assert lower.clips[0].source == Span(3610 * 25, 3612 * 25)
    assert [(clip.name, clip.record) for clip in upper.clips] == [("above", Span(25, 50))]


def test_what_lies_on_a_clip_without_changing_it_is_not_named() -> None:
    found = timeline(
        """<asset-clip ref="a" duration="1s"><adjust-conform type="fit"/>
             <adjust-transform scale="1 1" anchor="0 0" position="0 0"/><adjust-crop mode="trim" enabled="0"/>
           </asset-clip>
           <asset-clip ref="a" duration="1s"><adjust-conform type="fill"/>
             <adjust-transform scale="1 1" anchor="0 0" position="5 0"/>
             <adjust-blend amount="0.5"/></asset-clip>
           <asset-clip ref="a" duration="1s"><adjust-transform><param name="position"/></adjust-transform>
           </asset-clip>"""
    )
    assert [clip.effects for clip in found.tracks[0].clips] == [
        (),
        ("conform", "transform", "blend"),
        ("transform",),
    ]


def asset_clip(*files: str) -> Clip:
    """A clip of an asset that names these files."""
    asset = f'<asset id="x" start="0s" duration="9s" hasVideo="1" format="r1">{"".join(files)}</asset>'
    data = (
        f'<fcpxml version="1.10"><resources>{ASSETS}{asset}</resources><project name="P">'
        '<sequence format="r1"><spine><asset-clip ref="x" duration="1s"/></spine></sequence></project>'
        "</fcpxml>"
    )
    (clip,) = read(data.encode(), Path("/"), common.Choices()).tracks[0].clips
    return clip


ORIGINAL = '<media-rep kind="original-media" src="file:///original.mov"/>'
UNNAMED = '<media-rep src="file:///original.mov"/>'
PROXY = '<media-rep kind="proxy-media" src="file:///proxy.mov"/>'


@pytest.mark.parametrize(
    "files", [(ORIGINAL,), (ORIGINAL, PROXY), (PROXY, ORIGINAL), (UNNAMED,), (PROXY, UNNAMED)]
)
def test_a_clip_with_a_proxy_is_its_original(files: tuple[str, ...]) -> None:
    """Final Cut Pro names both files of an asset that has one; without its kind a file is an original."""
    clip = asset_clip(*files)
    assert clip.media is not None
    assert (clip.media.path, clip.obstacles) == (Path("/original.mov"), ())


def test_a_proxy_is_not_edited_in_the_place_of_an_original_that_is_not_named() -> None:
    clip = asset_clip(PROXY)
    assert (clip.media, clip.obstacles) == (None, (common.PROXY,))


def test_sound_on_the_storyline_takes_its_time() -> None:
    found = timeline(
        """<audio ref="s" duration="2s">
             <asset-clip ref="a" lane="1" offset="1s" duration="1s" name="above"/></audio>
           <audition><audio ref="s" duration="1s"/><asset-clip ref="a" duration="9s" name="waits"/></audition>
           <asset-clip ref="a" duration="1s" name="next"/>"""
    )
    assert [[(clip.name, clip.record) for clip in track.clips] for track in found.tracks] == [
        [("next", Span(75, 100))],
        [("above", Span(25, 50))],
    ]
    assert found.sound_tracks == 1


def test_a_clip_that_begins_before_the_timeline_is_not_edited() -> None:
    """Which of its frames are the first visible ones, programs see differently."""
    found = timeline(
        """<gap offset="3600s" start="10s" duration="4s">
             <asset-clip ref="a" lane="1" offset="9s" start="3610s" duration="2s" name="early"/></gap>"""
    )
    (clip,) = found.tracks[0].clips
    assert (clip.record, clip.obstacles) == (Span(0, 25), ("it begins before the timeline does",))


@pytest.mark.parametrize(("kind", "effects"), [("conformNone", ()), ("conformHLGtoSDR", ("colorConform",))])
def test_colours_that_are_not_converted_are_no_effect(kind: str, effects: tuple[str, ...]) -> None:
    """Final Cut Pro writes the adjustment for every clip."""
    about = f'enabled="1" autoOrManual="manual" conformType="{kind}" peakNitsOfPQSource="1000"'
    inner = f"<adjust-colorConform {about}/>"
    found = timeline(f'<asset-clip ref="a" start="3610s" duration="2s">{inner}</asset-clip>')
    assert found.tracks[0].clips[0].effects == effects
