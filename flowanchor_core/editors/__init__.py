# SPDX-License-Identifier: Apache-2.0
"""The editing methods by name. A method is one file: a generator of steps; its parameters are in params.py.

Names, parameters and their checks come without torch; a method's own file is imported when it edits.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowanchor_core.editors.params import FlowAnchorParams, GuidanceParams, parse
from flowanchor_core.errors import InputError

if TYPE_CHECKING:
    from flowanchor_core.editors.base import Conditioning, EditInputs, Step
    from flowanchor_core.oracle import VelocityOracle

__all__ = ["Conditioning", "EditInputs", "Editor", "Step", "get", "names"]


@dataclass(frozen=True)
class Editor:
    """An editing method.

    Attributes:
        name: its id, as users type it.
        summary: one line on what it does.
        params_type: frozen dataclass; each field's metadata holds help, minimum, maximum and choices.
        module: the file in this package whose `edit` does the work.
    """

    name: str
    summary: str
    params_type: type[GuidanceParams]
    module: str

    def parse(self, values: Mapping[str, object]) -> GuidanceParams:
        """Parameters from plain values, defaults for the rest; InputError names what is unknown or out of
        range."""
        return parse(self.params_type, self.name, values)

    def edit(self, oracle: VelocityOracle, inputs: EditInputs, params: Any) -> Iterator[Step]:
        """The edit's steps. Bad inputs raise here, before the first step."""
        method = importlib.import_module(f"{__name__}.{self.module}")
        steps: Iterator[Step] = method.edit(oracle, inputs, params)
        return steps


_EDITORS = {
    editor.name: editor
    for editor in (
        Editor("flowedit", "velocity difference of two prompts (Wan-Edit)", GuidanceParams, "flowedit"),
        Editor("flowedit-mask", "flowedit, source kept outside the mask", GuidanceParams, "flowedit_mask"),
        Editor(
            "flowanchor",
            "flowedit with its signal anchored to words and region, and amplified",
            FlowAnchorParams,
            "flowanchor",
        ),
    )
}


def names() -> list[str]:
    """Ids of all editors."""
    return list(_EDITORS)


def get(name: str) -> Editor:
    """The editor of that id; InputError names an unknown one."""
    if name not in _EDITORS:
        raise InputError(
            "unknown-editor", f'There is no editor "{name}".', f"Known are: {', '.join(_EDITORS)}."
        )
    return _EDITORS[name]


def __getattr__(name: str) -> Any:
    # What editors work on is made of tensors; it is imported by those who ask for it.
    if name in ("Conditioning", "EditInputs", "Step"):
        return getattr(importlib.import_module(f"{__name__}.base"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
