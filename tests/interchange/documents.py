# SPDX-License-Identifier: Apache-2.0
"""The scene as each program writes it, with things of its own that must survive: comments, effects, data."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import opentimelineio as otio  # type: ignore[import-untyped]
from flowanchor_interchange.timecode import Timecode

from tests.blender.host.numbered import HEIGHT, WIDTH
from tests.interchange.scene import FIRST, FRAMES, LENGTH, TOP, TOP_AT, TWO, TWO_AT, Scene

ENDINGS = {
    "otio": ".otio",
    "fcp7": ".xml",
    "fcpxml": ".fcpxml",
    "edl": ".edl",
    "mlt": ".mlt",
    "kdenlive": ".kdenlive",
}


def otio_document(scene: Scene) -> bytes:
    """With a marker, an effect, and metadata of another program."""
    rate = float(scene.rate)

    def span(start: int, frames: int) -> otio.opentime.TimeRange:
        return otio.opentime.TimeRange(
            otio.opentime.RationalTime(start, rate), otio.opentime.RationalTime(frames, rate)
        )

    def clip(name: str, start: int, frames: int) -> otio.schema.Clip:
        reference = otio.schema.ExternalReference(scene.footage.as_uri(), span(scene.start, FRAMES))
        return otio.schema.Clip(name, reference, span(scene.start + start, frames))

    timeline = otio.schema.Timeline("Scene", global_start_time=otio.opentime.RationalTime(scene.start, rate))
    timeline.metadata["other"] = {"version": 3, "inner": {"list": [1, 2.5, "drei"]}}
    lower, upper, sound = (
        otio.schema.Track("V1"),
        otio.schema.Track("V2"),
        otio.schema.Track("A1", kind="Audio"),
    )
    lower.append(clip("one", FIRST.start, FIRST.duration))
    lower.append(otio.schema.Gap(source_range=span(0, TWO_AT - FIRST.duration)))
    two = clip("two", TWO.start, TWO.duration)
    two.effects.append(otio.schema.Effect("Grade", "grade", {"lift": 0.1}))
    two.markers.append(otio.schema.Marker("look here", span(scene.start + 70, 1)))
    lower.append(two)
    upper.append(otio.schema.Gap(source_range=span(0, TOP_AT)))
    upper.append(clip("top", TOP.start, TOP.duration))
    sound.append(clip("one", FIRST.start, FIRST.duration))
    timeline.tracks.extend([lower, upper, sound])
    text: str = otio.adapters.write_to_string(timeline, "otio_json")
    return text.encode()


def fcp7_document(scene: Scene) -> bytes:
    """As Premiere Pro writes it: files written once, then named by id, the second time without content."""
    ntsc = "TRUE" if scene.rate.denominator > 1 else "FALSE"
    rate = f"<rate><timebase>{round(scene.rate)}</timebase><ntsc>{ntsc}</ntsc></rate>"
    form = "DF" if scene.drop else "NDF"
    timecode = (
        f"<timecode>{rate}<string>{scene.label}</string><frame>{scene.start}</frame>"
        f"<displayformat>{form}</displayformat></timecode>"
    )
    url = scene.footage.as_uri().replace("file:///", "file://localhost/")
    file = (
        f'<file id="file-1"><name>{scene.footage.name}</name><pathurl>{url}</pathurl>{rate}'
        f"<duration>{FRAMES}</duration>{timecode}<media><video/></media></file>"
    )

    def clip(name: str, start: int, frames: int, at: int, file: str, more: str = "") -> str:
        return f"""
          <clipitem id="clipitem-{name}" premiereChannelType="mono">
            <name>{name}</name>
            <enabled>TRUE</enabled>{rate}
            <start>{at}</start><end>{at + frames}</end><in>{start}</in><out>{start + frames}</out>
            {file}{more}
            <pproTicksIn>0</pproTicksIn>
          </clipitem>"""

    size = f"<width>{WIDTH}</width><height>{HEIGHT}</height>"
    picture = f"<samplecharacteristics>{rate}{size}</samplecharacteristics>"
    effect = """
            <filter><effect><name>Grade &amp; more</name><effectid>grade</effectid></effect></filter>"""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE xmeml>
<xmeml version="4">
  <sequence id="sequence-1" TL.SQAudioVisibleBase="0">
    <name>Scene</name>
    <duration>{LENGTH}</duration>{rate}{timecode}
    <media>
      <video>
        <format>{picture}</format>
        <track TL.SQTrackShy="0">{clip("one", FIRST.start, FIRST.duration, 0, file)}
          {clip("two", TWO.start, TWO.duration, TWO_AT, '<file id="file-1"/>', effect)}
          <enabled>TRUE</enabled><locked>FALSE</locked>
        </track>
        <track>{clip("top", TOP.start, TOP.duration, TOP_AT, '<file id="file-1"/>')}
          <enabled>TRUE</enabled><locked>FALSE</locked>
        </track>
      </video>
      <audio><track><enabled>TRUE</enabled></track></audio>
    </media>
    <!-- of the program's own -->
  </sequence>
</xmeml>
""".encode()


def fcpxml_document(scene: Scene) -> bytes:
    """As Final Cut Pro writes it: a connected clip on the clock of what it hangs on."""
    frame = 1 / scene.rate

    def time(frames: Fraction | int) -> str:
        value = frames * frame
        return f"{value.numerator}/{value.denominator}s" if value.denominator > 1 else f"{value.numerator}s"

    def span(first: int, frames: int) -> str:
        return f'start="{time(first)}" duration="{time(frames)}"'

    start, form = scene.start, "DF" if scene.drop else "NDF"
    above = start + TWO.start + TOP_AT - TWO_AT
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE fcpxml>

<fcpxml version="1.10">
    <resources>
        <format id="r1" name="FFVideoFormatX" frameDuration="{frame.numerator}/{frame.denominator}s"
            width="{WIDTH}" height="{HEIGHT}"/>
        <asset id="r2" name="footage" uid="ABC" {span(start, FRAMES)} hasVideo="1" format="r1">
            <media-rep kind="original-media" sig="ABC" src="{scene.footage.as_uri()}">
                <bookmark>Ym9vaw==</bookmark>
            </media-rep>
        </asset>
    </resources>
    <library location="file:///Users/x/Movies/X.fcpbundle/">
        <event name="Day 1">
            <project name="Scene" modDate="2026-01-01 10:00:00 +0000">
                <sequence format="r1" duration="{time(LENGTH)}" tcStart="{time(start)}" tcFormat="{form}">
                    <spine>
                        <asset-clip ref="r2" offset="{time(start)}" name="one"
                            {span(start + FIRST.start, FIRST.duration)} tcFormat="NDF"/>
                        <gap name="Gap" offset="{time(start + FIRST.duration)}" start="3600s"
                            duration="{time(TWO_AT - FIRST.duration)}"/>
                        <asset-clip ref="r2" offset="{time(start + TWO_AT)}" name="two"
                            {span(start + TWO.start, TWO.duration)}>
                            <adjust-volume amount="-96dB"/>
                            <asset-clip ref="r2" lane="1" offset="{time(above)}" name="top"
                                {span(start + TOP.start, TOP.duration)}/>
                            <marker start="{time(start + TWO.start)}" duration="{time(1)}" value="look here"/>
                            <filter-video ref="r9" name="Grade"/>
                        </asset-clip>
                    </spine>
                </sequence>
            </project>
        </event>
    </library>
</fcpxml>
""".encode()


def edl_document(scene: Scene) -> bytes:
    """As Resolve writes it: one track, so without "top"."""

    def times(source: int, at: int, frames: int) -> str:
        numbers = (source, source + frames, at, at + frames)
        return " ".join(str(Timecode(scene.start + number, scene.rate, scene.drop)) for number in numbers)

    return f"""TITLE: Scene
FCM: {"DROP FRAME" if scene.drop else "NON-DROP FRAME"}

001  FOOTAGE  V     C        {times(FIRST.start, 0, FIRST.duration)}
* FROM CLIP NAME: {scene.footage.name}

002  FOOTAGE  V     C        {times(TWO.start, TWO_AT, TWO.duration)}
* FROM CLIP NAME: {scene.footage.name}
* COMMENT: look here
003  FOOTAGE  A     C        {times(TWO.start, TWO_AT, TWO.duration)}
""".encode()


def mlt_document(scene: Scene) -> bytes:
    """As Shotcut writes it: a black track below, transitions between tracks, times by the clock."""

    def entry(start: int, frames: int, more: str = "") -> str:
        first, last = (_clock(frame, scene.rate) for frame in (start, start + frames - 1))
        return f'<entry producer="producer0" in="{first}" out="{last}">{more}</entry>'

    def overlay(track: int) -> str:
        about = {"a_track": 0, "b_track": track, "mlt_service": "composite", "fill": 1, "always_active": 1}
        return f'<transition id="t{track}">{_properties(about)}</transition>'

    bright = f"<filter>{_properties({'mlt_service': 'brightness', 'level': 1})}</filter>"
    return f"""<?xml version="1.0" standalone="no"?>
<mlt LC_NUMERIC="C" version="7.12.0" title="Scene" producer="tractor0">
  {_profile(scene)}
  <producer id="producer0" in="0" out="{FRAMES - 1}">
    <property name="length">{FRAMES}</property>
    <property name="resource">{scene.footage}</property>
    <property name="mlt_service">avformat-novalidate</property>
    <property name="shotcut:caption">footage</property>
  </producer>
  <playlist id="playlist0">
    <property name="shotcut:video">1</property>
    <property name="shotcut:name">V1</property>
    {entry(FIRST.start, FIRST.duration)}
    <blank length="{_clock(TWO_AT - FIRST.duration, scene.rate)}"/>
    {entry(TWO.start, TWO.duration, bright)}
  </playlist>
  <playlist id="playlist1">
    <property name="shotcut:video">1</property>
    <property name="shotcut:name">V2</property>
    <blank length="{TOP_AT}"/>
    {entry(TOP.start, TOP.duration)}
  </playlist>
  <producer id="black" in="0" out="{LENGTH - 1}">
    <property name="length">{LENGTH}</property>
    <property name="mlt_service">color</property>
    <property name="resource">0</property>
  </producer>
  <playlist id="background"><entry producer="black" in="0" out="{LENGTH - 1}"/></playlist>
  <tractor id="tractor0" title="Shotcut version 22.12" in="0" out="{LENGTH - 1}">
    <property name="shotcut">1</property>
    <track producer="background"/>
    <track producer="playlist0"/>
    <track producer="playlist1"/>
    <!-- one transition a track -->
    {overlay(1)}
    {overlay(2)}
  </tractor>
</mlt>
""".encode()


def kdenlive_document(scene: Scene) -> bytes:
    """As Kdenlive 22.12 writes it: bin, black track, one track of sound, tracks of two playlists each."""

    def producer(name: str, more: str = "") -> str:
        return f"""<producer id="{name}" in="00:00:00.000" out="{_clock(FRAMES - 1, scene.rate)}">
  <property name="length">{FRAMES}</property>
  <property name="eof">pause</property>
  <property name="resource">{scene.footage}</property>
  <property name="mlt_service">avformat-novalidate</property>
  <property name="kdenlive:id">4</property>
  <property name="kdenlive:clipname">footage</property>{more}
 </producer>"""

    def entry(start: int, frames: int, more: str = "") -> str:
        first, last = (_clock(frame, scene.rate) for frame in (start, start + frames - 1))
        number = '<property name="kdenlive:id">4</property>'
        return f'<entry producer="producer0" in="{first}" out="{last}">{number}{more}</entry>'

    def track(number: int, about: str, hide: str) -> str:
        ends = f'in="00:00:00.000" out="{_clock(LENGTH - 1, scene.rate)}"'
        return f"""<tractor id="tractor{number}" {ends}>
  {about}<property name="kdenlive:trackheight">67</property>
  <track hide="{hide}" producer="playlist{2 * number}"/>
  <track hide="{hide}" producer="playlist{2 * number + 1}"/>
 </tractor>"""

    def overlay(track: int) -> str:
        about = {
            "a_track": 0,
            "b_track": track,
            "compositing": 0,
            "distort": 0,
            "rotate_center": 0,
            "mlt_service": "qtblend",
            "kdenlive_id": "qtblend",
            "internal_added": 237,
            "always_active": 1,
        }
        return f'<transition id="transition{track}">{_properties(about)}</transition>'

    about = {"mlt_service": "avfilter.eq", "kdenlive_id": "avfilter.eq"}
    grade = f'<filter id="filter9">{_properties(about)}</filter>'
    return f"""<?xml version='1.0' encoding='utf-8'?>
<mlt LC_NUMERIC="C" producer="main_bin" version="7.12.0" root="{scene.footage.parent}">
 {_profile(scene)}
 {producer("producer1")}
 <playlist id="main_bin">
  <property name="kdenlive:docproperties.decimalPoint">.</property>
  <property name="kdenlive:docproperties.kdenliveversion">22.12.3</property>
  <property name="kdenlive:docproperties.version">1.04</property>
  <property name="kdenlive:docproperties.zoom">8</property>
  <property name="kdenlive:folder.-1.5">Sequences</property>
  <property name="xml_retain">1</property>
  <entry producer="producer1" in="00:00:00.000" out="{_clock(FRAMES - 1, scene.rate)}"/>
 </playlist>
 <producer id="black_track" in="00:00:00.000" out="{_clock(LENGTH - 1, scene.rate)}">
  <property name="length">2147483647</property>
  <property name="eof">continue</property>
  <property name="resource">black</property>
  <property name="aspect_ratio">1</property>
  <property name="mlt_service">color</property>
  <property name="kdenlive:playlistid">black_track</property>
  <property name="mlt_image_format">rgba</property>
  <property name="set.test_audio">0</property>
 </producer>
 <playlist id="playlist0"><property name="kdenlive:audio_track">1</property></playlist>
 <playlist id="playlist1"><property name="kdenlive:audio_track">1</property></playlist>
 {track(0, '<property name="kdenlive:audio_track">1</property>', "video")}
 {producer("producer0", '<property name="set.test_audio">1</property>')}
 <playlist id="playlist2">
  {entry(FIRST.start, FIRST.duration)}
  <blank length="{_clock(TWO_AT - FIRST.duration, scene.rate)}"/>
  {entry(TWO.start, TWO.duration, grade)}
 </playlist>
 <playlist id="playlist3"/>
 {track(1, "", "audio")}
 <playlist id="playlist4">
  <blank length="{_clock(TOP_AT, scene.rate)}"/>
  {entry(TOP.start, TOP.duration)}
 </playlist>
 <playlist id="playlist5"/>
 {track(2, '<property name="kdenlive:track_name">Upper</property>', "audio")}
 <tractor id="tractor3" global_feed="1" in="00:00:00.000" out="{_clock(LENGTH - 1, scene.rate)}">
  <track producer="black_track"/>
  <track producer="tractor0"/>
  <track producer="tractor1"/>
  <track producer="tractor2"/>
  {overlay(2)}
  {overlay(3)}
 </tractor>
</mlt>
""".encode()


def _properties(about: Mapping[str, object]) -> str:
    return "".join(f'<property name="{name}">{value}</property>' for name, value in about.items())


def _profile(scene: Scene) -> str:
    about = {
        "description": "test",
        "width": WIDTH,
        "height": HEIGHT,
        "progressive": 1,
        "sample_aspect_num": 1,
        "sample_aspect_den": 1,
        "display_aspect_num": 2,
        "display_aspect_den": 1,
        "frame_rate_num": scene.rate.numerator,
        "frame_rate_den": scene.rate.denominator,
        "colorspace": 709,
    }
    stated = " ".join(f'{name}="{value}"' for name, value in about.items())
    return f"<profile {stated}/>"


def _clock(frames: int, rate: Fraction) -> str:
    """As MLT writes times: to the millisecond."""
    milliseconds = round(frames / rate * 1000)
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"


DOCUMENTS = {
    "otio": otio_document,
    "fcp7": fcp7_document,
    "fcpxml": fcpxml_document,
    "edl": edl_document,
    "mlt": mlt_document,
    "kdenlive": kdenlive_document,
}
