# SPDX-License-Identifier: GPL-3.0-or-later
"""The heartbeat: moves the session on while there is something to do, sleeps otherwise.

Blender runs timers between events on its main thread, so a tick does one short step. A timer that raises is
dropped without a word; nothing gets out of `tick`.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import bpy
from bpy.app.handlers import persistent

from .. import marks, place, properties, settings_guard, strips, text
from ..logic.ledger import Record
from . import cleanup, runtime, thumbnails

SHORTEST = 0.02
AFTER_TROUBLE = 2.0
WHILE_RENDERING = 0.5
waiting = False
"""There is something to do, after Blender's render."""
SETTLE_SECONDS = 1.0
_settled = 0.0
held: deque[tuple[str, float]] = deque(maxlen=5000)
"""What was done ("poll", "move" bytes, "place", "export" a frame), and for how many seconds it held Blender
up."""


def ensure() -> None:
    """Run the timer from now on; it ends by itself when nothing is left to do."""
    if not bpy.app.timers.is_registered(tick):
        bpy.app.timers.register(tick, first_interval=SHORTEST, persistent=True)


def stop() -> None:
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)


def tick() -> float | None:
    """One step; gives the seconds to the next, None when there is nothing to do."""
    begun = time.perf_counter()
    did = "poll"
    try:
        if _waits():
            return WHILE_RENDERING
        did, wait = _step()
        return wait
    except Exception as failure:  # noqa: BLE001  # see above
        runtime.fail_unexpectedly(failure)
        return AFTER_TROUBLE
    finally:
        held.append((did, time.perf_counter() - begun))


def _waits() -> bool:
    """Whether a render of the user's is at work: a step might place a result or write into the file."""
    global waiting
    if settings_guard.rendering() != waiting:
        waiting = not waiting
        runtime.redraw()
    return waiting


def _step() -> tuple[str, float | None]:
    global _settled
    now, begun = runtime.get(), time.monotonic()
    if now.changed_by_undo:
        now.changed_by_undo = False
        if now.session.merge(runtime.read_ledger()):
            runtime.write_ledger(now.session.ledger)
        runtime.settle()
        runtime.redraw()
    elif begun >= _settled + SETTLE_SECONDS:
        marks.settle()  # copies and new names, while edits go on
        _settled = begun
    # A result that lands below a strip whose stack is exported would change the picture under it.
    changes = now.session.tick(may_place=now.work is None)
    for record in changes.to_place:
        place_record(record)
    for job, problem in changes.problems.items():
        runtime.log.warning("%s: %s", job, problem)
        now.failure = problem
    if changes.ledger or changes.to_place:
        runtime.write_ledger(now.session.ledger)
        cleanup.exports(now.session.ledger)
    if changes.daemon:
        _offer(now.session.daemon)
    if changes.jobs or changes.daemon or changes.to_place:
        thumbnails.forget_others({view.id for view in now.session.jobs()})
        runtime.redraw()
    wait = changes.next_seconds
    moves = any(view.state in ("uploading", "downloading") for view in now.session.jobs())
    did = "place" if changes.to_place else "move" if moves else "poll"
    return did, None if wait is None else max(SHORTEST, wait)


def place_record(record: Record) -> bool:
    """Put a record's result on the timeline and make that one step of undo; what prevents it is kept with the
    job."""
    session = runtime.get().session
    scene = runtime.scene_of(record)
    if scene is None:
        folder = record.folder
        session.place_failed(
            record.id, text.say(text.SCENE_GONE), text.say(text.SCENE_GONE_HELP, folder=folder)
        )
        return False
    try:
        where = place.uncertainty(scene, record)
        strip = place.place_result(scene, record, record.paths)
        placed = strips.identity(scene, strip)
    except strips.Refused as failure:
        session.place_failed(record.id, failure.message, failure.action)
        return False
    except Exception as failure:  # noqa: BLE001  # a result must not be lost to what one Blender version does
        runtime.log.error("placing", exc_info=failure)
        message = text.say(text.UNEXPECTED, failure=f"{type(failure).__name__}: {failure}"[:200])
        session.place_failed(record.id, message, text.say(text.UNEXPECTED_HELP))
        return False
    session.placed(record.id, placed, where)
    runtime.write_ledger(session.ledger)
    _push_undo()
    return True


def _push_undo() -> None:
    """Where there is a window: without one Blender keeps no undo steps."""
    windows = bpy.context.window_manager.windows
    if not bpy.app.background and len(windows):
        with bpy.context.temp_override(window=windows[0]):
            bpy.ops.ed.undo_push(message=text.say(text.PLACED))


def _offer(daemon: Any) -> None:
    if daemon.info is not None:
        properties.offer(
            "editor",
            [(one.name, text.EDITORS.get(one.name, one.name), one.summary) for one in daemon.info.editors],
        )
    if daemon.models is not None:
        properties.offer("model", [(one.name, one.title or one.name, one.world) for one in daemon.models])


# The file


@persistent  # type: ignore[untyped-decorator, unused-ignore]
def file_loaded(*_: Any) -> None:
    """Another file: other jobs."""
    global _settled
    _settled = 0.0  # before the user copies anything
    marks.forget()
    now = runtime.seen()
    if now is not None:
        now.stale = True
        now.failure = now.coverage = None
        if now.work is not None:
            now.work.close()
            now.work = None
    thumbnails.clear()
    ensure()


@persistent  # type: ignore[untyped-decorator, unused-ignore]
def file_saves(path: str = "", *_: Any) -> None:
    """What is known now goes into the file, and which file that is. The startup file, for which Blender names
    no path, is no film: new files begin without edits."""
    now = runtime.seen()
    if not path:
        runtime.put_ledger_aside()
    elif now is not None and not now.stale:
        runtime.settle()
        runtime.write_ledger(now.session.save_to(path))


@persistent  # type: ignore[untyped-decorator, unused-ignore]
def file_saved(*_: Any) -> None:
    """The open file is another one now, or it was only copied."""
    runtime.take_ledger_back()
    now = runtime.seen()
    if now is not None and not now.stale:
        now.session.saved(bpy.data.filepath)
        runtime.write_ledger(now.session.ledger)
        ensure()


@persistent  # type: ignore[untyped-decorator, unused-ignore]
def file_not_saved(*_: Any) -> None:
    """Saving failed."""
    runtime.take_ledger_back()
    now = runtime.seen()
    if now is not None and not now.stale:
        now.session.not_saved()
        runtime.write_ledger(now.session.ledger)


@persistent  # type: ignore[untyped-decorator, unused-ignore]
def undone(*_: Any) -> None:
    """Undo took the file's ledger back; the next tick, outside of the undo, puts it right."""
    now = runtime.seen()
    if now is not None and not now.stale:
        now.changed_by_undo = True
        ensure()


HANDLERS = (
    ("load_post", file_loaded),
    ("save_pre", file_saves),
    ("save_post", file_saved),
    ("save_post_fail", file_not_saved),
    ("undo_post", undone),
    ("redo_post", undone),
)


def register() -> None:
    for name, handler in HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)
    ensure()


def unregister() -> None:
    stop()
    for name, handler in HANDLERS:
        registered = getattr(bpy.app.handlers, name)
        if handler in registered:
            registered.remove(handler)
