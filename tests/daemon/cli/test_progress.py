# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
from typing import Any

import pytest
from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_daemon.cli.progress import Bar, JobProgress, Lines, bytes_shown
from rich.console import Console

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
    assert lines[-1] == "edit: 100/100", "what has ended has no time left"
    assert 5 <= len(lines) <= 8


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.4, "3 s left"), (75, "1 min 15 s left"), (7260, "2 h 01 min left")]
)
def test_time_left_is_told_in_plain_units(
    seconds: float, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Lines().step("edit", 1, 2, seconds)
    assert capsys.readouterr().err == f"edit: 1/2 {text}\n"


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
        "read: 4/4",
        "edit: 0/3",
        "edit: 3/3",
    ]


def test_a_phase_that_was_seen_to_its_end_is_not_told_twice(capsys: pytest.CaptureFixture[str]) -> None:
    updates = [job("read", 0, 4), job("read", 4, 4), job("read", 4, 4), job("edit", 0, 3)]
    assert shown(capsys, updates) == ["read: 0/4", "read: 4/4", "edit: 0/3"]


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
    """It begins before it is known where it goes on; then steps count on from there."""
    first = jobs_pb2.Attempt(number=1, outcome="engine-crashed")
    begun = jobs_pb2.Attempt(number=2, outcome="running")
    resumed = jobs_pb2.Attempt(number=2, outcome="running", resumed_at=2)
    updates = [
        job(attempts=[first]),
        job(attempts=[first, begun]),
        job("load", 3, 3, attempts=[first, begun]),
    ]
    updates += [job("read", 0, 4, attempts=[first, resumed]), job("edit", 0, 9, attempts=[first, resumed])]
    updates += [job("edit", 9, 9, attempts=[first, resumed])]
    assert shown(capsys, updates) == [
        "Note: The engine ended unexpectedly; attempt 2 begins.",
        "load: 0/3",
        "load: 3/3",
        "read: 0/4",
        "Note: Attempt 2 goes on from step 2 of 11.",
        "read: 4/4",
        "edit: 0/11",
        "edit: 11/11",
    ]


def test_an_attempt_that_starts_over_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    attempts = [jobs_pb2.Attempt(number=1, outcome="daemon-ended"), jobs_pb2.Attempt(number=2)]
    assert shown(capsys, [job(attempts=attempts), job("read", 0, 4, attempts=attempts)]) == [
        "Note: The daemon ended; attempt 2 begins.",
        "Note: Attempt 2 goes on from the beginning.",
        "read: 0/4",
    ]


def test_one_time_left_is_told_for_all_phases(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    progress = JobProgress(Lines(clock), clock)
    for phase, step, fraction in (("read", 0, 0.1), ("read", 2, 0.2), ("edit", 0, 0.3), ("edit", 1, 0.5)):
        found = job(phase, step, 4)
        found.progress.fraction = fraction
        progress.see(found)
        clock.now += 10
    assert capsys.readouterr().err.splitlines() == [
        "read: 0/4",
        "read: 2/4 (20 % of all, 1 min 20 s left)",
        "read: 4/4",
        "edit: 0/4",
        "edit: 1/4 (50 % of all, 38 s left)",
    ]


def test_the_bar_shows_the_whole_beside_the_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")  # nothing is drawn on a dumb one
    bar = Bar()
    output = io.StringIO()
    monkeypatch.setattr(bar._bar.live, "console", Console(file=output, force_terminal=True, width=120))
    with bar:
        bar.phase("edit", 4)
        bar.whole(0.5, 42.0)
        bar.step("edit", 2, 4, 7.0)
    assert "50 % of all, 42 s left" in output.getvalue()
    assert " 7 s left" not in output.getvalue()


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
    assert capsys.readouterr().err.splitlines() == ["upload: 0/4", "upload: 4/4"]
