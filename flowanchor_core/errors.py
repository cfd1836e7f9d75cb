# SPDX-License-Identifier: Apache-2.0
"""Failures a user can meet. Each carries a stable code, one plain sentence and one thing to do about it."""

from __future__ import annotations


class FlowAnchorError(Exception):
    """Base of every failure that is shown to a user.

    `code` is short, kebab-case and stable (scripts and docs refer to it); `message` says in one sentence what
    is wrong, `action` in one sentence what helps.
    """

    def __init__(self, code: str, message: str, action: str) -> None:
        super().__init__(code, message, action)
        self.code = code
        self.message = message
        self.action = action

    def __str__(self) -> str:
        return f"{self.message} {self.action}".strip()


class InputError(FlowAnchorError):
    """Something the user gave cannot be used: a clip, a mask, a prompt, an option, an output path."""


class ModelError(FlowAnchorError):
    """A model folder is missing, truncated or not of the expected shape."""


class ModelRunError(ModelError):
    """A model that loaded well failed while it computed: memory ran out, or it gave no numbers."""


class DeliveryError(FlowAnchorError):
    """The result was computed but could not be written or did not pass its own check."""
