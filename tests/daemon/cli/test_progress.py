# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_daemon.cli.progress import JobProgress, Lines, bytes_shown

from flowanchor_core.progress import PhaseStarted, Progress, Stopwatch


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_stopwatch_adds_up_phases_and_foretells_their_end() -> None:
    clock = Clock()
    watch = Stopwatch(clock)
    assert watch.start("read", 4) == PhaseStarted("read", 4)
    assert watch.progress(0).seconds_left is None
    clock.now += 2
    assert watch.progress(1) == Progress("read", 1, 4, 6.0)
    watch.start("edit", 1)
    clock.now += 5
    watch.start("read", 1)
    clock.now += 1
    watch.stop()
    assert watch.seconds == {"read": 3.0, "edit": 5.0}


def test_a_stopwatch_that_is_not_running_reports_nothing() -> None:
    with pytest.raises(RuntimeError):
        Stopwatch().progress(1)


def test_lines_are_few_and_the_last_step_is_always_among_them(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    show = Lines(clock)
    show.phase("edit", 100)
    for step in range(1, 101):
        clock.now += 0.1
        show.step("edit", step, 100, (100 - step) * 0.1)
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert captured.out == ""
    assert lines[0] == "edit: 0/100"
    assert lines[-1] == "edit: 100/100 0 s left"
    assert 5 <= len(lines) <= 8


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.4, "3 s left"), (75, "1 min 15 s left"), (7260, "2 h 01 min left")]
)
def test_time_left_is_told_in_plain_units(
    seconds: float, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Lines().step("edit", 1, 1, seconds)
    assert capsys.readouterr().err == f"edit: 1/1 {text}\n"


def job(phase: str = "", step: int = 0, total: int = 0, **fields: Any) -> jobs_pb2.Job:
    progress = jobs_pb2.Progress(phase=phase, step=step, total=total, seconds_left=2.0)
    return jobs_pb2.Job(**{"state": jobs_pb2.JOB_STATE_RUNNING, "progress": progress, **fields})


def shown(capsys: pytest.CaptureFixture[str], jobs: list[jobs_pb2.Job]) -> list[str]:
    """Lines a job's updates give."""
    progress = JobProgress(Lines())
    for update in jobs:
        progress.see(update)
    return capsys.readouterr().err.splitlines()


def test_what_passed_between_two_looks_at_a_job_is_told_as_done(capsys: pytest.CaptureFixture[str]) -> None:
    updates = [job("read", 0, 4), job("edit", 1, 3), job(state=jobs_pb2.JOB_STATE_SUCCEEDED)]
    assert shown(capsys, updates) == [
        "read: 0/4",
        "read: 4/4 0 s left",
        "edit: 0/3",
        "edit: 3/3 0 s left",
    ]


def test_a_phase_that_was_seen_to_its_end_is_not_told_twice(capsys: pytest.CaptureFixture[str]) -> None:
    updates = [job("read", 0, 4), job("read", 4, 4), job("edit", 0, 3)]
    assert shown(capsys, updates) == ["read: 0/4", "read: 4/4 2 s left", "edit: 0/3"]


def test_a_failed_job_is_not_told_as_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, [job("read", 0, 4), job(state=jobs_pb2.JOB_STATE_FAILED)]) == ["read: 0/4"]


def test_notices_and_places_in_the_queue_are_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    queued: dict[str, Any] = {"state": jobs_pb2.JOB_STATE_QUEUED}
    notices = [types_pb2.Notice(code="clip", text="Colour is assumed.")]
    updates = [job(queue_position=position, **queued) for position in (3, 3, 2, 1)]
    updates += [job("read", 0, 4, notices=notices)] * 2
    assert shown(capsys, updates) == [
        "Note: Waiting: 2 jobs are before this one.",
        "Note: Waiting: 1 job is before this one.",
        "Note: Colour is assumed.",
        "read: 0/4",
    ]


def test_a_further_attempt_says_why_and_from_where(capsys: pytest.CaptureFixture[str]) -> None:
    first = jobs_pb2.Attempt(number=1, outcome="engine-crashed")
    second = jobs_pb2.Attempt(number=2, outcome="running", resumed_at=12)
    updates = [job(attempts=[first]), job(attempts=[first, second])]
    assert shown(capsys, updates) == ["Note: The engine ended unexpectedly; attempt 2 goes on from step 12."]


def test_a_transfer_that_ends_at_once_is_not_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr("flowanchor_daemon.cli.progress.time.monotonic", clock)
    told = bytes_shown(Lines(clock), "upload")
    told(1_000_000, 4_000_000)
    assert capsys.readouterr().err == ""
    clock.now += 2
    told(2_000_000, 4_000_000)
    told(4_000_000, 4_000_000)
    assert capsys.readouterr().err.splitlines() == ["upload: 0/4", "upload: 4/4 0 s left"]
