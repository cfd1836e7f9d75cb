# SPDX-License-Identifier: GPL-3.0-or-later
"""Drawing of edits and the daemon, from views alone."""

import textwrap
from typing import Any

from flowanchor.v1 import models_pb2

from .. import as_images, text
from ..logic import words
from ..logic.ledger import Record
from ..logic.views import DaemonView, JobView
from ..text import say
from . import runtime, thumbnails
from .operators_daemon import WISHES

LETTER = 6.4
"""Pixels a letter takes about, at a scale of 1; Blender's panels do not break lines by themselves."""
MOST_JOBS = 20

JOB_ICONS = {
    "done": "CHECKMARK",
    "failed": "ERROR",
    "cancelled": "X",
    "placing": "IMPORT",
    "running": "PLAY",
    "waiting": "TIME",
}


def paragraph(layout: Any, context: Any, sentence: str, icon: str = "NONE") -> None:
    """A text over as many lines as it needs at the region's width."""
    scale = context.preferences.system.ui_scale or 1.0  # 0 where there is no window
    width = max(20, int((context.region.width - 60 * scale) / (LETTER * scale)))
    column = layout.column(align=True)
    for index, line in enumerate(textwrap.wrap(sentence, width) or [""]):
        column.label(text=line, icon=icon if index == 0 else "BLANK1", translate=False)


def duration(seconds: float) -> str:
    whole = max(0, round(seconds))
    if whole < 60:
        return say(text.SECONDS, seconds=whole)
    return say(text.MINUTES, minutes=whole // 60, seconds=whole % 60)


def size(count: float) -> str:
    unit = 1e9 if count >= 1e9 else 1e6
    return f"{count / unit:.1f} {'GB' if unit == 1e9 else 'MB'}"


def version(of_daemon: str) -> str:
    """A version as people know it: without what a build adds to it."""
    release = of_daemon.partition("+")[0]
    return say(text.VERSION, version=release) if release not in ("", "0") else say(text.VERSION_UNKNOWN)


def status(view: JobView) -> str:
    """What a job does, in one line."""
    if view.cancelling:
        return say(text.CANCELLING)
    if view.state == "waiting" and view.position:
        return say(text.POSITION, position=view.position)
    if view.active and view.phase in text.PHASES:
        line = say(text.PHASES[view.phase])
        if view.phase not in ("hash", "upload", "download") and view.total:
            line = say(text.STEP, phase=line, step=view.step, total=view.total)
        if view.seconds_left is not None:
            line += " · " + say(text.LEFT, time=duration(view.seconds_left))
        return line
    return say(text.STATES[view.state])


def title(record: Record) -> str:
    """The strip and what changes."""
    edit = record.settings
    change = edit.words or words.changed_words(edit.source_prompt, edit.target_prompt)
    return f"{record.origin.strip_name} · {', '.join(change) or edit.target_prompt}"


def jobs(layout: Any, context: Any) -> None:
    """All edits of the file, newest first."""
    now = runtime.seen()
    views = now.session.jobs() if now is not None else []
    if not views:
        layout.label(text=say(text.NO_JOBS))
        return
    offered = sum(1 for view in views if view.state == "placing" and view.offered)
    if offered:
        box = layout.box()
        offer = text.FINISHED_OFFER_ONE if offered == 1 else text.FINISHED_OFFER
        paragraph(box, context, say(offer, count=offered), "INFO")
        box.operator("flowanchor.place_all", icon="IMPORT")
    for view in views[:MOST_JOBS]:
        job(layout.box(), context, view)


def job(box: Any, context: Any, view: JobView) -> None:
    record = view.record
    head = box.row(align=True)
    head.label(text=title(record), icon=JOB_ICONS.get(view.state, "SORTTIME"), translate=False)
    if view.active:
        button(head, "flowanchor.cancel", view, "X")
    if not view.active or not view.owned:
        button(head, "flowanchor.delete", view, "TRASH")
    picture = thumbnails.icon(view)
    if picture:
        box.template_icon(picture, scale=5.0)
    if view.active:
        box.progress(factor=view.fraction, type="BAR", text=status(view))
    else:
        line = box.row()
        line.label(text=status(view))
        if record.seed >= 0:
            side = line.row()
            side.alignment = "RIGHT"
            side.label(text=say(text.SEED, seed=record.seed))
    if view.problem is not None:
        paragraph(box, context, view.problem.message, "ERROR" if not view.active else "INFO")
        if view.problem.action:
            paragraph(box, context, view.problem.action, "BLANK1")
        remedy(box, view)
    for notice in view.notices:
        paragraph(box, context, notice, "INFO")
    if view.state == "done" and record.where:
        paragraph(box, context, say(text.WHERE[record.where]), "INFO")
    if view.state in ("done", "placing") and as_images.is_shown_wrongly(record):
        paragraph(box, context, say(text.TOO_BRIGHT), "ERROR")
        box.operator("flowanchor.as_images", icon="IMAGE_DATA").job = view.id
    if not view.owned:
        paragraph(box, context, say(text.OF_ANOTHER_FILE), "FILE_BLEND")
    if view.active:
        return
    row = box.row(align=True)
    if view.state == "done":
        row.operator("flowanchor.compare", icon="HIDE_OFF").job = view.id
    if view.state == "placing":
        row.operator("flowanchor.place", icon="IMPORT").job = view.id
    row.operator("flowanchor.vary", icon="PARTICLES").job = view.id
    if view.state == "done":
        button(row, "flowanchor.place", view, "IMPORT")
    button(row, "flowanchor.retry", view, "FILE_REFRESH")
    button(row, "flowanchor.reveal", view, "VIEWZOOM")
    button(row, "flowanchor.adopt", view, "EYEDROPPER")
    button(row, "flowanchor.open_folder", view, "FILE_FOLDER")
    button(row, "flowanchor.open_log", view, "TEXT")


def remedy(box: Any, view: JobView) -> None:
    """The button that helps, where there is one beside those every edit has."""
    wanted = view.problem.remedy if view.problem is not None else "none"
    if wanted in ("start", "connect"):
        wish(box, wanted, "PLAY" if wanted == "start" else "FILE_REFRESH")
    elif wanted in _REMEDIES:
        operator, icon = _REMEDIES[wanted]
        box.operator(operator, icon=icon).job = view.id


_REMEDIES = {
    "retry": ("flowanchor.retry", "FILE_REFRESH"),
    "fetch": ("flowanchor.place", "IMPORT"),
    "resubmit": ("flowanchor.adopt", "EYEDROPPER"),
    "settings": ("flowanchor.adopt", "EYEDROPPER"),
}


def button(row: Any, operator: str, view: JobView, icon: str) -> None:
    row.operator(operator, text="", icon=icon).job = view.id


def model(layout: Any, context: Any, settings: Any) -> None:
    """What the chosen model needs first, or which footage it knows."""
    now = runtime.seen()
    found = now.session.daemon if now is not None else None
    if found is None:
        return
    if found.pull is not None and found.pull.state == models_pb2.MODEL_TASK_STATE_RUNNING:
        share = found.pull.done_bytes / max(1, found.pull.total_bytes)
        row = layout.row(align=True)
        row.progress(factor=share, type="BAR", text=say(text.PULLING, model=found.pull.model))
        row.operator("flowanchor.pull", text="", icon="X").stop = True
        return
    for one in found.models or ():
        if one.name == settings.model_name and not one.installed:
            sentence = say(text.NOT_INSTALLED, title=one.title or one.name, size=size(one.bytes))
            paragraph(layout, context, sentence, "INFO")
            layout.operator("flowanchor.pull", icon="IMPORT")


def daemon(layout: Any, context: Any) -> None:
    """Whether the daemon is there, why not, and what can be done about it."""
    now = runtime.seen()
    found = now.session.daemon if now is not None else DaemonView()
    icon = "CHECKMARK" if found.state == "running" else "X" if found.state != "starting" else "SORTTIME"
    layout.label(text=say(text.DAEMON_STATES[found.state]), icon=icon)
    if found.problem is not None:
        paragraph(layout, context, found.problem.message, "ERROR")
        if found.problem.action:
            paragraph(layout, context, found.problem.action, "BLANK1")
    if found.warning:
        paragraph(layout, context, found.warning, "INFO")
    if found.state == "running" and found.info is not None:
        layout.label(text=version(found.info.version), translate=False)
        told = found.diagnosis
        if told is not None and told.loaded_model:
            memory = size(told.engine_memory_bytes)
            layout.label(text=say(text.MODEL_LOADED, model=told.loaded_model, memory=memory), translate=False)
        elif told is not None:
            layout.label(text=say(text.ENGINE_STATES.get(told.engine, text.ENGINE_STATES[0])))
    row = layout.row(align=True)
    if found.state == "running":
        wish(row, "unload", "MEMORY")
        wish(row, "stop", "QUIT")
    else:
        wish(row, "start", "PLAY")
        wish(row, "connect", "FILE_REFRESH")
    row.operator("flowanchor.open_log", text="", icon="TEXT")


def wish(row: Any, name: str, icon: str) -> None:
    row.operator("flowanchor.daemon", text=say(WISHES[name][0]), icon=icon).wish = name
