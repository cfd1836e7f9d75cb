# SPDX-License-Identifier: Apache-2.0
"""Results in Kdenlive's projects, as its versions since 23.04 need them."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from fractions import Fraction
from pathlib import Path

import pytest
from flowanchor_interchange import files, place
from flowanchor_interchange.model import Result, Span

from tests.interchange.conftest import Make
from tests.interchange.readers.mlt_pieces import stated_twice

RESULT = Result(Path("/r.mov"), Span(10, 20), Fraction(25), 0, (192, 96), False, {"job": "j"})


def properties(node: ElementTree.Element) -> dict[str, str]:
    return {one.get("name", ""): one.text or "" for one in node.findall("property")}


def test_a_sequence_that_is_stated_twice_shows_the_result_each_time(tmp_path: Path) -> None:
    """Kdenlive reads the bin's, its player what lies on the track."""
    path = tmp_path / "p.kdenlive"
    path.write_bytes(stated_twice())
    source = files.read(path, name="Other")
    root = ElementTree.fromstring(place.render(source, tmp_path / "new.kdenlive", RESULT, {}).data)
    tractors = {node.get("id"): node for node in root.findall("tractor")}
    shown = [
        node.findall("track")[-1].get("producer")
        for node in tractors.values()
        if properties(node).get("kdenlive:clipname") == "Other"
    ]
    assert len(set(shown)) == 2
    for name in shown:
        assert properties(tractors[name])["kdenlive:track_name"] == "FlowAnchor"
    names = [node.get("id") for node in root.iter() if node.get("id")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("source", ["kdenlive", "otio"])
def test_clips_on_tracks_are_those_of_the_bin_by_every_version(
    source: str, make: Make, tmp_path: Path
) -> None:
    """Up to 24 Kdenlive finds them by `kdenlive:id`, later by `kdenlive:control_uuid`."""
    path, scene = make(source)
    data = place.render(
        files.read(path), tmp_path / "new.kdenlive", scene.result(tmp_path / "r.mov"), {}
    ).data
    root = ElementTree.fromstring(data)
    made = [
        about
        for node in root.findall("producer")
        if (about := properties(node)).get("resource") == str(tmp_path / "r.mov")
    ]
    assert len(made) == 2
    for name in ("kdenlive:id", "kdenlive:control_uuid"):
        (value,) = {about[name] for about in made}
        assert value
    others = [properties(node).get("kdenlive:control_uuid") for node in root.findall("producer")]
    assert others.count(made[0]["kdenlive:control_uuid"]) == 2
    assert all("kdenlive:uuid" not in about for about in made), "which only sequences have"
