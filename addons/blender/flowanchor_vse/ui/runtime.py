# SPDX-License-Identifier: GPL-3.0-or-later
"""What lives as long as Blender does: the session, the export at work, the last failure, thumbnails.

The .blend holds the ledger, as a property of each of its scenes: whichever of them is deleted, jobs stay
known.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import bpy
from flowanchor_client import new_request_id

from .. import marks, place, preferences, text
from ..logic.confined import confined
from ..logic.files import opened
from ..logic.ledger import NO_FILE, Ledger, Record
from ..logic.saving import inherit
from ..logic.session import Session
from ..logic.transport import ClientTransport
from ..logic.views import Problem
from . import cleanup

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
        _runtime.session.open(open_ledger())
        _runtime.stale = False  # only now: what the last file had must not get into this one
        cleanup.sweep()
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
    """What the open file remembers, held to the folders of results and exports."""
    ledger = Ledger()
    for stored in _stored():
        ledger.merge(stored)
    return ledger


def open_ledger() -> Ledger:
    """What a file just opened remembers, and which file that is: edits of a copied one are the original's."""
    ledger, every = Ledger(), _stored()
    for stored in every:
        file = stored.file.id
        ledger.merge(stored.map(lambda one, file=file: one if one.file else replace(one, file=file)))  # type: ignore[misc]
    ledger.file = opened([stored.file for stored in every], bpy.data.filepath, new_request_id)
    ledger.earlier = next((one.earlier for one in every if one.file.id == ledger.file.id), NO_FILE)
    return inherit(ledger)


def _stored() -> list[Ledger]:
    """The ledger of each scene."""
    results, exports = preferences.results_folders(), preferences.exports_folder()
    texts = [text for scene in bpy.data.scenes if (text := scene.flowanchor.ledger)]
    return [confined(Ledger.from_json(text), results, exports) for text in dict.fromkeys(texts)]


def write_ledger(ledger: Ledger) -> None:
    """Let the open file remember; a scene linked from another file cannot."""
    written = ledger.to_json()
    for scene in bpy.data.scenes:
        if scene.library is None and (scene.sequence_editor is not None or scene.flowanchor.ledger):
            scene.flowanchor.ledger = written


_aside: dict[str, str] = {}
"""By scene, what it remembers, while what is saved is to remember nothing."""


def put_ledger_aside() -> None:
    """Let the scenes remember nothing until `take_ledger_back`."""
    for scene in bpy.data.scenes:
        if scene.library is None and scene.flowanchor.ledger:
            _aside[scene.name] = scene.flowanchor.ledger
            scene.flowanchor.ledger = ""


def take_ledger_back() -> None:
    for scene in bpy.data.scenes:
        if scene.name in _aside:
            scene.flowanchor.ledger = _aside[scene.name]
    _aside.clear()


# Finding again: pointers do not survive undo and load, names not renaming, and copies have the same marks


def settle() -> None:
    """Put right by which marks scenes and strips of the file's edits are found, those that undo took too."""
    marks.settle(record.origin for record in get().session.ledger)


def scene_of(record: Record) -> Any | None:
    """The scene a record belongs to; None if it is gone or cannot be told from its copies."""
    settle()
    return marks.scene_of(record.origin)


def results_of(record: Record) -> list[Any]:
    """Strips that show a record's result: in the scene it belongs to, else in the one it was made in."""
    for scene in (scene_of(record), marks.home_of(record.origin)):
        if scene is not None and (found := place.result_strips(scene, record)):
            return found
    return []


def redraw() -> None:
    """Have the sequencer's and the properties' areas drawn anew."""
    manager = bpy.context.window_manager
    for window in manager.windows if manager is not None else ():
        for area in window.screen.areas:
            if area.type in ("SEQUENCE_EDITOR", "PROPERTIES"):
                area.tag_redraw()
