# SPDX-License-Identifier: Apache-2.0
"""What an MLT XML document is made of: services by name, the tractor that is played, its tracks.

What is played is the document's last service. Its tracks are playlists; Kdenlive's are tractors of two
playlists, in which clips alternate where they are mixed, above a track that is black. Since 23.04 what is
played is a wrapper around a tractor for each sequence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from flowanchor_interchange.document import Node, parse
from flowanchor_interchange.readers import common
from flowanchor_interchange.timecode import exact_rate

_CLOCK = re.compile(r"(?:(\d{1,6}):)?(?:(\d{1,6}):)?(\d{1,9}(?:[.,]\d{1,9})?)")
_SMPTE = re.compile(r"(\d{1,6}):(\d{2}):(\d{2})[:;](\d{1,4})")


def properties(node: Node) -> dict[str, str]:
    """An element's properties by name."""
    return {one.get("name"): one.text for one in node.all("property")}


def frames_of(text: str, rate: Fraction) -> int:
    """ "120", "00:00:05.000" or "00:00:05:00" in frames, as MLT counts them.

    Hours and minutes are whole frames each, rounded down, whatever rate there is (`time_clock_to_frames` and
    `time_code_to_frames` of its `mlt_property.c`): at 23.976 "01:00.000" is frame 1438, and not 1439. So it
    writes times, too.

    Raises:
        TimelineProblem: it is no time.
    """
    fps = float(rate)
    text = text.strip()
    if re.fullmatch(r"\d{1,12}", text):
        return int(text)
    if (smpte := _SMPTE.fullmatch(text)) is not None:
        hours, minutes, seconds, frame = map(int, smpte.groups())
        return floor(fps * hours * 3600) + floor(fps * minutes * 60) + ceil(fps * seconds) + frame
    if (clock := _CLOCK.fullmatch(text)) is not None:
        first, second, rest = (part or "0" for part in clock.groups())
        if clock[1] is None:
            return int(float(rest.replace(",", ".")))  # frames: seconds alone are none to MLT
        # Minutes and seconds alone are the other way round.
        hours, minutes = (0, int(first)) if clock[2] is None else (int(first), int(second))
        within = round(fps * float(rest.replace(",", ".")))
        return floor(fps * hours * 3600) + floor(fps * minutes * 60) + within
    raise common.unreadable(f"'{text[:40]}' is no time")


@dataclass(frozen=True)
class Parts:
    """What matters of a document's structure.

    `main` is the tractor that holds the tracks; `tracks` are the services they show, bottom to top, black
    ones included, `hidden` whether the picture of each is. `kdenlive` tells whose document it is. `copies`
    are other tractors that state the same sequence.
    """

    root: Node
    services: dict[str, Node]
    main: Node
    tracks: tuple[Node, ...]
    hidden: tuple[bool, ...]
    rate: Fraction
    size: tuple[int, int]
    kdenlive: bool
    copies: tuple[Node, ...] = ()


def parts_of(data: bytes, name: str | None) -> Parts:
    """Find the tracks of a document.

    Raises:
        TimelineProblem: it cannot be read.
    """
    root = parse(data)
    if root.tag != "mlt":
        raise common.unreadable("it is no MLT XML")
    services = {node.get("id"): node for node in root.walk() if node.get("id")}
    profile = root.child("profile")
    if profile is None:
        raise common.rate_unknown("The document has no profile, so that it")
    rate = exact_rate(f"{profile.get('frame_rate_num')}/{profile.get('frame_rate_den')}")
    size = common.size(profile.get("width"), profile.get("height"))
    if size is None:
        raise common.unreadable("its profile is incomplete")
    played = [node for node in root.children if node.tag in ("tractor", "playlist", "producer", "chain")]
    played = [node for node in played if node.get("id") != "main_bin"]
    if not played:
        raise common.unreadable("nothing is played in it")
    kdenlive = services.get("main_bin") is not None and any(
        key.startswith("kdenlive:") for key in properties(services["main_bin"])
    )
    main, *copies = _sequence(played[-1], services, name)
    if main.tag != "tractor":
        return Parts(root, services, main, (main,), (False,), rate, size, kdenlive)
    tracks, hidden = [], []
    for track in main.all("track") or [one for part in main.all("multitrack") for one in part.all("track")]:
        shown = services.get(track.get("producer"))
        if shown is None:
            raise common.unreadable(f"its track '{track.get('producer')[:40]}' is not there")
        tracks.append(shown)
        hidden.append(track.get("hide") in ("video", "both"))
    return Parts(root, services, main, tuple(tracks), tuple(hidden), rate, size, kdenlive, tuple(copies))


def _sequence(played: Node, services: dict[str, Node], name: str | None) -> list[Node]:
    """The tractors that state the sequence that is meant, the one that Kdenlive reads first.

    Kdenlive writes a sequence that lies in another one once for each of them and once for its bin, all with
    the same uuid, and reads the bin's: so 24.01 wrote KDE/kdenlive-test-suite, `projects/sequences.kdenlive`,
    and so `ProjectItemModel::loadBinPlaylist` reads.
    """
    if properties(played).get("kdenlive:projectTractor") != "1":
        return [played]
    tray = services.get("main_bin")
    in_bin = [] if tray is None else [entry.get("producer") for entry in tray.all("entry")]
    shown = {track.get("producer") for track in played.all("track")}
    found: dict[str, list[Node]] = {}
    for node in services.values():
        if node.tag == "tractor" and (uuid := properties(node).get("kdenlive:uuid")) is not None:
            found.setdefault(uuid, []).append(node)
    sequences = []
    for nodes in found.values():
        if name is not None or any(node.get("id") in shown for node in nodes):
            nodes.sort(key=lambda node: node.get("id") not in in_bin)
            sequences.append((properties(nodes[0]).get("kdenlive:clipname", ""), nodes))
    return common.chosen(sequences, name)
