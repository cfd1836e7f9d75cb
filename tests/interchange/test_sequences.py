# SPDX-License-Identifier: Apache-2.0
"""Projects as Kdenlive writes them since 23.04, in which a timeline is a sequence of the bin."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import pytest
from flowanchor_interchange import files, place
from flowanchor_interchange.model import Span

from tests.interchange.documents.kdenlive import SEQUENCE, kdenlive_sequence_document
from tests.interchange.melt import MELT, compare, render
from tests.interchange.scene import (
    EDITED,
    FIRST,
    FRAMES,
    LENGTH,
    TWO,
    TWO_AT,
    Scene,
    write_edited,
    write_footage,
)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(Fraction(24000, 1001), 1, tmp_path / "footage.mkv")


@pytest.fixture
def project(scene: Scene, tmp_path: Path) -> Path:
    path = tmp_path / "scene.kdenlive"
    path.write_bytes(kdenlive_sequence_document(scene))
    return path


def test_what_is_read(project: Path, scene: Scene) -> None:
    timeline = files.read(project).timeline
    assert (timeline.name, timeline.rate, timeline.sound_tracks) == ("Sequence 1", scene.rate, 1)
    assert [track.name for track in timeline.tracks] == ["V1", "Upper"]
    one, two = timeline.tracks[0].clips
    assert (one.record, one.source) == (Span(0, FIRST.duration), FIRST)
    assert (two.record, two.source, two.effects) == (TWO.moved(TWO_AT - TWO.start), TWO, ("avfilter.eq",))
    assert two.media is not None
    assert (two.media.path, two.obstacles) == (scene.footage, ())


def test_all_else_of_the_project_stays(project: Path, scene: Scene, tmp_path: Path) -> None:
    """Groups name clips by track and place: those below the new track keep theirs."""
    data = place.render(
        files.read(project), tmp_path / "new.kdenlive", scene.result(tmp_path / "r.mov"), {}
    ).data
    kept = [line for line in project.read_bytes().splitlines() if line.strip()]
    lines = iter(data.splitlines())
    assert all(line in lines for line in kept), "every line is there still, in the same order"
    root = ElementTree.fromstring(data)
    (sequence,) = root.findall(f"tractor[@id='{SEQUENCE}']")
    shown = [track.get("producer") for track in sequence.findall("track")]
    assert shown[:-1] == ["black_track", "tractor0", "tractor1", "tractor2", "playlist9"]
    (guides,) = sequence.findall("property[@name='kdenlive:sequenceproperties.guides']")
    assert json.loads(guides.text or "")[0]["pos"] == 7
    tray = [entry.get("producer") for entry in root.findall("playlist[@id='main_bin']/entry")]
    assert tray[:2] == ["producer1", SEQUENCE]
    made = [node for node in root.iter() if node.get("id") == tray[2]]
    assert [node.tag for node in made] == ["producer"]


@pytest.mark.skipif(MELT is None, reason="melt (Debian's package of that name) is not installed")
def test_what_is_played(project: Path, scene: Scene, tmp_path: Path) -> None:
    write_footage(scene.footage, scene.rate, scene.label, Span(0, FRAMES))
    edited = write_edited(scene, tmp_path / "edited.mkv")
    out = tmp_path / "new.kdenlive"
    place.save(place.render(files.read(project), out, scene.result(edited), {}).data, out)
    assert files.read(out).timeline.tracks[-1].clips[0].record == EDITED.moved(TWO_AT)
    assert compare(render(out, tmp_path / "rendered.mkv", 0, LENGTH - 1)).wrong == ()
