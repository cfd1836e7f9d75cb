# SPDX-License-Identifier: Apache-2.0
"""What the core says about a finished edit, as a message of the API."""

from __future__ import annotations

from collections.abc import Iterable

from flowanchor.v1 import types_pb2

from flowanchor_core.progress import EditResult


def result_of(
    result: EditResult, notices: Iterable[types_pb2.Notice], memory_plan: str, device: str
) -> types_pb2.EditResult:
    """The core's result with what only the engine knows: the notices' codes, the plan and the device. Paths
    stay behind."""
    x, y, width, height = result.crop
    return types_pb2.EditResult(
        editor=result.editor,
        model=result.model,
        preset=result.preset,
        seed=result.seed,
        frames=result.frames,
        rate=types_pb2.Rational(numerator=result.rate.numerator, denominator=result.rate.denominator),
        start_timecode=result.start_timecode,
        deliver=result.deliver,
        format=result.format,
        max_abs_diff_outside=result.max_abs_diff_outside,
        forwards=result.forwards,
        seconds=result.seconds,
        settings={name: value_to(value) for name, value in result.settings.items()},
        sampling={name: value_to(value) for name, value in result.sampling.items()},
        crop=types_pb2.Box(x=x, y=y, width=width, height=height),
        model_width=result.model_size[0],
        model_height=result.model_size[1],
        windows=result.windows,
        target_words=result.target_words,
        audio=result.audio,
        notices=notices,
        memory_plan=memory_plan,
        device=device,
    )


def value_to(value: object) -> types_pb2.ParameterValue:
    """A parameter's plain value as a message; TypeError for what no parameter holds."""
    match value:
        case bool():  # before int, which it also is
            return types_pb2.ParameterValue(flag=value)
        case int():
            return types_pb2.ParameterValue(integer=value)
        case float():
            return types_pb2.ParameterValue(number=value)
        case str():
            return types_pb2.ParameterValue(text=value)
    raise TypeError(f"no parameter holds a {type(value).__name__}")
