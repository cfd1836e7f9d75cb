# SPDX-License-Identifier: Apache-2.0
"""A request of the API as the core's, its files where the daemon laid them out."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, cast

from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import types_pb2

from flowanchor_core.errors import InputError
from flowanchor_core.footage.formats import find_format
from flowanchor_core.geometry import Box, Geometry, Keyframe, Polygon, Scribble
from flowanchor_core.request import DeliverySettings, EditRequest, RegionSettings

RESULT = "result"
SHEET = "sheet.png"

# What each kind of delivery is written as unless the request says otherwise.
_FIRST_FORMATS = {"full": "h264", "patch": "prores4444"}


def request_of(run: engine_pb2.Run) -> EditRequest:
    """The core's request for a run; results go into its output folder under names of our own.

    Raises:
        InputError: a shape without a form, or a delivery there is not.
    """
    edit, plain = run.edit, EditRequest
    rate = edit.clip.rate if edit.clip.HasField("rate") else None
    sampling = edit.sampling
    return EditRequest(
        clip=Path(run.clip.path),
        delivery=_delivery(edit.delivery, Path(run.output_folder)),
        source_prompt=edit.source_prompt,
        target_prompt=edit.target_prompt,
        masks=tuple(Path(mask.path) for mask in run.masks),
        geometry=tuple(_shape(shape) for shape in edit.geometry),
        first=edit.first,
        last=edit.last if edit.HasField("last") else None,
        rate=None if rate is None else _fraction(rate),
        words=tuple(edit.words) or None,
        negative_prompt=edit.negative_prompt if edit.HasField("negative_prompt") else None,
        editor=edit.editor or plain.editor,
        params={name: value_of(value) for name, value in edit.parameters.items()},
        model=edit.model or plain.model,
        preset=edit.preset or plain.preset,
        steps=sampling.steps if sampling.HasField("steps") else None,
        shift=sampling.shift if sampling.HasField("shift") else None,
        skip=sampling.skip if sampling.HasField("skip") else None,
        seed=edit.seed,
        region=_region(edit.region),
        sheet=Path(run.output_folder) / SHEET if edit.delivery.sheet else None,
    )


def value_of(value: types_pb2.ParameterValue) -> Any:
    """A parameter's plain value; None when it has none, which no editor takes."""
    kind = value.WhichOneof("value")
    return None if kind is None else getattr(value, kind)


def _fraction(rate: types_pb2.Rational) -> Fraction:
    if rate.denominator <= 0:
        raise InputError("rate-out-of-range", "The rate has no denominator.", "Give it as a fraction.")
    return Fraction(rate.numerator, rate.denominator)


def _delivery(settings: types_pb2.DeliverySettings, folder: Path) -> DeliverySettings:
    kind = settings.kind or "full"
    form = find_format(kind, settings.format or _FIRST_FORMATS.get(kind, ""))
    suffix = settings.container or next(iter(form.suffixes), "")
    if form.suffixes and suffix not in form.suffixes:
        raise InputError(
            "output-name",
            f"{form.name} cannot be written as {suffix[:20]}.",
            f"Use {' or '.join(form.suffixes)}.",
        )
    # Images are numbered as the clip's frames are.
    name = RESULT + suffix if form.suffixes else f"{RESULT}.%06d.png"
    return DeliverySettings(folder / name, form.kind, form.name)


def _region(settings: types_pb2.RegionSettings) -> RegionSettings:
    plain = RegionSettings()
    return RegionSettings(
        margin=settings.margin if settings.HasField("margin") else plain.margin,
        # The plan's check refuses what is neither.
        mode=cast(Literal["detail", "fast"], settings.mode or plain.mode),
        grow=settings.grow,
        feather=settings.feather if settings.HasField("feather") else plain.feather,
        invert=settings.invert,
    )


def _shape(geometry: types_pb2.Geometry) -> Geometry:
    match geometry.WhichOneof("shape"):
        case "box":
            box = geometry.box
            return Box(box.x, box.y, box.width, box.height)
        case "polygon":
            return Polygon(_keyframes(geometry.polygon.keyframes))
        case "scribble":
            return Scribble(_keyframes(geometry.scribble.keyframes), geometry.scribble.width)
    raise InputError(
        "mask-geometry", "A shape of the region has no form.", "Give a box, polygon or scribble."
    )


def _keyframes(keyframes: Iterable[types_pb2.Keyframe]) -> tuple[Keyframe, ...]:
    return tuple(
        Keyframe(keyframe.frame, tuple((point.x, point.y) for point in keyframe.points))
        for keyframe in keyframes
    )
