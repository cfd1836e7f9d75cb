# SPDX-License-Identifier: Apache-2.0
"""Sampling settings by model and by how much time an edit may take.

`standard` of Wan2.1 is the setting of the FlowAnchor paper (arXiv 2604.22586); its `draft` and `final` keep
the share of skipped steps. The values for the embedded `shapes` model were chosen on its tuning clips (see
the quality table in the README), never on the held-out ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from flowanchor_core.errors import InputError, ModelError
from flowanchor_core.models import ModelCard

NAMES = ("draft", "standard", "final")

# The negative prompt of the Wan2.1 release, used on both unconditional branches.
WAN_NEGATIVE = (
    "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，低质量，JPEG压缩残留，"
    "丑陋的，残缺的，多余的手指，画得不好的手部，画得不好的脸部，畸形的，毁容的，形态畸形的肢体，手指融合，"
    "静止不动的画面，杂乱的背景，三条腿，背景人很多，倒着走"
)


@dataclass(frozen=True)
class Preset:
    """Settings of one edit: `steps` of the schedule with `shift`, the first `skip` of them left out.

    `source_guidance` and `target_guidance` are the scales of classifier-free guidance (1 = none);
    `editor_params` holds values by editor id that differ from that editor's own defaults; `overlap` is how
    many latent frames two windows of a long clip share; `minimum_crop` the least width and height in native
    pixels that are cut out around a region as far as the picture has them, 0 for the model's native size.
    """

    steps: int = 25
    shift: float = 5.0
    skip: int = 2
    source_guidance: float = 5.0
    target_guidance: float = 10.0
    negative_prompt: str = WAN_NEGATIVE
    overlap: int = 4
    minimum_crop: int = 256
    editor_params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def params_for(self, editor: str) -> dict[str, Any]:
        """Parameters this preset gives to `editor`, before the user's own."""
        guidance = {"source_guidance": self.source_guidance, "target_guidance": self.target_guidance}
        return {**guidance, **self.editor_params.get(editor, {})}


_WAN = Preset()
_SHAPES = Preset(
    shift=3.0,
    skip=4,
    source_guidance=1.5,
    target_guidance=2.5,
    negative_prompt="",
    overlap=2,
    minimum_crop=0,
    editor_params={"flowanchor": {"contrast": "magnitude", "gamma": 0.5, "blend": True}},
)

_RANGES: dict[str, tuple[float, float]] = {
    "steps": (1, 1000),
    "shift": (0.001, 100),
    "skip": (0, 999),
    "source_guidance": (0, 100),
    "target_guidance": (0, 100),
    "overlap": (0, 1000),
    "minimum_crop": (0, 100_000),
}

_FAMILIES: dict[str, dict[str, Preset]] = {
    "wan2.1": {
        "draft": replace(_WAN, steps=13, skip=1),
        "standard": _WAN,
        "final": replace(_WAN, steps=50, skip=4),
    },
    "shapes": {
        "draft": replace(_SHAPES, steps=13, skip=2),
        "standard": _SHAPES,
        "final": replace(_SHAPES, steps=50, skip=8),
    },
}


def get(card: ModelCard, name: str) -> Preset:
    """Preset `name` for the model behind `card`.

    The card's `sampling` object overrides fields by name for every preset, and a key that is itself a
    preset's name ("draft", ...) holds overrides for that preset alone. InputError for an unknown preset,
    ModelError for a card that names an unknown field or gives one a value of another type.
    """
    family = _FAMILIES.get(card.world or "wan2.1", _FAMILIES["wan2.1"])
    if name not in family:
        raise InputError(
            "unknown-preset", f"There is no preset called '{name}'.", f"Known are {', '.join(family)}."
        )
    own = {key: value for key, value in card.sampling.items() if key not in NAMES}
    special = card.sampling.get(name, {})
    if not isinstance(special, Mapping):
        raise _unusable(card, name, special)
    preset = _override(_override(family[name], own, card), special, card)
    if preset.skip >= preset.steps:
        raise _unusable(card, f"skip of {preset.steps} steps", preset.skip)
    return preset


def skip_of(preset: Preset, steps: int) -> int:
    """Steps that are left out of `steps` ones: a preset's skip is a share of its own, and the share is
    kept."""
    return round(preset.skip * steps / preset.steps)


def _override(preset: Preset, values: Mapping[str, Any], card: ModelCard) -> Preset:
    known = {entry.name: getattr(preset, entry.name) for entry in fields(preset)}
    for key, value in values.items():
        if key not in known or not _same_kind(known[key], value) or not _in_range(key, value):
            raise _unusable(card, key, value)
    return replace(preset, **values)


def _unusable(card: ModelCard, key: str, value: object) -> ModelError:
    return ModelError(
        "model-card",
        f"The card of model '{card.name}' holds an unusable sampling value: {key} = {repr(value)[:60]}.",
        f"Correct {card.folder / 'flowanchor.json'}.",
    )


def _in_range(key: str, value: Any) -> bool:
    """Ranges of what a card may say, both ends included; not-a-number is in none."""
    if isinstance(value, Mapping):
        return all(isinstance(params, Mapping) for params in value.values())
    if isinstance(value, str):
        return True
    least, most = _RANGES[key]
    return bool(least <= value <= most)


def _same_kind(present: object, value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(present, float):
        return isinstance(value, int | float)
    if isinstance(present, Mapping):
        return isinstance(value, Mapping)
    return isinstance(value, type(present))
