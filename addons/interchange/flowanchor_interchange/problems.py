# SPDX-License-Identifier: Apache-2.0
"""What cannot be done with a timeline, as it is told: a code, a sentence, one thing to do."""

from __future__ import annotations


class TimelineProblem(Exception):
    """Base of all that is wrong with a timeline or with what is asked of it.

    `code` is short, kebab-case and stable; `message` says in one sentence what is wrong, `action` in one
    sentence what helps.
    """

    def __init__(self, code: str, message: str, action: str) -> None:
        super().__init__(code, message, action)
        self.code = code
        self.message = message
        self.action = action

    def __str__(self) -> str:
        return f"{self.message} {self.action}"
