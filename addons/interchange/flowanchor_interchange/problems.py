# SPDX-License-Identifier: Apache-2.0
"""What cannot be done with a timeline, as it is told: a code, a sentence, one thing to do."""

from __future__ import annotations

import re

# Control characters, line and paragraph ends, and marks that turn the direction of writing.
_NOT_TO_PRINT = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Text out of a timeline for a terminal: on one line, and without what would command it."""
    return _NOT_TO_PRINT.sub("\N{REPLACEMENT CHARACTER}", text)


class TimelineProblem(Exception):
    """Base of all that is wrong with a timeline or with what is asked of it.

    `code` is short, kebab-case and stable; `message` says in one sentence what is wrong, `action` in one
    sentence what helps; names in them are made fit to be printed.
    """

    def __init__(self, code: str, message: str, action: str) -> None:
        super().__init__(code, message, action)
        self.code = code
        self.message = printable(message)
        self.action = printable(action)

    def __str__(self) -> str:
        return f"{self.message} {self.action}"
