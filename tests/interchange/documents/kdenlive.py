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


SEQUENCE = "{6a2b1c3d-1111-4222-8333-444455556666}"


def kdenlive_sequence_document(scene: Scene) -> bytes:
    """The same as its versions since 23.04 write it: the tracks are a sequence, which lies in the bin; behind
    them the preview, switched off; what is played is a tractor around the sequence that was open.

    The order, the properties and what is a chain are those of 25.12 (KDE/kdenlive-test-suite, `projects/`).
    """
    text = kdenlive_document(scene).decode()
    end = clock(LENGTH - 1, scene.rate)
    bin_start = text.index(' <playlist id="main_bin">')
    bin_end = text.index("</playlist>\n", bin_start) + len("</playlist>\n")
    tray = text[bin_start:bin_end]
    main_start = text.index(' <tractor id="tractor3"')
    tracks, main = text[bin_end:main_start], text[main_start : text.index("</mlt>")]
    about = {
        "kdenlive:uuid": SEQUENCE,
        "kdenlive:clipname": "Sequence 1",
        "kdenlive:producer_type": 17,
        "kdenlive:control_uuid": SEQUENCE,
        "kdenlive:id": 3,
        "kdenlive:clip_type": 0,
        "kdenlive:folderid": 2,
        "kdenlive:sequenceproperties.documentuuid": SEQUENCE,
        "kdenlive:sequenceproperties.groups": "[\n]\n",
        "kdenlive:sequenceproperties.guides": '[{"comment": "look", "duration": 0, "pos": 7, "type": 0}]',
        "kdenlive:sequenceproperties.tracksCount": 3,
    }
    opening = main.index(">") + 1
    main = f"{main[:opening]}{properties(about)}{main[opening:]}"
    main = main.replace('id="tractor3"', f'id="{SEQUENCE}"', 1)
    preview = '<track hide="both" producer="playlist9"/>'
    main = main.replace("<transition", f"{preview}\n  <transition", 1)
    named = properties({"kdenlive:playlistid": "timeline_preview"})
    tracks += f' <playlist id="playlist9">{named}</playlist>\n'
    tray = tray.replace('docproperties.version">1.04', 'docproperties.version">1.1')
    tray = tray.replace(
        " </playlist>",
        f'  <property name="kdenlive:docproperties.activetimeline">{SEQUENCE}</property>\n'
        f'  <property name="kdenlive:docproperties.opensequences">{SEQUENCE}</property>\n'
        f'  <property name="kdenlive:docproperties.uuid">{SEQUENCE}</property>\n'
        f'  <entry producer="{SEQUENCE}" in="00:00:00.000" out="{end}"/>\n </playlist>',
    )
    project = (
        f' <tractor id="tractor4" in="00:00:00.000" out="{end}">\n'
        '  <property name="kdenlive:projectTractor">1</property>\n'
        f'  <track producer="{SEQUENCE}" in="00:00:00.000" out="{end}"/>\n </tractor>\n'
    )
    whole = f"{text[:bin_start]}{tracks}{main}{tray}{project}</mlt>\n"
    # Files are chains; the bin's and the track's have the same control_uuid.
    same = '  <property name="kdenlive:control_uuid">{1b2c3d4e-0000-4000-8000-000000000001}</property>\n'
    for name in ("producer0", "producer1"):
        start = whole.index(f'<producer id="{name}"')
        stop = whole.index(" </producer>", start)
        chain = whole[start:stop].replace("<producer", "<chain", 1)
        whole = f"{whole[:start]}{chain}{same} </chain>{whole[stop + len(' </producer>') :]}"
    return whole.encode()
