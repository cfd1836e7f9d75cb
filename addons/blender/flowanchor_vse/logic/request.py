# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel holds, and the API's request made of it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from flowanchor.v1 import types_pb2

from . import words
from .naming import frame_file

Value = bool | int | float | str
SeedMode = Literal["random", "fixed"]
LARGEST_SEED = 2**63 - 1
MOVIE_SUFFIXES = frozenset(
    {".mov", ".mp4", ".m4v", ".mkv", ".webm", ".avi", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".mxf", ".flv"}
    | {".ogv", ".ogg", ".nut", ".ivf", ".y4m", ".3gp"}
)
"""By which the daemon knows movies."""
EQUAL = "Both sentences say the same, so nothing would change: say in the second what should be different."
_LONGEST_NAME = 255


@dataclass(frozen=True)
class Footage:
    """Exported files of a clip or a mask. `first_number` is that of the first image, None for a movie; `rate`
    is the clip's frames a second, which a movie states itself and a mask does not need."""

    files: tuple[Path, ...]
    first_number: int | None = 0
    rate: Fraction | None = None


@dataclass(frozen=True)
class Box:
    """A region from numbers, in pixels of the clip: origin at its upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class UploadPlan:
    """Everything an edit sends. `first` and `last` count in what is sent of the clip; None is its end."""

    clip: Footage
    masks: tuple[Footage, ...] = ()
    boxes: tuple[Box, ...] = ()
    first: int = 0
    last: int | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """All files, each once, in a fixed order."""
        return tuple(dict.fromkeys(path for part in (self.clip, *self.masks) for path in part.files))


@dataclass(frozen=True)
class EditSettings:
    """What the user chose. None, or no entry in `parameters`, leaves a value to the preset."""

    source_prompt: str = ""
    target_prompt: str = ""
    words: tuple[str, ...] = ()
    negative_prompt: str | None = None
    editor: str = "flowanchor"
    model: str = "shapes"
    preset: str = "standard"
    steps: int | None = None
    shift: float | None = None
    skip: int | None = None
    parameters: Mapping[str, Value] = field(default_factory=dict)
    seed: int = 0
    seed_mode: SeedMode = "fixed"
    margin: float = 0.25
    mode: str = "detail"
    grow: int = 0
    feather: int = 8
    invert: bool = False
    deliver: str = "patch"
    format: str = ""
    device: str = "auto"
    priority: int = 0

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "words": list(self.words), "parameters": dict(self.parameters)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> EditSettings:
        """What `to_json` gave; entries of other versions are left out, those of another type are the
        default."""
        default = cls()
        kept: dict[str, Any] = {}
        for name, value in data.items():
            if name == "words" and isinstance(value, list):
                kept[name] = tuple(word for word in value if isinstance(word, str))
            elif name == "parameters" and isinstance(value, dict):
                kept[name] = {str(key): one for key, one in value.items() if isinstance(one, Value)}
            elif name == "seed_mode":
                kept[name] = value if value in ("random", "fixed") else "fixed"
            elif (
                name in _PLAIN
                and isinstance(value, _PLAIN[name])
                and _same_flag(getattr(default, name), value)
            ):
                kept[name] = value
        return cls(**kept)


_NONE = type(None)
_PLAIN: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(
        (
            "source_prompt",
            "target_prompt",
            "editor",
            "model",
            "preset",
            "mode",
            "deliver",
            "format",
            "device",
        ),
        (str,),
    ),
    **dict.fromkeys(("seed", "grow", "feather", "priority"), (int,)),
    "negative_prompt": (str, _NONE),
    "steps": (int, _NONE),
    "skip": (int, _NONE),
    "shift": (float, int, _NONE),
    "margin": (float, int),
    "invert": (bool,),
}


def _same_flag(default: object, value: object) -> bool:
    return isinstance(default, bool) == isinstance(value, bool)  # True is an int to Python, not to us


def problems(settings: EditSettings) -> list[str]:
    """Sentences that say what the user has to fill in before anything is exported; the daemon checks the
    rest."""
    found = []
    for name, text in (
        ("what the strip shows", settings.source_prompt),
        ("what it should show", settings.target_prompt),
    ):
        if not re.search(r"\w", words.clean(text)):
            found.append(f"Say in a few words {name}.")
    if not found and not settings.words and words.same(settings.source_prompt, settings.target_prompt):
        found.append(EQUAL)
    found += [
        f"The word “{word}” does not stand in the target prompt."
        for word in words.missing_words(settings.words, settings.target_prompt)
    ]
    return found


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


def plan_to_json(plan: UploadPlan) -> dict[str, Any]:
    """A plan as plain data, so that an edit can be sent again after Blender was closed."""
    return {
        "clip": _footage_to_json(plan.clip),
        "masks": [_footage_to_json(mask) for mask in plan.masks],
        "boxes": [[box.x, box.y, box.width, box.height] for box in plan.boxes],
        "first": plan.first,
        "last": plan.last,
    }


def plan_from_json(data: Any) -> UploadPlan | None:
    """What `plan_to_json` gave; None if it is no plan."""
    try:
        return UploadPlan(
            _footage_from_json(data["clip"]),
            tuple(_footage_from_json(mask) for mask in data["masks"]),
            tuple(Box(*map(float, box)) for box in data["boxes"]),
            int(data["first"]),
            None if data["last"] is None else int(data["last"]),
        )
    except (ArithmeticError, KeyError, TypeError, ValueError):
        return None


def plan_folders(data: Any) -> frozenset[Path]:
    """Folders whose numbered frames a plan of `plan_to_json` sends, without a look at each of them."""
    try:
        parts = (data["clip"], *data["masks"])
        return frozenset(Path(part["folder"]) for part in parts if "folder" in part)
    except (KeyError, TypeError):
        return frozenset()


def _footage_to_json(part: Footage) -> dict[str, Any]:
    """Exported frames are named by their numbers, so that a folder and a count say it all: this lies in the
    user's .blend."""
    rate, names = part.rate, [path.name for path in part.files]
    folders = {path.parent for path in part.files}
    suffix = part.files[0].suffix
    numbered = len(folders) == 1 and names == [frame_file(index, suffix) for index in range(len(names))]
    files = (
        {"folder": str(folders.pop()), "count": len(names), "suffix": suffix}
        if numbered
        else {"files": [str(path) for path in part.files]}
    )
    return {
        **files,
        "first_number": part.first_number,
        "rate": [rate.numerator, rate.denominator] if rate is not None else None,
    }


def _footage_from_json(data: Any) -> Footage:
    if "files" in data:
        files = tuple(Path(name) for name in data["files"])
    else:
        folder = Path(data["folder"])
        files = tuple(folder / frame_file(index, data["suffix"]) for index in range(data["count"]))
    number, rate = data["first_number"], data["rate"]
    if not files or not isinstance(number, int | None):
        raise ValueError("no footage")
    return Footage(files, number, Fraction(*rate) if rate else None)
