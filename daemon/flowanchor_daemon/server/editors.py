# SPDX-License-Identifier: Apache-2.0
"""The core's editors and their typed parameters as messages, so that hosts can draw them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, cast, get_type_hints

from flowanchor.v1 import system_pb2, types_pb2

from flowanchor_core import editors

_TYPES = {float: "number", int: "integer", bool: "flag", str: "text"}


def list_editors() -> list[system_pb2.Editor]:
    """All editors, with every parameter's help, type, default and range."""
    return [_editor(editors.get(name)) for name in editors.names()]


def parameter_value(value: bool | int | float | str) -> types_pb2.ParameterValue:
    """A plain value as a message; a whole number stays one."""
    if isinstance(value, bool):
        return types_pb2.ParameterValue(flag=value)
    if isinstance(value, int):
        return types_pb2.ParameterValue(integer=value)
    if isinstance(value, float):
        return types_pb2.ParameterValue(number=value)
    return types_pb2.ParameterValue(text=value)


def _editor(editor: editors.Editor) -> system_pb2.Editor:
    types = get_type_hints(editor.params_type)
    parameters = []
    for entry in fields(editor.params_type):
        limits: Any = entry.metadata
        parameters.append(
            system_pb2.Parameter(
                name=entry.name,
                help=limits["help"],
                type=_TYPES.get(types[entry.name], "text"),  # a choice is a text
                default=parameter_value(cast(Any, entry.default)),
                minimum=limits["minimum"],
                maximum=limits["maximum"],
                choices=limits["choices"] or (),
            )
        )
    return system_pb2.Editor(name=editor.name, summary=editor.summary, parameters=parameters)
