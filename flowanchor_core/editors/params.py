# SPDX-License-Identifier: Apache-2.0
"""The editors' parameters, typed and documented, and how a user's values become them. Without torch: requests
are checked by programs that never load it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeVar, get_type_hints

from flowanchor_core.errors import InputError

P = TypeVar("P")


def parameter(
    default: Any,
    help: str,  # noqa: A002 - the word every option parser uses
    minimum: float | None = None,
    maximum: float | None = None,
    choices: Sequence[str] | None = None,
) -> Any:
    """A dataclass field that carries its documentation and range (both ends included) as metadata."""
    bounds = {"minimum": minimum, "maximum": maximum, "choices": None if choices is None else tuple(choices)}
    return field(default=default, metadata={"help": help, **bounds})


@dataclass(frozen=True)
class GuidanceParams:
    """What every inversion-free editor has."""

    source_guidance: float = parameter(5.0, "guidance scale on the source prompt, w_src", 0.0, 100.0)
    target_guidance: float = parameter(10.0, "guidance scale on the target prompt, w_tar", 0.0, 100.0)
    n_avg: int = parameter(1, "noise draws averaged in each step; cost grows with it", 1, 64)


@dataclass(frozen=True)
class FlowAnchorParams(GuidanceParams):
    """FlowAnchor's parameters; the defaults are the paper's."""

    beta1: float = parameter(0.3, "SAR: pull of mask tokens towards the target words", 0.0, 1.0)
    beta2: float = parameter(0.3, "SAR: pull of the target words towards the mask", 0.0, 1.0)
    tau: float = parameter(0.6, "SAR acts while the noise level is at least this", 0.0, 1.0)
    gamma: float = parameter(1.0, "AMM: amplification where the edit signal is strongest", 0.0, 10.0)
    contrast: Literal["signed", "magnitude"] = parameter(
        "signed", "AMM: what counts as strong", choices=("signed", "magnitude")
    )
    text_modulation: bool = parameter(True, "SAR: do its first step (off: as beta1 = 0)")
    spatial_modulation: bool = parameter(True, "SAR: do its second step (off: as beta2 = 0)")
    blend: bool = parameter(False, "keep the source outside the mask after each step, as flowedit-mask does")


def parse(params_type: type[P], editor: str, values: Mapping[str, object]) -> P:
    """Parameters of an editor from plain values; text such as "0.3" or "true" is read as the field's type.

    Raises:
        InputError: naming a parameter that is unknown, not of its type, or out of its range.
    """
    known = {entry.name: entry for entry in fields(params_type)}  # type: ignore[arg-type]
    types = get_type_hints(params_type)
    parsed: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise InputError(
                "unknown-parameter",
                f'The editor {editor} has no parameter "{name}".',
                f"Known are: {', '.join(known)}.",
            )
        parsed[name] = _convert(editor, name, types[name], value, known[name].metadata)
    return params_type(**parsed)


def _convert(editor: str, name: str, kind: type, value: object, limits: Mapping[str, Any]) -> Any:
    choices, minimum, maximum = limits["choices"], limits["minimum"], limits["maximum"]
    if choices is not None:
        if value not in choices:
            raise _refused(editor, name, value, f"Choose one of: {', '.join(choices)}.")
        return value
    if kind is bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        raise _refused(editor, name, value, "Give true or false.")
    hint = f"Give a {'whole ' if kind is int else ''}number from {minimum:g} to {maximum:g}."
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        number = float(value)
        if not math.isfinite(number) or (kind is int and not number.is_integer()):
            raise ValueError
    except (ValueError, OverflowError):  # a whole number can be too long for a float
        raise _refused(editor, name, value, hint) from None
    if not minimum <= number <= maximum:
        raise _refused(editor, name, value, hint)
    return kind(number)


def _refused(editor: str, name: str, value: object, action: str) -> InputError:
    shown = repr(value)
    if len(shown) > 60:
        shown = f"{shown[:60]}…"
    return InputError(
        "parameter-value",
        f'The value {shown} of the parameter "{name}" of {editor} cannot be used.',
        action,
    )
