# SPDX-License-Identifier: Apache-2.0
"""Which tokens of the target prompt drive the edit (the set J of FlowAnchor, arXiv 2604.22586)."""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flowanchor_core.errors import InputError

_WORD = re.compile(r"\w+(?:['’-]\w+)*")
_ARTICLES = frozenset({"a", "an", "the"})

Span = tuple[int, int]


@dataclass(frozen=True)
class TargetTokens:
    """Token indices in the (cleaned, unpadded) target prompt, ascending; the words they came from, in prompt
    order; and, when there are none, why."""

    indices: tuple[int, ...]
    words: tuple[str, ...]
    note: str | None = None


def clean_prompt(prompt: str) -> str:
    """The prompt as the model reads it: HTML entities resolved and white space collapsed. (Wan's own pipeline
    also repairs wrongly decoded letters where the ftfy package is installed.)"""
    return " ".join(html.unescape(html.unescape(prompt)).split())


def words_of(prompt: str) -> list[str]:
    """The prompt's words in order, without the signs between them."""
    return _WORD.findall(clean_prompt(prompt))


def refuse_equal(source: str, target: str, words: Sequence[str] | None) -> None:
    """Raise InputError where the prompts are the same and no words are named. Nothing is asked for then, yet
    the two velocities differ, by their guidance scales alone, and an editor would repaint the region."""
    if not words and clean_prompt(source) == clean_prompt(target):
        raise InputError(
            "prompts-equal",
            "The source and the target prompt are the same: they ask for no change, yet the region would be "
            "repainted.",
            "Say in the target prompt what should be different.",
        )


def refuse_missing(target: str, words: Sequence[str] | None) -> None:
    """Raise InputError where one of the words does not stand in the target prompt, as `target_tokens` does
    once there is a tokenizer."""
    text = clean_prompt(target)
    for word in words or ():
        _occurrences(word, text)


def target_tokens(
    tokenizer: Any, source: str, target: str, words: Sequence[str] | None = None
) -> TargetTokens:
    """Find the target prompt's tokens that carry the change.

    With `words`, every place where one of them (a word or a phrase, upper or lower case) stands in the target
    prompt counts. Without, the words that differ from the source prompt do, articles aside. Words are mapped
    through the tokenizer's character offsets: every piece that overlaps a word belongs to it.

    Args:
        tokenizer: a fast Hugging Face tokenizer (it must give offsets).
        source, target: the two prompts; cleaned here the way the text encoder's input is.
        words: words or phrases of the target prompt; None means the difference of the prompts.

    Returns:
        The indices, or none and a note when the edit only removes words, changes none, or `words` is empty.

    Raises:
        InputError: a word is not in the target prompt, or no token belongs to it; the message names it.
    """
    text = clean_prompt(target)
    if words is None:
        spans = _changed(clean_prompt(source), text)
        if not spans:
            return TargetTokens((), (), _why_none(clean_prompt(source), text))
    else:
        spans = sorted({span for word in words for span in _occurrences(word, text)})
        if not spans:
            return TargetTokens((), (), "No target words were given, so the edit runs without anchors.")
    offsets: list[Span] = [
        tuple(pair) for pair in tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    ]
    indices: set[int] = set()
    for start, end in spans:
        # Special tokens such as the end of the sentence have empty spans and so overlap nothing.
        pieces = [index for index, (left, right) in enumerate(offsets) if left < end and right > start]
        if not pieces:
            raise InputError(
                "target-word-without-token",
                f'The model\'s tokenizer has no token for the target word "{text[start:end]}".',
                "Choose another word for it.",
            )
        indices.update(pieces)
    found = tuple(dict.fromkeys(text[start:end] for start, end in spans))
    return TargetTokens(tuple(sorted(indices)), found)


def _occurrences(word: str, text: str) -> list[Span]:
    phrase = r"\s+".join(re.escape(part) for part in clean_prompt(word).split())
    found = [m.span() for m in re.finditer(rf"(?<!\w){phrase}(?!\w)", text, re.IGNORECASE)] if phrase else []
    if not found:
        raise InputError(
            "target-word-missing",
            f'The target word "{word}" is not in the target prompt.',
            "Use words that stand in the target prompt.",
        )
    return found


def _words(text: str) -> tuple[list[Span], list[str]]:
    matches = list(_WORD.finditer(text))
    return [match.span() for match in matches], [match.group().casefold() for match in matches]


def _changed(source: str, target: str) -> list[Span]:
    """Spans of the words that the target prompt has in place of, or in addition to, the source prompt's."""
    _, before = _words(source)
    spans, after = _words(target)
    changed: list[int] = []
    for tag, _, _, start, end in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag in ("replace", "insert"):
            changed.extend(range(start, end))
    # "a fox" -> "an owl" changes the article too; it says nothing about where or what the edit is.
    telling = [index for index in changed if after[index] not in _ARTICLES]
    return [spans[index] for index in telling]


def _why_none(source: str, target: str) -> str:
    _, before = _words(source)
    _, after = _words(target)
    if len(after) < len(before):
        return "The target prompt only removes words: no word to anchor, so the edit runs without anchors."
    return "The prompts have the same words: no word to anchor, so the edit runs without anchors."
