# SPDX-License-Identifier: Apache-2.0
"""Every way in which an edit can go wrong ends in a sentence and a next step; none is lost or run twice."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_client import DaemonUnreachable
from flowanchor_client.connect import Start
from flowanchor_vse.logic import downloading
from flowanchor_vse.logic.views import Problem

from tests.blender.logic.conftest import Desk
from tests.blender.logic.standin import not_running, refused, silent, unreachable


def problem_of(desk: Desk, record: str) -> Problem:
    problem = desk.view(record).problem
    assert problem is not None
    assert problem.message.endswith(".")
    assert problem.action.endswith(".")
    return problem


# The daemon


def test_a_daemon_that_cannot_be_started_is_told_and_found_when_it_is_there(desk: Desk) -> None:
    log = ("line one", "The queue's file is damaged.")
    desk.standin.refuses_to_start = DaemonUnreachable(
        "daemon-start-failed", "The daemon could not be started.", "Run `flowanchor serve`.", log
    )
    record = desk.submit()
    desk.until(lambda: desk.view(record).problem)
    problem = problem_of(desk, record)
    assert (problem.code, problem.remedy, problem.log) == ("daemon-start-failed", "start", log)
    assert desk.state(record) == "starting"
    assert desk.session.daemon.state == "unreachable"
    assert desk.session.daemon.problem == problem
    # It is not tried again and again: only looked for, every few seconds.
    starts, begun = len(desk.standin.connects), desk.now
    desk.until(lambda: desk.now > begun + 60)
    assert set(desk.standin.connects[starts:]) == {Start.NEVER}
    assert len(desk.standin.connects) - starts <= 13
    # The user, or another program, starts it.
    desk.standin.refuses_to_start, desk.standin.runs = None, True
    desk.until_state(record, "waiting")
    assert desk.view(record).problem is None


def test_the_users_wish_to_start_it_tries_at_once(desk: Desk) -> None:
    desk.standin.refuses_to_start = DaemonUnreachable("daemon-start-failed", "It failed.", "Try again.")
    record = desk.submit()
    desk.until(lambda: desk.view(record).problem)
    desk.standin.refuses_to_start = None
    desk.session.wish("start")
    desk.until_state(record, "waiting", 60)


def test_a_daemon_of_another_version_is_told(desk: Desk) -> None:
    desk.standin.wrong_version = True
    record = desk.submit()
    desk.until(lambda: desk.view(record).problem)
    assert problem_of(desk, record).code == "api-version"
    assert desk.session.daemon.state == "wrong-version"
    desk.standin.wrong_version = False
    desk.until_state(record, "waiting")


@pytest.mark.parametrize("state", ["uploading", "waiting", "running", "downloading"])
def test_a_daemon_that_crashes_is_started_again_and_the_edit_goes_on(desk: Desk, state: str) -> None:
    record = desk.submit()
    stage(desk, record, state)
    desk.standin.die()
    desk.until(lambda: desk.standin.runs)
    assert Start.AFTER_A_CRASH in desk.standin.connects
    if state in ("uploading", "waiting"):
        desk.until_state(record, "waiting")
        desk.standin.run(desk.standin.only.id, 1, 4)
    if state != "downloading":
        desk.until_state(record, "running")
        desk.standin.succeed(desk.standin.only.id)
    desk.until(lambda: desk.placed)
    assert len(desk.standin.wishes) == 1, "one job"
    assert all(path.exists() for path in desk.placed[0].paths)
    assert not desk.problems


def stage(desk: Desk, record: str, state: str) -> None:
    """Bring an edit to a state, in the midst of it."""
    if state == "uploading":
        desk.until(lambda: desk.standin.calls["upload_chunk"] == 4)
        return
    desk.until_state(record, "waiting")
    if state == "waiting":
        return
    desk.standin.run(desk.standin.only.id, 1, 4)
    desk.until_state(record, "running")
    if state == "downloading":
        desk.standin.succeed(desk.standin.only.id)
        desk.until(lambda: desk.standin.calls["download_chunk"] == 4)


def test_a_daemon_that_was_stopped_stays_stopped_until_somebody_starts_it(desk: Desk) -> None:
    record = desk.running()
    desk.standin.die(crash=False)
    desk.until(lambda: desk.session.daemon.state == "stopped")
    assert problem_of(desk, record).remedy == "start"
    assert desk.state(record) == "running"
    begun = desk.now
    desk.until(lambda: desk.now > begun + 30)
    assert not desk.standin.runs
    desk.session.wish("start")
    desk.until(lambda: desk.view(record).problem is None)
    desk.standin.succeed(desk.standin.only.id)
    desk.until(lambda: desk.placed)


def test_hashing_is_not_done_again_after_a_restart(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.submit()
    desk.until(lambda: desk.standin.calls["upload_chunk"] == 4)
    for path in desk.plan().files:
        os.utime(path, (0, 0))
    reads = count_opens(monkeypatch, "clip")
    desk.standin.die()
    desk.until(lambda: desk.standin.jobs)
    assert reads() <= 3 * 3, "a file is opened for each piece, and none to hash it"


def count_opens(monkeypatch: pytest.MonkeyPatch, folder: str) -> Callable[[], int]:
    opened: list[Path] = []
    real = Path.open

    def count(path: Path, *arguments: object, **options: object) -> object:
        if path.parent.name == folder:
            opened.append(path)
        return real(path, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", count)
    return lambda: len(opened)


@pytest.mark.parametrize("call", ["stat_media", "upload_chunk", "submit", "job", "download_chunk"])
@pytest.mark.parametrize("lost", [False, True])
def test_a_call_that_is_not_answered_is_made_again_and_does_nothing_twice(
    desk: Desk, call: str, lost: bool
) -> None:
    (desk.standin.losses if lost else desk.standin.faults)[call] = [silent(), silent()]
    record = desk.submit()
    desk.until_state(record, "waiting")
    desk.standin.succeed(desk.standin.only.id)
    desk.until(lambda: desk.placed)
    assert len(desk.standin.wishes) == 1
    assert desk.standin.connects.count(Start.AFTER_A_CRASH) == 0, "a busy daemon keeps its connection"
    assert desk.placed[0].paths[0].read_bytes() == desk.standin.results[desk.standin.only.id][0]
    assert not desk.problems


def test_a_daemon_silent_for_long_is_told_and_looked_for_anew(desk: Desk) -> None:
    record = desk.running()
    desk.standin.faults["job"] = [silent() for _ in range(200)]
    desk.until(lambda: desk.view(record).problem)
    assert "not answer" in problem_of(desk, record).message
    assert desk.state(record) == "running"
    desk.standin.faults.clear()
    desk.until(lambda: desk.view(record).problem is None)
    assert Start.AFTER_A_CRASH in desk.standin.connects


@pytest.mark.parametrize("call", ["retry", "vary"])
def test_a_retry_whose_answer_is_lost_is_one_job(desk: Desk, call: str) -> None:
    first = desk.done()
    desk.standin.losses[call] = [silent()]
    other = desk.session.retry(first) if call == "retry" else desk.session.vary(first)
    desk.until_state(other, "waiting")
    assert len(desk.standin.wishes) == 2


def test_a_submission_whose_answer_is_lost_can_still_be_cancelled(desk: Desk) -> None:
    desk.standin.losses["submit"] = [unreachable()]
    record = desk.submit()
    desk.until(lambda: desk.standin.jobs)
    desk.session.cancel(record)
    desk.idle()
    assert desk.state(record) == "cancelled"
    assert desk.standin.only.state == jobs_pb2.JOB_STATE_CANCELLED


def test_a_submission_whose_answer_is_lost_can_still_be_deleted(desk: Desk) -> None:
    desk.standin.losses["submit"] = [unreachable()]
    record = desk.submit()
    desk.until(lambda: desk.standin.jobs)
    desk.session.delete(record)
    desk.idle()
    assert not desk.standin.jobs


def test_a_delete_without_a_daemon_starts_none_and_ends(desk: Desk) -> None:
    record = desk.done()
    desk.standin.die(crash=False)
    desk.session.delete(record)
    desk.idle(100)
    assert not desk.standin.runs
    assert desk.session.jobs() == []


# The upload


def test_an_export_that_is_gone_is_told(desk: Desk) -> None:
    plan = desk.plan()
    plan.clip.files[1].unlink()
    record = desk.submit(plan)
    desk.idle()
    problem = problem_of(desk, record)
    assert (desk.state(record), problem.code, problem.remedy) == ("failed", "clip-unreadable", "resubmit")
    assert "000001.png" in problem.message
    assert desk.problems == [(record, problem)]


def test_an_export_that_vanishes_while_it_is_sent_is_told(desk: Desk) -> None:
    plan = desk.plan()
    record = desk.submit(plan)
    desk.until(lambda: desk.standin.calls["upload_chunk"] == 4)
    plan.clip.files[2].unlink()
    desk.idle()
    assert problem_of(desk, record).code == "clip-unreadable"


@pytest.mark.parametrize("content", [b"other " * 500, b"short"])
def test_an_export_that_changes_while_it_is_sent_is_told(desk: Desk, content: bytes) -> None:
    plan = desk.plan()
    record = desk.submit(plan)
    desk.until(lambda: desk.standin.calls["upload_chunk"] == 3)
    plan.clip.files[2].write_bytes(content)
    desk.idle()
    problem = problem_of(desk, record)
    assert (problem.code, problem.remedy) == ("media-hash", "resubmit")


def test_an_empty_export_is_told(desk: Desk) -> None:
    plan = desk.plan()
    plan.clip.files[0].write_bytes(b"")
    record = desk.submit(plan)
    desk.idle()
    assert "empty" in problem_of(desk, record).message


def test_an_upload_the_daemon_has_forgotten_goes_on_where_it_says(desk: Desk) -> None:
    record = desk.submit()
    desk.until(lambda: desk.standin.calls["upload_chunk"] == 2)
    desk.standin.media.clear()  # evicted
    desk.until_state(record, "waiting")
    assert not desk.problems


def test_media_that_were_evicted_before_the_submission_are_sent_again(desk: Desk) -> None:
    record = desk.submit()
    desk.until(lambda: len(desk.standin.complete) == 3)
    desk.standin.complete.clear()
    desk.standin.media.clear()
    desk.until_state(record, "waiting")
    assert desk.standin.calls["submit"] == 2


def test_a_daemon_that_never_keeps_what_it_gets_is_told(desk: Desk) -> None:
    desk.standin.faults["submit"] = [refused("media-missing") for _ in range(10)]
    record = desk.submit()
    desk.idle()
    assert problem_of(desk, record).remedy == "retry"
    desk.standin.faults["submit"] = []
    desk.standin.faults["upload_chunk"] = [refused("media-offset") for _ in range(100)]
    desk.standin.complete.clear()
    desk.standin.media.clear()
    assert desk.session.retry(record) == record, "the daemon has never accepted it: it is the same edit still"
    desk.idle()
    assert problem_of(desk, record).code == "media-offset"


@pytest.mark.parametrize(
    ("code", "kind", "remedy"),
    [
        ("disk-full", types_pb2.FAILURE_KIND_SERVICE, "retry"),
        ("quota-full", types_pb2.FAILURE_KIND_SERVICE, "retry"),
        ("prompt-empty", types_pb2.FAILURE_KIND_INPUT, "settings"),
        ("model-unknown", types_pb2.FAILURE_KIND_MODEL, "settings"),
        ("request-too-large", types_pb2.FAILURE_KIND_INPUT, "settings"),
    ],
)
def test_a_refusal_is_told_with_the_button_that_helps(
    desk: Desk, code: str, kind: types_pb2.FailureKind.ValueType, remedy: str
) -> None:
    call = "upload_chunk" if code in ("disk-full", "quota-full") else "submit"
    desk.standin.faults[call] = [refused(code, kind)]
    record = desk.submit()
    desk.idle()
    problem = problem_of(desk, record)
    assert (desk.state(record), problem.code, problem.remedy) == ("failed", code, remedy)
    again = desk.session.retry(record)
    desk.until_state(again, "waiting")
    assert desk.view(again).problem is None


# The job


def test_a_job_that_failed_says_why(desk: Desk) -> None:
    record = desk.running()
    desk.standin.fail(desk.standin.only.id)
    desk.idle()
    problem = problem_of(desk, record)
    assert (desk.state(record), problem.message, problem.remedy) == ("failed", "Memory ran out.", "retry")


def test_a_job_that_somebody_else_cancelled_is_cancelled_here(desk: Desk) -> None:
    record = desk.running()
    desk.standin.see(desk.standin.only.id, state=jobs_pb2.JOB_STATE_CANCELLED)
    desk.idle()
    assert desk.state(record) == "cancelled"


@pytest.mark.parametrize("state", ["waiting", "running"])
def test_a_job_that_somebody_else_deleted_is_told(desk: Desk, state: str) -> None:
    record = desk.submitted() if state == "waiting" else desk.running()
    desk.standin.lose(desk.standin.only.id)
    desk.idle()
    problem = problem_of(desk, record)
    assert (desk.state(record), problem.code, problem.remedy) == ("failed", "job-unknown", "retry")


# The result


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


# A fault of our own


def test_a_fault_in_one_edit_is_told_and_the_others_go_on(desk: Desk) -> None:
    broken = desk.running()
    desk.standin.faults["job"] = [KeyError("oops")]
    desk.session.tick()
    desk.standin.this_tick = 0
    for _ in range(5):
        desk.standin.this_tick = 0
        desk.session.tick()
        desk.now += 0.5
    assert desk.state(broken) == "failed"
    assert problem_of(desk, broken).code == "unexpected"
    other = desk.submit(desk.plan(1, 10, "other"), name="other")
    desk.until_state(other, "waiting")


def test_no_daemon_at_the_first_look_is_no_failure_of_an_edit(desk: Desk) -> None:
    desk.standin.faults["models"] = [not_running()]
    record = desk.submit()
    desk.until_state(record, "waiting")
    assert not desk.problems


def test_a_silence_is_noticed_however_often_the_host_ticks(desk: Desk) -> None:
    record = desk.running()
    desk.standin.faults["job"] = [silent() for _ in range(200)]
    begun = desk.now
    while desk.view(record).problem is None:
        desk.standin.this_tick = 0
        desk.session.tick()
        desk.now += 0.02
        assert desk.now < begun + 60
    assert desk.now > begun + 15, "a busy daemon gets its time"
