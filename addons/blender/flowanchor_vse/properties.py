# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel holds, on the scene, and what it means. No secrets, no paths."""

import math
import random
from collections.abc import Callable, Mapping
from operator import setitem
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    IntVectorProperty,
    PointerProperty,
    StringProperty,
)

from . import compat, text
from .logic import words
from .logic.plan import Box
from .logic.settings import EditSettings, Value
from .masks import MaskChoice

LARGEST_SEED = 2**31 - 1
"""Of Blender's integers; what is drawn at random stays below, so that every seed can be typed in again."""

_offered: dict[str, list[tuple[str, str, str]]] = {
    "editor": [("flowanchor", text.EDITORS["flowanchor"], "")],
    "model": [("shapes", "shapes", "")],
}
"""Choices the daemon named. Blender needs the texts to live as long as they are shown."""


def offer(kind: str, items: list[tuple[str, str, str]]) -> None:
    """Set the choices of "editor" or "model"."""
    if items:
        _offered[kind] = items


def _choices(kind: str) -> dict[str, Any]:
    """An enum kept as its name, so that a choice survives when the daemon's list changes."""
    name = f"{kind}_name"

    def listed(settings: Any, context: Any) -> list[tuple[str, str, str]]:
        chosen = getattr(settings, name)
        known = _offered[kind]
        if any(item[0] == chosen for item in known):
            return known
        kept = _unknown.setdefault(chosen, [*known, (chosen, chosen, "")])
        if kept[:-1] != known:
            kept = _unknown[chosen] = [*known, (chosen, chosen, "")]
        return kept

    def get(settings: Any) -> int:
        names = [item[0] for item in listed(settings, None)]
        return names.index(getattr(settings, name))

    def put(settings: Any, index: int) -> None:
        setattr(settings, name, listed(settings, None)[index][0])

    return {"items": listed, "get": get, "set": put}


_unknown: dict[str, list[tuple[str, str, str]]] = {}


class FlowAnchorParameters(bpy.types.PropertyGroup):
    """Values in place of the preset's, as custom properties by the parameter's name."""


def _named(field: str) -> dict[str, Any]:
    """Name and description of a property, from the catalogue."""
    name, description = text.FIELDS[field]
    return {"name": name, "description": description}


def _one_of(field: str) -> dict[str, Any]:
    return {**_named(field), "items": text.CHOICES[field]}


class FlowAnchorSettings(bpy.types.PropertyGroup):
    ledger: StringProperty(options={"HIDDEN"})

    range_mode: EnumProperty(**_one_of("range_mode"))
    stack: BoolProperty(**_named("stack"))
    deliver: EnumProperty(**_one_of("deliver"))
    file_format: EnumProperty(**_one_of("file_format"))

    mask_kind: EnumProperty(**_one_of("mask_kind"))
    mask: PointerProperty(**_named("mask"), type=bpy.types.Mask)
    modifier: StringProperty(**_named("modifier"))
    mask_strip: StringProperty(**_named("mask_strip"))
    box: IntVectorProperty(**_named("box"), size=4, min=0, soft_max=4096)
    invert: BoolProperty(**_named("invert"))
    grow: IntProperty(**_named("grow"), min=0, max=1000, soft_max=64)
    feather: IntProperty(**_named("feather"), min=0, max=1000, soft_max=64, default=8)

    source_prompt: StringProperty(**_named("source_prompt"), options={"TEXTEDIT_UPDATE"})
    target_prompt: StringProperty(**_named("target_prompt"), options={"TEXTEDIT_UPDATE"})
    words: StringProperty(**_named("words"))

    editor_name: StringProperty(default="flowanchor", options={"HIDDEN"})
    editor: EnumProperty(**_named("editor"), **_choices("editor"))
    model_name: StringProperty(default="shapes", options={"HIDDEN"})
    model: EnumProperty(**_named("model"), **_choices("model"))
    preset: EnumProperty(**_one_of("preset"), default="standard")
    seed: IntProperty(**_named("seed"), min=0, max=LARGEST_SEED)
    seed_mode: EnumProperty(**_one_of("seed_mode"), default="fixed")

    use_negative: BoolProperty(**_named("use_negative"))
    negative_prompt: StringProperty(**_named("negative_prompt"))
    margin: FloatProperty(**_named("margin"), min=0, max=10, soft_max=2, default=0.25)
    mode: EnumProperty(**_one_of("mode"))
    use_schedule: BoolProperty(**_named("use_schedule"))
    steps: IntProperty(**_named("steps"), min=1, max=1000, soft_max=100, default=25)
    shift: FloatProperty(**_named("shift"), min=0.001, max=100, soft_max=12, default=5)
    skip: IntProperty(**_named("skip"), min=0, max=999, soft_max=50, default=2)
    parameters: PointerProperty(type=FlowAnchorParameters)
    device: StringProperty(**_named("device"), default="auto")
    priority: IntProperty(**_named("priority"), min=-100, max=100)


_FORMATS = {
    ("patch", "images"): "png",
    ("patch", "movie"): "prores4444",
    ("full", "images"): "png",
    ("full", "movie"): "prores",
}

CLASSES = (FlowAnchorParameters, FlowAnchorSettings)


def file_format(settings: Any) -> str:
    """The format to ask for: as chosen, but images where Blender shows a transparent movie wrongly."""
    makes_movie = settings.deliver == "full" or compat.shows_transparent_movies()
    return _FORMATS[settings.deliver, settings.file_format if makes_movie else "images"]


def of(scene: Any) -> Any:
    """The settings of a scene."""
    return scene.flowanchor


def parameters(settings: Any) -> dict[str, Value]:
    """Values that were set in place of the preset's; what is no number, which a file from anybody may hold,
    is left out."""
    return {
        name: value
        for name, value in settings.parameters.items()
        if isinstance(value, Value) and not (isinstance(value, float) and not math.isfinite(value))
    }


def to_edit(settings: Any, known: Mapping[str, Any] | None = None) -> EditSettings:
    """What the panel holds as plain data. `known` names the editor's parameters: those of others, which were
    set before the editor was changed, stay where they are."""
    own = parameters(settings)
    schedule = settings.use_schedule
    drawn = settings.seed_mode == "random"
    return EditSettings(
        source_prompt=settings.source_prompt,
        target_prompt=settings.target_prompt,
        words=words.split_words(settings.words),
        negative_prompt=settings.negative_prompt if settings.use_negative else None,
        editor=settings.editor_name,
        model=settings.model_name,
        preset=settings.preset,
        steps=settings.steps if schedule else None,
        shift=settings.shift if schedule else None,
        skip=min(settings.skip, settings.steps - 1) if schedule else None,
        parameters={name: value for name, value in own.items() if known is None or name in known},
        seed=random.SystemRandom().randint(0, LARGEST_SEED) if drawn else settings.seed,
        seed_mode="fixed",
        margin=settings.margin,
        mode=settings.mode,
        grow=settings.grow,
        feather=settings.feather,
        invert=settings.invert,
        deliver=settings.deliver,
        format=file_format(settings),
        device=settings.device.strip() or "auto",
        priority=settings.priority,
    )


def after_edit(settings: Any) -> None:
    """Count the seed on where the user wants that."""
    if settings.seed_mode == "increment":
        settings.seed = 0 if settings.seed >= LARGEST_SEED else settings.seed + 1


def adopt(settings: Any, edit: EditSettings, seed: int) -> list[str]:
    """Put an earlier edit's settings into the panel; `seed` as it was used. Returns the names of those the
    panel has no place for, such as a preset of a later version: they stay as they are there."""
    values: dict[str, Any] = {
        name: getattr(edit, name)
        for name in (
            *("source_prompt", "target_prompt", "preset", "margin", "mode", "grow", "feather", "invert"),
            *("deliver", "device", "priority"),
        )
    }
    values |= {
        "editor_name": edit.editor,
        "model_name": edit.model,
        "words": ", ".join(edit.words),
        "file_format": "images" if edit.format == "png" else "movie",
        "use_negative": edit.negative_prompt is not None,
        "negative_prompt": edit.negative_prompt or "",
        "use_schedule": None not in (edit.steps, edit.shift, edit.skip),
    }
    if values["use_schedule"]:
        values |= {"steps": edit.steps, "shift": edit.shift, "skip": edit.skip}
    if 0 <= seed <= LARGEST_SEED:
        values |= {"seed": seed, "seed_mode": "fixed"}
    for name in list(settings.parameters.keys()):
        del settings.parameters[name]
    left = [name for name, value in values.items() if not _put(setattr, settings, name, value)]
    own = settings.parameters
    return left + [name for name, value in edit.parameters.items() if not _put(setitem, own, name, value)]


def _put(put: Callable[[Any, str, Any], None], holder: Any, name: str, value: Any) -> bool:
    """Whether Blender takes a value, which may come from a file of anybody: an unknown choice, a number of
    more bits or a name of more letters than its properties have, it does not."""
    try:
        put(holder, name, value)
    except (KeyError, OverflowError, TypeError, ValueError):
        return False
    return True


def mask_choice(settings: Any) -> MaskChoice:
    """The region as chosen; a name that was left empty stays empty."""
    kind = settings.mask_kind
    if kind == "box":
        x, y, width, height = settings.box
        return MaskChoice("box", box=Box(float(x), float(y), float(width), float(height)))
    if kind == "mask":
        return MaskChoice.of_mask(settings.mask)
    return MaskChoice(kind, {"modifier": settings.modifier, "strip": settings.mask_strip}.get(kind, ""))


def register() -> None:
    bpy.types.Scene.flowanchor = PointerProperty(type=FlowAnchorSettings)


def unregister() -> None:
    if hasattr(bpy.types.Scene, "flowanchor"):
        del bpy.types.Scene.flowanchor
