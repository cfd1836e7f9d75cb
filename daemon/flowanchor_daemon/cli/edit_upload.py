# SPDX-License-Identifier: Apache-2.0
"""From a checked request about the user's files to the API's, whose files are known by content."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowanchor.v1 import types_pb2

from flowanchor_core.geometry import Box, Geometry, Keyframe, Polygon

if TYPE_CHECKING:
    from flowanchor_core.edit_plan import EditPlan

_LONGEST_NAME = 255
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Footage:
    """The files a clip or a mask is sent as; `first_number` is that of the first image, None for a movie."""

    files: tuple[Path, ...]
    first_number: int | None


@dataclass(frozen=True)
class Shipment:
    """What an edit sends: its clip, its masks, and the range counted in what is sent of the clip."""

    clip: Footage
    masks: tuple[Footage, ...]
    first: int
    last: int

    @property
    def files(self) -> tuple[Path, ...]:
        """All files, each once, in a fixed order."""
        return tuple(dict.fromkeys(path for part in (self.clip, *self.masks) for path in part.files))


def ship(plan: EditPlan) -> Shipment:
    """What of the plan's files has to be sent.

    Of an image sequence that is the range only, unless a mask movie goes along with the whole of it.
    """
    from flowanchor_core.footage import probe

    clip, first, last = plan.clip, plan.first, plan.last
    paths = plan.request.masks
    movies = [path for path in paths if not _is_images(path)]
    masks = tuple(_mask(path, clip.frames, first, last) for path in paths)
    if clip.kind == "movie":
        return Shipment(Footage((clip.path,), None), masks, first, last)
    if any(probe(path).frames not in (1, plan.frames) for path in movies):
        return Shipment(Footage(clip.files, clip.first_number), masks, first, last)
    part = Footage(clip.files[first : last + 1], clip.first_number + first)
    return Shipment(part, masks, 0, last - first)


def _is_images(path: Path) -> bool:
    from flowanchor_core.footage import sequences

    return path.is_dir() or sequences.is_image(path) or sequences.is_pattern(path)


def _mask(path: Path, clip_frames: int, first: int, last: int) -> Footage:
    from flowanchor_core.footage import files_of

    if not _is_images(path):
        return Footage((path,), None)
    files = files_of(path)
    if len(files) == clip_frames and clip_frames != last - first + 1 and len(files) > 1:
        files = files[first : last + 1]
    return Footage(files, 0)


def message(
    plan: EditPlan,
    shipment: Shipment,
    sha256: Mapping[Path, str],
    suffixes: Sequence[str],
    model: str,
    device: str,
    deliver_to: Mapping[str, object],
) -> types_pb2.EditRequest:
    """The edit as the daemon is asked for it.

    Args:
        plan, shipment: what was checked and what is sent of it.
        sha256: of every file of the shipment.
        suffixes: those the daemon knows; a movie with another one is named by a neutral one of them.
        model: the name the daemon knows it by.
        device: as in the API.
        deliver_to: kept with the job for `flowanchor jobs fetch`; the daemon never reads it.
    """
    request = plan.request

    def clip_of(footage: Footage, rate: Fraction | None = None) -> types_pb2.Clip:
        refs = [_media_ref(path, sha256[path], suffixes) for path in footage.files]
        if footage.first_number is None:
            return types_pb2.Clip(movie=refs[0])
        return types_pb2.Clip(
            images=types_pb2.ImageSequence(frames=refs, first_number=footage.first_number),
            rate=None if rate is None else rational(rate),
        )

    region, out = request.region, request.delivery
    return types_pb2.EditRequest(
        clip=clip_of(shipment.clip, request.rate),
        first=shipment.first,
        last=shipment.last,
        masks=[clip_of(mask) for mask in shipment.masks],
        geometry=[geometry_message(shape) for shape in request.geometry],
        source_prompt=request.source_prompt,
        target_prompt=request.target_prompt,
        words=request.words or (),
        negative_prompt=request.negative_prompt,
        editor=request.editor,
        parameters={name: value_message(value) for name, value in request.params.items()},
        model=model,
        preset=request.preset,
        sampling=types_pb2.Sampling(steps=request.steps, shift=request.shift, skip=request.skip),
        seed=request.seed,
        seed_mode=types_pb2.SEED_MODE_FIXED,
        region=types_pb2.RegionSettings(
            margin=region.margin,
            mode=region.mode,
            grow=region.grow,
            feather=region.feather,
            invert=region.invert,
        ),
        delivery=types_pb2.DeliverySettings(
            kind=out.kind,
            format=out.format,
            container="" if out.format == "png" else out.out.suffix.lower(),
            sheet=request.sheet is not None,
        ),
        device=device,
        host_context=json.dumps(deliver_to).encode(),
    )


def rational(value: Fraction) -> types_pb2.Rational:
    return types_pb2.Rational(numerator=value.numerator, denominator=value.denominator)


def geometry_message(shape: Geometry) -> types_pb2.Geometry:
    """A shape of the core as one of the API."""
    if isinstance(shape, Box):
        box = types_pb2.Box(x=shape.x, y=shape.y, width=shape.width, height=shape.height)
        return types_pb2.Geometry(box=box)
    keyframes = [_keyframe(key) for key in shape.keyframes]
    if isinstance(shape, Polygon):
        return types_pb2.Geometry(polygon=types_pb2.Polygon(keyframes=keyframes))
    return types_pb2.Geometry(scribble=types_pb2.Scribble(keyframes=keyframes, width=shape.width))


def value_message(value: object) -> types_pb2.ParameterValue:
    """A parameter of the core as one of the API; numbers too long for 64 bits become floating ones."""
    if isinstance(value, bool):
        return types_pb2.ParameterValue(flag=value)
    if isinstance(value, int) and value in _INT64:
        return types_pb2.ParameterValue(integer=value)
    if isinstance(value, int | float):
        return types_pb2.ParameterValue(number=float(value))
    return types_pb2.ParameterValue(text=str(value))


def plain_value(value: types_pb2.ParameterValue) -> Any:
    """The number, flag or text in a message."""
    field = value.WhichOneof("value")
    return None if field is None else getattr(value, field)


def _keyframe(key: Keyframe) -> types_pb2.Keyframe:
    points = [types_pb2.Point(x=x, y=y) for x, y in key.points]
    return types_pb2.Keyframe(frame=key.frame, points=points)


def _media_ref(path: Path, sha256: str, suffixes: Sequence[str]) -> types_pb2.MediaRef:
    suffix = path.suffix.lower()
    if suffix not in suffixes:
        suffix = ".mov"  # what is in a movie decides how it is read, not its name
    name = os.fsencode(path.name).decode("utf-8", "replace")  # names are bytes, messages Unicode
    return types_pb2.MediaRef(sha256=sha256, name=name[:_LONGEST_NAME], suffix=suffix)


def uploaded(send: Callable[[Sequence[Path]], list[str]], shipment: Shipment) -> dict[Path, str]:
    """Send the shipment's files; gives their SHA-256 by path."""
    files = shipment.files
    return dict(zip(files, send(files), strict=True))
