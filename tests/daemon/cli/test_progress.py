# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from flowanchor_daemon.cli.progress import Lines, follow

from flowanchor_core.progress import Event, Notice, PhaseStarted, Progress, Stopwatch


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


def test_an_edit_without_a_result_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    events: list[Event] = [PhaseStarted("read", 1), Notice("clip", "Colour is assumed.")]
    with pytest.raises(RuntimeError):
        follow(events, Lines())
    assert "Note: Colour is assumed." in capsys.readouterr().err
