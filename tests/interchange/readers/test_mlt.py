# SPDX-License-Identifier: Apache-2.0
"""What MLT and Kdenlive have of their own: times in three notations, mixes, speeds as services, sequences."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from flowanchor_interchange import files, place
from flowanchor_interchange.model import Result, Span, Timeline
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.readers import common
from flowanchor_interchange.readers.mlt import read
from flowanchor_interchange.readers.mlt_parts import frames_of
from hypothesis import given
from hypothesis import strategies as st

from tests.interchange.scene import RATES

PROFILE = '<profile width="192" height="96" frame_rate_num="25" frame_rate_den="1"/>'


def producer(name: str = "p", service: str = "avformat", resource: str = "/a.mov", more: str = "") -> str:
    return (
        f'<producer id="{name}" in="0" out="499"><property name="length">500</property>'
        f'<property name="mlt_service">{service}</property>'
        f'<property name="resource">{resource}</property>{more}</producer>'
    )


def chain(more: str = "") -> str:
    return producer(service="avformat-novalidate", more=more).replace("producer", "chain")


def document(*parts: str, profile: str = PROFILE, root: str = "") -> bytes:
    return f"<mlt {root}>{profile}{''.join(parts)}</mlt>".encode()


def playlist(*entries: str, name: str = "v1", more: str = "") -> str:
    return f'<playlist id="{name}">{more}{"".join(entries)}</playlist>'


ENTRY = '<entry producer="p" in="100" out="149"/>'
PLAYED = '<tractor id="t"><track producer="v1"/></tractor>'


def timeline(data: bytes, **choices: str) -> Timeline:
    return read(data, Path("/here"), common.Choices(**choices))  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", RATES, ids=str)
@given(frames=st.integers(0, 10**6))
def test_times_to_the_millisecond_are_frames(rate: Fraction, frames: int) -> None:
    milliseconds = round(frames / rate * 1000)
    seconds, rest = divmod(milliseconds, 1000)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"
    assert frames_of(clock, rate) == frames
    assert frames_of(clock.replace(".", ","), rate) == frames
    assert frames_of(str(frames), rate) == frames


@pytest.mark.parametrize(
    ("text", "frames"), [("00:00:02:05", 55), ("01:00:00:00", 90000), ("01:02.5", 1562), ("3.5", 88)]
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


UUID = "{11111111-2222-3333-4444-555555555555}"
OTHER = "{99999999-2222-3333-4444-555555555555}"


def kdenlive_track(name: str, first: str, second: str, more: str = "") -> str:
    return (
        playlist(first, name=f"{name}a")
        + playlist(second, name=f"{name}b")
        + f'<tractor id="{name}">{more}<track producer="{name}a" hide="audio"/>'
        + f'<track producer="{name}b" hide="audio"/></tractor>'
    )


def sequence(uuid: str, title: str, *tracks: str) -> str:
    shown = "".join(f'<track producer="{name}"/>' for name in ("black_track", *tracks))
    return (
        f'<tractor id="{uuid}" in="0" out="99"><property name="kdenlive:uuid">{uuid}</property>'
        f'<property name="kdenlive:clipname">{title}</property>{shown}</tractor>\n'
    )


def kdenlive(*parts: str, shown: str = UUID) -> bytes:
    """A project of Kdenlive 23.04 or newer."""
    black = producer("black_track", "color", "black")
    tray = (
        '<playlist id="main_bin"><property name="kdenlive:docproperties.version">1.1</property>'
        '<property name="kdenlive:folder.-1.2">Sequences</property>'
        f'<entry producer="{UUID}" in="0" out="0"/></playlist>\n'
    )
    last = (
        '<tractor id="project" in="0" out="99"><property name="kdenlive:projectTractor">1</property>'
        f'<track producer="{shown}"/></tractor>'
    )
    return document(black, producer(), *parts, tray, last)


def test_kdenlives_mixes_are_cut_in_their_middle() -> None:
    """Clips alternate between a track's playlists and lie over each other where they are mixed."""
    mix = (
        '<transition in="00:00:01.600" out="00:00:01.960"><property name="mlt_service">luma</property>'
        '<property name="kdenlive:mixcut">5</property></transition>'
    )
    second = '<blank length="40"/><entry producer="p" in="200" out="249"/>'
    data = kdenlive(
        kdenlive_track("t1", ENTRY, second).replace("</tractor>", mix + "</tractor>"),
        sequence(UUID, "S", "t1"),
    )
    found = timeline(data).tracks[0]
    assert [clip.record for clip in found.clips] == [Span(0, 45), Span(45, 90)]
    assert [clip.source for clip in found.clips] == [Span(100, 145), Span(205, 250)]
    assert [one.record for one in found.transitions] == [Span(40, 50)]


def test_kdenlives_sequences(tmp_path: Path) -> None:
    data = kdenlive(
        kdenlive_track("t1", ENTRY, ""),
        kdenlive_track("t2", '<blank length="5"/>' + ENTRY, ""),
        sequence(OTHER, "Other", "t2"),
        sequence(UUID, "Shown", "t1"),
    )
    assert timeline(data).name == "Shown"
    assert timeline(data, name="Other").tracks[0].clips[0].record == Span(5, 55)
    path = tmp_path / "p.kdenlive"
    path.write_bytes(data)
    result = Result(tmp_path / "r.mov", Span(10, 20), Fraction(25), 0, (192, 96), False, {"job": "j"})
    for name, tracks in (("Other", (1, 2)), ("Shown", (2, 1))):
        source = files.read(path, name=name)
        out = tmp_path / f"{name}.kdenlive"
        place.save(place.render(source, out, result, {}).data, out)
        # Only the sequence that was meant has a track more.
        counts = tuple(len(files.read(out, name=one).timeline.tracks) for one in ("Shown", "Other"))
        assert counts == tracks
        (clip,) = files.read(out, name=name).timeline.tracks[-1].clips
        assert clip.record == Span(10, 20)


def test_a_nested_sequence_is_no_clip_to_edit() -> None:
    nested = f'<entry producer="{OTHER}" in="0" out="9"/>'
    data = kdenlive(
        kdenlive_track("t2", ENTRY, ""),
        sequence(OTHER, "Other", "t2"),
        kdenlive_track("t1", nested, ""),
        sequence(UUID, "S", "t1"),
    )
    (clip,) = timeline(data).tracks[0].clips
    assert clip.obstacles == (common.NESTED,)


def proxied(name: str, original: str) -> str:
    more = '<property name="kdenlive:id">4</property><property name="kdenlive:proxy">/cache/p.mkv</property>'
    if original:
        more += f'<property name="kdenlive:originalurl">{original}</property>'
    return producer(name, "avformat-novalidate", "/cache/p.mkv", more)


@pytest.mark.parametrize(("tray", "track"), [("/films/a.mov", "/films/a.mov"), ("/films/a.mov", "")])
def test_a_clip_shown_by_a_proxy_is_its_original(tray: str, track: str) -> None:
    found = timeline(document(proxied("bin", tray), proxied("p", track), playlist(ENTRY), PLAYED))
    (clip,) = found.tracks[0].clips
    assert clip.obstacles == ()
    assert clip.media is not None
    assert clip.media.path == Path("/films/a.mov")


def test_a_proxy_whose_original_is_not_named_is_not_edited() -> None:
    (clip,) = timeline(document(proxied("p", ""), playlist(ENTRY), PLAYED)).tracks[0].clips
    assert clip.obstacles == ("it is shown by a proxy whose original the timeline does not name",)
    assert clip.media is None


def test_a_clip_without_a_proxy_is_its_resource() -> None:
    more = (
        '<property name="kdenlive:proxy">-</property><property name="kdenlive:originalurl">/b.mov</property>'
    )
    (clip,) = timeline(document(producer(more=more), playlist(ENTRY), PLAYED)).tracks[0].clips
    assert clip.media is not None
    assert clip.media.path == Path("/a.mov")


def test_a_clip_without_its_picture_is_switched_off() -> None:
    """So Kdenlive writes a clip that is disabled."""
    off = '<property name="set.test_audio">1</property><property name="set.test_image">1</property>'
    data = document(producer(), producer("q", more=off), playlist(ENTRY, ENTRY.replace('"p"', '"q"')), PLAYED)
    assert [clip.enabled for clip in timeline(data).tracks[0].clips] == [True, False]


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


def stated_twice() -> bytes:
    """A sequence that lies in the shown one, as 24.01 writes it: a copy in the bin, another on the track."""
    copy = sequence(OTHER, "Other", "t3").replace(f'id="{OTHER}"', 'id="tractor9"')
    nested = '<entry producer="tractor9" in="0" out="9"/>'
    data = kdenlive(
        kdenlive_track("t3", '<blank length="1"/>' + ENTRY, ""),
        copy,
        kdenlive_track("t2", ENTRY, ""),
        sequence(OTHER, "Other", "t2"),
        kdenlive_track("t1", nested, ""),
        sequence(UUID, "Shown", "t1"),
    )
    return data.replace(
        b"</playlist>\n<tractor", f'<entry producer="{OTHER}"/></playlist>\n<tractor'.encode()
    )


def test_a_sequence_that_is_stated_twice_is_the_one_of_the_bin() -> None:
    found = timeline(stated_twice(), name="Other")
    assert [clip.record for clip in found.tracks[0].clips] == [Span(0, 50)]
    assert timeline(stated_twice()).name == "Shown"


def test_tracks_of_kdenlive_that_are_switched_off() -> None:
    """It then hides picture and sound of both playlists; which of them the track is of, it says apart."""
    sound = '<property name="kdenlive:audio_track">1</property>'
    tracks = [
        kdenlive_track("a1", ENTRY, "", sound).replace('hide="audio"', 'hide="video"'),
        kdenlive_track("a2", ENTRY, "", sound).replace('hide="audio"', 'hide="both"'),
        kdenlive_track("v1", ENTRY, "").replace('hide="audio"', 'hide="both"'),
        kdenlive_track("v2", ENTRY, ""),
    ]
    preview = playlist(name="p4", more='<property name="kdenlive:playlistid">timeline_preview</property>')
    shown = sequence(UUID, "S", "a1", "a2", "v1", "v2").replace(
        "</tractor>", '<track hide="both" producer="p4"/></tractor>'
    )
    found = timeline(kdenlive(*tracks, preview, shown))
    assert [(track.enabled, len(track.clips)) for track in found.tracks] == [(False, 1), (True, 1)]
    assert found.sound_tracks == 2


def test_what_lies_over_a_whole_track_lies_over_its_clips() -> None:
    def laid(about: str, ends: str = "") -> str:
        return f'<transition {ends}><property name="b_track">1</property>{about}</transition>'

    over = laid(
        '<property name="mlt_service">composite</property><property name="kdenlive_id">wipe</property>',
        'in="10" out="20"',
    )
    later = laid('<property name="mlt_service">affine</property>', 'in="50" out="60"')
    own = laid(
        '<property name="mlt_service">qtblend</property><property name="internal_added">237</property>'
    )
    grade = '<filter><property name="mlt_service">avfilter.eq</property></filter>'
    loud = '<filter><property name="mlt_service">volume</property></filter>'
    data = kdenlive(
        kdenlive_track("t1", grade + ENTRY, "").replace("</tractor>", f"{loud}</tractor>"),
        sequence(UUID, "S", "t1").replace("</tractor>", f"{over}{later}{own}</tractor>"),
    )
    (clip,) = timeline(data).tracks[0].clips
    assert (clip.effects, clip.obstacles) == (("avfilter.eq", "wipe"), ())
    frozen = data.replace(b"avfilter.eq", b"freeze")
    assert timeline(frozen).tracks[0].clips[0].obstacles == (common.FREEZE,)
