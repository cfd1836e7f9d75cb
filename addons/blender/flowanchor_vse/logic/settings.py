# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user chooses of an edit, as plain data, and what is missing in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from . import words

Value = bool | int | float | str
SeedMode = Literal["random", "fixed"]
WORD_MISSING = "The word “{word}” does not stand in the target prompt."
LARGEST_SEED = 2**63 - 1
EQUAL = (
    "Both sentences say the same. They ask for no change, yet the region would be repainted: say in the "
    "second what should be different."
)


@dataclass(frozen=True)
class EditSettings:
    """What the user chose. None, or no entry in `parameters`, leaves a value to the preset."""

    source_prompt: str = ""
    target_prompt: str = ""
    words: tuple[str, ...] = ()
    negative_prompt: str | None = None
    editor: str = "flowanchor"
    model: str = "shapes"
    preset: str = "standard"
    steps: int | None = None
    shift: float | None = None
    skip: int | None = None
    parameters: Mapping[str, Value] = field(default_factory=dict)
    seed: int = 0
    seed_mode: SeedMode = "fixed"
    margin: float = 0.25
    mode: str = "detail"
    grow: int = 0
    feather: int = 8
    invert: bool = False
    deliver: str = "patch"
    format: str = ""
    device: str = "auto"
    priority: int = 0

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "words": list(self.words), "parameters": dict(self.parameters)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> EditSettings:
        """What `to_json` gave; entries of other versions are left out, those of another type are the
        default."""
        default = cls()
        kept: dict[str, Any] = {}
        for name, value in data.items():
            if name == "words" and isinstance(value, list):
                kept[name] = tuple(word for word in value if isinstance(word, str))
            elif name == "parameters" and isinstance(value, dict):
                kept[name] = {str(key): one for key, one in value.items() if isinstance(one, Value)}
            elif name == "seed_mode":
                kept[name] = value if value in ("random", "fixed") else "fixed"
            elif (
                name in _PLAIN
                and isinstance(value, _PLAIN[name])
                and _same_flag(getattr(default, name), value)
            ):
                kept[name] = value
        return cls(**kept)


_NONE = type(None)
_PLAIN: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(
        (
            "source_prompt",
            "target_prompt",
            "editor",
            "model",
            "preset",
            "mode",
            "deliver",
            "format",
            "device",
        ),
        (str,),
    ),
    **dict.fromkeys(("seed", "grow", "feather", "priority"), (int,)),
    "negative_prompt": (str, _NONE),
    "steps": (int, _NONE),
    "skip": (int, _NONE),
    "shift": (float, int, _NONE),
    "margin": (float, int),
    "invert": (bool,),
}


def _same_flag(default: object, value: object) -> bool:
    return isinstance(default, bool) == isinstance(value, bool)  # True is an int to Python, not to us


def problems(settings: EditSettings) -> list[str]:
    """Sentences that say what the user has to fill in before anything is exported; the daemon checks the
    rest."""
    found = []
    for name, text in (
        ("what the strip shows", settings.source_prompt),
        ("what it should show", settings.target_prompt),
    ):
        if not re.search(r"\w", words.clean(text)):
            found.append(f"Say in a few words {name}.")
    if not found and not settings.words and words.same(settings.source_prompt, settings.target_prompt):
        found.append(EQUAL)
    found += [
        WORD_MISSING.format(word=word) for word in words.missing_words(settings.words, settings.target_prompt)
    ]
    return found
