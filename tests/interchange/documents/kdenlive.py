# SPDX-License-Identifier: Apache-2.0
"""The scene as a Kdenlive project."""

from __future__ import annotations

from tests.interchange.documents.mlt import clock, profile, properties
from tests.interchange.scene import FIRST, FRAMES, LENGTH, TOP, TOP_AT, TWO, TWO_AT, Scene


def kdenlive_document(scene: Scene) -> bytes:
    """As Kdenlive 22.12 writes it: bin, black track, one track of sound, tracks of two playlists each."""

    def producer(name: str, more: str = "") -> str:
        return f"""<producer id="{name}" in="00:00:00.000" out="{clock(FRAMES - 1, scene.rate)}">
  <property name="length">{FRAMES}</property>
  <property name="eof">pause</property>
  <property name="resource">{scene.footage}</property>
  <property name="mlt_service">avformat-novalidate</property>
  <property name="kdenlive:id">4</property>
  <property name="kdenlive:clipname">footage</property>{more}
 </producer>"""

    def entry(start: int, frames: int, more: str = "") -> str:
        first, last = (clock(frame, scene.rate) for frame in (start, start + frames - 1))
        number = '<property name="kdenlive:id">4</property>'
        return f'<entry producer="producer0" in="{first}" out="{last}">{number}{more}</entry>'

    def track(number: int, about: str, hide: str) -> str:
        ends = f'in="00:00:00.000" out="{clock(LENGTH - 1, scene.rate)}"'
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
        return f'<transition id="transition{track}">{properties(about)}</transition>'

    about = {"mlt_service": "avfilter.eq", "kdenlive_id": "avfilter.eq"}
    grade = f'<filter id="filter9">{properties(about)}</filter>'
    return f"""<?xml version='1.0' encoding='utf-8'?>
<mlt LC_NUMERIC="C" producer="main_bin" version="7.12.0" root="{scene.footage.parent}">
 {profile(scene)}
 {producer("producer1")}
 <playlist id="main_bin">
  <property name="kdenlive:docproperties.decimalPoint">.</property>
  <property name="kdenlive:docproperties.kdenliveversion">22.12.3</property>
  <property name="kdenlive:docproperties.version">1.04</property>
  <property name="kdenlive:docproperties.zoom">8</property>
  <property name="kdenlive:folder.-1.5">Sequences</property>
  <property name="xml_retain">1</property>
  <entry producer="producer1" in="00:00:00.000" out="{clock(FRAMES - 1, scene.rate)}"/>
 </playlist>
 <producer id="black_track" in="00:00:00.000" out="{clock(LENGTH - 1, scene.rate)}">
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
  <blank length="{clock(TWO_AT - FIRST.duration, scene.rate)}"/>
  {entry(TWO.start, TWO.duration, grade)}
 </playlist>
 <playlist id="playlist3"/>
 {track(1, "", "audio")}
 <playlist id="playlist4">
  <blank length="{clock(TOP_AT, scene.rate)}"/>
  {entry(TOP.start, TOP.duration)}
 </playlist>
 <playlist id="playlist5"/>
 {track(2, '<property name="kdenlive:track_name">Upper</property>', "audio")}
 <tractor id="tractor3" global_feed="1" in="00:00:00.000" out="{clock(LENGTH - 1, scene.rate)}">
  <track producer="black_track"/>
  <track producer="tractor0"/>
  <track producer="tractor1"/>
  <track producer="tractor2"/>
  {overlay(2)}
  {overlay(3)}
 </tractor>
</mlt>
""".encode()
