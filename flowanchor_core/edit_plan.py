# SPDX-License-Identifier: Apache-2.0
"""Check a request before anything costly happens.

After this only the model, the disk, a damaged clip or a word without a token can stop an edit.
Nothing here needs torch, so that a request is refused without waiting for it.
"""

from __future__ import annotations

import functools
import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowanchor_core import editors, models, presets
from flowanchor_core.drawing import draw
from flowanchor_core.errors import InputError
from flowanchor_core.footage import (
    ClipInfo,
    Delivery,
    MaskTrack,
    check_range,
    files_of,
    open_mask,
    probe,
    refuse_overlap,
)
from flowanchor_core.footage.media import refuse_unreachable
from flowanchor_core.footage.preflight import ANY_ROOM, Room, try_place
from flowanchor_core.request import EditRequest
from flowanchor_core.tokens import clean_prompt, refuse_equal, refuse_missing

MOST_STEPS = 1000
LARGEST_SEED = 2**63 - 1
LOWEST_RATE, HIGHEST_RATE = Fraction(1, 1000), Fraction(1000)
LARGEST_DENOMINATOR = 100_000


@dataclass(frozen=True)
class EditPlan:
    """A request that has been checked against its clip, masks, model card and editor.

    `mask` marks the region on the frames `first` to `last`, at native size. `params` are the editor's,
    complete; `preset` has the request's own steps, shift and skip in it.
    """

    request: EditRequest
    card: models.ModelCard
    preset: presets.Preset
    editor: editors.Editor
    params: Any
    clip: ClipInfo
    first: int
    last: int
    mask: MaskTrack
    delivery: Delivery

    @property
    def frames(self) -> int:
        return self.last - self.first + 1


def plan_edit(
    request: EditRequest, between_frames: Callable[[], None] = lambda: None, room: Room = ANY_ROOM
) -> EditPlan:
    """Look at everything the request names; read the masks, but no frame and no weight yet.

    Args:
        request: what is wanted.
        between_frames: called after each frame of the region that was drawn, which takes long for a shape of
            many points; what it raises ends the call.
        room: what the result may take.

    Raises:
        InputError: anything in the request that cannot be used. ModelError: the model folder's card or
        layout.
    """
    check_prompts(request)
    check_numbers(request)
    # Before the model: a mistyped name is not worth finding out after a download of gigabytes.
    clip = probe(request.clip, request.rate)
    check_rate(request, clip)
    editor = editors.get(request.editor)
    card = models.read_card(models.find_model(request.model), request.model)
    preset = own_schedule(request, presets.get(card, request.preset))
    params = editor.parse({**preset.params_for(editor.name), **request.params})
    check_sheet(request.sheet)
    first, last = check_range(clip, request.first, request.last)
    out = request.delivery
    delivery = Delivery(out.kind, out.format, out.out)
    delivery.preflight(clip, first, last, room)
    check_files(request, clip, delivery.files(clip, first, last))
    mask = read_region(request, clip, first, last, between_frames)
    return EditPlan(request, card, preset, editor, params, clip, first, last, mask, delivery)


def check_prompts(request: EditRequest) -> None:
    for name, text in (("source", request.source_prompt), ("target", request.target_prompt)):
        if not re.search(r"\w", clean_prompt(text)):
            raise InputError(
                "prompt-empty", f"The {name} prompt is empty.", "Say in a few words what the clip shows."
            )
    refuse_equal(request.source_prompt, request.target_prompt, request.words)
    refuse_missing(request.target_prompt, request.words)


def check_numbers(request: EditRequest) -> None:
    """Ranges of the request's plain numbers (the editor checks its own)."""
    region = request.region
    if not 0 <= request.seed <= LARGEST_SEED:
        raise _out_of_range("seed", request.seed, f"0 to {LARGEST_SEED}")
    if not (math.isfinite(region.margin) and 0 <= region.margin <= 10):
        raise _out_of_range("margin", region.margin, "0 to 10")
    for name, pixels in (("grow", region.grow), ("feather", region.feather)):
        if not 0 <= pixels <= 1000:
            raise _out_of_range(name, pixels, "0 to 1000 pixels")
    if region.mode not in ("detail", "fast"):
        raise InputError("unknown-mode", f"There is no mode called '{region.mode}'.", "Use detail or fast.")


def check_rate(request: EditRequest, clip: ClipInfo) -> None:
    """A rate given for the clip must be one that deliveries can state, and a movie's own if it has one."""
    rate = request.rate
    if rate is None:
        return
    if not (LOWEST_RATE <= rate <= HIGHEST_RATE and rate.denominator <= LARGEST_DENOMINATOR):
        raise _out_of_range("rate", rate, f"{LOWEST_RATE} to {HIGHEST_RATE} frames a second")
    if clip.kind == "movie" and rate != clip.rate:
        raise InputError(
            "rate-contradicted",
            f"The clip runs at {clip.rate} frames a second, not at {rate}.",
            "Leave --rate out: it is for image sequences, which do not state one.",
        )


def own_schedule(request: EditRequest, preset: presets.Preset) -> presets.Preset:
    """The preset with the request's own steps, skip, shift and negative prompt where it has them."""
    steps = preset.steps if request.steps is None else request.steps
    if not 1 <= steps <= MOST_STEPS:
        raise _out_of_range("steps", steps, f"1 to {MOST_STEPS}")
    skip = presets.skip_of(preset, steps) if request.skip is None else request.skip
    if not 0 <= skip < steps:
        raise _out_of_range("skip", skip, f"0 to {steps - 1} (one less than the steps)")
    shift = preset.shift if request.shift is None else request.shift
    if not (math.isfinite(shift) and 0 < shift <= 100):
        raise _out_of_range("shift", shift, "above 0, up to 100")
    negative = preset.negative_prompt if request.negative_prompt is None else request.negative_prompt
    return replace(preset, steps=steps, skip=skip, shift=shift, negative_prompt=negative)


def check_files(request: EditRequest, clip: ClipInfo, results: tuple[Path, ...]) -> None:
    """Raise InputError if the results or the sheet would replace a file of the clip or the masks, or each
    other.
    """
    masks = [file for path in request.masks for file in files_of(path)]
    sheet = () if request.sheet is None else (request.sheet,)
    refuse_overlap((clip.path, *clip.files, *masks), (*results, *sheet))


def read_region(
    request: EditRequest,
    clip: ClipInfo,
    first: int,
    last: int,
    between_frames: Callable[[], None] = lambda: None,
) -> MaskTrack:
    """The union of the request's mask files and geometry over a range of frames, or with `region.invert` all
    that is not in it.

    Raises:
        InputError: none was given, one cannot be used, nothing of the union lies in the picture, or inverted
        nothing is left.
    """
    if not request.masks and not request.geometry:
        raise InputError("no-region", "No region was given.", "Mark one with --mask or --box.")
    tracks = [open_mask(path, clip, first, last) for path in request.masks]
    if request.geometry:
        drawn = draw(request.geometry, last - first + 1, clip.height, clip.width)
        tracks.append(MaskTrack.of(_calling(between_frames, drawn), clip.height, clip.width))
        if tracks[-1].bounds() is None:
            raise InputError(
                "mask-empty",
                f"The region drawn for this edit lies outside the {clip.width}x{clip.height} picture.",
                "Give it in the clip's own pixels, counted from its upper left corner.",
            )
    marked = functools.reduce(operator.or_, tracks)
    if not request.region.invert:
        return marked
    rest = MaskTrack.of((~frame for frame in marked), clip.height, clip.width)
    if rest.bounds() is None:
        raise InputError(
            "mask-empty",
            "The marks cover the whole picture, so inverted they leave no region.",
            "Mark less, or do not invert the region.",
        )
    return rest


def _calling(between: Callable[[], None], frames: Iterator[NDArray[np.bool_]]) -> Iterator[NDArray[np.bool_]]:
    for frame in frames:
        yield frame
        between()


def check_sheet(path: Path | None) -> None:
    if path is None:
        return
    if path.suffix.lower() != ".png":
        raise InputError(
            "sheet-format", f"The contact sheet {path.name} is no PNG.", "Give it the ending .png."
        )
    refuse_unreachable(path)
    if not path.parent.is_dir():
        raise InputError("output-folder-missing", f"There is no folder {path.parent}.", "Make it first.")
    if path.is_dir():
        raise InputError("output-name", f"The contact sheet {path} is a folder.", "Name a file.")
    try_place(path.parent)


def settings_of(params: Any) -> Mapping[str, Any]:
    """An editor's parameters as plain values."""
    return {name: getattr(params, name) for name in params.__dataclass_fields__}


def _out_of_range(name: str, value: object, allowed: str) -> InputError:
    return InputError(f"{name}-out-of-range", f"{name} {value} is out of range.", f"It goes from {allowed}.")
