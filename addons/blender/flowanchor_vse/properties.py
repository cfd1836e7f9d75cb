# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel holds, on the scene, and what it means. No secrets, no paths."""

import random
from collections.abc import Mapping
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

from .logic import words
from .logic.request import Box, EditSettings, Value
from .masks import MaskChoice

LARGEST_SEED = 2**31 - 1
"""Of Blender's integers; what is drawn at random stays below, so that every seed can be typed in again."""

_offered: dict[str, list[tuple[str, str, str]]] = {
    "editor": [("flowanchor", "FlowAnchor", "")],
    "model": [("shapes", "Shapes", "")],
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


class FlowAnchorSettings(bpy.types.PropertyGroup):
    range_mode: EnumProperty(
        name="Range",
        description="Frames to edit",
        items=[
            ("STRIP", "Whole Strip", "All frames of the strip that are seen"),
            (
                "SCENE",
                "Scene Range",
                "Those within the scene's frame range, or its preview range if that is on",
            ),
        ],
    )
    stack: BoolProperty(
        name="With Strips Below",
        description="Edit the picture of the strip and everything below it, not the strip alone",
    )
    deliver: EnumProperty(
        name="Result",
        items=[
            ("patch", "Patch", "The region alone, with a soft edge, laid over the strip"),
            ("full", "Full Frames", "Whole frames"),
        ],
    )
    file_format: EnumProperty(
        name="Files",
        items=[
            ("images", "Images", "PNG, one a frame: outside of the region exactly the strip's own picture"),
            ("movie", "Movie", "ProRes: smaller, and nearly the same"),
        ],
    )

    mask_kind: EnumProperty(
        name="Region",
        items=[
            ("mask", "Mask", "A mask of this file"),
            ("modifier", "Mask Modifier", "The mask of the strip's Mask modifier"),
            ("strip", "Mask Strip", "A mask strip above the strip"),
            ("alpha", "Strip's Alpha", "Where the strip is not transparent"),
            ("box", "Box", "A rectangle from numbers"),
        ],
    )
    mask: PointerProperty(name="Mask", type=bpy.types.Mask)
    modifier: StringProperty(name="Modifier", description="Empty: the first Mask modifier")
    mask_strip: StringProperty(name="Mask Strip", description="Empty: the first mask strip above")
    box: IntVectorProperty(name="Box", description="X, Y, width, height", size=4, min=0, soft_max=4096)
    invert: BoolProperty(name="Invert", description="The region is what was not marked")
    grow: IntProperty(
        name="Grow", description="Pixels by which the region may grow", min=0, max=1000, soft_max=64
    )
    feather: IntProperty(
        name="Feather",
        description="Width of the soft edge outside the region in pixels",
        min=0,
        max=1000,
        soft_max=64,
        default=8,
    )

    source_prompt: StringProperty(
        name="Shows", description="What the strip shows now", options={"TEXTEDIT_UPDATE"}
    )
    target_prompt: StringProperty(
        name="Should Show",
        description="What it should show; change as few words as you can",
        options={"TEXTEDIT_UPDATE"},
    )
    words: StringProperty(
        name="Words",
        description="Words of the second sentence that drive the edit, parted by commas; empty: what differs",
    )

    editor_name: StringProperty(default="flowanchor")
    editor: EnumProperty(name="Editor", description="Editing method", **_choices("editor"))
    model_name: StringProperty(default="shapes")
    model: EnumProperty(name="Model", **_choices("model"))
    preset: EnumProperty(
        name="Preset",
        items=[
            ("draft", "Draft", "Quick look"),
            ("standard", "Standard", "The usual quality"),
            ("final", "Final", "More steps"),
        ],
        default="standard",
    )
    seed: IntProperty(name="Seed", description="Number that fixes the noise", min=0, max=LARGEST_SEED)
    seed_mode: EnumProperty(
        name="Seed Mode",
        items=[
            ("random", "Random", "Another seed for each edit"),
            ("fixed", "Fixed", "The same seed for each edit"),
            ("increment", "Increment", "One more after each edit"),
        ],
        default="fixed",
    )

    use_negative: BoolProperty(
        name="Negative Prompt", description="Use one of your own in place of the model's"
    )
    negative_prompt: StringProperty(
        name="Negative Prompt", description="What the picture should not look like"
    )
    margin: FloatProperty(
        name="Margin",
        description="Surroundings shown to the model, as a share of the region's longer side",
        min=0,
        max=10,
        soft_max=2,
        default=0.25,
    )
    mode: EnumProperty(
        name="Crop",
        items=[
            ("detail", "Detail", "Scale the region to the model's size"),
            ("fast", "Fast", "Keep the region's scale"),
        ],
    )
    use_schedule: BoolProperty(
        name="Own Schedule", description="Set steps, shift and skip in place of the preset's"
    )
    steps: IntProperty(
        name="Steps", description="Steps of the schedule", min=1, max=1000, soft_max=100, default=25
    )
    shift: FloatProperty(
        name="Shift",
        description="Shift of the schedule towards noise",
        min=0.001,
        max=100,
        soft_max=12,
        default=5,
    )
    skip: IntProperty(
        name="Skip", description="Steps left out at the noisy end", min=0, max=999, soft_max=50, default=2
    )
    parameters: PointerProperty(type=FlowAnchorParameters)
    device: StringProperty(name="Device", description="auto, cpu, cuda or cuda:N", default="auto")
    priority: IntProperty(
        name="Priority", description="Edits of higher priority run first", min=-100, max=100
    )


_FORMATS = {
    ("patch", "images"): "png",
    ("patch", "movie"): "prores4444",
    ("full", "images"): "png",
    ("full", "movie"): "prores",
}

CLASSES = (FlowAnchorParameters, FlowAnchorSettings)


def of(scene: Any) -> Any:
    """The settings of a scene."""
    return scene.flowanchor


def parameters(settings: Any) -> dict[str, Value]:
    """Values that were set in place of the preset's."""
    return {name: value for name, value in settings.parameters.items() if isinstance(value, Value)}


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
        format=_FORMATS[settings.deliver, settings.file_format],
        device=settings.device.strip() or "auto",
        priority=settings.priority,
    )


def after_edit(settings: Any) -> None:
    """Count the seed on where the user wants that."""
    if settings.seed_mode == "increment":
        settings.seed = 0 if settings.seed >= LARGEST_SEED else settings.seed + 1


def adopt(settings: Any, edit: EditSettings, seed: int) -> None:
    """Put an earlier edit's settings into the panel; `seed` as it was used."""
    for name in ("source_prompt", "target_prompt", "preset", "margin", "mode", "grow", "feather", "invert"):
        setattr(settings, name, getattr(edit, name))
    settings.editor_name, settings.model_name = edit.editor, edit.model
    settings.words = ", ".join(edit.words)
    settings.deliver, settings.device, settings.priority = edit.deliver, edit.device, edit.priority
    settings.file_format = "images" if edit.format == "png" else "movie"
    settings.use_negative = edit.negative_prompt is not None
    settings.negative_prompt = edit.negative_prompt or ""
    settings.use_schedule = None not in (edit.steps, edit.shift, edit.skip)
    if settings.use_schedule:
        settings.steps, settings.shift, settings.skip = edit.steps, edit.shift, edit.skip
    if 0 <= seed <= LARGEST_SEED:
        settings.seed, settings.seed_mode = seed, "fixed"
    for name in list(settings.parameters.keys()):
        del settings.parameters[name]
    for name, value in edit.parameters.items():
        settings.parameters[name] = value


def mask_choice(settings: Any) -> MaskChoice:
    """The region as chosen; a name that was left empty stays empty."""
    kind = settings.mask_kind
    if kind == "box":
        x, y, width, height = settings.box
        return MaskChoice("box", box=Box(float(x), float(y), float(width), float(height)))
    name = {
        "mask": settings.mask.name if settings.mask is not None else "",
        "modifier": settings.modifier,
        "strip": settings.mask_strip,
    }.get(kind, "")
    return MaskChoice(kind, name)


def register() -> None:
    bpy.types.Scene.flowanchor = PointerProperty(type=FlowAnchorSettings)


def unregister() -> None:
    if hasattr(bpy.types.Scene, "flowanchor"):
        del bpy.types.Scene.flowanchor
