# SPDX-License-Identifier: Apache-2.0
"""`flowanchor edit` in processes of its own: results, exit codes, and what is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
import pytest

from tests.e2e.conftest import FRAMES, HEIGHT, RATE, WIDTH, Run

KEYS = {
    "job",
    "editor",
    "model",
    "seed",
    "frames",
    "rate",
    "start_timecode",
    "output",
    "deliver",
    "max_abs_diff_outside",
    "forwards",
    "seconds",
}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_json_tells_what_the_written_file_holds(run: Run, edit_arguments: list[Any], tmp_path: Path) -> None:
    out, sheet = tmp_path / "out.mkv", tmp_path / "sheet.png"
    done = run(
        *edit_arguments,
        "--frames",
        "2-7",
        "-o",
        out,
        "--sheet",
        sheet,
        "--seed",
        5,
        "--param",
        "gamma=0.5",
        "--json",
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert set(told) >= KEYS
    assert (told["editor"], told["seed"], told["deliver"]) == ("flowanchor", 5, "full")
    assert (told["frames"], told["rate"], told["start_timecode"]) == (6, "24000/1001", "01:00:00:02")
    assert (told["max_abs_diff_outside"], told["forwards"]) == (0, 11)
    assert told["output"] == str(out)
    assert told["settings"]["gamma"] == 0.5
    assert set(told["seconds"]) == {"load", "read", "encode", "edit", "decode", "deliver", "verify"}
    assert any("knows only moving coloured shapes" in text for text in told["notices"])
    with av.open(str(out)) as container:
        video = container.streams.video[0]
        assert video.average_rate == RATE
        assert len(container.streams.audio) == 1
        assert (video.width, video.height) == (WIDTH, HEIGHT)
        assert sum(1 for _ in container.decode(video=0)) == 6
    assert names(tmp_path) == ["out.mkv", "sheet.png"]
    assert "edit: 3/3" in done.stderr


def test_without_json_the_same_is_told_in_words(run: Run, edit_arguments: list[Any], tmp_path: Path) -> None:
    done = run(*edit_arguments, "-o", tmp_path / "out.mp4")
    assert done.returncode == 0, done.stderr
    assert f"{FRAMES} frames at 24000/1001, full as h264" in done.stdout
    assert done.stderr.count("the picture inside the mask means nothing") == 1
    assert "Note:" not in done.stdout, "what was told is not told again"
    assert names(tmp_path) == ["out.mp4"]


# What is changed in a call that works (by place, or an option added) -> words of the answer. More such cases,
# in one process, are in tests/core/edit.
BAD_CALLS: dict[str, tuple[dict[int | str, str | None], str]] = {
    "missing clip": ({1: "nowhere.mp4"}, "no file nowhere.mp4"),
    "unreadable clip": ({1: "text.mp4"}, "text.mp4 could not be read as video"),
    "clip without frames": ({1: "empty.mp4"}, "empty.mp4 is empty"),
    "clip too small": ({1: "small.mkv"}, "8x8 pixels"),
    "no region": ({2: None, 3: None}, "No region was given"),
    "mask of another length": ({2: "--mask", 3: "short.mkv"}, "short.mkv has 4 frames"),
    "mask of another size": ({2: "--mask", 3: "large.png"}, "large.png is 80x80, the clip 64x48"),
    "empty mask": ({2: "--mask", 3: "black.png"}, "black.png marks nothing"),
    "empty prompt": ({7: ""}, "The target prompt is empty"),
    "unknown model": ({9: "nope"}, "no model called 'nope'"),
    "unknown editor": ({"--editor": "nope"}, 'no editor "nope"'),
    "word not in the prompt": ({"--words": "fox"}, '"fox" is not in the target prompt'),
    "output folder missing": ({"-o": "no/where.mkv"}, "There is no folder no"),
}


@pytest.fixture
def bad_files(tmp_path: Path) -> Path:
    """A folder with files that cannot be used."""
    (tmp_path / "text.mp4").write_text("This is not a film. " * 100)
    (tmp_path / "empty.mp4").touch()
    write(tmp_path / "small.mkv", "ffv1", 3, 8, 8, 0)
    write(tmp_path / "short.mkv", "ffv1", 4, WIDTH, HEIGHT, 255)
    write(tmp_path / "black.png", "png", 1, WIDTH, HEIGHT, 0)
    write(tmp_path / "large.png", "png", 1, 80, 80, 255)
    return tmp_path


def write(
    path: Path, codec: Literal["ffv1", "png"], frames: int, width: int, height: int, value: int
) -> None:
    with av.open(str(path), "w", format="image2" if codec == "png" else None) as container:
        stream = container.add_stream(codec, rate=24)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = width, height
        stream.pix_fmt = "rgb24" if codec == "png" else "yuv444p"
        picture = np.full((height, width, 3), value, np.uint8)
        for _ in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


@pytest.mark.parametrize("case", BAD_CALLS)
def test_bad_input_gets_one_sentence_exit_code_2_and_no_output(
    case: str, run: Run, edit_arguments: list[Any], bad_files: Path
) -> None:
    change, words = BAD_CALLS[case]
    arguments = [*edit_arguments, "-o", "out.mkv"]
    for key, value in change.items():
        if isinstance(key, int):
            arguments[key] = value
        else:
            arguments += [key, arguments[1] if value == "CLIP" else value]
    before = names(bad_files)
    clip_before = Path(edit_arguments[1]).read_bytes()
    done = run(*[part for part in arguments if part is not None], cwd=bad_files)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("flowanchor: ")]
    assert len(said) == 1
    assert words in said[0]
    assert "Traceback" not in done.stderr
    assert names(bad_files) == before
    assert Path(edit_arguments[1]).read_bytes() == clip_before


def test_a_disk_too_full_is_found_before_the_edit(
    command: list[str], environment: dict[str, str], edit_arguments: list[Any], tmp_path: Path
) -> None:
    """The process is told that the disk has a thousand bytes left."""
    shim, folder = tmp_path / "shim", tmp_path / "work"
    shim.mkdir()
    folder.mkdir()
    (shim / "sitecustomize.py").write_text(
        "import shutil\n"
        "usage = shutil._ntuple_diskusage(10**9, 10**9, 1000)\n"
        "shutil.disk_usage = lambda path: usage\n"
    )
    path = os.pathsep.join([str(shim), environment["PYTHONPATH"]])
    done = subprocess.run(
        [*command, *map(str, edit_arguments), "-o", "out.mkv"],
        env={**environment, "PYTHONPATH": path},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stderr
    assert "Free some space" in done.stderr
    assert names(folder) == []


def test_a_call_without_prompts_is_a_usage_error(run: Run, clip: Path) -> None:
    done = run("edit", clip)
    assert done.returncode == 2
    assert "--source" in done.stderr


def start_long_edit(
    command: list[str], environment: dict[str, str], arguments: list[Any], folder: Path
) -> subprocess.Popen[str]:
    """An edit of many steps, returned once the first of them is under way."""
    line = [*command, *map(str, arguments), "--steps", "900", "-o", "out.mkv", "--sheet", "sheet.png"]
    process = subprocess.Popen(
        line,
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A test run that a script started in the background hands down an ignored Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr is not None
    for text in process.stderr:
        if text.startswith("edit: "):
            return process
    raise AssertionError(f"the edit ended with {process.wait()} before its first step")


def last_job(run: Run) -> dict[str, Any]:
    """The job that was made last."""
    jobs = json.loads(run("jobs", "list", "--json", "--limit", 1).stdout)
    return dict(jobs[0])


def test_ctrl_c_cancels_the_job_with_exit_code_130_and_leaves_nothing(
    run: Run, command: list[str], environment: dict[str, str], edit_arguments: list[Any], tmp_path: Path
) -> None:
    process = start_long_edit(command, environment, [*edit_arguments, "--json"], tmp_path)
    job = last_job(run)
    assert job["state"] == "running"
    process.send_signal(signal.SIGINT)
    told, errors = process.communicate(timeout=200)
    assert process.returncode == 130, errors
    assert "cancelled" in errors
    last = json.loads(told.splitlines()[-1])
    assert (last["job"], last["state"], last["error"]["code"]) == (job["job"], "cancelled", "job-cancelled")
    assert names(tmp_path) == []
    assert last_job(run)["state"] == "cancelled"


def test_a_polite_kill_cancels_the_job_and_leaves_nothing(
    run: Run, command: list[str], environment: dict[str, str], edit_arguments: list[Any], tmp_path: Path
) -> None:
    process = start_long_edit(command, environment, edit_arguments, tmp_path)
    process.terminate()
    process.communicate(timeout=200)
    assert process.returncode == 128 + signal.SIGTERM
    assert names(tmp_path) == []
    assert last_job(run)["state"] == "cancelled"


def test_a_kill_leaves_nothing_under_the_final_name(
    run: Run, command: list[str], environment: dict[str, str], edit_arguments: list[Any], tmp_path: Path
) -> None:
    """Killed at the worst moment: all of the result is there but not yet known to be on the disk."""
    assert run("jobs", "list").returncode == 0  # the daemon must not be started by the command with the shim
    shim, folder = tmp_path / "shim", tmp_path / "work"
    shim.mkdir()
    folder.mkdir()
    (shim / "sitecustomize.py").write_text("import os, signal\nos.fsync = lambda handle: signal.pause()\n")
    path = os.pathsep.join([str(shim), environment["PYTHONPATH"]])
    process = subprocess.Popen(
        [*command, *map(str, edit_arguments), "-o", "out.mkv"],
        env={**environment, "PYTHONPATH": path},
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not [name for name in names(folder) if name.endswith(".partial.mkv")]:
        assert process.poll() is None, "the edit ended before it could be killed"
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=200)
    assert process.returncode == -signal.SIGKILL
    assert not (folder / "out.mkv").exists()
    # What was made is not lost: it can still be fetched to where it was to go.
    job = json.loads(run("jobs", "list", "--json", "--limit", 1).stdout)[0]["job"]
    assert run("jobs", "fetch", job).returncode == 0
    assert (folder / "out.mkv").exists()


def test_an_image_sequence_comes_back_numbered_as_it_went_in(
    run: Run, edit_arguments: list[Any], tmp_path: Path
) -> None:
    frames = tmp_path / "frames"
    masks = tmp_path / "masks"
    for folder, value in ((frames, 90), (masks, 240)):
        folder.mkdir()
        for number in range(20, 32):
            write(folder / f"a.{number:04d}.png", "png", 1, WIDTH, HEIGHT, value + number % 5)
    edit_arguments[1:4] = [frames, "--mask", masks]
    out = tmp_path / "out" / "b.%04d.png"
    out.parent.mkdir()
    options = ["--rate", "25", "--frames", "3-7"]
    for deliver, target in (("full", out), ("patch", tmp_path / "patch")):
        done = run(*edit_arguments, *options, "--deliver", deliver, "--format", "png", "-o", target, "--json")
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout.splitlines()[-1])
        assert (told["frames"], told["rate"], told["output"]) == (5, "25/1", str(target))
    assert names(out.parent) == [f"b.{number:04d}.png" for number in range(23, 28)]
    assert names(tmp_path / "patch") == [f"patch.{number:06d}.png" for number in range(23, 28)]
