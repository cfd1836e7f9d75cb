# SPDX-License-Identifier: Apache-2.0
"""A layout for drawing panels without a window: it checks names, icons and values as Blender would, and keeps
the texts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import bpy

ICONS = set(bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items.keys())


class Button:
    """What `operator` gives: takes the operator's own properties and no others."""

    known: Any

    def __init__(self, known: Any) -> None:
        object.__setattr__(self, "known", known)

    def __setattr__(self, name: str, value: Any) -> None:
        assert name in self.known.properties, f"{self.known.identifier} has no {name}"


class Layout:
    use_property_split = use_property_decorate = False
    alignment, scale_y = "EXPAND", 1.0

    def __init__(self, shown: list[str]) -> None:
        self.shown = shown

    def row(self, align: bool = False) -> Layout:
        return Layout(self.shown)

    column = box = row

    def split(self, factor: float = 0.5) -> Layout:
        return Layout(self.shown)

    def label(self, text: str = "", icon: str = "NONE", translate: bool = True) -> None:
        assert icon in ICONS, icon
        self.shown.append(text)

    def prop(self, data: Any, name: str, text: str | None = None, index: int = -1) -> None:
        own = name.startswith("[") and name[2:-2] in data.keys()  # noqa: SIM118  # no dict
        assert own or name in data.bl_rna.properties, f"{data} has no {name}"
        self.shown.append(name if text is None else text)

    def prop_search(self, data: Any, name: str, among: Any, part: str, icon: str = "NONE") -> None:
        assert icon in ICONS, icon
        assert name in data.bl_rna.properties
        assert part in among.bl_rna.properties, f"{among} has no {part}"

    def operator(
        self,
        name: str,
        text: str | None = None,
        icon: str = "NONE",
        emboss: bool = True,
        depress: bool = False,
    ) -> Button:
        assert icon in ICONS, icon
        group, _, short = name.partition(".")
        known = getattr(getattr(bpy.ops, group), short).get_rna_type()
        self.shown.append(known.name if text is None else text)
        return Button(known)

    def menu(self, name: str, text: str = "") -> None:
        assert hasattr(bpy.types, name), name

    def progress(self, factor: float, type: str, text: str) -> None:  # noqa: A002  # Blender's name
        assert 0 <= factor <= 1, factor
        assert type == "BAR"
        self.shown.append(text)

    def template_icon(self, icon: int, scale: float = 1.0) -> None:
        assert icon > 0
        self.shown.append("<picture>")


def draw_all(scene: Any, strip: Any) -> list[str]:
    """Draw every panel for a scene and its active strip; the texts."""
    if scene is not None:
        scene.sequence_editor.active_strip = strip
    shown: list[str] = []
    context = SimpleNamespace(
        scene=scene,
        region=SimpleNamespace(width=320),
        preferences=bpy.context.preferences,
    )
    if hasattr(bpy.types.Context.bl_rna, "properties") and hasattr(bpy.context, "sequencer_scene"):
        context.sequencer_scene = scene
    for name in dir(bpy.types):
        if name.startswith("FLOWANCHOR_PT_"):
            panel = getattr(bpy.types, name)
            stand_in = SimpleNamespace(layout=Layout(shown))
            for part in ("_words", "_parameter", "_estimate", "_labelled"):
                if hasattr(panel, part):
                    setattr(stand_in, part, getattr(panel, part).__get__(stand_in))
            panel.draw(stand_in, context)
    return shown
