# SPDX-License-Identifier: Apache-2.0
"""Putting results into documents of odd shapes: again and again, into empty places, in due order."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from flowanchor_interchange import files, place
from flowanchor_interchange.model import Result, Span
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.selection import Footage

from tests.interchange.conftest import Make
from tests.interchange.documents import ENDINGS
from tests.interchange.scene import EDITED, FRAMES, LENGTH, TWO_AT


def insert(path: Path, out: Path, result: Result) -> ElementTree.Element | None:
    source = files.read(path)
    place.save(place.render(source, out, result, {}).data, out)
    return None if out.suffix == ".otio" else ElementTree.parse(out).getroot()


def only(root: ElementTree.Element | None, path: str) -> ElementTree.Element:
    assert root is not None
    (found,) = root.findall(path)
    return found


@pytest.mark.parametrize("kind", ["otio", "fcp7", "fcpxml", "mlt", "kdenlive"])
def test_again_and_again(kind: str, make: Make, tmp_path: Path) -> None:
    """Each result gets a track of its own, above the last one, and names that nothing else has."""
    path, scene = make(kind)
    spans = [EDITED.moved(TWO_AT), EDITED.moved(TWO_AT), Span(2, 7), Span(50, 58)]
    for number, record in enumerate(spans):
        result = replace(scene.result(tmp_path / f"r{number}.mov"), record=record)
        out = tmp_path / f"new{number}{ENDINGS[kind]}"
        root = insert(path, out, result)
        path = out
    timeline = files.read(path).timeline
    tops = [track.clips for track in timeline.tracks[2:]]
    if kind == "fcpxml":
        assert [track.name for track in timeline.tracks[2:]] == ["lane 2", "lane 3", "lane 4", "lane 5"]
    assert [[clip.record for clip in clips] for clips in tops] == [[span] for span in spans]
    assert [clip.media.path.name for (clip,) in tops if clip.media and clip.media.path] == [
        f"r{number}.mov" for number in range(4)
    ]
    if root is not None:
        names = [
            node.get("id") for node in root.iter() if node.get("id") and (len(node) or node.tag != "file")
        ]
        assert len(names) == len(set(names))


def test_fcpxml_puts_it_before_markers_and_filters(make: Make, tmp_path: Path) -> None:
    path, scene = make("fcpxml")
    root = insert(path, tmp_path / "new.fcpxml", scene.result(tmp_path / "r.mov"))
    host = only(root, ".//spine/asset-clip[@name='two']")
    assert [child.tag for child in host] == [
        "adjust-volume",
        "asset-clip",
        "asset-clip",
        "marker",
        "filter-video",
    ]
    made = host[2]
    assert (made.get("lane"), [child.tag for child in made]) == ("2", ["note", "marker"])
    asset = only(root, f"./resources/asset[@id='{made.get('ref')}']")
    assert asset.get("format") == "r1", "the sequence's own format, which it shares"
    assert [child.tag for child in asset] == ["media-rep"]
    assert asset.get("src") is None


def test_fcpxml_opens_what_was_written_short(make: Make, tmp_path: Path) -> None:
    path, scene = make("fcpxml")
    result = replace(scene.result(tmp_path / "r.mov"), record=Span(3, 9), size=(64, 64))
    root = insert(path, tmp_path / "new.fcpxml", result)
    host = only(root, ".//spine/asset-clip[@name='one']")
    assert [child.tag for child in host] == ["asset-clip"]
    form = only(root, "./resources/format[@id='r-flowanchor-format']")
    assert (form.get("width"), form.get("height"), form.get("frameDuration")) == ("64", "64", "1001/24000s")


def test_fcpxml_hangs_it_on_gaps_and_behind_the_end(make: Make, tmp_path: Path) -> None:
    path, scene = make("fcpxml")
    for record, tag in ((Span(25, 29), "gap"), (Span(LENGTH + 5, LENGTH + 9), "gap")):
        result = replace(scene.result(tmp_path / "r.mov"), record=record)
        out = tmp_path / f"new{record.start}.fcpxml"
        insert(path, out, result)
        timeline = files.read(out).timeline
        assert [clip.record for clip in timeline.tracks[-1].clips] == [record], tag


def test_fcpxml_before_1_9_names_files_otherwise(make: Make, tmp_path: Path) -> None:
    path, scene = make("fcpxml")
    path.write_bytes(path.read_bytes().replace(b'version="1.10"', b'version="1.8"'))
    root = insert(path, tmp_path / "new.fcpxml", scene.result(tmp_path / "r.mov"))
    asset = only(root, "./resources/asset[@id='r-flowanchor']")
    assert asset.get("src") == (tmp_path / "r.mov").as_uri()
    assert len(asset) == 0


PROFILE = '<profile width="192" height="96" frame_rate_num="24000" frame_rate_den="1001"/>'
CLIP = (
    '<producer id="p" in="0" out="99"><property name="resource">/a.mov</property>'
    '<property name="mlt_service">avformat</property></producer>'
    '<playlist id="v"><entry producer="p" in="10" out="69"/></playlist>'
)


@pytest.mark.parametrize(
    ("played", "alpha", "overlays"),
    [
        ("", False, 0),
        ("", True, 1),
        ('<tractor id="t"><track producer="v"/></tractor>', False, 0),
        ('<tractor id="t"><track producer="v"/></tractor>', True, 1),
        ('<tractor id="t"><multitrack><track producer="v"/></multitrack></tractor>', True, 1),
        ('<tractor id="t"><track producer="v"/><track producer="v"/><filter/></tractor>', True, 2),
    ],
)
def test_mlt_documents_of_any_shape(
    played: str, alpha: bool, overlays: int, make: Make, tmp_path: Path
) -> None:
    _, scene = make("mlt")
    path = tmp_path / "odd.mlt"
    path.write_text(f'<mlt root="/">{PROFILE}{CLIP}{played}</mlt>')
    root = insert(path, tmp_path / "new.mlt", replace(scene.result(tmp_path / "r.mov"), alpha=alpha))
    timeline = files.read(tmp_path / "new.mlt").timeline
    assert timeline.tracks[-1].clips[0].record == EDITED.moved(TWO_AT)
    assert timeline.tracks[0].clips[0].source == Span(10, 70)
    assert root is not None
    assert len(root.findall(".//transition")) == overlays


def test_what_has_no_place_for_it(make: Make, tmp_path: Path) -> None:
    path, scene = make("fcp7")
    text = path.read_bytes()
    start, end = text.index(b"<video>\n"), text.index(b"</video>\n      <audio>") + len(b"</video>")
    path.write_bytes(text[:start] + text[end:])
    with pytest.raises(TimelineProblem) as failure:
        insert(path, tmp_path / "new.xml", scene.result(tmp_path / "r.mov"))
    assert failure.value.code == "timeline-place"


@pytest.mark.parametrize("rate", [Fraction(120000, 1001), Fraction(120)])
def test_an_edl_says_what_it_cannot_say(rate: Fraction, make: Make, tmp_path: Path) -> None:
    path, scene = make("otio", rate)
    with pytest.raises(TimelineProblem) as failure:
        place.render(files.read(path), tmp_path / "new.edl", scene.result(tmp_path / "r.mov"), {})
    assert failure.value.code == "timeline-place"


def test_final_cut_7_has_no_odd_rates(make: Make, tmp_path: Path) -> None:
    path, scene = make("otio", Fraction(25, 2), 0)
    with pytest.raises(TimelineProblem) as failure:
        place.render(files.read(path), tmp_path / "new.xml", scene.result(tmp_path / "r.mov"), {})
    assert "no rate of 25/2" in failure.value.message


def test_nothing_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / "there.otio"
    out.write_text("x")
    with pytest.raises(TimelineProblem) as failure:
        place.save(b"new", out)
    assert failure.value.code == "timeline-exists"
    assert out.read_text() == "x"
    assert [one.name for one in tmp_path.iterdir()] == ["there.otio"]


def test_file_systems_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    place.save(b"new", tmp_path / "a.otio")
    assert (tmp_path / "a.otio").read_bytes() == b"new"
    with pytest.raises(TimelineProblem):
        place.save(b"other", tmp_path / "a.otio")
    assert (tmp_path / "a.otio").read_bytes() == b"new"
    assert [one.name for one in tmp_path.iterdir()] == ["a.otio"]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(TimelineProblem) as failure:
        place.save(b"new", tmp_path / "gone" / "a.otio")
    assert failure.value.code == "timeline-not-written"


def test_a_patch_is_laid_over_the_bottom_track_of_shotcut(make: Make, tmp_path: Path) -> None:
    """Shotcut writes a switched off transition for its bottom track: that track is what others lie on."""
    path, scene = make("mlt")
    text = path.read_text()
    about = (
        '<property name="a_track">0</property><property name="b_track">1</property>'
        '<property name="mlt_service">frei0r.cairoblend</property>'
        '<property name="geometry">0/0:50%x50%</property>'
        '<property name="disable">1</property>'
    )
    start, end = text.index('<transition id="t1">'), text.rindex("</transition>") + len("</transition>")
    path.write_text(f'{text[:start]}<transition id="t1">{about}</transition>{text[end:]}')
    root = insert(path, tmp_path / "new.mlt", scene.result(tmp_path / "r.mov", alpha=True))
    assert root is not None
    _, over = root.findall(".//transition")
    assert {one.get("name"): one.text for one in over} == {
        "a_track": "1",
        "b_track": "3",
        "mlt_service": "frei0r.cairoblend",
    }


def test_a_patch_is_laid_over_as_the_last_track_that_is(make: Make, tmp_path: Path) -> None:
    path, scene = make("mlt")
    text = path.read_text()
    off = text.index("</transition>", text.index('<transition id="t2">'))
    path.write_text(f'{text[:off]}<property name="disable">1</property>{text[off:]}')
    root = insert(path, tmp_path / "new.mlt", scene.result(tmp_path / "r.mov", alpha=True))
    assert root is not None
    over = {one.get("name"): one.text for one in root.findall(".//transition")[-1]}
    assert (over["a_track"], over["b_track"], over.get("disable")) == ("0", "3", None)


def test_fcpxml_hangs_it_on_the_clip_of_an_audition_that_plays(make: Make, tmp_path: Path) -> None:
    path, scene = make("fcpxml")
    text = path.read_text()
    start = text.index('<asset-clip ref="r2"', text.index("<gap"))
    end = text.rindex("</asset-clip>") + len("</asset-clip>")
    offset = text[start:end].split('offset="')[1].split('"')[0]
    other = '<asset-clip ref="r2" name="other" start="1s" duration="1001/24000s"/>'
    path.write_text(
        f'{text[:start]}<audition offset="{offset}">{text[start:end]}{other}</audition>{text[end:]}'
    )
    root = insert(path, tmp_path / "new.fcpxml", scene.result(tmp_path / "r.mov"))
    assert [child.tag for child in only(root, ".//audition")] == ["asset-clip", "asset-clip"]
    only(root, ".//audition/asset-clip[@name='two']/asset-clip[@lane='2']")
    timeline = files.read(tmp_path / "new.fcpxml").timeline
    assert [clip.record for clip in timeline.tracks[-1].clips] == [EDITED.moved(TWO_AT)]


def test_fcpxml_with_a_hole_in_its_storyline_has_no_place_for_it(make: Make, tmp_path: Path) -> None:
    path, scene = make("fcpxml")
    text = path.read_text()
    start = text.index("<gap")
    path.write_text(text[:start] + text[text.index("<asset-clip", start) :])
    result = replace(scene.result(tmp_path / "r.mov"), record=Span(25, 29))
    with pytest.raises(TimelineProblem) as failure:
        insert(path, tmp_path / "new.fcpxml", result)
    assert failure.value.code == "timeline-place"


@pytest.mark.parametrize("ending", [".otio", ".mlt", ".kdenlive", ".fcpxml"])
def test_clips_over_each_other_are_not_carried_over(ending: str, make: Make, tmp_path: Path) -> None:
    """Written one behind the other they would lie behind gaps of negative length."""
    path, scene = make("fcp7")
    text = path.read_text()
    placed = f"<start>{TWO_AT}</start><end>{LENGTH}</end>"
    path.write_text(text.replace(placed, f"<start>20</start><end>{LENGTH - TWO_AT + 20}</end>"))
    known = {scene.footage: Footage(scene.rate, FRAMES, scene.label)}
    with pytest.raises(TimelineProblem) as failure:
        place.render(files.read(path), tmp_path / f"new{ending}", scene.result(tmp_path / "r.mov"), known)
    assert failure.value.code == "timeline-place"
    assert "'one' and 'two' lie over each other" in failure.value.message


@pytest.mark.parametrize(
    ("name", "target"),
    [
        *((name, kind) for name in ("a\udcff.mov", "a\x07.mov") for kind in ENDINGS),
        ("a\nb.mov", "edl"),
        ("a\tb.mov", "edl"),
    ],
)
def test_a_name_that_a_timeline_cannot_hold(name: str, target: str, make: Make, tmp_path: Path) -> None:
    path, scene = make("otio")
    out = tmp_path / f"new{ENDINGS[target]}"
    with pytest.raises(TimelineProblem) as failure:
        place.render(files.read(path), out, scene.result(tmp_path / name), {})
    assert failure.value.code == "timeline-place"
    assert "--media-out" in failure.value.action


def test_footage_whose_name_a_timeline_cannot_hold_is_not_carried_over(make: Make, tmp_path: Path) -> None:
    path, scene = make("mlt")
    path.write_text(path.read_text().replace(str(scene.footage), "a.mov"))
    source = files.read(path)
    track = source.timeline.tracks[0]
    clips = tuple(
        replace(clip, media=replace(clip.media, path=tmp_path / "a\udcff.mov"))
        for clip in track.clips
        if clip.media is not None
    )
    source = replace(source, timeline=replace(source.timeline, tracks=(replace(track, clips=clips),)))
    written = place.render(source, tmp_path / "new.xml", scene.result(tmp_path / "r.mov"), {})
    assert any("Not carried over" in notice for notice in written.notices)
    assert b"/a.mov" not in written.data


def test_an_edl_names_files_as_they_are_called(make: Make, tmp_path: Path) -> None:
    path, scene = make("edl")
    name = tmp_path / "two  spaces.mov"
    data = place.render(
        files.read(path, rate=scene.rate), tmp_path / "new.edl", scene.result(name), {}
    ).data.decode()
    assert f"* SOURCE FILE: {name}\n" in data
    assert "* FROM CLIP NAME: two  spaces.mov\n" in data
