# SPDX-License-Identifier: Apache-2.0
"""Edits that are left to the daemon: `edit --detach`, and everything `flowanchor jobs` does with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import pytest

from tests.e2e.conftest import FRAMES, Run, packets
from tests.e2e.test_edit_command import KEYS, names


def listed(run: Run, *options: object) -> list[dict[str, Any]]:
    """`jobs list` as JSON."""
    done = run("jobs", "list", "--json", *options)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def state(run: Run, job: str) -> str:
    return next(str(entry["state"]) for entry in listed(run) if entry["job"] == job)


def submit(run: Run, arguments: list[Any], *more: object) -> str:
    """Id of an edit left to the daemon."""
    done = run(*arguments, "--detach", *more)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_detached_edit_is_fetched_to_the_name_first_asked_for(
    run: Run, edit_arguments: list[Any], tmp_path: Path
) -> None:
    done = run(*edit_arguments, "-o", "out.mkv", "--sheet", "sheet.png", "--detach", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told) == {"job"}
    assert names(tmp_path) == []
    watched = run("jobs", "watch", told["job"], "--json")
    assert json.loads(watched.stdout.splitlines()[-1])["state"] == "succeeded"
    fetched = run("jobs", "fetch", told["job"], "--json")
    assert fetched.returncode == 0, fetched.stderr
    result = json.loads(fetched.stdout.splitlines()[-1])
    assert set(result) >= KEYS
    assert (result["job"], result["output"]) == (told["job"], str(tmp_path / "out.mkv"))
    assert names(tmp_path) == ["out.mkv", "sheet.png"]
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert sum(1 for _ in container.decode(video=0)) == FRAMES


def test_a_variation_replaces_no_take_and_ids_may_be_short(
    run: Run, edit_arguments: list[Any], tmp_path: Path
) -> None:
    left = run(*edit_arguments, "-o", "take.mkv", "--detach", cwd=tmp_path)
    first = left.stdout.strip()
    assert f"`flowanchor jobs fetch {first}` delivers it." in left.stderr
    assert run("jobs", "fetch", first[:10]).returncode == 0
    before = (tmp_path / "take.mkv").read_bytes()
    other = run("jobs", "vary", "last", "--seed", "3").stdout.strip()
    fetched = run("jobs", "fetch", "last", "--json")
    told = json.loads(fetched.stdout.splitlines()[-1])
    assert (told["job"], told["seed"], told["output"]) == (other, 3, str(tmp_path / "take-2.mkv"))
    assert (tmp_path / "take.mkv").read_bytes() == before
    (entry,) = [entry for entry in listed(run) if entry["job"] == other]
    assert (entry["parent"], entry["seed"], entry["clip"]) == (first, 3, "clip.mov")
    assert {entry["job"]: entry["output"] for entry in listed(run)}[first] == str(tmp_path / "take.mkv")
    assert entry["output"] is None


def test_images_are_fetched_into_a_folder_or_by_a_pattern(
    run: Run, edit_arguments: list[Any], tmp_path: Path
) -> None:
    job = submit(run, edit_arguments, "--frames", "2-4", "-o", tmp_path / "a.%04d.png")
    assert run("jobs", "fetch", job, "-o", tmp_path / "new").returncode == 0
    assert names(tmp_path / "new") == [f"new.{number:06d}.png" for number in (2, 3, 4)]
    assert run("jobs", "fetch", job).returncode == 0
    assert names(tmp_path) == ["a.0002.png", "a.0003.png", "a.0004.png", "new"]
    again = run("jobs", "fetch", job)
    assert again.returncode == 2
    assert "already holds a.0002.png" in again.stderr


def test_jobs_are_cancelled_retried_varied_moved_and_deleted(
    run: Run, edit_arguments: list[Any], tmp_path: Path
) -> None:
    out = tmp_path / "out.mkv"
    # Long enough for ten commands on a busy machine.
    long = [*edit_arguments, "--steps", "900", "--param", "n_avg=8", "-o", out]
    running = submit(run, long)
    waiting = submit(run, edit_arguments, "-o", out)
    first = submit(run, edit_arguments, "-o", out, "--priority", "5")
    queue = [entry["job"] for entry in listed(run, "--queue")]
    assert queue == [running, first, waiting]
    moved = run("jobs", "move", waiting, "--before", first)
    assert moved.returncode == 0, moved.stderr
    assert [entry["job"] for entry in listed(run, "--queue")] == [running, waiting, first]
    table = run("jobs", "list").stdout
    assert waiting in table
    assert "a blue circle" in table
    unfinished = run("jobs", "delete", running)
    assert (unfinished.returncode, state(run, running)) == (2, "running")
    for job in (first, running, running):
        cancelled = run("jobs", "cancel", job)
        assert (cancelled.returncode, cancelled.stdout) == (0, f"{job} is cancelled.\n"), cancelled.stderr
    assert run("jobs", "watch", running).returncode == 130
    again = run("jobs", "retry", waiting).stdout.strip()
    other = json.loads(run("jobs", "vary", waiting, "--seed", "7", "--json").stdout)
    assert (other["parent"], len({waiting, again, other["job"]})) == (waiting, 3)
    assert (other["seed"], other["clip"], other["output"]) == (7, "clip.mov", None)
    results = {job: tmp_path / f"{job}.mkv" for job in (waiting, again, other["job"])}
    for job, path in results.items():
        fetched = run("jobs", "fetch", job, "-o", path, "--json")
        assert fetched.returncode == 0, fetched.stderr
        assert json.loads(fetched.stdout.splitlines()[-1])["seed"] == (7 if job == other["job"] else 0)
    bits = {job: packets(path) for job, path in results.items()}
    assert bits[waiting] == bits[again] != bits[other["job"]]
    deleted = run("jobs", "delete", waiting, again)
    assert deleted.returncode == 0, deleted.stderr
    left = [entry["job"] for entry in listed(run)]
    assert waiting not in left
    assert other["job"] in left
    gone = run("jobs", "fetch", waiting)
    assert gone.returncode == 2
    assert f"There is no job {waiting}" in gone.stderr


@pytest.mark.parametrize(
    "call", [("watch",), ("fetch",), ("cancel",), ("retry",), ("move", "--priority", "1")]
)
def test_an_unknown_job_is_a_usage_error(call: tuple[str, ...], run: Run) -> None:
    done = run("jobs", call[0], "nosuchjob", *call[1:], "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout.splitlines()[-1])["error"]["code"] == "job-unknown"
    assert "Traceback" not in done.stderr


def test_a_failed_job_gives_its_reason_and_exit_code(
    run: Run, edit_arguments: list[Any], tmp_path: Path
) -> None:
    """A word the tokenizer finds only when the model is loaded: the daemon finds it, the command tells it."""
    arguments = [*edit_arguments, "--editor", "flowanchor", "--words", "circle", "-o", tmp_path / "out.mkv"]
    arguments[7] = "circle " * 200
    done = run(*arguments, "--json")
    assert done.returncode in (2, 4), done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["error"]["action"]
    assert names(tmp_path) == []
