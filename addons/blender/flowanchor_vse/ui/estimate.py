# SPDX-License-Identifier: GPL-3.0-or-later
"""What an edit will take, from what the last one of the same settings took on this machine."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from ..logic.request import EditSettings
from ..logic.views import JobView

Key = tuple[str, str, str, int | None, int | None, str]


@dataclass(frozen=True)
class Pace:
    """An edit as it ran: seconds, frames, steps of its sampling, most bytes the engine held."""

    seconds: float
    frames: int
    steps: int
    memory_bytes: int

    def of(self, frames: int) -> Pace:
        """The same for another number of frames; memory hardly depends on it."""
        return replace(self, seconds=self.seconds * frames / self.frames, frames=frames)


_paces: dict[Key, Pace] = {}
_begun: dict[str, tuple[float, int, int]] = {}
"""By job that runs: when it was first seen running, its steps, its memory."""


def key(edit: EditSettings) -> Key:
    return edit.model, edit.preset, edit.editor, edit.steps, edit.skip, edit.device


def note(view: JobView) -> None:
    """Follow a job from running to its end."""
    if view.state == "running":
        since, steps, memory = _begun.get(view.id, (time.monotonic(), 0, 0))
        steps = view.total if view.phase == "edit" else steps
        _begun[view.id] = (since, steps, max(memory, view.memory_bytes))
    elif view.id in _begun:
        since, steps, memory = _begun.pop(view.id)
        if view.state in ("downloading", "placing", "done") and steps:
            frames = view.record.origin.range.count
            _paces[key(view.record.settings)] = Pace(time.monotonic() - since, frames, steps, memory)


def expected(edit: EditSettings, frames: int) -> Pace | None:
    """What such an edit takes; None before one of these settings was seen."""
    found = _paces.get(key(edit))
    return found.of(frames) if found is not None else None


def forget() -> None:
    _paces.clear()
    _begun.clear()
