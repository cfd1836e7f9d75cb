# SPDX-License-Identifier: Apache-2.0
"""The editing methods by name. A method is one file: typed parameters and a generator of steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flowanchor_core.editors import flowanchor, flowedit, flowedit_mask
from flowanchor_core.editors.base import Conditioning, EditInputs, Step
from flowanchor_core.editors.params import GuidanceParams, parse
from flowanchor_core.errors import InputError
from flowanchor_core.oracle import VelocityOracle

__all__ = ["Conditioning", "EditInputs", "Editor", "Step", "get", "names"]


@dataclass(frozen=True)
class Editor:
    """An editing method.

    Attributes:
        name: its id, as users type it.
        summary: one line on what it does.
        params_type: frozen dataclass; each field's metadata holds help, minimum, maximum and choices.
        edit: (oracle, inputs, params) -> iterator of steps. Bad inputs raise before the first step.
    """

    name: str
    summary: str
    params_type: type[GuidanceParams]
    edit: Callable[[VelocityOracle, EditInputs, Any], Iterator[Step]]

    def parse(self, values: Mapping[str, object]) -> GuidanceParams:
        """Parameters from plain values, defaults for the rest; InputError names what is unknown or out of
        range."""
        return parse(self.params_type, self.name, values)


_EDITORS = {
    editor.name: editor
    for editor in (
        Editor("flowedit", "velocity difference of two prompts (Wan-Edit)", GuidanceParams, flowedit.edit),
        Editor("flowedit-mask", "flowedit, source kept outside the mask", GuidanceParams, flowedit_mask.edit),
        Editor(
            "flowanchor",
            "flowedit with its signal anchored to words and region, and amplified",
            flowanchor.FlowAnchorParams,
            flowanchor.edit,
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
