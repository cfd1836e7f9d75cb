# SPDX-License-Identifier: Apache-2.0
"""Every way in which fetching a result can go wrong ends in a sentence and a next step; nothing is lost."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from flowanchor.v1 import jobs_pb2
from flowanchor_vse.logic import downloading

from tests.blender.logic.conftest import Desk
from tests.blender.logic.faults import problem_of, stage


def test_a_result_deleted_while_it_is_fetched_is_told(desk: Desk) -> None:
    record = desk.submit()
    stage(desk, record, "downloading")
    desk.standin.lose(desk.standin.only.id)
    desk.idle()
    problem = problem_of(desk, record)
    assert (desk.state(record), problem.code, problem.remedy) == ("failed", "artifact-unknown", "retry")
    assert not list((desk.folder / "out").glob("*.partial"))


class FullDisk:
    """A file on a disk that is full after some bytes."""

    def __init__(self, file: object, number: int) -> None:
        self._file = file
        self._number = number

    def write(self, data: bytes) -> int:
        raise OSError(self._number, os.strerror(self._number))

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, "disk-full"), (errno.EDQUOT, "disk-full"), (errno.EIO, "write-failed")],
)
def test_a_disk_that_fills_up_during_the_download_loses_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    record = desk.submit()
    stage(desk, record, "downloading")
    with monkeypatch.context() as patch:
        real = downloading._Receiving.__init__

        def begin(self: downloading._Receiving, path: Path) -> None:
            real(self, path)
            self.file = FullDisk(self.file, number)  # type: ignore[assignment]

        patch.setattr(downloading._Receiving, "__init__", begin)
        desk.idle()
    problem = problem_of(desk, record)
    assert (desk.state(record), problem.code, problem.remedy) == ("failed", code, "fetch")
    assert not list((desk.folder / "out").glob("*.partial"))
    assert desk.standin.jobs, "the daemon still has it"
    desk.session.fetch(record)
    desk.until(lambda: desk.placed)
    assert desk.state(record) == "placing"


def test_a_folder_that_cannot_be_made_is_told(desk: Desk) -> None:
    (desk.folder / "out").write_text("a file in its place")
    record = desk.running()
    desk.standin.succeed(desk.standin.only.id)
    desk.idle()
    assert problem_of(desk, record).code == "write-failed"


def test_bytes_that_are_not_those_the_daemon_made_are_not_placed(desk: Desk) -> None:
    record = desk.running()
    job = desk.standin.only.id
    desk.standin.succeed(job)
    content = desk.standin.results[job][1]
    desk.standin.results[job][1] = content[:-1] + b"?"
    desk.idle()
    problem = problem_of(desk, record)
    assert (problem.code, problem.remedy, desk.placed) == ("media-hash", "fetch", [])
    assert not (desk.folder / "out" / "result.000001.png").exists()
    desk.standin.results[job][1] = content[:500]
    desk.session.fetch(record)
    desk.idle()
    assert problem_of(desk, record).code == "media-hash"
    desk.standin.results[job][1] = content
    desk.session.fetch(record)
    desk.until(lambda: desk.placed)


def test_a_result_without_files_is_told(desk: Desk) -> None:
    record = desk.running()
    desk.standin.see(desk.standin.only.id, state=jobs_pb2.JOB_STATE_SUCCEEDED)
    desk.idle()
    assert "without a result" in problem_of(desk, record).message


def test_a_name_that_is_a_path_stays_in_the_folder(desk: Desk) -> None:
    record = desk.running()
    job = desk.standin.only
    desk.standin.succeed(job.id)
    for artifact, name in zip(job.artifacts, ["../../evil.png", "/etc/evil.png", "Evil.png"], strict=True):
        artifact.name = name
    desk.until(lambda: desk.placed)
    assert {path.parent for path in desk.placed[0].paths} == {desk.folder / "out"}
    assert not (desk.folder.parent / "evil.png").exists()
    assert desk.state(record) == "placing"


def test_two_images_of_one_name_are_both_kept(desk: Desk) -> None:
    desk.running()
    desk.standin.succeed(desk.standin.only.id)
    for artifact in desk.standin.only.artifacts:
        artifact.name = "Result.png" if artifact.index else "result.png"
    desk.until(lambda: desk.placed)
    assert len({path.read_bytes() for path in desk.placed[0].paths}) == 3
