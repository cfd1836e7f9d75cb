# SPDX-License-Identifier: Apache-2.0
"""What is asked of an edit from Resolve: the options as typed, completed by the marker of the clip or of a
result placed earlier."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

import typer

from flowanchor_core.errors import InputError
from flowanchor_daemon.cli.edit_options import EditOptions

PROMPTS = ("source", "target")
_NOT_KEPT = frozenset({"device", "priority", "sheet"})
"""How and where an edit runs is no part of what it is."""


def typed_options(context: typer.Context) -> frozenset[str]:
    """Names of a command's options that were typed, and not left at their defaults."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return frozenset(
        name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"
    )


def completed(options: EditOptions, wish: Mapping[str, str], typed: Collection[str]) -> EditOptions:
    """Options with the prompts and words of a clip's marker, where they were not typed.

    Raises:
        InputError: "prompts-missing", if prompts are neither typed nor in the marker.
    """
    found: dict[str, Any] = {
        name: text
        for name in (*PROMPTS, "words")
        if name not in typed and (text := wish.get(name, "").strip())
    }
    whole = replace(options, **found)
    if all(getattr(whole, name).strip() for name in PROMPTS):
        return whole
    raise InputError(
        "prompts-missing",
        "Nothing says what the clip shows and what it should show.",
        'Give --source and --target, or the clip a marker named FlowAnchor with the note "this -> that".',
    )


def as_plain(options: EditOptions) -> dict[str, Any]:
    """Options that differ from the defaults, for a placed result's marker; files by their full paths."""
    return {
        field.name: _plain(value)
        for field in fields(options)
        if field.name not in _NOT_KEPT and (value := getattr(options, field.name)) != field.default
    }


def again(options: EditOptions, kept: object, typed: Collection[str]) -> EditOptions:
    """The options a placed result was made with; what was typed now wins.

    Args:
        options: as typed, and the defaults.
        kept: as `as_plain` gave it, from a marker that anybody may have changed.
        typed: names of options that were typed.

    Raises:
        InputError: "marker-unusable".
    """
    if not isinstance(kept, Mapping):
        raise _unusable("it says nothing of how it was made")
    hints = get_type_hints(EditOptions)
    # Words of the old target say nothing of a new one.
    left_out = {*typed, *_NOT_KEPT, *(("words",) if "target" in typed else ())}
    found: dict[str, Any] = {}
    for field in fields(EditOptions):
        if field.name in kept and field.name not in left_out:
            found[field.name] = _read(field.name, kept[field.name], hints[field.name])
    return replace(options, **found)


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value.absolute())
    return [_plain(part) for part in value] if isinstance(value, list) else value


def _read(name: str, raw: object, kind: Any) -> Any:
    """A value of an option's type from a marker."""
    kinds = get_args(kind) or (kind,)
    if isinstance(raw, list) and all(isinstance(part, str) for part in raw):
        if list[Path] in kinds:
            return [Path(part) for part in raw]
        if list[str] in kinds:
            return list(raw)
    elif isinstance(raw, bool):
        pass
    elif isinstance(raw, str) and (str in kinds or raw in kinds):
        return raw
    elif isinstance(raw, int) and (int in kinds or float in kinds):
        return raw if int in kinds else float(raw)
    elif isinstance(raw, float) and float in kinds:
        return raw
    raise _unusable(f"its {name} cannot be read")


def _unusable(why: str) -> InputError:
    return InputError(
        "marker-unusable",
        f"The result's marker cannot be used to edit again: {why}.",
        "Begin a new edit with `flowanchor resolve edit`.",
    )
