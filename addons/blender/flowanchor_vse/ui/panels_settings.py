# SPDX-License-Identifier: GPL-3.0-or-later
"""The panels an edit is set up in: range, region, prompts, advanced. Drawn as `panels` says."""

from typing import Any

import bpy

from .. import compat, masks, properties, strips, text
from ..logic import words
from ..logic.settings import EQUAL, WORD_MISSING
from ..text import say
from . import draw_jobs, presets, runtime
from .draw_jobs import paragraph
from .work import chosen_mask, known_parameters


def subject(context: Any) -> tuple[Any, Any]:
    """The sequencer's scene and its active strip; None for what there is not."""
    return compat.sequencer_scene(context), compat.active_strip(context)


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
            layout.prop_search(settings, "mask_strip", editor, compat.strips_name(editor), icon="SEQUENCE")
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
            paragraph(layout, context, say(WORD_MISSING, word=word), "ERROR")
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
