# SPDX-License-Identifier: Apache-2.0
"""A daemon that is missing, wrong, silent or dies, a job that fails, a fault of our own: each is told, with a
next step, and no edit is lost or run twice."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from flowanchor.v1 import jobs_pb2
from flowanchor_client import DaemonUnreachable
from flowanchor_client.connect import Start

from tests.blender.logic.conftest import Desk
from tests.blender.logic.faults import problem_of, stage
from tests.blender.logic.standin import not_running, silent, unreachable


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
