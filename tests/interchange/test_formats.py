# SPDX-License-Identifier: Apache-2.0
"""Every format at every rate and start: what is read, what is written, and that nothing else changes."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio  # type: ignore[import-untyped]
import pytest
from flowanchor_interchange import files, place
from flowanchor_interchange.model import Clip, Span, Timeline
from flowanchor_interchange.selection import Footage, frames_in_file, frames_to_edit, select

from tests.blender.host.numbered import HEIGHT, WIDTH
from tests.interchange.conftest import Make
from tests.interchange.documents import DOCUMENTS, ENDINGS
from tests.interchange.scene import (
    EDITED,
    FIRST,
    FRAMES,
    LENGTH,
    RATES,
    STARTS,
    TOP,
    TOP_AT,
    TWO,
    TWO_AT,
    Scene,
)

BY_TIMECODE = {"otio", "fcpxml", "edl"}
"""Formats whose source frames are those of the file's timecode."""
IN_PLACE = ["otio", "fcp7", "fcpxml", "mlt", "kdenlive"]
DROP = [Fraction(30000, 1001), Fraction(60000, 1001)]


def read(path: Path, scene: Scene) -> files.TimelineFile:
    return files.read(path, scene.rate if path.suffix == ".edl" else None)


def footage_of(scene: Scene) -> Footage:
    return Footage(scene.rate, FRAMES, scene.label)


@pytest.mark.parametrize("hours", STARTS)
@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize("kind", DOCUMENTS)
def test_what_is_read(kind: str, rate: Fraction, hours: int, make: Make) -> None:
    path, scene = make(kind, rate, hours)
    found = read(path, scene)
    timeline = found.timeline
    assert found.format == kind
    assert (timeline.name, timeline.rate, timeline.drop) == (
        "" if kind == "kdenlive" else "Scene",
        rate,
        False,
    )
    has_start = kind not in ("mlt", "kdenlive")
    assert timeline.start == (scene.start if has_start else 0)
    assert timeline.label(0) == (scene.label if has_start else "00:00:00:00")
    assert timeline.size == (None if kind in ("otio", "edl") else (WIDTH, HEIGHT))
    lower = timeline.tracks[0]
    footage_name = scene.footage.name
    base = scene.start if kind in BY_TIMECODE else 0
    names = [footage_name] * 2 if kind == "edl" else ["footage"] * 2 if not has_start else ["one", "two"]
    assert [clip.name for clip in lower.clips] == names
    assert [clip.record for clip in lower.clips] == [Span(0, FIRST.duration), Span(TWO_AT, LENGTH)]
    assert [clip.source for clip in lower.clips] == [FIRST.moved(base), TWO.moved(base)]
    assert lower.gaps == (Span(FIRST.duration, TWO_AT),)
    assert not any(clip.obstacles for track in timeline.tracks for clip in track.clips)
    if kind != "edl":
        assert len(lower.clips[1].effects) == 1
        assert [clip.record for clip in timeline.tracks[1].clips] == [Span(TOP_AT, TOP_AT + TOP.duration)]
        assert [clip.source for clip in timeline.tracks[1].clips] == [TOP.moved(base)]
    for clip in (clip for track in timeline.tracks for clip in track.clips):
        assert clip.media is not None
        assert clip.media.path == scene.footage
        whole = Span(0, clip.record.duration)
        shown = frames_in_file(timeline, clip, whole, footage_of(scene))
        assert shown.frames == clip.source.moved(-base)
        assert not shown.notices


@pytest.mark.parametrize("rate", DROP, ids=str)
@pytest.mark.parametrize("kind", ["otio", "fcp7", "fcpxml", "edl"])
def test_drop_frame(kind: str, rate: Fraction, make: Make, tmp_path: Path) -> None:
    path, scene = make(kind, rate, 1, drop=True)
    timeline = read(path, scene).timeline
    assert timeline.drop
    assert (timeline.start, timeline.label(0)) == (scene.start, "01:00:00;00")
    assert [clip.record for clip in timeline.tracks[0].clips] == [
        Span(0, FIRST.duration),
        Span(TWO_AT, LENGTH),
    ]
    assert frames_in_file(timeline, timeline.tracks[0].clips[1], EDITED, footage_of(scene)).frames == Span(
        65, 75
    )


def written(path: Path, scene: Scene, out: Path, alpha: bool = False) -> tuple[Timeline, tuple[str, ...]]:
    source = read(path, scene)
    # Not there, so that only what the timeline says counts.
    result = scene.result(out.parent / "résult one.mov", alpha)
    known = {scene.footage: footage_of(scene)}
    done = place.render(source, out, result, known)
    place.save(done.data, out)
    return read(out, scene).timeline, done.notices


def picture_of(clip: Clip) -> tuple[str, Span, int]:
    """Where a clip lies and which frames of which file it shows, whatever it counts them from."""
    assert clip.media is not None
    return str(clip.media.path), clip.record, clip.source.start - (clip.media.start or 0)


@pytest.mark.parametrize("hours", STARTS)
@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize("kind", IN_PLACE)
def test_the_result_lies_on_a_new_top_track(
    kind: str, rate: Fraction, hours: int, make: Make, tmp_path: Path
) -> None:
    path, scene = make(kind, rate, hours)
    original = path.read_bytes()
    before = read(path, scene).timeline
    timeline, notices = written(path, scene, tmp_path / f"new{path.suffix}")
    assert path.read_bytes() == original
    assert notices == ()
    assert timeline.tracks[:-1] == before.tracks
    assert (timeline.start, timeline.rate, timeline.size) == (before.start, before.rate, before.size)
    (clip,) = timeline.tracks[-1].clips
    assert clip.record == EDITED.moved(TWO_AT)
    assert not clip.obstacles
    label = scene.label if kind in BY_TIMECODE else None
    start = scene.result(path).start
    made = Footage(rate, EDITED.duration, None if label is None else timeline.label(start - timeline.start))
    assert frames_in_file(timeline, clip, Span(0, EDITED.duration), made).frames == Span(0, EDITED.duration)
    assert clip.media is not None
    assert clip.media.path == tmp_path / "résult one.mov"


def plain(element: ElementTree.Element) -> Any:
    """An XML tree as values, without the space between elements."""
    inner = [plain(child) for child in element]
    return element.tag, sorted(element.attrib.items()), (element.text or "").strip(), inner


def without_ours(element: ElementTree.Element) -> ElementTree.Element:
    """Take out what names the result: elements whose own attributes or direct properties do."""
    for parent in list(element.iter()):
        for child in list(parent):
            if ours(child):
                parent.remove(child)
    return element


def ours(element: ElementTree.Element) -> bool:
    if any("flowanchor" in value.lower() for value in element.attrib.values()):
        return True
    if element.tag == "track" and element.find("clipitem") is not None:
        return all(ours(clip) for clip in element.findall("clipitem"))
    if element.tag == "transition":  # the one that lays the fourth or fifth track over
        about = {one.get("name"): one.text for one in element}
        return about["b_track"] == ("4" if about["mlt_service"] == "qtblend" else "3")
    return False


@pytest.mark.parametrize("kind", ["fcp7", "fcpxml", "mlt", "kdenlive"])
@pytest.mark.parametrize("alpha", [False, True])
def test_without_the_new_track_the_document_is_the_original(
    kind: str, alpha: bool, make: Make, tmp_path: Path
) -> None:
    path, scene = make(kind)
    out = tmp_path / f"new{path.suffix}"
    written(path, scene, out, alpha)
    before, after = path.read_bytes(), out.read_bytes()
    assert plain(without_ours(ElementTree.fromstring(after))) == plain(ElementTree.fromstring(before))
    assert plain(ElementTree.fromstring(after)) != plain(ElementTree.fromstring(before))
    # And to the byte: every line of the original is there, in its order, none changed.
    lines: Iterator[bytes] = iter(after.splitlines())
    assert all(line in lines for line in before.splitlines())


def test_without_the_new_track_the_otio_document_is_the_original(make: Make, tmp_path: Path) -> None:
    path, scene = make("otio")
    written(path, scene, tmp_path / "new.otio")
    before, after = (json.loads(one.read_bytes()) for one in (path, tmp_path / "new.otio"))
    names = [track["name"] for track in after["tracks"]["children"]]
    assert names == ["V1", "V2", "FlowAnchor", "A1"]
    made = after["tracks"]["children"].pop(2)
    assert after == before
    clip = made["children"][1]
    assert clip["metadata"]["flowanchor"]["job"] == "0123abcd"
    theirs = otio.adapters.read_from_file(str(tmp_path / "new.otio"))
    assert [track.name for track in theirs.video_tracks()] == ["V1", "V2", "FlowAnchor"]
    (found,) = theirs.video_tracks()[2].find_clips()
    rate = float(scene.rate)
    assert found.range_in_parent() == otio.opentime.TimeRange(
        otio.opentime.RationalTime(TWO_AT + EDITED.start, rate),
        otio.opentime.RationalTime(EDITED.duration, rate),
    )
    assert found.source_range.start_time.value == scene.result(path).start


@pytest.mark.parametrize("flavour", ["resolve", "any", None])
def test_otio_names_files_as_it_is_told(flavour: Any, make: Make, tmp_path: Path) -> None:
    path, scene = make("otio")
    source = read(path, scene)
    done = place.render(source, tmp_path / "new.otio", scene.result(tmp_path / "a b.mov"), {}, flavour)
    made = json.loads(done.data)["tracks"]["children"][2]["children"][1]
    (reference,) = made["media_references"].values()
    url = (tmp_path / "a b.mov").as_uri()
    assert reference["target_url"] == (str(tmp_path / "a b.mov") if flavour == "resolve" else url)
    assert reference["available_range"]["start_time"]["value"] == scene.result(path).start


@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize(
    ("kind", "target"), [(kind, target) for kind in DOCUMENTS for target in IN_PLACE if kind != target]
)
def test_other_formats_carry_the_cuts(
    kind: str, target: str, rate: Fraction, make: Make, tmp_path: Path
) -> None:
    path, scene = make(kind, rate, 10)
    before = read(path, scene).timeline
    timeline, notices = written(path, scene, tmp_path / f"new{ENDINGS[target]}")
    assert timeline.rate == rate
    has_start = target not in ("mlt", "kdenlive")
    assert timeline.start == (before.start if has_start else 0)
    assert [[picture_of(clip)[:2] for clip in track.clips] for track in timeline.tracks[:-1]] == [
        [picture_of(clip)[:2] for clip in track.clips] for track in before.tracks
    ]
    spans = [FIRST, TWO, TOP]
    shown = [
        frames_in_file(timeline, clip, Span(0, clip.record.duration), footage_of(scene)).frames
        for track in timeline.tracks[:-1]
        for clip in track.clips
    ]
    assert shown == spans[: len(shown)]
    (clip,) = timeline.tracks[-1].clips
    assert clip.record == EDITED.moved(TWO_AT)
    assert files.FORMATS[target] in notices[0]
    if before.start and not has_start:
        assert any(before.label(0) in text for text in notices)
    if kind != "edl":
        assert any(text.startswith("Effects were left out") for text in notices)
        if kind != "fcpxml" and kind != "mlt":
            assert "The tracks of sound were left out." in notices


@pytest.mark.parametrize("hours", STARTS)
@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize("kind", ["edl", "otio"])
def test_an_edl_holds_the_result_alone(
    kind: str, rate: Fraction, hours: int, make: Make, tmp_path: Path
) -> None:
    path, scene = make(kind, rate, hours)
    timeline, notices = written(path, scene, tmp_path / "new.edl")
    (track,) = timeline.tracks
    (clip,) = track.clips
    assert clip.record.moved(timeline.start) == EDITED.moved(TWO_AT + scene.start)
    assert clip.source.start == scene.result(path).start
    assert clip.media is not None
    assert clip.media.path == tmp_path / "résult one.mov"
    assert any("holds one video track" in text for text in notices)
    assert "job: 0123abcd" in (tmp_path / "new.edl").read_text()


def test_labels_of_the_result_are_those_of_its_file(make: Make, tmp_path: Path) -> None:
    """They need not drop where the timeline does."""
    path, scene = make("fcp7", DROP[0], 1, drop=True)
    result = replace(scene.result(tmp_path / "r.mov"), start=108000, drop=False)
    source = read(path, scene)
    for ending in (".edl", ".xml"):
        text = place.render(source, tmp_path / f"new{ending}", result, {}).data.decode()
        assert "01:00:00:00" in text
        assert ("01:00:01;05" in text) == (ending == ".edl")
        assert "01:00:03;18" not in text, "the same frame, counted drop-frame"


def test_the_facts_are_kept_with_the_clip(make: Make, tmp_path: Path) -> None:
    """With letters that XML has a meaning for, and in every format that has a place for them."""
    for kind in IN_PLACE:
        path, scene = make(kind)
        written(path, scene, tmp_path / f"new{path.suffix}")
        if kind == "otio":
            text = (tmp_path / f"new{path.suffix}").read_text()
            text = json.dumps(json.loads(text), ensure_ascii=False).replace('\\"', '"')
        else:
            root = ElementTree.parse(tmp_path / f"new{path.suffix}").getroot()
            text = "\n".join(
                part for node in root.iter() for part in (node.text or "", *node.attrib.values())
            ).replace('\\"', '"')
        for fact in scene.result(path).facts.values():
            assert fact in text, (kind, fact)
        (tmp_path / f"new{path.suffix}").unlink()


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_the_clip_to_edit(kind: str, make: Make) -> None:
    path, scene = make(kind)
    timeline = read(path, scene).timeline
    selection = select(timeline, "2", 1)
    span = frames_to_edit(selection, EDITED.start, EDITED.end - 1)
    assert span == EDITED
    assert frames_in_file(timeline, selection.clip, span, footage_of(scene)).frames == EDITED.moved(TWO.start)
