# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest
import typer
from flowanchor_daemon.cli.outcome import reported

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


def test_with_json_the_failure_is_the_last_line_of_output(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), reported(as_json=True):
        raise InputError("mask-empty", "The mask is empty.", "Paint it.")
    last = capsys.readouterr().out.splitlines()[-1]
    assert json.loads(last) == {
        "error": {"code": "mask-empty", "message": "The mask is empty.", "action": "Paint it."}
    }


def test_an_interrupt_is_a_cancellation() -> None:
    with pytest.raises(typer.Exit) as caught, reported():
        raise KeyboardInterrupt
    assert caught.value.exit_code == 130


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
