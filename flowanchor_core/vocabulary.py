# SPDX-License-Identifier: Apache-2.0
"""The words a toy model was taught, read from its tokenizer's file without loading the tokenizer."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from flowanchor_core.tokens import words_of

_WORD_START = "▁"
"""What stands in a Unigram vocabulary for the space before a word."""


def known_words(folder: Path) -> tuple[str, ...] | None:
    """The words that are a piece of their own in a model folder's vocabulary, in its order. None where that
    says nothing about what the model was taught: it has no `tokenizer.json`, or one that is no Unigram."""
    path = folder / "tokenizer" / "tokenizer.json"
    if not path.is_file():
        return None
    model = json.loads(path.read_text(encoding="utf-8"))["model"]
    if model.get("type") != "Unigram":
        return None
    starts = [piece[1:] for piece, _ in model["vocab"] if piece.startswith(_WORD_START)]
    return tuple(piece for piece in starts if words_of(piece) == [piece])


def unknown_words(prompts: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """The prompts' words that are not among `known`, each once. Upper and lower case differ, as they do in
    the vocabulary."""
    taught = frozenset(known)
    return tuple(dict.fromkeys(word for text in prompts for word in words_of(text) if word not in taught))
