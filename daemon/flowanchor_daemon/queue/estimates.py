# SPDX-License-Identifier: Apache-2.0
"""What an edit would cost: arithmetic of the core, and the pace of past edits of the same model."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, cast

from flowanchor.v1 import jobs_pb2, types_pb2

from flowanchor_core import editors, estimate, models, presets
from flowanchor_core.crops import Mode
from flowanchor_daemon.queue.fields import finite, whole

PAST_JOBS: Final = 10
"""The newest of so many edits count: a machine's pace changes with its drivers and what else it does."""

_LARGEST_SIDE: Final = 100_000
_LARGEST_RANGE: Final = 4_000_000
_SAMPLING: Final = "edit"
_LOADING: Final = "load"


def estimated(
    edit: types_pb2.EditRequest,
    request: jobs_pb2.EstimateEditRequest,
    past: Sequence[types_pb2.EditResult],
) -> jobs_pb2.EstimateEditResponse:
    """The answer to a call. Blocks: it reads the model's configuration.

    Args:
        edit: of the request, with defaults filled in.
        request: the call.
        past: results of edits of the same model that ran in one go, the newest first.

    Raises:
        ServiceError: "request-invalid" naming the field. InputError, ModelError: as an edit would fail.
    """
    whole("width", request.width, 1, _LARGEST_SIDE)
    whole("height", request.height, 1, _LARGEST_SIDE)
    whole("frames", request.frames, 1, _LARGEST_RANGE)
    card = models.read_card(models.find_model(edit.model), edit.model)
    preset = _scheduled(presets.get(card, edit.preset), edit.sampling)
    editor = editors.get(edit.editor)
    given = {
        name: getattr(value, value.WhichOneof("value") or "flag") for name, value in edit.parameters.items()
    }
    params = editor.parse({**preset.params_for(editor.name), **given})
    same = [result for result in past if _same_device(result.device, edit.device)]
    on_gpu = (same[0].device if same else edit.device).startswith("cuda")
    region = edit.region
    cost = estimate.cost_of(
        card,
        preset,
        params.n_avg,
        request.frames,
        (request.width, request.height),
        _bounds(request),
        margin=region.margin,
        around=region.grow + region.feather,
        mode=cast(Mode, region.mode),
        bytes_each=2 if on_gpu else 4,
    )
    answer = jobs_pb2.EstimateEditResponse(
        forwards=cost.forwards,
        windows=cost.windows,
        model_width=cost.model_width,
        model_height=cost.model_height,
        memory_bytes=cost.memory_bytes,
        past_jobs=len(same),
    )
    if same:
        answer.seconds = _seconds(card, cost.work, request.frames, same)
    return answer


def _scheduled(preset: presets.Preset, sampling: types_pb2.Sampling) -> presets.Preset:
    steps = sampling.steps if sampling.HasField("steps") else preset.steps
    skip = sampling.skip if sampling.HasField("skip") else presets.skip_of(preset, steps)
    whole("sampling.skip", skip, 0, steps - 1)
    return replace(preset, steps=steps, skip=skip)


def _bounds(request: jobs_pb2.EstimateEditRequest) -> tuple[int, int, int, int]:
    if not request.HasField("region"):
        return 0, 0, request.width, request.height
    box = request.region
    for name in ("x", "y", "width", "height"):
        finite(f"region.{name}", getattr(box, name), -_LARGEST_SIDE, _LARGEST_SIDE)
    # Pixels the box touches at all.
    return math.floor(box.x), math.floor(box.y), math.ceil(box.x + box.width), math.ceil(box.y + box.height)


def _same_device(ran: str, wanted: str) -> bool:
    return wanted in ("", "auto") or ran.partition(":")[0] == wanted.partition(":")[0]


def _seconds(card: models.ModelCard, work: float, frames: int, past: Sequence[types_pb2.EditResult]) -> float:
    """The sampling by its work, everything else by the frame; the median of the paces of past edits."""
    model = estimate.Architecture.read(card)
    paces, rests = [], []
    for result in past:
        latents = estimate.window_latents(card, result.frames)
        tokens = model.tokens(latents, result.model_width, result.model_height)
        done = result.forwards * model.work(tokens)
        if done > 0:
            paces.append(result.seconds[_SAMPLING] / done)
        others = sum(value for name, value in result.seconds.items() if name not in (_SAMPLING, _LOADING))
        rests.append(others / max(result.frames, 1))
    return work * statistics.median(paces or [0.0]) + frames * statistics.median(rests)
