# SPDX-License-Identifier: GPL-3.0-or-later
"""Which strips can be edited, and the sentence that says why another cannot; which of their frames; how one is
found again when pointers have gone (undo, load) and names have changed."""

from __future__ import annotations

import uuid
from typing import Any

from . import compat
from .logic.frames import FrameRange

ID = "flowanchor_id"
"""Custom property by which a strip is found again."""
EDITABLE = frozenset({"MOVIE", "IMAGE", "SCENE", "META"})


class Refused(Exception):
    """Something cannot be done here. `message` says what is wrong, `action` what helps: a plain sentence each."""

    def __init__(self, code: str, message: str, action: str) -> None:
        super().__init__(f"{message} {action}")
        self.code = code
        self.message = message
        self.action = action


def problem(scene: Any, strip: Any) -> Refused | None:
    """Why this strip cannot be edited; None if it can."""
    raise NotImplementedError


def notes(scene: Any, strip: Any) -> list[str]:
    """Sentences a user should read before an edit that is possible all the same."""
    raise NotImplementedError


def visible_range(strip: Any) -> FrameRange:
    """Scene frames at which the strip is seen, trims respected; Refused for a strip of no frame."""
    raise NotImplementedError


def edited_range(scene: Any, strip: Any, within_scene: bool = False) -> FrameRange:
    """The strip's visible range; with `within_scene` the part of it in the scene's (preview) range."""
    raise NotImplementedError


def identity(strip: Any) -> str:
    """The strip's id, given to it now if it has none. Writes a custom property: only from an operator with undo."""
    raise NotImplementedError


def find(scene: Any, identity: str, name: str = "") -> Any | None:
    """The strip of that id; of copies, which share it, the one of that name. None if it is gone."""
    raise NotImplementedError
