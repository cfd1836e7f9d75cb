# SPDX-License-Identifier: GPL-3.0-or-later
"""Which words of the target prompt will drive the edit, as the daemon will find them: those in which the
prompts differ, articles aside. Shown in the panel while the user types, so it is done here and not asked
for."""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import Sequence

_WORD = re.compile(r"\w+(?:['’-]\w+)*")
_ARTICLES = frozenset({"a", "an", "the"})


def clean(prompt: str) -> str:
    """The prompt as the model reads it: HTML entities resolved, white space collapsed."""
    return " ".join(html.unescape(html.unescape(prompt)).split())


def same(source: str, target: str) -> bool:
    """Whether the prompts say the same to the model. The daemon refuses them without words that drive the
    edit."""
    return clean(source) == clean(target)


def changed_words(source: str, target: str) -> tuple[str, ...]:
    """Words the target prompt has in place of, or in addition to, the source prompt's, in order, each
    once."""
    text = clean(target)
    matches = list(_WORD.finditer(text))
    before = [match.group().casefold() for match in _WORD.finditer(clean(source))]
    after = [match.group().casefold() for match in matches]
    changed: list[int] = []
    for tag, _, _, start, end in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag in ("replace", "insert"):
            changed.extend(range(start, end))
    return tuple(dict.fromkeys(matches[index].group() for index in changed if after[index] not in _ARTICLES))


def missing_words(words: Sequence[str], target: str) -> tuple[str, ...]:
    """Those of the words a user typed that do not stand in the target prompt, which the daemon would
    refuse."""
    text = clean(target)
    return tuple(word for word in words if not _stands_in(word, text))


def _stands_in(word: str, text: str) -> bool:
    phrase = r"\s+".join(re.escape(part) for part in clean(word).split())
    return bool(phrase) and re.search(rf"(?<!\w){phrase}(?!\w)", text, re.IGNORECASE) is not None


def split_words(text: str) -> tuple[str, ...]:
    """Words or phrases from a field where commas part them."""
    return tuple(dict.fromkeys(part for part in (" ".join(one.split()) for one in text.split(",")) if part))
