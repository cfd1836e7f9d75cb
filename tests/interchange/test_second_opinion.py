# SPDX-License-Identifier: Apache-2.0
"""OpenTimelineIO's adapters read what is written here, and write what is read here.

At the rates each of them gets right: the FCPXML one counts 23 frames a second at 23.976.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio  # type: ignore[import-untyped]
import pytest
from flowanchor_interchange import files, place
from flowanchor_interchange.model import Result, Span

from tests.interchange.conftest import Make
from tests.interchange.documents import otio_document
from tests.interchange.scene import EDITED, FIRST, LENGTH, RATES, TOP, TOP_AT, TWO, TWO_AT, Scene

WHOLE = [rate for rate in RATES if rate.denominator == 1]


def spans(track: Any, rate: Fraction) -> list[tuple[str, Span, int]]:
    """File name, place on the track and first source frame of each clip, as OpenTimelineIO has them."""
    found = []
    for clip in track.find_clips():
        where = clip.range_in_parent()
        begin = where.start_time.rescaled_to(float(rate)).value
        length = where.duration.rescaled_to(float(rate)).value
        media = clip.media_reference.available_range
        first = clip.source_range.start_time.rescaled_to(float(rate)).value
        start = media.start_time.rescaled_to(float(rate)).value if media is not None else 0
        name = Path(clip.media_reference.target_url).name.replace("%20", " ")
        found.append((name, Span(round(begin), round(begin + length)), round(first - start)))
    return found


def expected(scene: Scene, *, top: bool = True) -> list[list[tuple[str, Span, int]]]:
    name = scene.footage.name
    lower = [(name, Span(0, FIRST.duration), FIRST.start), (name, Span(TWO_AT, LENGTH), TWO.start)]
    upper = [(name, Span(TOP_AT, TOP_AT + TOP.duration), TOP.start)]
    result = [("edited.mov", EDITED.moved(TWO_AT), 0)]
    return [lower, upper, result] if top else [lower, result]


def write(kind: str, ending: str, rate: Fraction, make: Make, tmp_path: Path) -> tuple[Path, Scene]:
    path, scene = make(kind, rate, 1)
    out = tmp_path / f"new{ending}"
    done = place.render(files.read(path), out, scene.result(tmp_path / "edited.mov"), {})
    place.save(done.data, out)
    return out, scene


@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize("kind", ["fcp7", "otio", "fcpxml"])
def test_final_cut_7(kind: str, rate: Fraction, make: Make, tmp_path: Path) -> None:
    out, scene = write(kind, ".xml", rate, make, tmp_path)
    theirs = otio.adapters.read_from_file(str(out), "fcp_xml")
    timeline = theirs if isinstance(theirs, otio.schema.Timeline) else next(iter(theirs))
    tracks = [spans(track, rate) for track in timeline.video_tracks()]
    assert tracks == expected(scene)


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_final_cut_7_as_the_adapter_writes_it(rate: Fraction, tmp_path: Path) -> None:
    scene = Scene(rate, 1, tmp_path / "footage.mkv")
    timeline = otio.adapters.read_from_string(otio_document(scene).decode(), "otio_json")
    path = tmp_path / "theirs.xml"
    otio.adapters.write_to_file(timeline, str(path), "fcp_xml")
    ours = files.read(path).timeline
    assert ours.rate == rate
    shown = [
        [(clip.media.path, clip.record, clip.source.start) for clip in track.clips if clip.media is not None]
        for track in ours.tracks
    ]
    assert shown == [
        [
            (scene.footage, Span(0, FIRST.duration), FIRST.start),
            (scene.footage, Span(TWO_AT, LENGTH), TWO.start),
        ],
        [(scene.footage, Span(TOP_AT, TOP_AT + TOP.duration), TOP.start)],
    ]


@pytest.mark.parametrize("rate", WHOLE, ids=str)
def test_fcpxml(rate: Fraction, make: Make, tmp_path: Path) -> None:
    """Of lanes the adapter makes tracks, each with the offset of the sequence's start before it."""
    out, scene = write("otio", ".fcpxml", rate, make, tmp_path)
    theirs = otio.adapters.read_from_file(str(out), "otio_fcpx_xml_lite_adapter")
    lower = theirs.video_tracks()[0]
    assert theirs.global_start_time.value == scene.start
    found = [(name, record.duration, first) for name, record, first in spans(lower, rate)]
    assert found == [(name, record.duration, first) for name, record, first in expected(scene)[0]]


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_edl(rate: Fraction, make: Make, tmp_path: Path) -> None:
    out, scene = write("otio", ".edl", rate, make, tmp_path)
    theirs = otio.adapters.read_from_file(str(out), "cmx_3600", rate=float(rate))
    (clip,) = theirs.find_clips()
    result = scene.result(out)
    assert clip.source_range.start_time.value == result.start
    assert clip.source_range.duration.value == EDITED.duration
    events = clip.metadata["cmx_3600"]
    assert events["reel"] == "FLOWANCH"


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_edl_as_the_adapter_writes_it(rate: Fraction, tmp_path: Path) -> None:
    scene = Scene(rate, 1, tmp_path / "footage.mkv")
    timeline = otio.adapters.read_from_string(otio_document(scene).decode(), "otio_json")
    del timeline.tracks[1:]
    for clip in timeline.find_clips():
        clip.effects.clear()
        clip.markers.clear()
    path = tmp_path / "theirs.edl"
    otio.adapters.write_to_file(timeline, str(path), "cmx_3600", rate=float(rate))
    ours = files.read(path, rate).timeline
    sources = [(clip.record.duration, clip.source.start - scene.start) for clip in ours.tracks[0].clips]
    assert sources == [(FIRST.duration, FIRST.start), (TWO.duration, TWO.start)]
    first, second = (clip.record for clip in ours.tracks[0].clips)
    assert second.start - first.start == TWO_AT


def test_fcpxml_whose_offsets_begin_at_zero(tmp_path: Path) -> None:
    """So the adapter writes it, whatever the sequence's timecode: nothing of it may be lost."""

    def span(start: int, frames: int) -> Any:
        return otio.opentime.TimeRange(
            otio.opentime.RationalTime(start, 25), otio.opentime.RationalTime(frames, 25)
        )

    timeline = otio.schema.Timeline("t", global_start_time=otio.opentime.RationalTime(90000, 25))
    timeline.tracks.append(otio.schema.Track("V1"))
    for name, start in (("a", 50), ("b", 100)):
        reference = otio.schema.ExternalReference(f"file:///{name}.mov", span(180000, 500))
        timeline.tracks[0].append(otio.schema.Clip(name, reference, span(180000 + start, 40)))
    path = tmp_path / "theirs.fcpxml"
    otio.adapters.write_to_file(timeline, str(path), "otio_fcpx_xml_lite_adapter")
    ours = files.read(path)
    records = [(clip.name, clip.record) for track in ours.timeline.tracks for clip in track.clips]
    assert records == [("a", Span(0, 40)), ("b", Span(40, 80))]
    result = Result(Path("/r.mov"), Span(45, 55), Fraction(25), 0, (192, 96), False, {})
    out = tmp_path / "new.fcpxml"
    out.write_bytes(place.render(ours, out, result, {}).data)
    (clip,) = files.read(out).timeline.tracks[-1].clips
    assert clip.record == Span(45, 55)
