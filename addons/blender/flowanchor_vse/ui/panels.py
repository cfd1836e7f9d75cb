# SPDX-License-Identifier: GPL-3.0-or-later
"""The panels. Drawing reads what is known already: no call, no file, nothing that could raise or wait.

Each panel exists twice, in the sequencer's sidebar and, where Blender has a strip tab there (5.x), in the
Properties editor.
"""

from typing import Any

import bpy

from .. import compat, masks, properties, strips, text
from ..logic import words
from ..logic.settings import EQUAL
from ..text import say
from . import draw_jobs, estimate, presets, runtime, timer
from .operators_edit import FLOWANCHOR_OT_edit
from .work import chosen_mask, known_parameters


def subject(context: Any) -> tuple[Any, Any]:
    """The sequencer's scene and its active strip; None for what there is not."""
    return compat.sequencer_scene(context), compat.active_strip(context)


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


class Clip:
    bl_label = text.CLIP

    def draw(self, context: Any) -> None:
        layout = split(self)
        scene, strip = subject(context)
        if scene is None:
            return
        settings = properties.of(scene)
        layout.prop(settings, "range_mode")
        if strip is not None and strips.problem(scene, strip) is None:
            try:
                part = strips.edited_range(scene, strip, settings.range_mode == "SCENE")
            except strips.Refused as failure:
                paragraph(layout, context, str(failure), "ERROR")
            else:
                row = layout.row()
                row.alignment = "RIGHT"
                row.label(text=say(text.FRAMES, first=part.first, last=part.last, count=part.count))
            for note in strips.notes(scene, strip):
                paragraph(layout, context, say(note), "INFO")
        layout.prop(settings, "stack")
        layout.prop(settings, "deliver")
        layout.prop(settings, "file_format")
        if settings.file_format == "movie" and properties.file_format(settings) == "png":
            paragraph(layout, context, say(text.MOVIE_AS_IMAGES), "INFO")


class Mask:
    bl_label = text.MASK

    def draw(self, context: Any) -> None:
        layout = split(self)
        scene, strip = subject(context)
        if scene is None:
            return
        settings = properties.of(scene)
        layout.prop(settings, "mask_kind")
        kind = settings.mask_kind
        if kind == "mask":
            layout.prop(settings, "mask", text="")
        elif kind == "modifier" and strip is not None:
            layout.prop_search(settings, "modifier", strip, "modifiers", icon="MODIFIER")
        elif kind == "strip" and scene.sequence_editor is not None:
            editor = scene.sequence_editor
            name = "strips" if hasattr(editor, "strips") else "sequences"
            layout.prop_search(settings, "mask_strip", editor, name, icon="SEQUENCE")
        elif kind == "box":
            column = layout.column(align=True)
            for index, label in enumerate(("X", "Y", "Width", "Height")):
                column.prop(settings, "box", index=index, text=label)
            layout.operator("flowanchor.middle_box", icon="PIVOT_BOUNDBOX")
        if strip is not None:
            wrong = masks.problem(scene, strip, chosen_mask(scene, strip, settings))
            if wrong is not None:
                paragraph(layout, context, str(wrong), "ERROR")
        row = layout.row(align=True)
        row.prop(settings, "grow")
        row.prop(settings, "feather")
        layout.prop(settings, "invert")
        layout.operator("flowanchor.check_coverage", icon="VIEWZOOM")
        now = runtime.seen()
        if now is not None and now.coverage is not None:
            frame, share = now.coverage
            layout.label(text=say(text.COVERAGE, frame=frame, share=100 * share))


class Prompts:
    bl_label = text.PROMPTS

    def draw(self, context: Any) -> None:
        layout = self.layout  # type: ignore[attr-defined]
        scene, _ = subject(context)
        if scene is None:
            return
        settings = properties.of(scene)
        for name in ("source_prompt", "target_prompt"):
            column = layout.column(align=True)
            column.label(text=settings.bl_rna.properties[name].name)
            column.prop(settings, name, text="")
        self._words(layout, context, settings)
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(settings, "words")
        layout.prop(settings, "editor")
        layout.prop(settings, "model")
        draw_jobs.model(layout, context, settings)
        layout.prop(settings, "preset")
        layout.prop(settings, "seed_mode", text="Seed")
        if settings.seed_mode != "random":
            layout.prop(settings, "seed", text=" ")

    def _words(self, layout: Any, context: Any, settings: Any) -> None:
        if not (settings.source_prompt.strip() and settings.target_prompt.strip()):
            return
        chosen = words.split_words(settings.words)
        missing = words.missing_words(chosen, settings.target_prompt)
        for word in missing:
            paragraph(layout, context, say(text.WORD_MISSING, word=word), "ERROR")
        found = chosen or words.changed_words(settings.source_prompt, settings.target_prompt)
        if found and not missing:
            paragraph(layout, context, f"{say(text.CHANGED)} {', '.join(found)}", "CHECKMARK")
        elif not chosen and words.same(settings.source_prompt, settings.target_prompt):
            paragraph(layout, context, say(EQUAL), "ERROR")
        elif not found:
            paragraph(layout, context, say(text.NOTHING_CHANGES), "INFO")


class Advanced:
    bl_label = text.ADVANCED
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        layout = split(self)
        scene, _ = subject(context)
        if scene is None:
            return
        settings = properties.of(scene)
        presets.draw(layout)
        for name in ("margin", "mode", "device", "priority"):
            layout.prop(settings, name)
        switched(layout, settings, "use_negative", ("negative_prompt",))
        switched(layout, settings, "use_schedule", ("steps", "shift", "skip"))
        known = known_parameters(settings.editor_name)
        if known is None:
            paragraph(layout, context, say(text.UNKNOWN_PARAMETERS), "INFO")
            return
        column = layout.column()
        for name, parameter in known.items():
            self._parameter(column.row(align=True), settings, name, parameter)

    def _parameter(self, row: Any, settings: Any, name: str, parameter: Any) -> None:
        label = name.replace("_", " ").title()
        own = settings.parameters
        if name not in own.keys():  # noqa: SIM118  # no dict
            right = self._labelled(row, label)
            right.label(text=say(text.PRESET_VALUE))
            right.operator("flowanchor.set_parameter", text="", icon="ADD", emboss=False).parameter = name
            return
        if parameter.choices:
            row = self._labelled(row, label)
            for choice in parameter.choices:
                item = row.operator("flowanchor.set_parameter", text=choice, depress=own[name] == choice)
                item.parameter, item.choice = name, choice
        else:
            row.prop(own, f'["{bpy.utils.escape_identifier(name)}"]', text=label)
        row.operator("flowanchor.reset_parameter", text="", icon="X").parameter = name

    def _labelled(self, row: Any, label: str) -> Any:
        """A row behind a label that stands where those of properties do."""
        part = row.split(factor=0.4)
        left = part.row()
        left.alignment = "RIGHT"
        left.label(text=label)
        return part.row(align=True)


class Jobs:
    bl_label = text.JOBS

    def draw(self, context: Any) -> None:
        draw_jobs.jobs(self.layout, context)  # type: ignore[attr-defined]


class Daemon:
    bl_label = text.DAEMON

    def draw(self, context: Any) -> None:
        draw_jobs.daemon(self.layout, context)  # type: ignore[attr-defined]


def split(panel: Any) -> Any:
    layout = panel.layout
    layout.use_property_split = True
    layout.use_property_decorate = False
    return layout


def switched(layout: Any, settings: Any, switch: str, names: tuple[str, ...]) -> None:
    """A group of values with a switch."""
    layout.prop(settings, switch)
    if getattr(settings, switch):
        for name in names:
            layout.prop(settings, name, text=" " if len(names) == 1 else None)


paragraph = draw_jobs.paragraph

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
    # 5.0 moved the strip's properties into a tab of the Properties editor.
    has_tab = hasattr(bpy.types.SpaceProperties, "bl_rna") and hasattr(bpy.types, "STRIP_PT_strip")
    made: list[type] = []
    for place in (Sidebar, StripTab) if has_tab else (Sidebar,):
        main = make(Main, place, "")
        made.append(main)
        made += [make(part, place, main.bl_idname) for part in PARTS]  # type: ignore[attr-defined]
    return tuple(made)
