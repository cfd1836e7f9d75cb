# SPDX-License-Identifier: GPL-3.0-or-later
"""The button, and what belongs to choosing the region."""

import time
from typing import Any

import bpy

from .. import compat, masks, preferences, properties, settings_guard, strips, text
from . import estimate, runtime, timer
from .work import Work, chosen_mask

_pulse: tuple[Any, str] | None = None
"""Timer that drives the export at work, and the workspace whose status line tells of it."""


def let_go() -> None:
    """End what drives an export. Blender drops an operator at work without a word when its class is
    unregistered."""
    global _pulse
    if _pulse is None:
        return
    pulse, workspace = _pulse
    _pulse = None
    bpy.context.window_manager.event_timer_remove(pulse)
    if workspace in bpy.data.workspaces:
        bpy.data.workspaces[workspace].status_text_set(None)


def report(operator: Any, failure: strips.Refused) -> set[str]:
    """Tell once what was refused, and keep it for the panel."""
    runtime.get().fail(failure.code, failure.message, failure.action)
    operator.report({"ERROR"}, failure.message)
    return {"CANCELLED"}


def unexpected(operator: Any, failure: Exception) -> set[str]:
    runtime.fail_unexpectedly(failure)
    operator.report({"ERROR"}, str(runtime.get().failure))
    return {"CANCELLED"}


class FLOWANCHOR_OT_edit(bpy.types.Operator):
    bl_idname = "flowanchor.edit"
    bl_label = text.EDIT
    bl_description = text.EDIT_HELP
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        now = runtime.seen()
        if now is not None and now.work is not None:
            cls.poll_message_set(text.say(text.BUSY))
            return False
        scene = compat.sequencer_scene(context)
        if scene is None:
            cls.poll_message_set(text.say(text.NO_SCENE))
            return False
        strip = compat.active_strip(context)
        if strip is None:
            cls.poll_message_set(text.say(text.NO_STRIP))
            return False
        wrong = strips.problem(scene, strip)
        if wrong is not None:
            cls.poll_message_set(str(wrong))
            return False
        return True

    def execute(self, context: Any) -> set[str]:
        """Without a window: the whole export at once."""
        try:
            if settings_guard.rendering():  # it would end only after this operator has
                raise strips.Refused(
                    "rendering", text.say(text.RENDERING_REFUSED), text.say(text.RENDERING_HELP)
                )
            work = self._begin(context)
            while work.step():
                pass
        except strips.Refused as failure:
            return report(self, failure)
        except Exception as failure:  # noqa: BLE001  # whatever rendering can raise
            return unexpected(self, failure)
        finally:
            runtime.get().work = None
        return self._submitted(work)

    def invoke(self, context: Any, event: Any) -> set[str]:
        try:
            self._begin(context)
        except strips.Refused as failure:
            return report(self, failure)
        except Exception as failure:  # noqa: BLE001
            return unexpected(self, failure)
        global _pulse
        _pulse = (
            context.window_manager.event_timer_add(0.01, window=context.window),
            context.workspace.name,
        )
        context.window_manager.modal_handler_add(self)
        context.workspace.status_text_set(text.say(text.ESCAPE))
        return {"RUNNING_MODAL"}

    def modal(self, context: Any, event: Any) -> set[str]:
        work = runtime.get().work
        if work is None:  # another file was loaded
            return self._end({"CANCELLED"})
        if event.type == "ESC":
            work.close()
            self.report({"INFO"}, text.say(text.EXPORT_STOPPED))
            return self._end({"CANCELLED"})
        if event.type != "TIMER":
            # Looking around is fine; changing the file while it is exported is not.
            return {"PASS_THROUGH"} if event.type in ("MOUSEMOVE", "WINDOW_DEACTIVATE") else {"RUNNING_MODAL"}
        begun = time.perf_counter()
        try:
            more = work.step()
            timer.held.append(("export", time.perf_counter() - begun))
            if more:
                runtime.redraw()
                return {"RUNNING_MODAL"}
        except strips.Refused as failure:
            return self._end(report(self, failure))
        except Exception as failure:  # noqa: BLE001
            return self._end(unexpected(self, failure))
        return self._end(self._submitted(work))

    def cancel(self, context: Any) -> None:
        """Blender ends the operator itself, when it quits."""
        now = runtime.get()
        if now.work is not None:
            now.work.close()
        self._end({"CANCELLED"})

    def _begin(self, context: Any) -> Work:
        preferences.tell_command()
        now = runtime.get()
        now.failure = None
        now.work = Work(context)
        return now.work

    def _submitted(self, work: Work) -> set[str]:
        timer.ensure()
        self.report({"INFO"}, text.say(text.SUBMITTED, strip=work.strip_name))
        return {"FINISHED"}

    def _end(self, outcome: set[str]) -> set[str]:
        runtime.get().work = None
        let_go()
        runtime.redraw()
        timer.ensure()  # results that have waited are placed now
        return outcome


class FLOWANCHOR_OT_dismiss(bpy.types.Operator):
    bl_idname = "flowanchor.dismiss"
    bl_label = text.DISMISS
    bl_description = text.DISMISS
    bl_options = {"INTERNAL"}

    def execute(self, context: Any) -> set[str]:
        runtime.get().failure = None
        return {"FINISHED"}


class FLOWANCHOR_OT_estimate(bpy.types.Operator):
    bl_idname = "flowanchor.estimate"
    bl_label = text.ASK
    bl_description = text.ASK_HELP
    bl_options = {"REGISTER"}

    def execute(self, context: Any) -> set[str]:
        scene, strip = compat.sequencer_scene(context), compat.active_strip(context)
        if scene is None or strip is None:
            self.report({"ERROR"}, text.say(text.NO_STRIP))
            return {"CANCELLED"}
        try:
            part = strips.edited_range(scene, strip, properties.of(scene).range_mode == "SCENE")
        except strips.Refused as failure:
            return report(self, failure)
        runtime.get().session.estimate(estimate.request_for(scene, part))
        timer.ensure()
        return {"FINISHED"}


class FLOWANCHOR_OT_check_coverage(bpy.types.Operator):
    bl_idname = "flowanchor.check_coverage"
    bl_label = text.CHECK_COVERAGE
    bl_description = text.CHECK_COVERAGE_HELP
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        if compat.active_strip(context) is None:
            cls.poll_message_set(text.say(text.NO_STRIP))
            return False
        return True

    def execute(self, context: Any) -> set[str]:
        scene, strip = compat.sequencer_scene(context), compat.active_strip(context)
        if scene is None:
            return {"CANCELLED"}
        choice = chosen_mask(scene, strip, properties.of(scene))
        try:
            wrong = masks.problem(scene, strip, choice)
            if wrong is not None:
                raise wrong
            frame = scene.frame_current
            share = masks.coverage_at(choice, strip, frame)
        except strips.Refused as failure:
            return report(self, failure)
        runtime.get().coverage = (frame, share)
        self.report({"INFO"}, text.say(text.COVERAGE, frame=frame, share=100 * share))
        return {"FINISHED"}


class FLOWANCHOR_OT_middle_box(bpy.types.Operator):
    bl_idname = "flowanchor.middle_box"
    bl_label = text.MIDDLE_BOX
    bl_description = text.MIDDLE_BOX_HELP
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        scene = compat.sequencer_scene(context)
        if scene is None:
            self.report({"ERROR"}, text.say(text.NO_SCENE))
            return {"CANCELLED"}
        # Frames are exported at the whole resolution, whatever share of it is rendered otherwise.
        width, height = scene.render.resolution_x, scene.render.resolution_y
        properties.of(scene).box = (width // 4, height // 4, max(1, width // 2), max(1, height // 2))
        return {"FINISHED"}


CLASSES = (
    FLOWANCHOR_OT_edit,
    FLOWANCHOR_OT_dismiss,
    FLOWANCHOR_OT_estimate,
    FLOWANCHOR_OT_check_coverage,
    FLOWANCHOR_OT_middle_box,
)
