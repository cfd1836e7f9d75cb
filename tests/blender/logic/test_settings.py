# SPDX-License-Identifier: Apache-2.0
"""What the user chose is read back as it was written, and what is missing is said."""

from __future__ import annotations

from typing import Any

import pytest
from flowanchor_vse.logic.settings import EditSettings, problems
from hypothesis import given
from hypothesis import strategies as st

from flowanchor_core.errors import InputError
from flowanchor_core.tokens import refuse_equal
from tests.blender.logic.anything import junk, settings, through_json


@given(settings)
def test_settings_are_read_back_as_written(one: EditSettings) -> None:
    assert EditSettings.from_json(through_json(one.to_json())) == one


@given(settings, st.dictionaries(st.sampled_from([*EditSettings().to_json(), "unheard-of"]), junk))
def test_settings_with_anything_in_them_are_settings(one: EditSettings, spoiled: dict[str, Any]) -> None:
    read = EditSettings.from_json({**one.to_json(), **spoiled})
    assert EditSettings.from_json(through_json(read.to_json())) == read


def test_what_is_missing_is_said_before_anything_is_exported() -> None:
    assert len(problems(EditSettings())) == 2
    assert problems(EditSettings(source_prompt="a fox", target_prompt="an owl")) == []
    (told,) = problems(EditSettings(source_prompt="a fox", target_prompt="an owl", words=("cat", "owl")))
    assert "cat" in told


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("a red fox", " a  red&#32;fox", ()),
        ("a red fox", "a red fox", ("fox",)),
        ("a red fox", "a Red fox", ()),
        ("a red fox and an owl", "a red fox", ()),
    ],
)
def test_equal_prompts_are_refused_before_the_export_as_the_daemon_would(
    source: str, target: str, words: tuple[str, ...]
) -> None:
    found = problems(EditSettings(source_prompt=source, target_prompt=target, words=words))
    try:
        refuse_equal(source, target, words)
    except InputError:
        assert len(found) == 1
        assert "same" in found[0]
    else:
        assert found == []
