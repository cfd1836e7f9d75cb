# SPDX-License-Identifier: GPL-3.0-or-later
"""The API's request, made of what the user chose and what was exported."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flowanchor.v1 import types_pb2

from .plan import Footage, UploadPlan
from .settings import EditSettings, Value

MOVIE_SUFFIXES = frozenset(
    {".mov", ".mp4", ".m4v", ".mkv", ".webm", ".avi", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".mxf", ".flv"}
    | {".ogv", ".ogg", ".nut", ".ivf", ".y4m", ".3gp"}
)
"""By which the daemon knows movies."""
_LONGEST_NAME = 255


def edit_request(
    settings: EditSettings,
    plan: UploadPlan,
    sha256: Mapping[Path, str],
    context: Mapping[str, Any] | None = None,
) -> types_pb2.EditRequest:
    """The edit as the daemon is asked for it.

    Args:
        settings, plan: what to do with which files.
        sha256: of every file of the plan.
        context: kept with the job and given back; JSON.
    """
    if not plan.masks and not plan.boxes:
        raise ValueError("no region")
    random = settings.seed_mode == "random"
    return types_pb2.EditRequest(
        clip=_clip(plan.clip, sha256),
        first=plan.first,
        last=plan.last,
        masks=[_clip(mask, sha256) for mask in plan.masks],
        geometry=[types_pb2.Geometry(box=types_pb2.Box(**asdict(box))) for box in plan.boxes],
        source_prompt=settings.source_prompt,
        target_prompt=settings.target_prompt,
        words=settings.words,
        negative_prompt=settings.negative_prompt,
        editor=settings.editor,
        parameters={name: parameter(value) for name, value in settings.parameters.items()},
        model=settings.model,
        preset=settings.preset,
        sampling=types_pb2.Sampling(steps=settings.steps, shift=settings.shift, skip=settings.skip),
        seed=0 if random else settings.seed,
        seed_mode=types_pb2.SEED_MODE_RANDOM if random else types_pb2.SEED_MODE_FIXED,
        region=types_pb2.RegionSettings(
            margin=settings.margin,
            mode=settings.mode,
            grow=settings.grow,
            feather=settings.feather,
            invert=settings.invert,
        ),
        delivery=types_pb2.DeliverySettings(kind=settings.deliver, format=settings.format),
        device=settings.device,
        host_context=json.dumps(context or {}).encode(),
    )


def parameter(value: Value) -> types_pb2.ParameterValue:
    """A plain value as the API says it; a whole number stays one."""
    if isinstance(value, bool):
        return types_pb2.ParameterValue(flag=value)
    if isinstance(value, int):
        return types_pb2.ParameterValue(integer=value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is no parameter")
        return types_pb2.ParameterValue(number=value)
    return types_pb2.ParameterValue(text=value)


def plain_value(value: types_pb2.ParameterValue) -> Value | None:
    """The number, flag or text of a parameter; None for an empty one."""
    kind = value.WhichOneof("value")
    found: Value | None = getattr(value, kind) if kind else None
    return found


def _clip(footage: Footage, sha256: Mapping[Path, str]) -> types_pb2.Clip:
    movie = footage.first_number is None
    refs = [_media_ref(path, sha256[path], movie) for path in footage.files]
    if footage.first_number is None:
        return types_pb2.Clip(movie=refs[0])
    rate = footage.rate
    return types_pb2.Clip(
        images=types_pb2.ImageSequence(frames=refs, first_number=footage.first_number),
        rate=None
        if rate is None
        else types_pb2.Rational(numerator=rate.numerator, denominator=rate.denominator),
    )


def _media_ref(path: Path, sha256: str, movie: bool) -> types_pb2.MediaRef:
    suffix = path.suffix.lower()
    if movie and suffix not in MOVIE_SUFFIXES:
        suffix = ".mov"  # what is in a movie decides how it is read, not its name
    return types_pb2.MediaRef(sha256=sha256, name=path.name[:_LONGEST_NAME], suffix=suffix)
