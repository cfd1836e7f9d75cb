# SPDX-License-Identifier: GPL-3.0-or-later
"""Named sets of advanced settings, kept by Blender as files of the user."""

from typing import Any

import bpy
from bl_operators.presets import AddPresetBase

from .. import text


class FLOWANCHOR_MT_presets(bpy.types.Menu):
    bl_label = text.PRESETS
    preset_subdir = "flowanchor"
    preset_operator = "script.execute_preset"
    draw = bpy.types.Menu.draw_preset


class FLOWANCHOR_OT_preset_add(AddPresetBase, bpy.types.Operator):
    bl_idname = "flowanchor.preset_add"
    bl_label = text.PRESET_ADD
    bl_description = text.PRESET_HELP
    preset_menu = "FLOWANCHOR_MT_presets"
    preset_subdir = "flowanchor"
    preset_defines = [
        "settings = (getattr(bpy.context, 'sequencer_scene', None) or bpy.context.scene).flowanchor"
    ]
    preset_values = [
        f"settings.{name}"
        for name in (
            "editor_name",
            "model_name",
            "preset",
            "margin",
            "mode",
            "grow",
            "feather",
            "deliver",
            "use_schedule",
            "steps",
            "shift",
            "skip",
            "use_negative",
            "negative_prompt",
        )
    ]


def draw(layout: Any) -> None:
    """The menu with its plus and minus."""
    row = layout.row(align=True)
    row.menu("FLOWANCHOR_MT_presets", text=FLOWANCHOR_MT_presets.bl_label)
    row.operator("flowanchor.preset_add", text="", icon="ADD")
    row.operator("flowanchor.preset_add", text="", icon="REMOVE").remove_active = True


CLASSES = (FLOWANCHOR_MT_presets, FLOWANCHOR_OT_preset_add)
