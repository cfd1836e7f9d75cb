# SPDX-License-Identifier: Apache-2.0
"""Small MLT documents out of pieces, and projects as Kdenlive writes them since 23.04."""

from __future__ import annotations

from pathlib import Path

from flowanchor_interchange.model import Timeline
from flowanchor_interchange.readers import common
from flowanchor_interchange.readers.mlt import read

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


def proxied(name: str, original: str) -> str:
    more = '<property name="kdenlive:id">4</property><property name="kdenlive:proxy">/cache/p.mkv</property>'
    if original:
        more += f'<property name="kdenlive:originalurl">{original}</property>'
    return producer(name, "avformat-novalidate", "/cache/p.mkv", more)
