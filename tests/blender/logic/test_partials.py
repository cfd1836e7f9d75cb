# SPDX-License-Identifier: Apache-2.0
"""What a killed Blender has left of a result goes at the next fetch, and nothing else does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from flowanchor_vse.logic import partials

from tests.blender.logic.conftest import Desk

NAME = "result.000000.png"


@pytest.fixture
def dead() -> int:
    """The number of a process that was killed."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process.kill()
    process.wait()
    return process.pid


def left_by(process: int, name: str = NAME) -> str:
    return partials.partial_name(name).replace(f"-{os.getpid()}.", f"-{process}.")


@pytest.mark.skipif(
    os.name == "nt", reason="there open files cannot be removed, and closed ones are nobody's"
)
def test_only_files_of_processes_that_are_no_more_are_removed(tmp_path: Path, dead: int) -> None:
    here = partials.partial_name(NAME).split(".")[-2].split("-")[0]
    elsewhere = "0" * 12
    kept = [
        partials.partial_name(NAME),
        left_by(os.getppid()),
        left_by(1),
        left_by(10**9 * 9),
        left_by(dead, "of another result.png"),
        left_by(dead).replace(here, elsewhere),
        left_by(dead) + ".png",
        left_by(dead).replace(".partial", ""),
        f"{NAME}.{here}-0{dead}.partial",
        f"{NAME}.{here}--{dead}.partial",
        f"{NAME}.{dead}.partial",
        f"x{left_by(dead)}",
        NAME,
    ]
    for name in kept:
        (tmp_path / name).write_bytes(b"kept")
    (tmp_path / "folders").mkdir()
    (tmp_path / "folders" / left_by(dead)).mkdir(parents=True)
    (tmp_path / left_by(dead)).write_bytes(b"half")
    for folder in (tmp_path, tmp_path / "folders", tmp_path / "none"):
        partials.remove_abandoned(folder, [NAME])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*kept, "folders"])
    assert (tmp_path / "folders" / left_by(dead)).is_dir()
    (tmp_path / left_by(dead)).symlink_to(tmp_path / NAME)
    partials.remove_abandoned(tmp_path, [NAME])
    assert (tmp_path / left_by(dead)).is_symlink(), "we make no links"


def test_a_process_that_runs_on_keeps_its_file(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        try:
            (tmp_path / left_by(process.pid)).write_bytes(b"half")
            if os.name != "nt":
                partials.remove_abandoned(tmp_path, [NAME])
                assert (tmp_path / left_by(process.pid)).exists()
        finally:
            process.send_signal(signal.SIGTERM)


def test_the_next_fetch_removes_what_a_killed_blender_has_left(desk: Desk, dead: int) -> None:
    record = desk.running()
    folder = desk.folder / "out"
    folder.mkdir()
    (folder / left_by(dead, "result.000002.png")).write_bytes(b"half")
    (folder / left_by(os.getppid())).write_bytes(b"another Blender is at it")
    desk.standin.succeed(desk.view(record).record.job)
    desk.until(lambda: desk.placed)
    assert sorted(path.name for path in folder.iterdir()) == [
        NAME,
        left_by(os.getppid()),
        "result.000001.png",
        "result.000002.png",
    ]
