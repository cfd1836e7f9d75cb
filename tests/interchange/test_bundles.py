# SPDX-License-Identifier: Apache-2.0
"""Bundles of OpenTimelineIO that are odd, damaged or hostile, and what of them is kept."""

from __future__ import annotations

import os
import tempfile
import zipfile
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest
from flowanchor_interchange import bundles, document, files, place
from flowanchor_interchange.problems import TimelineProblem
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.interchange.documents import otio_document
from tests.interchange.scene import Scene

SCENE = Scene(Fraction(25), 1, Path("/media/a.mov"))
CONTENT = otio_document(SCENE).replace(b"file:///media/a.mov", b"media/a.mov")


def packed(path: Path, members: dict[str, bytes], **more: int) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data, **more)
    return path


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"a.txt": b""}, "is a zip file without a timeline in it"),
        ({"content.otio": CONTENT, "../a.mov": b""}, "names files outside of itself"),
        ({"content.otio": CONTENT, "/etc/a.mov": b""}, "names files outside of itself"),
        ({"content.otio": CONTENT, "media\\..\\..\\a.mov": b""}, "names files outside of itself"),
        ({"content.otio": CONTENT, "C:/a.mov": b""}, "names files outside of itself"),
        ({"content.otio": b"{"}, "it is no JSON"),
    ],
)
def test_what_is_refused(members: dict[str, bytes], words: str, tmp_path: Path) -> None:
    path = packed(tmp_path / "a.otioz", members)
    with pytest.raises(TimelineProblem) as failure:
        files.read(path)
    assert failure.value.code == "timeline-unreadable"
    assert words in failure.value.message


def test_damaged_ones_are_refused(tmp_path: Path) -> None:
    whole = packed(tmp_path / "a.otioz", {"content.otio": CONTENT}).read_bytes()
    at = whole.index(b"OTIO_SCHEMA")
    for data in (whole[:200], whole[:at] + b"X" + whole[at + 1 :], whole.replace(b"PK\1\2", b"PK\1\3")):
        path = tmp_path / "b.otioz"
        path.write_bytes(data)
        with pytest.raises(TimelineProblem) as failure:
            files.read(path)
        assert failure.value.code == "timeline-unreadable"
        assert "is damaged" in failure.value.message


@pytest.mark.parametrize("how", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_to_pack(how: int, tmp_path: Path) -> None:
    """Whole ones are read; what is wrong with damaged ones is told, not that the command failed."""
    path = packed(tmp_path / "a.otioz", {"content.otio": CONTENT}, compress_type=how)
    assert files.read(path).timeline.tracks
    data = bytearray(path.read_bytes())
    data[100:110] = bytes(10)
    path.write_bytes(data)
    with pytest.raises(TimelineProblem, match="is damaged"):
        files.read(path)


def test_names_that_are_none(tmp_path: Path) -> None:
    whole = packed(tmp_path / "a.otioz", {"content.otio": CONTENT, "ä": b""}).read_bytes()
    for name in (b"\xff\xff", b"\x00\xa4"):
        (tmp_path / "b.otioz").write_bytes(whole.replace("ä".encode(), name))
        with pytest.raises(TimelineProblem) as failure:
            files.read(tmp_path / "b.otioz")
        assert failure.value.code == "timeline-unreadable"


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([0, 8, 12, 14]), st.data())
def test_any_damage_is_told(how: int, data: st.DataObject) -> None:
    """Never an error that asks to report it."""
    with tempfile.TemporaryDirectory() as folder:
        path = packed(
            Path(folder) / "a.otioz", {"content.otio": CONTENT, "media/ä.mov": b"1234"}, compress_type=how
        )
        whole = bytearray(path.read_bytes())
        near_the_ends = st.one_of(st.integers(0, 60), st.integers(-300, -1))
        for at in data.draw(st.lists(st.one_of(st.integers(0, len(whole) - 1), near_the_ends), max_size=4)):
            whole[at] = data.draw(st.integers(0, 255))
        path.write_bytes(whole)
        try:
            bundle = files.read(path).bundle
            if bundle is not None:
                bundles.unpack(bundle, Path(folder) / "out")
        except TimelineProblem:
            pass


@pytest.mark.parametrize(
    "stated", [b"media/a b.mov", b"media/a%20b.mov", b"./media/a b.mov", rb"media\\a b.mov"]
)
def test_how_clips_may_name_their_files(stated: bytes, tmp_path: Path) -> None:
    """The last is how OpenTimelineIO's own adapters name them on Windows, whose zip files have "/"."""
    content = CONTENT.replace(b"media/a.mov", stated)
    path = packed(tmp_path / "a.otioz", {"content.otio": content, "media/a b.mov": b"1"})
    bundle, home = bundles.opened(path), tmp_path / "out"
    assert bundle is not None

    def named(source: files.TimelineFile) -> set[Path | None]:
        clips = [clip for track in source.timeline.tracks for clip in track.clips]
        return {clip.media.path for clip in clips if clip.media is not None}

    (inside,) = named(files.read(path))
    assert inside is not None
    assert bundle.holds(inside)
    bundles.unpack(bundle, home, [bundle.name_of(inside)])
    assert named(files.read(path, home=home)) == {home / "media" / "a b.mov"}


def test_a_timeline_that_unpacks_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packed(
        tmp_path / "a.otioz", {"content.otio": b" " * 5_000_000}, compress_type=zipfile.ZIP_DEFLATED
    )
    assert path.stat().st_size < 10_000
    for module in (bundles, document):
        monkeypatch.setattr(module, "MAX_BYTES", 1_000_000)
    with pytest.raises(TimelineProblem) as failure:
        files.read(path)
    assert failure.value.code == "timeline-too-large"


def test_media_for_which_there_is_no_room_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packed(tmp_path / "a.otioz", {"content.otio": CONTENT, "media/a.mov": b"x" * 1000})
    bundle = bundles.opened(path)
    assert bundle is not None
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=999))
    with pytest.raises(TimelineProblem) as failure:
        bundles.unpack(bundle, tmp_path / "media")
    assert failure.value.code == "timeline-place"
    assert not (tmp_path / "media").exists()


MORE = {
    "media/ä b.mov": b"1",
    "media/shots/s.0001.png": b"2",
    "notes/read me.txt": b"3",
    "version.txt": b"9",
}


@pytest.mark.parametrize("source", ["a.otioz", "a.otiod"])
@pytest.mark.parametrize("target", ["b.otioz", "b.otiod"])
def test_all_that_is_in_a_bundle_is_kept(source: str, target: str, tmp_path: Path) -> None:
    """Files that no clip names as well, under their own names."""
    path, out = packed(tmp_path / "a.otioz", {"content.otio": CONTENT, **MORE}), tmp_path / target
    if source == "a.otiod":
        with zipfile.ZipFile(path) as archive:
            archive.extractall(tmp_path / source)
    bundle = bundles.opened(tmp_path / source)
    assert bundle is not None
    (tmp_path / "new 1.mov").write_bytes(b"new")
    place.save_bundle(bundle, b"{}", tmp_path / "new 1.mov", out)
    made = bundles.opened(out)
    assert made is not None
    assert bundles.content(made) == b"{}"
    with made.reading() as opened:
        held = {name: opened.open(name).read() for name in made.sizes}
    assert held == {**MORE, "media/new-1.mov": b"new"}
    with pytest.raises(TimelineProblem) as failure:
        place.save_bundle(bundle, b"{}", tmp_path / "new 1.mov", out)
    assert failure.value.code == "timeline-exists"
    assert not list(tmp_path.glob(".*"))


def test_a_name_in_the_bundle_is_nobody_elses(tmp_path: Path) -> None:
    members = {"content.otio": CONTENT, "media/R.mov": b"", "media/r-2.mov": b""}
    bundle = bundles.opened(packed(tmp_path / "a.otioz", members))
    assert bundle is not None
    assert bundles.name_in(bundle, Path("/r.mov")) == "media/r-3.mov"


def test_a_folder_that_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "x.otiod").mkdir()
    with pytest.raises(TimelineProblem) as failure:
        files.read(tmp_path / "x.otiod")
    assert failure.value.code == "timeline-bundle"
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "x.otiod" / "content.otio")
        with pytest.raises(TimelineProblem):
            files.read(tmp_path / "x.otiod")
