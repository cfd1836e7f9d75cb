# SPDX-License-Identifier: Apache-2.0
"""`flowanchor timeline` with an editor that marks the frames it is given and leaves their numbers alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import opentimelineio as otio  # type: ignore[import-untyped]
import pytest
from flowanchor_daemon.cli import edit_job, timeline_job
from flowanchor_daemon.cli.main import app
from flowanchor_interchange import files
from flowanchor_interchange.model import Span
from typer.testing import CliRunner

from flowanchor_core.edit_plan import EditPlan
from flowanchor_core.footage.decode import read_frames
from flowanchor_core.footage.timecode import advance
from flowanchor_core.progress import EditResult
from tests.blender.host.numbered import HEIGHT, WIDTH
from tests.interchange.documents import DOCUMENTS, ENDINGS
from tests.interchange.melt import MELT, compare, render
from tests.interchange.scene import EDITED, FRAMES, LENGTH, RATES, TWO, TWO_AT, Scene, seen, write_footage

PROMPTS = ["--source", "a red circle", "--target", "a blue circle", "--box", "20,20,32,32"]
NTSC = Fraction(24000, 1001)


@dataclass
class Editor:
    """Takes the place of the daemon's editor. `plans` are those it was given; `frames_less` makes it lose
    some."""

    plans: list[EditPlan] = field(default_factory=list)
    frames_less: int = 0

    def run(
        self, client: Any, plan: EditPlan, device: str, priority: int, show: Any, named: bool = True
    ) -> EditResult:
        self.plans.append(plan)
        request, clip = plan.request, plan.clip
        out = request.delivery.out
        label = advance(clip.start_timecode, clip.rate, plan.first)
        with av.open(str(out), "w") as container:
            if label is not None:
                container.metadata["timecode"] = label
            lossless = request.delivery.format == "ffv1"
            stream: Any = container.add_stream("ffv1" if lossless else "prores_ks", rate=clip.rate)
            stream.width, stream.height = WIDTH, HEIGHT
            stream.pix_fmt = "bgr0" if lossless else "yuv422p10le"
            count = plan.last - plan.first + 1 - self.frames_less
            for index, frame in zip(range(count), read_frames(clip, plan.first, plan.last), strict=False):
                pixels = frame.to_ndarray(format="rgb24")
                pixels[:16, WIDTH // 2 - 12 : WIDTH // 2 + 12] = 255
                made = av.VideoFrame.from_ndarray(pixels, "rgb24")
                made.pts, made.time_base = index, 1 / clip.rate
                container.mux(stream.encode(made))
            container.mux(stream.encode())
        return EditResult(
            job="00112233",
            editor=request.editor,
            model=request.model,
            preset=request.preset,
            seed=request.seed,
            frames=count,
            rate=clip.rate,
            start_timecode=label,
            output=out,
            deliver=request.delivery.kind,
            format=request.delivery.format,
            max_abs_diff_outside=0,
            forwards=1,
            seconds={},
            settings={},
            sampling={"steps": 1, "skip": 0},
            crop=(0, 0, 1, 1),
            model_size=(1, 1),
            windows=1,
            target_words=("blue",),
            audio=False,
            sheet=None,
            notices=("one of the edit's own",),
        )


@contextmanager
def _no_daemon(show: Any = None) -> Iterator[Any]:
    yield SimpleNamespace(warning="")


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch) -> Editor:
    made = Editor()
    monkeypatch.setattr(edit_job, "run", made.run)
    monkeypatch.setattr(timeline_job, "connected", _no_daemon)
    return made


Make = Callable[..., tuple[Path, Scene]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """make(format, rate, hours): the scene as a file, with its footage."""

    def written(kind: str, rate: Fraction = NTSC, hours: int = 1, drop: bool = False) -> tuple[Path, Scene]:
        scene = Scene(rate, hours, tmp_path / "footage.mkv", drop)
        if not scene.footage.exists():
            write_footage(scene.footage, rate, scene.label, Span(0, FRAMES))
        path = tmp_path / f"scene{ENDINGS[kind]}"
        path.write_bytes(DOCUMENTS[kind](scene))
        return path, scene

    return written


def call(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["timeline", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done.exit_code, done.stdout, done.stderr


def edit(path: Path, out: Path, *more: object) -> tuple[int, dict[str, Any], str]:
    """Edit frames 5 to 14 of the clip "two"; the JSON answer."""
    arguments = ["--track", 1, "--clip", 2, "--frames", f"{EDITED.start}-{EDITED.end - 1}"]
    code, stdout, stderr = call(
        "edit", path, *arguments, *PROMPTS, "--format", "ffv1", "-o", out, "--json", *more
    )
    return code, json.loads(stdout.splitlines()[-1]), stderr


def shown_in(path: Path) -> list[tuple[int | None, bool]]:
    with av.open(str(path)) as container:
        return [seen(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


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


def test_footage_that_has_moved_is_named(make: Make, editor: Editor, tmp_path: Path) -> None:
    path, scene = make("fcp7")
    moved = scene.footage.rename(tmp_path / "moved.mkv")
    code, told, _ = edit(path, tmp_path / "new.xml")
    assert (code, told["error"]["code"]) == (2, "timeline-media-missing")
    assert f"The file of 'two' is not there: {scene.footage}" in told["error"]["message"]
    assert not editor.plans
    code, _, errors = edit(path, tmp_path / "new.xml", "--media", moved)
    assert code == 0, errors
    assert editor.plans[0].clip.path == moved


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


BAD: dict[str, tuple[list[object], str, str]] = {
    "no such file": ([], "timeline-missing", "There is no file"),
    "no such clip": (["--clip", 9], "timeline-clip", "no clip number 9"),
    "no such track": (["--track", 9], "timeline-track", "no video track 9"),
    "frames outside": (["--frames", "20-40"], "timeline-frames", "shows 30 frames, 0 to 29"),
    "output is the original": (["-o", "scene.otio"], "timeline-exists", "is the timeline itself"),
    "output is there": (["-o", "footage.mkv"], "timeline-exists", "is there already"),
    "unknown ending": (["-o", "new.aaf"], "timeline-format", "names no format"),
    "no such folder": (["-o", "no/new.otio"], "timeline-place", "There is no folder"),
    "images": (["--format", "png"], "timeline-place", "as a movie, not as images"),
    "frames' file is there": (["--media-out", "footage.mkv"], "timeline-exists", "is there already"),
    "unknown format of frames": (["--format", "gif"], "unknown-format", "'gif' is no format"),
    "wrong rate": (["--timeline-rate", "fast"], "rate-syntax", "is no rate"),
    "no such sequence": (
        ["--sequence", "Other"],
        "timeline-several",
        "No sequence in the file is called 'Other'",
    ),
    "no such model": (["--model", "nope"], "unknown-model", "no model called 'nope'"),
    "another file": (
        ["--media", "short.mkv"],
        "timeline-media-differs",
        "shows frames 65 to 74 of its file, which has 10",
    ),
    "file of another rate": (
        ["--media", "other.mkv"],
        "timeline-clip-unsuitable",
        "runs at 25 frames a second",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_said_before_anything_is_done(
    name: str, make: Make, editor: Editor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = make("otio")
    write_footage(tmp_path / "short.mkv", NTSC, "01:00:00:00", Span(0, 10))
    write_footage(tmp_path / "other.mkv", Fraction(25), "01:00:00:00", Span(0, FRAMES))
    monkeypatch.chdir(tmp_path)
    more, expected, words = BAD[name]
    before = {one: one.read_bytes() for one in tmp_path.iterdir()}
    code, told, errors = edit(Path("gone.otio") if name == "no such file" else path, Path("new.otio"), *more)
    assert code == 2
    assert told["error"]["code"] == expected
    assert words in told["error"]["message"]
    assert told["error"]["message"] in errors
    assert not editor.plans
    assert {one: one.read_bytes() for one in tmp_path.iterdir()} == before


def test_a_timeline_that_names_media_from_its_folder_stays_there(
    make: Make, editor: Editor, tmp_path: Path
) -> None:
    path, _ = make("mlt")
    path.write_bytes(path.read_bytes().replace(str(tmp_path).encode() + b"/", b""))
    (tmp_path / "other").mkdir()
    code, told, _ = edit(path, tmp_path / "other" / "new.mlt")
    assert (code, told["error"]["code"]) == (2, "timeline-place")
    assert "relative to its own folder" in told["error"]["message"]
    assert edit(path, tmp_path / "new.mlt")[0] == 0


def test_a_result_of_another_length_is_not_placed(make: Make, editor: Editor, tmp_path: Path) -> None:
    path, _ = make("otio")
    editor.frames_less = 1
    code, told, errors = edit(path, tmp_path / "new.otio")
    assert (code, told["error"]["code"]) == (4, "timeline-not-written")
    assert "The result has 9 frames" in told["error"]["message"]
    assert "The edited frames are kept in" in errors
    assert not (tmp_path / "new.otio").exists()


def test_a_name_that_is_taken_meanwhile_is_not_replaced(
    make: Make, editor: Editor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = make("otio")
    out = tmp_path / "new.otio"

    def run(*arguments: Any) -> EditResult:
        out.write_text("somebody's")
        return editor.run(*arguments)

    monkeypatch.setattr(edit_job, "run", run)
    code, told, errors = edit(path, out)
    assert (code, told["error"]["code"]) == (2, "timeline-exists")
    assert out.read_text() == "somebody's"
    assert "The edited frames are kept in" in errors
    assert not list(tmp_path.glob(".*.tmp"))


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_list(kind: str, make: Make) -> None:
    path, scene = make(kind)
    code, stdout, _ = call("list", path)
    assert code == 0
    assert files.FORMATS[kind] in stdout
    code, stdout, _ = call("list", path, "--json")
    told = json.loads(stdout)
    assert (code, told["format"], told["rate"], told["frames"]) == (0, kind, "24000/1001", LENGTH)
    two = told["tracks"][0]["clips"][1]
    assert (two["clip"], two["first"], two["last"], two["frames"]) == (2, 30, 59, 30)
    assert two["start"] == ("00:00:01:06" if kind in ("mlt", "kdenlive") else "01:00:01:06")
    assert (two["media"], two["obstacle"]) == (str(scene.footage), None)
    scene.footage.unlink()
    if kind != "edl":
        told = json.loads(call("list", path, "--json")[1])
        assert told["tracks"][0]["clips"][1]["obstacle"] == "its file is not there"
        assert "its file is not there" in call("list", path)[1]


def test_list_says_what_keeps_a_clip_from_being_edited(make: Make) -> None:
    path, _ = make("mlt")
    path.write_bytes(path.read_bytes().replace(b"avformat-novalidate", b"timewarp"))
    told = json.loads(call("list", path, "--json")[1])
    assert told["tracks"][0]["clips"][0]["obstacle"] == "its speed is changed"


def test_list_of_what_is_no_timeline(tmp_path: Path) -> None:
    for name, data in {
        "a.xml": b"<html/>",
        "b.edl": b"hello",
        "c.otioz": b"PK\x03\x04...",
        "d": b"\0" * 100,
    }.items():
        (tmp_path / name).write_bytes(data)
        code, stdout, _ = call("list", tmp_path / name, "--json")
        assert code == 2
        expected = "timeline-bundle" if name == "c.otioz" else "timeline-format"
        assert json.loads(stdout)["error"]["code"] == expected
    (tmp_path / "x.fcpxmld").mkdir()
    (tmp_path / "x.fcpxmld" / "Info.fcpxml").touch()
    code, stdout, _ = call("list", tmp_path / "x.fcpxmld", "--json")
    assert json.loads(stdout)["error"]["action"] == "Give the Info.fcpxml in it."


def test_names_do_not_command_the_terminal(make: Make, editor: Editor, tmp_path: Path) -> None:
    """Whoever made the timeline chose them: they are shown, but move no cursor and add no lines."""
    path, _ = make("otio")
    plain = json.loads(path.read_text())
    for track in plain["tracks"]["children"][:2]:
        track["name"] = "V\x1b[2J"
    clip = plain["tracks"]["children"][0]["children"][2]
    clip["name"] = "two\x1b[31m\nNo such thing\x9b\x07"
    clip["effects"][0]["name"] = "Grade\x1b]0;x\x07"
    path.write_text(json.dumps(plain))
    ugly = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]|^No such", re.MULTILINE)
    code, stdout, _ = call("list", path)
    assert code == 0
    assert not ugly.search(stdout)
    two = ["edit", path, *PROMPTS, "--track", 1, "--clip", 2]
    _, _, refused = call(*two, "--frames", "0-99", "-o", tmp_path / "a.otio")
    assert "shows 30 frames" in refused
    _, _, noted = call(*two, "--frames", "0-3", "-o", tmp_path / "b.otio")
    assert "The result lacks" in noted
    assert not ugly.search(refused + noted)


def test_a_folder_that_cannot_be_written_is_found_before_the_edit(
    make: Make, editor: Editor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = make("otio")
    locked = tmp_path / "locked"
    locked.mkdir()
    touch = Path.touch

    def refuse(self: Path, *arguments: Any, **more: Any) -> None:
        if self.parent == locked:
            raise PermissionError(30, "Read-only file system")
        touch(self, *arguments, **more)

    monkeypatch.setattr(Path, "touch", refuse)
    edit = ["edit", path, *PROMPTS, "--clip", "two", "--media-out", tmp_path / "m.mov", "--json"]
    code, stdout, _ = call(*edit, "-o", locked / "a.otio")
    assert (code, json.loads(stdout)["error"]["code"]) == (2, "output-folder-locked")
    code, stdout, _ = call(*edit, "-o", tmp_path / f"{'a' * 300}.otio")
    assert code == 2
    assert json.loads(stdout)["error"]["code"] != "unexpected"
    assert editor.plans == []


def test_a_number_of_thousands_of_digits_is_no_clip(make: Make, editor: Editor, tmp_path: Path) -> None:
    path, _ = make("otio")
    out = tmp_path / "a.otio"
    code, stdout, _ = call("edit", path, *PROMPTS, "--clip", "9" * 5000, "-o", out, "--json")
    assert (code, json.loads(stdout)["error"]["code"]) == (2, "timeline-clip")


def test_folders_are_named_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert f"no file a.otio in {tmp_path}." in call("list", "a.otio")[2]
    assert f"{tmp_path.name} is a folder" in call("list", ".")[2]


def test_files_are_told_whole(
    make: Make, editor: Editor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = make("otio")
    monkeypatch.chdir(tmp_path)
    code, told, _ = edit(path, Path("new.otio"))
    assert code == 0
    assert told["timeline"]["output"] == str(tmp_path / "new.otio")
    assert Path(told["output"]).parent == tmp_path
