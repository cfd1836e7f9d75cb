# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowanchor_core.errors import InputError
from flowanchor_core.tokens import clean_prompt, target_tokens


def pieces(tokenizer: Any, prompt: str, indices: tuple[int, ...]) -> list[str]:
    tokens = tokenizer.convert_ids_to_tokens(tokenizer(clean_prompt(prompt))["input_ids"])
    return [tokens[index] for index in indices]


def test_the_difference_of_the_prompts_drives_the_edit(tokenizer: Any) -> None:
    target = "a blue circle and a red square"
    found = target_tokens(tokenizer, "a red circle and a red square", target)
    assert found.words == ("blue",)
    assert found.indices == (1,)
    assert found.note is None
    assert pieces(tokenizer, target, found.indices) == ["▁blue"]


def test_all_pieces_of_a_word_count(tokenizer: Any) -> None:
    target = "a red kangaroo, on grass"
    found = target_tokens(tokenizer, "a red cat, on grass", target)
    assert found.words == ("kangaroo",)
    assert pieces(tokenizer, target, found.indices) == ["▁kan", "garo", "o"]


def test_a_word_spelled_by_letters_is_found_whole(tokenizer: Any) -> None:
    target = "a dog on grass"
    found = target_tokens(tokenizer, "a cat on grass", target)
    assert "".join(pieces(tokenizer, target, found.indices)) == "▁dog"


def test_insertions_count_and_articles_do_not(tokenizer: Any) -> None:
    assert target_tokens(tokenizer, "a cat", "a red cat").words == ("red",)
    assert target_tokens(tokenizer, "a fox", "an owl").words == ("owl",)


def test_words_given_by_the_user_replace_the_difference(tokenizer: Any) -> None:
    target = "a red circle and a red square"
    found = target_tokens(tokenizer, "a cat", target, words=["Red  square", "circle"])
    assert found.words == ("circle", "red square")
    assert pieces(tokenizer, target, found.indices) == ["▁circle", "▁red", "▁square"]


def test_every_place_of_a_word_counts(tokenizer: Any) -> None:
    found = target_tokens(tokenizer, "a cat", "a red circle and a red square", words=["red"])
    assert found.indices == (1, 5)


def test_indices_hold_for_the_prompt_as_the_encoder_sees_it(tokenizer: Any) -> None:
    found = target_tokens(tokenizer, "a cat", "  a \n blue&amp;red   cat ", words=["red"])
    assert pieces(tokenizer, "  a \n blue&amp;red   cat ", found.indices)[-1] == "d"
    assert clean_prompt("  a \n blue&amp;red   cat ") == "a blue&red cat"


@pytest.mark.parametrize("word", ["green", "ircl", "", "  ", "circle red"])
def test_a_word_that_is_not_there_is_an_error_naming_it(tokenizer: Any, word: str) -> None:
    with pytest.raises(InputError) as caught:
        target_tokens(tokenizer, "a cat", "a red circle", words=["red", word])
    assert caught.value.code == "target-word-missing"
    assert f'"{word}"' in str(caught.value)


def test_a_word_without_a_token_is_an_error_naming_it() -> None:
    def mute(text: str, return_offsets_mapping: bool) -> dict[str, list[tuple[int, int]]]:
        return {"offset_mapping": [(0, 1), (0, 0)]}

    with pytest.raises(InputError, match='"cat"'):
        target_tokens(mute, "a dog", "a cat")


def test_a_removal_has_no_target_and_says_so(tokenizer: Any) -> None:
    found = target_tokens(tokenizer, "a red cat on grass", "a cat on grass")
    assert found.indices == ()
    assert found.words == ()
    assert found.note is not None
    assert "removes" in found.note


def test_equal_prompts_and_no_words_have_no_target_and_say_so(tokenizer: Any) -> None:
    same = target_tokens(tokenizer, "a red cat", "A red, cat")
    none = target_tokens(tokenizer, "a red cat", "a blue cat", words=[])
    assert same.indices == none.indices == ()
    assert "same words" in (same.note or "")
    assert "No target words" in (none.note or "")


@given(st.data())
def test_tokens_of_a_word_spell_it(tokenizer: Any, data: st.DataObject) -> None:
    alphabet = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)
    words = data.draw(st.lists(alphabet, min_size=1, max_size=6))
    word = data.draw(st.sampled_from(words))
    found = target_tokens(tokenizer, "", " ".join(words), words=[word])
    spelled = "".join(pieces(tokenizer, " ".join(words), found.indices)).replace("▁", "")
    assert spelled == word * words.count(word)
