# SPDX-License-Identifier: Apache-2.0
"""`flowanchor timeline edit`: the right frames are edited and lie in the right place."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import opentimelineio as otio  # type: ignore[import-untyped]
import pytest
from flowanchor_interchange import files

from flowanchor_core.footage.timecode import advance
from tests.blender.host.numbered import HEIGHT, WIDTH
from tests.daemon.cli.timeline.command import NTSC, PROMPTS, Editor, Make, call, edit, shown_in
from tests.interchange.documents import DOCUMENTS
from tests.interchange.melt import MELT, compare, render
from tests.interchange.scene import EDITED, FRAMES, LENGTH, RATES, TWO, TWO_AT


@pytest.mark.parametrize("hours", [0, 1, 10])
@pytest.mark.parametrize("kind", DOCUMENTS)
def test_the_right_frames_are_edited(
    kind: str, hours: int, make: Make, editor: Editor, tmp_path: Path
) -> None:
    """By the numbers in the frames, in every format, whatever it counts its frames from."""
    path, scene = make(kind, NTSC, hours)
    out = tmp_path / f"new{path.suffix}"
    code, told, errors = edit(path, out)
    assert code == 0, errors
    edited = Path(told["output"])
    wanted = EDITED.moved(TWO.start)
    assert shown_in(edited) == [(number, True) for number in range(wanted.start, wanted.end)]
    assert edited.parent == tmp_path
    start = "00:00:00:00" if kind in ("mlt", "kdenlive") else scene.label
    assert told["timeline"]["start"] == advance(start, NTSC, TWO_AT + EDITED.start)
    assert told["start_timecode"] == advance(scene.label, NTSC, wanted.start)
    assert (told["timeline"]["first"], told["timeline"]["last"]) == (35, 44)
    timeline = files.read(out, scene.rate if kind == "edl" else None).timeline
    (clip,) = timeline.tracks[-1].clips
    place = EDITED.moved(TWO_AT)
    assert clip.record.moved(timeline.start if kind == "edl" else 0) == place.moved(
        scene.start if kind == "edl" else 0
    )
    assert clip.media is not None
    assert clip.media.path == edited
    assert told["timeline"]["track"] == len(timeline.tracks)


@pytest.mark.parametrize("later", [-24 * 600, 1, 50, 24 * 60 * 60 * 22 + 60 * 60 * 24 - 70])
@pytest.mark.parametrize("kind", DOCUMENTS)
def test_footage_of_another_timecode_than_the_timelines(
    kind: str, later: int, make: Make, editor: Editor, tmp_path: Path
) -> None:
    """Recorded before it, soon after its start, and last so that its labels begin again in it at midnight."""
    path, scene = make(kind, NTSC, 1, later=later)
    code, told, errors = edit(path, tmp_path / f"new{path.suffix}")
    assert code == 0, errors
    wanted = EDITED.moved(TWO.start)
    assert shown_in(Path(told["output"])) == [(number, True) for number in range(wanted.start, wanted.end)]
    assert told["timeline"]["first"] == TWO_AT + EDITED.start
    assert told["start_timecode"] == advance(scene.recorded_label, NTSC, wanted.start)
    if kind != "edl":
        (clip,) = files.read(tmp_path / f"new{path.suffix}").timeline.tracks[-1].clips
        assert clip.record == EDITED.moved(TWO_AT)


@pytest.mark.skipif(MELT is None, reason="melt (Debian's package of that name) is not installed")
@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize("kind", ["mlt", "kdenlive"])
def test_what_is_played_afterwards(
    kind: str, rate: Fraction, make: Make, editor: Editor, tmp_path: Path
) -> None:
    path, _ = make(kind, rate, 10)
    out = tmp_path / f"new{path.suffix}"
    code, _, errors = edit(path, out)
    assert code == 0, errors
    assert compare(render(out, tmp_path / "rendered.mkv", 0, LENGTH - 1)).wrong == ()


def test_another_format_carries_what_it_can_and_says_so(make: Make, editor: Editor, tmp_path: Path) -> None:
    path, _ = make("otio")
    code, told, errors = edit(path, tmp_path / "new.fcpxml")
    assert code == 0, errors
    assert "OpenTimelineIO became FCPXML: cuts and files of video were carried over." in told["notices"]
    assert "one of the edit's own" in told["notices"]
    assert "Effects were left out: Grade." in told["notices"]
    assert "The result lacks what is laid on 'two' (Grade)" in errors


def test_relative_frames_become_those_of_the_files_timecode(
    make: Make, editor: Editor, tmp_path: Path
) -> None:
    """MLT counts from a file's first frame, OpenTimelineIO from its timecode: the files are asked for it."""
    path, scene = make("mlt")
    code, _, errors = edit(path, tmp_path / "new.otio", "--for", "resolve")
    assert code == 0, errors
    theirs = otio.adapters.read_from_file(str(tmp_path / "new.otio"))
    first = next(iter(theirs.video_tracks()[0].find_clips()))
    assert first.source_range.start_time.value == scene.start + 10
    assert first.media_reference.target_url == str(scene.footage)
    assert first.media_reference.available_range.duration.value == FRAMES


def test_in_words(make: Make, editor: Editor, tmp_path: Path) -> None:
    path, _ = make("otio")
    code, stdout, _ = call(
        "edit", path, "--clip", "two", *PROMPTS, "--frames", "5-14", "-o", tmp_path / "new.otio"
    )
    assert code == 0
    lines = stdout.splitlines()
    assert lines[-2:] == [
        f"{tmp_path / 'new.otio'}",
        '  track 3 "FlowAnchor", from 01:00:01:11 on, 10 frames',
    ]
    assert lines[0] == f"{tmp_path / 'new-two.mov'}"


def test_an_edl_takes_its_rate_from_its_footage(make: Make, editor: Editor, tmp_path: Path) -> None:
    path, scene = make("edl", Fraction(30000, 1001), 1, drop=True)
    code, told, errors = edit(path, tmp_path / "new.edl")
    assert code == 0, errors
    assert told["timeline"]["start"] == "01:00:01;05"
    assert "this one holds the result alone" in told["notices"][-1]
    scene.footage.unlink()
    code, told, _ = edit(path, tmp_path / "other.edl")
    assert (code, told["error"]["code"]) == (2, "timeline-rate-unknown")
    code, told, _ = edit(path, tmp_path / "other.edl", "--timeline-rate", "29.97")
    assert (code, told["error"]["code"]) == (2, "timeline-media-missing")


def test_numbered_images(make: Make, editor: Editor, tmp_path: Path) -> None:
    """Their first number is not that of the folder's first image, so the frames are counted from it."""
    folder = tmp_path / "shot"
    folder.mkdir()
    with av.open(
        str(folder / "s.%04d.png"), "w", format="image2", options={"start_number": "1000"}
    ) as container:
        stream: Any = container.add_stream("png", rate=24)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "rgb24"
        from tests.blender.host.numbered import picture

        for number in range(40):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number), "rgb24")))
        container.mux(stream.encode())

    def span(start: int, frames: int) -> Any:
        times = otio.opentime.RationalTime(start, 24), otio.opentime.RationalTime(frames, 24)
        return otio.opentime.TimeRange(*times)

    images = otio.schema.ImageSequenceReference(
        str(folder),
        "s.",
        ".png",
        start_frame=1004,
        rate=24,
        frame_zero_padding=4,
        available_range=span(0, 36),
    )
    timeline = otio.schema.Timeline("t", global_start_time=otio.opentime.RationalTime(0, 24))
    timeline.tracks.append(otio.schema.Track("V1", [otio.schema.Clip("shot", images, span(10, 20))]))
    path = tmp_path / "images.otio"
    otio.adapters.write_to_file(timeline, str(path))
    code, stdout, errors = call(
        "edit",
        path,
        "--clip",
        1,
        "--frames",
        "2-6",
        *PROMPTS,
        "--format",
        "ffv1",
        "-o",
        tmp_path / "new.otio",
        "--json",
    )
    assert code == 0, errors
    assert [number for number, _ in shown_in(Path(json.loads(stdout.splitlines()[-1])["output"]))] == [
        16,
        17,
        18,
        19,
        20,
    ]


def test_files_are_told_whole(
    make: Make, editor: Editor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = make("otio")
    monkeypatch.chdir(tmp_path)
    code, told, _ = edit(path, Path("new.otio"))
    assert code == 0
    assert told["timeline"]["output"] == str(tmp_path / "new.otio")
    assert Path(told["output"]).parent == tmp_path


@pytest.mark.parametrize("kind", ["otio", "fcp7", "fcpxml", "mlt", "kdenlive"])
def test_what_the_result_hides_is_told(kind: str, make: Make, editor: Editor, tmp_path: Path) -> None:
    """A title over the clip would be gone without a word."""
    path, _ = make(kind)
    _, told, _ = edit(path, tmp_path / f"a{path.suffix}")
    assert not any("hides" in notice for notice in told["notices"])
    _, told, errors = edit(path, tmp_path / f"b{path.suffix}", "--frames", "15-25")
    (notice,) = [notice for notice in told["notices"] if "hides" in notice]
    assert "hides 'top' there" in notice or "hides 'footage' there" in notice
    assert notice in " ".join(errors.split())


@pytest.mark.parametrize(("interrupt", "left"), [(KeyboardInterrupt(), 130), (SystemExit(143), 143)])
def test_ctrl_c_while_the_new_timeline_is_written_tells_where_the_edit_is(
    interrupt: BaseException,
    left: int,
    make: Make,
    editor: Editor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bundles take their time; the edit itself is done then."""

    def interrupted(data: bytes, out: Path) -> None:
        raise interrupt

    monkeypatch.setattr("flowanchor_interchange.place.save", interrupted)
    path, _ = make("otio")
    code, told, errors = edit(path, tmp_path / "new.otio")
    assert (code, told["job"], told["state"]) == (left, "00112233", "succeeded")
    assert "`flowanchor jobs fetch 00112233`" in told["error"]["action"]
    assert "The edited frames are kept in" in errors
