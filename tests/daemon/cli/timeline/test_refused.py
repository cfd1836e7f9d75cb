# SPDX-License-Identifier: Apache-2.0
"""What `flowanchor timeline edit` refuses, and what it leaves alone then."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from flowanchor_daemon.cli import edit_job
from flowanchor_interchange.model import Span

from flowanchor_core.progress import EditResult
from tests.daemon.cli.timeline.command import NTSC, PROMPTS, Editor, Make, call, edit
from tests.interchange.scene import FRAMES, write_footage

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
