# SPDX-License-Identifier: Apache-2.0
"""Editors as GetInfo tells them are the core's."""

from __future__ import annotations

from dataclasses import fields

import pytest
from flowanchor.v1 import types_pb2
from flowanchor_daemon.server.editors import list_editors, parameter_value

from flowanchor_core import editors


def test_all_editors_with_all_parameters() -> None:
    listed = {editor.name: editor for editor in list_editors()}
    assert list(listed) == editors.names()
    for name, message in listed.items():
        assert message.summary
        assert [parameter.name for parameter in message.parameters] == [
            field.name for field in fields(editors.get(name).params_type)
        ]
        assert all(parameter.help for parameter in message.parameters)


def test_types_ranges_and_choices() -> None:
    (flowanchor,) = [editor for editor in list_editors() if editor.name == "flowanchor"]
    found = {parameter.name: parameter for parameter in flowanchor.parameters}
    assert (found["beta1"].type, found["beta1"].minimum, found["beta1"].maximum) == ("number", 0.0, 1.0)
    assert (found["n_avg"].type, found["n_avg"].default.integer) == ("integer", 1)
    assert (found["blend"].type, found["blend"].default.WhichOneof("value")) == ("flag", "flag")
    assert (found["contrast"].type, list(found["contrast"].choices)) == ("text", ["signed", "magnitude"])
    assert not found["blend"].HasField("minimum")


def test_defaults_are_values_the_editor_takes_back() -> None:
    for message in list_editors():
        editor = editors.get(message.name)
        values = {
            parameter.name: getattr(parameter.default, parameter.default.WhichOneof("value") or "")
            for parameter in message.parameters
        }
        assert editor.parse(values) == editor.parse({})


@pytest.mark.parametrize(
    ("value", "kind"), [(True, "flag"), (False, "flag"), (0, "integer"), (0.0, "number"), ("", "text")]
)
def test_plain_values_keep_their_type(value: bool | int | float | str, kind: str) -> None:
    message = parameter_value(value)
    assert message.WhichOneof("value") == kind
    assert types_pb2.ParameterValue.FromString(message.SerializeToString()) == message
