# SPDX-License-Identifier: GPL-3.0-or-later
"""The panels. Drawing reads what is known already: no call, no file, nothing that could raise or wait.

Each panel exists twice, in the sequencer's sidebar and, where Blender has a strip tab there (5.x), in the
Properties editor.
"""

from typing import Any

import bpy

from .. import compat, properties, strips, text
from ..text import say
from . import draw_jobs, estimate, runtime, timer
from .draw_jobs import paragraph
from .operators_edit import FLOWANCHOR_OT_edit
from .panels_settings import Advanced, Clip, Mask, Prompts, subject


class Sidebar:
    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = text.NAME


class StripTab:
    bl_space_type = "PROPERTIES"
    bl_region_type = "WINDOW"
    bl_context = "strip"
    bl_options = {"DEFAULT_CLOSED"}


class Main:
    bl_label = text.NAME

    def draw(self, context: Any) -> None:
        layout = self.layout  # type: ignore[attr-defined]  # of every Blender panel
        scene, strip = subject(context)
        now = runtime.seen()
        if scene is None or strip is None:
            layout.label(text=say(text.NO_SCENE if scene is None else text.NO_STRIP), icon="INFO")
        else:
            layout.label(text=strip.name, icon="SEQUENCE", translate=False)
            wrong = strips.problem(scene, strip)
            if wrong is not None:
                paragraph(layout, context, str(wrong), "ERROR")
        if now is not None and now.work is not None:
            layout.progress(factor=now.work.fraction, type="BAR", text=now.work.label)
            layout.label(text=say(text.ESCAPE), icon="CANCEL")
        else:
            row = layout.row()
            row.scale_y = 1.5
            row.operator(FLOWANCHOR_OT_edit.bl_idname, icon="SHADERFX")
            if timer.waiting:
                layout.label(text=say(text.RENDERING), icon="RENDER_STILL")
            if strip is not None:
                self._estimate(layout, context, scene, strip)
        if now is not None and now.failure is not None:
            box = layout.box()
            paragraph(box, context, now.failure.message, "ERROR")
            if now.failure.action:
                paragraph(box, context, now.failure.action, "BLANK1")
            row = box.row()
            row.operator("flowanchor.open_log", icon="TEXT")
            row.operator("flowanchor.dismiss", icon="X")

    def _estimate(self, layout: Any, context: Any, scene: Any, strip: Any) -> None:
        if strips.problem(scene, strip) is not None:
            return
        try:
            part = strips.edited_range(scene, strip, properties.of(scene).range_mode == "SCENE")
        except strips.Refused:
            return  # told where the range is chosen
        now = runtime.seen()
        found = now.session.daemon.estimate if now is not None else None
        if found is None or found[0] != estimate.request_for(scene, part):
            layout.operator("flowanchor.estimate", icon="TIME")
            return
        _, told = found
        sentence = say(
            text.ESTIMATE_TIME if told.HasField("seconds") else text.ESTIMATE,
            forwards=told.forwards,
            memory=draw_jobs.size(told.memory_bytes),
            time=draw_jobs.duration(told.seconds),
        )
        if not found[0].HasField("region"):
            sentence = say(text.ESTIMATE_MOST, estimate=sentence)
        paragraph(layout, context, sentence, "TIME")


class Jobs:
    bl_label = text.JOBS

    def draw(self, context: Any) -> None:
        draw_jobs.jobs(self.layout, context)  # type: ignore[attr-defined]


class Daemon:
    bl_label = text.DAEMON

    def draw(self, context: Any) -> None:
        draw_jobs.daemon(self.layout, context)  # type: ignore[attr-defined]


PARTS = (Clip, Mask, Prompts, Advanced, Jobs, Daemon)


def make(part: type, place: type, parent: str) -> type:
    """A panel class of a part of the interface in one of its places."""
    prefix = "FLOWANCHOR_PT_" + ("strip_" if place is StripTab else "")
    members: dict[str, Any] = {"bl_idname": prefix + part.__name__.lower()}
    if parent:
        members["bl_parent_id"] = parent
        members["bl_options"] = getattr(part, "bl_options", set())
    return type(members["bl_idname"], (part, place, bpy.types.Panel), members)


def panel_classes() -> tuple[type, ...]:
    """All panels this Blender has room for."""
    made: list[type] = []
    for place in (Sidebar, StripTab) if compat.has_strip_tab() else (Sidebar,):
        main = make(Main, place, "")
        made.append(main)
        made += [make(part, place, main.bl_idname) for part in PARTS]  # type: ignore[attr-defined]
    return tuple(made)
