# SPDX-License-Identifier: Apache-2.0
"""What `--help` shows: options in groups, and what follows them in words instead of types and brackets."""

from __future__ import annotations

import re
from typing import Any

import typer
from typer.core import TyperCommand

GROUPS = {
    "Prompts": ("source", "target", "words", "negative"),
    "Clip and region": (
        *("clip", "track", "sequence", "frames", "rate", "timeline-rate", "media", "handoff", "source-file"),
        *("mask", "box", "mask-from", "grow", "feather", "margin", "mode"),
    ),
    "Model and sampling": (
        *("model", "editor", "param", "preset", "steps", "skip", "shift", "seed"),
        "again",
    ),
    "Delivery": ("out", "media-out", "deliver", "format", "for", "sheet", "take", "no-place"),
    "Daemon": ("device", "priority", "detach"),
}
"""The options of commands that edit, by their long names, in the order in which they are shown."""

_REFUSALS = {
    r"^Value error, ": "",
    r"^Input should be a valid integer.*": "It has to be a whole number.",
    r"^Input should be a valid number.*": "It has to be a number.",
    r"^Input should be greater than or equal to (.*[^.])$": r"It has to be at least \1.",
    r"^Input should be less than or equal to (.*[^.])$": r"It has to be at most \1.",
}
_OTHERS = "Other options"
_WIDEST = 24
"""Letters of an option that its explanation stands beside; of a longer one it stands below."""


class GroupedCommand(TyperCommand):
    """A command whose options are shown by GROUPS, those that stand in none of them last; all in one list if
    it does not edit."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as failure:
            failure.message = plain_refusal(failure.message)
            raise

    def format_options(self, ctx: Any, formatter: Any) -> None:
        arguments: list[tuple[str, str]] = []
        options: dict[str, tuple[str, str]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and parameter.param_type_name == "argument":
                arguments.append(_plain(record))
            elif record is not None:
                options[parameter.opts[-1].lstrip("-")] = _plain(record)
        groups = {"Arguments": arguments}
        if "source" in options:
            for title, names in GROUPS.items():
                groups[title] = [options.pop(name) for name in names if name in options]
            groups[_OTHERS] = list(options.values())
        else:
            groups["Options"] = list(options.values())
        lengths = [len(name) for rows in groups.values() for name, _ in rows]
        width = max(length for length in lengths if length <= _WIDEST)
        for title, rows in groups.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl([(name.ljust(width), text) for name, text in rows], col_max=width)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        pieces = []
        for piece in super().collect_usage_pieces(ctx):
            piece = re.sub(r"[{}]", "", piece).replace("[[", "[").replace("]]", "]")
            pieces.append(re.sub(r"(\.\.\.)+", "...", piece))
        return pieces


def plain_refusal(text: str) -> str:
    """What the parser says of a value that it does not take, in words for people."""
    for pattern, words in _REFUSALS.items():
        text = re.sub(pattern, words, text)
    return text


def show_options_in_groups(app: typer.Typer) -> None:
    """Show the help of all commands of `app`, and of those below it, in this way."""
    for command in app.registered_commands:
        command.cls = GroupedCommand
    for below in app.registered_groups:
        if below.typer_instance is not None:
            show_options_in_groups(below.typer_instance)


def _plain(record: tuple[str, str]) -> tuple[str, str]:
    """An option and its explanation as typer words them, in plain words."""
    name, text = record
    if name.startswith("-"):
        name = re.sub(r"[<\[]([^<>\[\]]*\|[^<>\[\]]*)[>\]]", r"\1", name)  # choices
    else:
        name = re.sub(r"\s+<.*>$", "", name)  # the Python type of an argument
    number = r"(-?[\d.]+)"
    text = re.sub(rf"{number}<=x<={number}", r"from \1 to \2", text)
    text = re.sub(rf"x>={number}", r"at least \1", text)
    text = re.sub(rf"x<={number}", r"at most \1", text)
    return name, text
