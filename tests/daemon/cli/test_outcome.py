# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest
import typer
from flowanchor_client import DaemonUnreachable, ServiceFailure
from flowanchor_daemon.cli.interruption import as_failure, at_job
from flowanchor_daemon.cli.outcome import exit_code, reported

from flowanchor_core.errors import DeliveryError, FlowAnchorError, InputError, ModelError, ModelRunError


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (InputError("a", "Bad.", "Fix it."), 2),
        (ModelError("a", "Bad.", "Fix it."), 2),
        (ModelRunError("a", "Bad.", "Fix it."), 4),
        (DeliveryError("a", "Bad.", "Fix it."), 4),
        (FlowAnchorError("a", "Bad.", "Fix it."), 4),
    ],
)
def test_failures_become_a_sentence_and_an_exit_code(
    failure: FlowAnchorError, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as caught, reported():
        raise failure
    assert caught.value.exit_code == code
    captured = capsys.readouterr()
    assert captured.err == "flowanchor: Bad. Fix it.\n"
    assert captured.out == ""


def test_an_engine_at_work_is_nothing_that_failed() -> None:
    assert exit_code(ServiceFailure("engine-busy", "It works.", "Wait.")) == 2
    assert exit_code(ServiceFailure("queue-unusable", "It is damaged.", "Look.")) == 4


def test_with_json_the_failure_is_the_last_line_of_output(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), reported(as_json=True):
        raise InputError("mask-empty", "The mask is empty.", "Paint it.")
    last = capsys.readouterr().out.splitlines()[-1]
    assert json.loads(last) == {
        "error": {"code": "mask-empty", "message": "The mask is empty.", "action": "Paint it."}
    }


def test_an_interrupt_is_a_cancellation(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught, reported():
        raise KeyboardInterrupt
    assert caught.value.exit_code == 130
    assert capsys.readouterr() == ("", "flowanchor: cancelled.\n")


@pytest.mark.parametrize(
    ("ending", "state", "code", "action"),
    [
        (KeyboardInterrupt(), "cancelled", "job-cancelled", "`flowanchor jobs retry one`"),
        (KeyboardInterrupt(), "cancelling", "interrupted", "`flowanchor jobs list`"),
        (KeyboardInterrupt(), "running", "interrupted", "`flowanchor jobs cancel one`"),
        (KeyboardInterrupt(), "succeeded", "interrupted", "`flowanchor jobs fetch one`"),
        (SystemExit(143), "cancelled", "job-cancelled", "`flowanchor jobs retry one`"),
    ],
)
def test_with_json_an_interruption_tells_of_its_job(
    ending: KeyboardInterrupt | SystemExit,
    state: str,
    code: str,
    action: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises((typer.Exit, SystemExit)) as caught, reported(as_json=True):
        raise at_job(ending, "one", state)
    found = caught.value
    code_left = found.code if isinstance(found, SystemExit) else getattr(found, "exit_code", None)
    assert code_left == (143 if isinstance(ending, SystemExit) else 130)
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["job"], told["state"], told["error"]["code"]) == ("one", state, code)
    assert action in told["error"]["action"]


def test_an_interruption_tells_of_the_job_it_met_first_and_of_the_command_that_goes_on() -> None:
    met = at_job(KeyboardInterrupt(), "one", "succeeded", "resolve place")
    assert at_job(met, "two", "running") is met
    assert "`flowanchor resolve place one`" in as_failure(met).action


@pytest.mark.parametrize("ending", [KeyboardInterrupt(), SystemExit(143)])
def test_with_json_an_interruption_before_there_is_a_job_is_told_too(
    ending: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises((typer.Exit, SystemExit)), reported(as_json=True):
        raise ending
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["state"], told["error"]["code"]) == ("cancelled", "interrupted")


def test_a_chosen_exit_code_is_no_interruption(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), reported(as_json=True):
        raise SystemExit(2)
    assert capsys.readouterr() == ("", "")


def test_a_daemon_that_could_not_start_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    lines = ("It began.", "/x is open to others (mode 755).")
    for log, further in ((lines, "The daemon's last lines:\n  It began.\n"), (lines[1:], "")):
        with pytest.raises(typer.Exit), reported():
            raise DaemonUnreachable("daemon-start-failed", f"It said: {lines[1]}", "Look.", log)
        assert capsys.readouterr().err == f"flowanchor: It said: {lines[1]} Look.\n{further}"
    with pytest.raises(typer.Exit), reported():
        raise DaemonUnreachable("daemon-unreachable", "No answer.", "Look.", lines)
    assert all(line in capsys.readouterr().err for line in lines[:1])


def test_an_unexpected_exception_keeps_its_traceback_and_is_a_failed_job(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(typer.Exit) as caught, reported(as_json=True):
        raise ZeroDivisionError("by nought")
    assert caught.value.exit_code == 4
    captured = capsys.readouterr()
    assert "Traceback" in captured.err
    assert "ZeroDivisionError: by nought" in captured.err
    assert json.loads(captured.out.splitlines()[-1])["error"]["code"] == "unexpected"


@pytest.mark.parametrize("ending", [typer.Exit(7), typer.Abort(), BrokenPipeError()])
def test_an_ending_that_is_no_failure_passes_through(
    ending: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(type(ending)) as caught, reported(as_json=True):
        raise ending
    assert caught.value is ending
    assert capsys.readouterr() == ("", "")
