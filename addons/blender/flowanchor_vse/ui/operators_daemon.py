# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon: start, stop, free its memory, get a model, read what it wrote. Wishes; ticks carry them out."""

from typing import Any

import bpy
from bpy.props import EnumProperty, StringProperty

from .. import compat, preferences, properties, text
from ..logic.request import plain_value
from . import runtime, timer
from .work import known_parameters

WISHES = {
    "start": (text.START, text.START_HELP),
    "stop": (text.STOP, text.STOP_HELP),
    "unload": (text.UNLOAD, text.UNLOAD_HELP),
    "connect": (text.CONNECT, text.CONNECT_HELP),
}


class FLOWANCHOR_OT_daemon(bpy.types.Operator):
    bl_idname = "flowanchor.daemon"
    bl_label = text.DAEMON
    bl_options = {"REGISTER", "INTERNAL"}

    wish: EnumProperty(items=[(name, *texts) for name, texts in WISHES.items()], options={"HIDDEN"})

    @classmethod
    def description(cls, context: Any, properties: Any) -> str:
        return text.say(WISHES[properties.wish][1])

    def execute(self, context: Any) -> set[str]:
        preferences.tell_command()
        session = runtime.get().session
        session.wish(self.wish)
        if self.wish != "stop":
            session.wish("refresh")
        timer.ensure()
        return {"FINISHED"}


class FLOWANCHOR_OT_pull(bpy.types.Operator):
    bl_idname = "flowanchor.pull"
    bl_label = text.PULL
    bl_description = text.PULL_HELP
    bl_options = {"REGISTER", "INTERNAL"}

    stop: bpy.props.BoolProperty(options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context: Any) -> bool:
        if not bpy.app.online_access:
            cls.poll_message_set(text.say(text.OFFLINE))
            return False
        return True

    def execute(self, context: Any) -> set[str]:
        scene = compat.sequencer_scene(context)
        session = runtime.get().session
        if self.stop:
            session.cancel_pull()
        elif scene is not None:
            session.pull(properties.of(scene).model_name)
        timer.ensure()
        return {"FINISHED"}


class FLOWANCHOR_OT_open_log(bpy.types.Operator):
    bl_idname = "flowanchor.open_log"
    bl_label = text.OPEN_LOG
    bl_description = text.OPEN_LOG_HELP
    bl_options = {"REGISTER", "INTERNAL"}

    job: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: Any) -> set[str]:
        lines = self._lines()
        if not lines:
            self.report({"INFO"}, text.say(text.NO_LOG))
            return {"CANCELLED"}
        name = text.say(text.LOG_NAME)
        found = bpy.data.texts.get(name) or bpy.data.texts.new(name)
        found.clear()
        found.write("\n".join(lines) + "\n")
        if not bpy.app.background:
            bpy.ops.wm.window_new()
            area = context.window_manager.windows[-1].screen.areas[0]
            area.type = "TEXT_EDITOR"
            area.spaces.active.text = found
        return {"FINISHED"}

    def _lines(self) -> list[str]:
        session = runtime.get().session
        daemon = session.daemon
        lines: list[str] = []
        view = session.job(self.job) if self.job else None
        problems = [view.problem if view is not None else None, runtime.get().failure, daemon.problem]
        for problem in problems:
            if problem is not None:
                lines += [f"{problem.code}: {problem}", *problem.log]
        if view is not None:
            lines += view.notices
        if daemon.diagnosis is not None:
            lines += [f"{one.name}: {one.text} {one.action}".rstrip() for one in daemon.diagnosis.findings]
            lines += [f"{one.code}: {one.message} {one.action}" for one in daemon.diagnosis.last_failures]
        return lines


class ParameterOperator:
    """About one parameter of the chosen editor."""

    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    parameter: StringProperty(options={"HIDDEN", "SKIP_SAVE"})


class FLOWANCHOR_OT_set_parameter(ParameterOperator, bpy.types.Operator):
    bl_idname = "flowanchor.set_parameter"
    bl_label = text.OVERRIDE
    bl_description = text.OVERRIDE_HELP

    choice: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: Any) -> set[str]:
        scene = compat.sequencer_scene(context)
        known = known_parameters(properties.of(scene).editor_name) if scene is not None else None
        if scene is None or not known or self.parameter not in known:
            self.report({"ERROR"}, text.say(text.UNKNOWN_PARAMETERS))
            return {"CANCELLED"}
        parameter = known[self.parameter]
        own = properties.of(scene).parameters
        kind = {"number": float, "integer": int, "flag": bool, "text": str}[parameter.type]
        own[self.parameter] = self.choice or kind(plain_value(parameter.default))
        if parameter.type in ("number", "integer"):
            limits = {}
            if parameter.HasField("minimum"):
                limits["min"] = limits["soft_min"] = kind(parameter.minimum)
            if parameter.HasField("maximum"):
                limits["max"] = limits["soft_max"] = kind(parameter.maximum)
            own.id_properties_ui(self.parameter).update(description=parameter.help, **limits)
        return {"FINISHED"}


class FLOWANCHOR_OT_reset_parameter(ParameterOperator, bpy.types.Operator):
    bl_idname = "flowanchor.reset_parameter"
    bl_label = text.RESET
    bl_description = text.RESET_HELP

    def execute(self, context: Any) -> set[str]:
        scene = compat.sequencer_scene(context)
        if scene is not None and self.parameter in properties.of(scene).parameters.keys():  # noqa: SIM118  # no dict
            del properties.of(scene).parameters[self.parameter]
        return {"FINISHED"}


CLASSES = (
    FLOWANCHOR_OT_daemon,
    FLOWANCHOR_OT_pull,
    FLOWANCHOR_OT_open_log,
    FLOWANCHOR_OT_set_parameter,
    FLOWANCHOR_OT_reset_parameter,
)
