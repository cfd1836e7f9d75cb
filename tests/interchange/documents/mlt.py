# SPDX-License-Identifier: Apache-2.0
"""The scene as MLT XML, and what such documents have in common."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from tests.blender.host.numbered import HEIGHT, WIDTH
from tests.interchange.scene import FIRST, FRAMES, LENGTH, TOP, TOP_AT, TWO, TWO_AT, Scene


def mlt_document(scene: Scene) -> bytes:
    """As Shotcut writes it: a black track below, transitions between tracks, times by the clock."""

    def entry(start: int, frames: int, more: str = "") -> str:
        first, last = (clock(frame, scene.rate) for frame in (start, start + frames - 1))
        return f'<entry producer="producer0" in="{first}" out="{last}">{more}</entry>'

    def overlay(track: int) -> str:
        about = {"a_track": 0, "b_track": track, "mlt_service": "composite", "fill": 1, "always_active": 1}
        return f'<transition id="t{track}">{properties(about)}</transition>'

    bright = f"<filter>{properties({'mlt_service': 'brightness', 'level': 1})}</filter>"
    return f"""<?xml version="1.0" standalone="no"?>
<mlt LC_NUMERIC="C" version="7.12.0" title="Scene" producer="tractor0">
  {profile(scene)}
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
    <blank length="{clock(TWO_AT - FIRST.duration, scene.rate)}"/>
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


def properties(about: Mapping[str, object]) -> str:
    return "".join(f'<property name="{name}">{value}</property>' for name, value in about.items())


def profile(scene: Scene) -> str:
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


def clock(frames: int, rate: Fraction) -> str:
    """As MLT writes times: to the millisecond."""
    milliseconds = round(frames / rate * 1000)
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"
