# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest
import typer
from flowanchor_daemon.cli.outcome import reported

from flowanchor_core.errors import DeliveryError, FlowAnchorError, InputError, ModelError


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (InputError("a", "Bad.", "Fix it."), 2),
        (ModelError("a", "Bad.", "Fix it."), 2),
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


def test_an_unexpected_exception_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), reported():
        raise ZeroDivisionError
