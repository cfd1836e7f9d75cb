# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

from flowanchor_core.models import EMBEDDED_FOLDER
from flowanchor_core.shapes.captions import WORDS
from flowanchor_core.vocabulary import known_words, unknown_words


def write_vocabulary(folder: Path, model: dict[str, object]) -> Path:
    (folder / "tokenizer").mkdir()
    (folder / "tokenizer" / "tokenizer.json").write_text(json.dumps({"model": model}))
    return folder


def test_the_embedded_model_knows_the_words_of_its_captions() -> None:
    assert known_words(EMBEDDED_FOLDER) == WORDS


def test_pieces_that_are_no_words_do_not_count(tmp_path: Path) -> None:
    pieces = [["</s>", 0], ["▁", -2], ["▁,", -1], ["▁fox", -1], ["owl", -1]]
    folder = write_vocabulary(tmp_path, {"type": "Unigram", "vocab": pieces})
    assert known_words(folder) == ("fox",)


def test_a_model_without_such_a_vocabulary_says_nothing(tmp_path: Path) -> None:
    assert known_words(tmp_path) is None
    assert known_words(write_vocabulary(tmp_path, {"type": "BPE", "vocab": {"fox": 0}})) is None


def test_unknown_words_are_named_once_and_without_the_signs_around_them() -> None:
    prompts = ("a red fox, a fox.", "a  Red owl&#33;")
    assert unknown_words(prompts, ("a", "red")) == ("fox", "Red", "owl")
