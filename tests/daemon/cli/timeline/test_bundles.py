# SPDX-License-Identifier: Apache-2.0
"""Clips of OpenTimelineIO's bundles: edited, and written as a plain file or as a bundle."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import opentimelineio as otio  # type: ignore[import-untyped]
import pytest
from flowanchor_interchange import files

from flowanchor_core.footage.probe import probe
from tests.daemon.cli.timeline.command import Editor, Make, call, edit, shown_in
from tests.interchange.scene import EDITED, TWO, TWO_AT

WANTED = [(number, True) for number in range(TWO.start + EDITED.start, TWO.start + EDITED.end)]


@pytest.fixture(params=["otioz", "otiod"])
def bundle(request: pytest.FixtureRequest, make: Make, tmp_path: Path) -> Path:
    """The scene as OpenTimelineIO itself bundles it, alone in its folder."""
    path, scene = make("otio")
    timeline = otio.adapters.read_from_file(str(path))
    made = tmp_path / "bundles" / f"scene.{request.param}"
    made.parent.mkdir()
    otio.adapters.write_to_file(timeline, str(made))
    path.unlink()
    scene.footage.unlink()
    return made


def contents(path: Path) -> dict[str, bytes]:
    if path.is_dir():
        return {
            one.relative_to(path).as_posix(): one.read_bytes() for one in path.rglob("*") if one.is_file()
        }
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def shown(timeline: Any) -> list[tuple[str, int, int]]:
    """The result's track, as OpenTimelineIO reads it: its only clip's file and place."""
    track = timeline.video_tracks()[-1]
    assert track.name == "FlowAnchor"
    (clip,) = track.find_clips()
    place = track.range_of_child(clip)
    return [(clip.media_reference.target_url, place.start_time.value, place.duration.value)]


def test_list(bundle: Path) -> None:
    code, stdout, _ = call("list", bundle, "--json")
    told = json.loads(stdout)
    assert (code, told["format"], told["frames"]) == (0, "otio", 60)
    assert [clip["obstacle"] for track in told["tracks"] for clip in track["clips"]] == [None] * 3


def test_a_plain_timeline_beside_it(bundle: Path, editor: Editor, tmp_path: Path) -> None:
    before, out = contents(bundle), bundle.parent / "new.otio"
    code, told, errors = edit(bundle, out)
    assert code == 0, errors
    assert shown_in(Path(told["output"])) == WANTED
    assert contents(bundle) == before
    timeline = otio.adapters.read_from_file(str(out))
    assert shown(timeline) == [(Path(told["output"]).as_uri(), TWO_AT + EDITED.start, EDITED.duration)]
    # Every other clip still has its file, wherever that lies now.
    clips = [clip for track in timeline.tracks if track.name != "FlowAnchor" for clip in track.find_clips()]
    homes = {Path(otio.url_utils.filepath_from_url(clip.media_reference.target_url)) for clip in clips}
    (media,) = homes
    assert probe(media).frames == 120
    assert media.is_relative_to(bundle if bundle.is_dir() else bundle.parent / "new-media")
    assert any(str(media.parent.parent) in notice for notice in told["notices"])
    assert timeline.metadata["other"]["version"] == 3


@pytest.mark.parametrize("ending", ["otioz", "otiod"])
def test_a_bundle_of_it_has_the_result_in_it(ending: str, bundle: Path, editor: Editor) -> None:
    before, out = contents(bundle), bundle.parent / f"new.{ending}"
    code, told, errors = edit(bundle, out)
    assert code == 0, errors
    assert contents(bundle) == before
    made = contents(out)
    name = f"media/{Path(told['output']).name}"
    assert made.pop(name) == Path(told["output"]).read_bytes()
    assert {**made, "content.otio": b""} == {**before, "content.otio": b""} | (
        {"version.txt": made["version.txt"]} if ending == "otioz" else {}
    )
    timeline = otio.adapters.read_from_file(str(out))
    assert shown(timeline) == [(name, TWO_AT + EDITED.start, EDITED.duration)]
    # Nothing of the edit's own is left, and the new bundle can be edited in its turn.
    left = {one.name for one in bundle.parent.iterdir()}
    assert left == {bundle.name, out.name, Path(told["output"]).name}
    Path(told["output"]).unlink()
    code, told, errors = edit(out, bundle.parent / f"again.{ending}", "--media-out", bundle.parent / "x.mkv")
    assert code == 0, errors
    assert len(files.read(bundle.parent / f"again.{ending}").timeline.tracks) == 4


def test_another_format(bundle: Path, editor: Editor) -> None:
    out = bundle.parent / "new.mlt"
    code, _, errors = edit(bundle, out)
    assert code == 0, errors
    clips = [clip for track in files.read(out).timeline.tracks for clip in track.clips]
    assert len(clips) == 4
    assert all(clip.media is not None and clip.media.path and clip.media.path.is_file() for clip in clips)


def test_a_list_needs_no_media(bundle: Path, editor: Editor) -> None:
    code, told, errors = edit(bundle, bundle.parent / "new.edl")
    assert code == 0, errors
    left = {one.name for one in bundle.parent.iterdir()}
    assert left == {bundle.name, "new.edl", Path(told["output"]).name}


def test_nothing_is_left_of_an_edit_that_fails(bundle: Path, editor: Editor) -> None:
    editor.frames_less = 1
    for ending in ("otio", "otioz", "otiod", "mlt"):
        code, told, _ = edit(bundle, bundle.parent / f"new.{ending}", "--media-out", f"{bundle}-{ending}.mkv")
        assert (code, told["error"]["code"]) == (4, "timeline-not-written")
    left = {one.name for one in bundle.parent.iterdir()} - {bundle.name}
    assert left == {f"{bundle.name}-{ending}.mkv" for ending in ("otio", "otioz", "otiod", "mlt")}


def test_edited_frames_among_unpacked_media_outlive_a_timeline_that_is_not_written(
    bundle: Path, editor: Editor
) -> None:
    """It is said that they are kept."""
    if bundle.is_dir():
        pytest.skip("an .otiod is not unpacked")
    editor.frames_less = 1
    frames = bundle.parent / "new-media" / "edited.mkv"
    code, told, errors = edit(bundle, bundle.parent / "new.otio", "--media-out", frames)
    assert (code, told["error"]["code"]) == (4, "timeline-not-written")
    assert "edited frames are kept in" in errors
    assert [one for one in frames.parent.rglob("*") if one.is_file()] == [frames]
    assert not (frames.parent / "media").exists()


def test_only_a_bundle_becomes_a_bundle(make: Make, editor: Editor, tmp_path: Path) -> None:
    path, _ = make("otio")
    code, told, _ = edit(path, tmp_path / "new.otioz")
    assert (code, told["error"]["code"]) == (2, "timeline-format")
    assert "is no bundle" in told["error"]["message"]


def test_a_folder_for_the_media_that_is_there_is_left_alone(
    bundle: Path, editor: Editor, tmp_path: Path
) -> None:
    mine = bundle.parent / "new-media"
    mine.mkdir()
    (mine / "x").write_text("mine")
    code, told, _ = edit(bundle, bundle.parent / "new.otio")
    if bundle.is_dir():
        assert code == 0
    else:
        assert (code, told["error"]["code"]) == (2, "timeline-exists")
        assert not editor.plans
    assert [one.name for one in mine.iterdir()] == ["x"]
