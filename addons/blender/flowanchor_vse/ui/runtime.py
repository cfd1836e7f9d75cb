# SPDX-License-Identifier: GPL-3.0-or-later
"""What lives as long as Blender does: the session, the export at work, the last failure, thumbnails.

The .blend holds the ledger, as a property of each of its scenes: whichever of them is deleted, jobs stay
known.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import bpy

from .. import preferences, strips, text
from ..logic.confined import confined
from ..logic.ledger import Ledger, Record
from ..logic.session import Session
from ..logic.transport import ClientTransport
from ..logic.views import Problem

if TYPE_CHECKING:
    from .work import Work

log = logging.getLogger("flowanchor")


class Runtime:
    """The one session of this Blender and what belongs to it."""

    def __init__(self) -> None:
        self.session = Session(ClientTransport(), time.monotonic)
        self.work: Work | None = None
        self.failure: Problem | None = None
        self.coverage: tuple[int, float] | None = None
        self.stale = True
        """The session has not heard of the file that is open now."""
        self.changed_by_undo = False

    def fail(self, code: str, message: str, action: str) -> None:
        """Keep a failure for the panel, which shows it in full."""
        self.failure = Problem(code, message, action)


_runtime: Runtime | None = None


def get() -> Runtime:
    """The runtime, its session on the file that is open."""
    global _runtime
    if _runtime is None:
        _runtime = Runtime()
    if _runtime.stale:
        _runtime.stale = False
        _runtime.session.open(read_ledger())
        _runtime.session.wish("connect")
    return _runtime


def seen() -> Runtime | None:
    """The runtime if there is one: for panels, which must not begin anything."""
    return _runtime


def close() -> None:
    """Let go of everything; jobs go on in the daemon."""
    global _runtime
    if _runtime is not None:
        if _runtime.work is not None:
            _runtime.work.close()
        _runtime.session.close()
    _runtime = None


def fail_unexpectedly(failure: Exception) -> None:
    """Keep what should never happen: the trace in the log, a sentence in the panel."""
    log.error("unexpected", exc_info=failure)
    name = f"{type(failure).__name__}: {failure}"
    if _runtime is not None:
        message = text.say(text.UNEXPECTED, failure=name[:200])
        _runtime.fail("unexpected", message, text.say(text.UNEXPECTED_HELP))


# The ledger in the file


def read_ledger() -> Ledger:
    """What the open file remembers, held to the results folder."""
    ledger = Ledger()
    root = preferences.results_path()
    for scene in bpy.data.scenes:
        if stored := scene.flowanchor.ledger:
            ledger.merge(confined(Ledger.from_json(stored), root))
    return ledger


def write_ledger(ledger: Ledger) -> None:
    """Let the open file remember; a scene linked from another file cannot."""
    written = ledger.to_json()
    for scene in bpy.data.scenes:
        if scene.library is None and (scene.sequence_editor is not None or scene.flowanchor.ledger):
            scene.flowanchor.ledger = written


# Finding again: pointers do not survive undo and load, names do not survive renaming


def scene_of(record: Record) -> Any | None:
    """The scene a record belongs to: the one that has its strip, else the one of its name."""
    named = bpy.data.scenes.get(record.origin.scene)
    for scene in [*([named] if named is not None else []), *bpy.data.scenes]:
        if scene.sequence_editor is not None and strips.find(
            scene, record.origin.strip, record.origin.strip_name
        ):
            return scene
    return named


def redraw() -> None:
    """Have the sequencer's and the properties' areas drawn anew."""
    manager = bpy.context.window_manager
    for window in manager.windows if manager is not None else ():
        for area in window.screen.areas:
            if area.type in ("SEQUENCE_EDITOR", "PROPERTIES"):
                area.tag_redraw()
