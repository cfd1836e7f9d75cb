# SPDX-License-Identifier: Apache-2.0
"""What Kdenlive's projects have of their own: mixes, sequences, tracks of two playlists, proxies."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from flowanchor_interchange import files, place
from flowanchor_interchange.model import Result, Span
from flowanchor_interchange.readers import common

from tests.interchange.readers.mlt_pieces import (
    ENTRY,
    OTHER,
    PLAYED,
    UUID,
    document,
    kdenlive,
    kdenlive_track,
    playlist,
    producer,
    proxied,
    sequence,
    stated_twice,
    timeline,
)


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
