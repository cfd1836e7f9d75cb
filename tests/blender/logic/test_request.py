# SPDX-License-Identifier: Apache-2.0
"""The API's request says what was meant."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from flowanchor_daemon.media import sniff
from flowanchor_vse.logic import request
from flowanchor_vse.logic.plan import Box, Footage, UploadPlan
from flowanchor_vse.logic.settings import EditSettings, Value
from hypothesis import given
from hypothesis import strategies as st

from tests.blender.logic.anything import text


@given(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | text
)
def test_parameters_keep_their_kind(value: Value) -> None:
    read = request.plain_value(request.parameter(value))
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_is_no_parameter(value: float) -> None:
    with pytest.raises(ValueError, match="no parameter"):
        request.parameter(value)


def test_a_movie_goes_by_a_suffix_the_daemon_knows() -> None:
    assert request.MOVIE_SUFFIXES == sniff.MOVIE_SUFFIXES
    for name, suffix in (("shot.MP4", ".mp4"), ("shot.r3d", ".mov"), ("shot", ".mov")):
        path = Path("/x") / name
        plan = UploadPlan(Footage((path,), None), boxes=(Box(0, 0, 1, 1),))
        made = request.edit_request(EditSettings(), plan, {path: "0" * 64})
        assert (made.clip.movie.suffix, made.clip.movie.name) == (suffix, name)
        assert not made.clip.HasField("rate")
