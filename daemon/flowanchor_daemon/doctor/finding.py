# SPDX-License-Identifier: Apache-2.0
"""What a check has to say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "problem"]
"""A problem keeps edits from running; a warning is worth knowing and stops nothing."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `text` says in a sentence how it is, `action` in one what helps (empty
    when all is well)."""

    name: str
    level: Level
    text: str
    action: str = ""


def ok(name: str, text: str) -> Finding:
    return Finding(name, "ok", text)


def warning(name: str, text: str, action: str) -> Finding:
    return Finding(name, "warning", text, action)


def problem(name: str, text: str, action: str) -> Finding:
    return Finding(name, "problem", text, action)
