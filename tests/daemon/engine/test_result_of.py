# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from flowanchor.v1 import types_pb2
from flowanchor_daemon.engine.request_of import value_of
from flowanchor_daemon.engine.result_of import result_of, value_to

from flowanchor_core.progress import EditResult

RESULT = EditResult(
    job="j",
    editor="flowanchor",
    model="shapes",
    preset="draft",
    seed=7,
    frames=49,
    rate=Fraction(24000, 1001),
    start_timecode="01:00:00:12",
    output=Path("/secret/result.mkv"),
    deliver="full",
    format="ffv1",
    max_abs_diff_outside=0,
    forwards=43,
    seconds={"read": 0.25, "edit": 3.5},
    settings={"tau": 0.6, "n_avg": 1, "blend": True, "contrast": "signed"},
    sampling={"steps": 13, "skip": 2, "shift": 3.0},
    crop=(16, 32, 64, 48),
    model_size=(96, 64),
    windows=2,
    target_words=("blue", "square"),
    audio=True,
    sheet=Path("/secret/sheet.png"),
    notices=("Text.",),
)


def test_all_facts_are_in_the_message() -> None:
    notices = [types_pb2.Notice(code="clip", text="Text.")]
    made = result_of(RESULT, notices, "small", "cuda:0")
    made = types_pb2.EditResult.FromString(made.SerializeToString())
    for name in ("editor", "model", "preset", "seed", "frames", "start_timecode", "deliver", "format"):
        assert getattr(made, name) == getattr(RESULT, name)
    for name in ("max_abs_diff_outside", "forwards", "windows", "audio"):
        assert getattr(made, name) == getattr(RESULT, name)
    assert Fraction(made.rate.numerator, made.rate.denominator) == RESULT.rate
    assert dict(made.seconds) == RESULT.seconds
    assert {name: value_of(value) for name, value in made.settings.items()} == RESULT.settings
    assert {name: value_of(value) for name, value in made.sampling.items()} == RESULT.sampling
    assert made.crop == types_pb2.Box(x=16, y=32, width=64, height=48)
    assert (made.model_width, made.model_height) == RESULT.model_size
    assert tuple(made.target_words) == RESULT.target_words
    assert list(made.notices) == notices
    assert (made.memory_plan, made.device) == ("small", "cuda:0")
    assert b"secret" not in made.SerializeToString()


def test_a_result_without_a_timecode_has_none() -> None:
    assert not result_of(replace(RESULT, start_timecode=None), [], "full", "cpu").HasField("start_timecode")


def test_what_no_parameter_holds_is_an_error() -> None:
    with pytest.raises(TypeError):
        value_to(None)
