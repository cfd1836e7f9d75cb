# SPDX-License-Identifier: Apache-2.0
"""The changed words shown in the panel are those the editor will find."""

from __future__ import annotations

import pytest
from flowanchor_vse.logic import words
from hypothesis import given
from hypothesis import strategies as st

from flowanchor_core import tokens
from flowanchor_core.errors import InputError

prompts = st.lists(
    st.sampled_from(
        ["a", "an", "the", "A", "red", "Red", "blue", "fox", "owl’s", "well-known", ",", "&amp;", "in", "\n"]
    ),
    max_size=12,
).map(" ".join)


@given(prompts, prompts)
def test_they_are_the_cores(source: str, target: str) -> None:
    text = tokens.clean_prompt(target)
    spans = tokens._changed(tokens.clean_prompt(source), text)
    assert words.changed_words(source, target) == tuple(
        dict.fromkeys(text[start:end] for start, end in spans)
    )


@given(st.text(max_size=60), st.text(max_size=60))
def test_they_are_the_cores_for_any_text(source: str, target: str) -> None:
    text = tokens.clean_prompt(target)
    spans = tokens._changed(tokens.clean_prompt(source), text)
    assert words.clean(target) == text
    assert words.changed_words(source, target) == tuple(
        dict.fromkeys(text[start:end] for start, end in spans)
    )


@pytest.mark.parametrize(
    ("source", "target", "changed"),
    [
        ("a red circle and a blue square", "a red circle and a blue star", ("star",)),
        ("a fox on grass", "an owl on grass", ("owl",)),
        ("a red car", "a red car", ()),
        ("a red old car", "a red car", ()),
        ("", "a cat", ("cat",)),
    ],
)
def test_examples(source: str, target: str, changed: tuple[str, ...]) -> None:
    assert words.changed_words(source, target) == changed


@given(st.lists(st.sampled_from(["red", "blue", "blue star", "STAR", "sta", "green", " "]), max_size=5))
def test_words_that_do_not_stand_in_the_prompt_are_those_the_core_refuses(chosen: list[str]) -> None:
    target = "a red circle and a blue  star"
    refused = []
    for word in chosen:
        try:
            tokens._occurrences(word, tokens.clean_prompt(target))
        except InputError:
            refused.append(word)
    assert words.missing_words(chosen, target) == tuple(refused)


def test_a_field_of_words_is_parted_by_commas() -> None:
    assert words.split_words(" blue star ,red,, red , ") == ("blue star", "red")
    assert words.split_words("") == ()
