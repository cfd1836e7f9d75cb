# SPDX-License-Identifier: Apache-2.0
"""Everything that decides what an edit does. Same request, seed and device: same bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from flowanchor_core.geometry import Geometry


@dataclass(frozen=True)
class RegionSettings:
    """How the marked region becomes what the model sees, and how the result is blended back.

    `margin` is the share of the marked region's longer side kept around it. `mode` "detail" scales the crop
    to the model's full size, "fast" keeps its scale where the model allows it. `grow` widens what may change
    and `feather` is the width of the soft edge outside of that, both in native pixels. With `invert` the
    region is what was not marked.
    """

    margin: float = 0.25
    mode: Literal["detail", "fast"] = "detail"
    grow: int = 0
    feather: int = 8
    invert: bool = False


@dataclass(frozen=True)
class DeliverySettings:
    """What is written where: `kind` "full" with `format` "h264", "prores", "ffv1" or "png", or `kind` "patch"
    with "prores4444" or "png"."""

    out: Path
    kind: Literal["full", "patch"] = "full"
    format: str = "h264"


@dataclass(frozen=True)
class EditRequest:
    """One edit of one clip. `first` and `last` are 0-based, both included; `last` None means to the end.
    `rate` is the frame rate of an image sequence; a movie states its own.

    The region is the union of `masks` (files) and `geometry` (shapes in native pixels; keyframes count from
    `first`). `words` are the target prompt's words that drive the edit; None means the words in which the two
    prompts differ. `steps`, `shift` and `skip` replace the preset's values where they are given, `params` the
    editor's.
    """

    clip: Path
    delivery: DeliverySettings
    source_prompt: str
    target_prompt: str
    masks: tuple[Path, ...] = ()
    geometry: tuple[Geometry, ...] = ()
    first: int = 0
    last: int | None = None
    rate: Fraction | None = None
    words: tuple[str, ...] | None = None
    negative_prompt: str | None = None
    editor: str = "flowanchor"
    params: Mapping[str, Any] = field(default_factory=dict)
    model: str = "shapes"
    preset: str = "standard"
    steps: int | None = None
    shift: float | None = None
    skip: int | None = None
    seed: int = 0
    region: RegionSettings = field(default_factory=RegionSettings)
    sheet: Path | None = None
