# SPDX-License-Identifier: Apache-2.0
"""`--help` is for people: options in groups, no types of Python's, no brackets that mean nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import typer
from flowanchor_daemon.cli.help import GROUPS
from flowanchor_daemon.cli.main import app
from typer.testing import CliRunner


def commands(of: typer.Typer, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """All commands with those they stand below."""
    for command in of.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback else "")
        yield (*above, name.replace("_", "-"))
    for below in of.registered_groups:
        assert below.typer_instance is not None
        yield from commands(below.typer_instance, (*above, str(below.name)))


COMMANDS = list(commands(app))


def shown(*words: str) -> str:
    done = CliRunner().invoke(app, [*words, "--help"], terminal_width=80, max_content_width=80)
    assert done.exit_code == 0, done.output
    return done.output


def groups(text: str) -> dict[str, list[str]]:
    """The options of each group by its heading."""
    parts = re.split(r"(?m)^([A-Z][\w ]*):$", text)
    return {
        title: re.findall(r"(?m)^  (?:-\w, )?(--[\w-]+)", body)
        for title, body in zip(parts[1::2], parts[2::2], strict=True)
    }


def test_the_commands_are_found() -> None:
    assert {("edit",), ("jobs", "vary"), ("bench", "quality"), ("timeline", "edit"), ("resolve", "edit")} <= {
        *COMMANDS
    }


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_shows_types_and_signs_for_programmers(words: tuple[str, ...]) -> None:
    text = shown(*words)
    assert "--help" in text
    for pattern in (r"<[^>]*>", r"[{}]", r"\[\[", r"x?[<>]=", r"\.{4}", r"\b(INTEGER|FLOAT|RANGE|PATH)\b"):
        assert re.findall(pattern, text) == []
    assert max(map(len, text.splitlines())) <= 80


def test_the_options_of_an_edit_come_in_groups() -> None:
    found = groups(shown("edit"))
    assert list(found) == [
        "Arguments",
        "Prompts",
        "Clip and region",
        "Model and sampling",
        "Delivery",
        "Daemon",
        "Other options",
    ]
    assert found["Prompts"] == ["--source", "--target", "--words", "--negative"]
    assert found["Clip and region"][:4] == ["--frames", "--rate", "--mask", "--box"]
    assert found["Delivery"] == ["--out", "--deliver", "--format", "--sheet"]
    assert found["Other options"] == ["--json", "--help"]


@pytest.mark.parametrize("command", ["resolve", "timeline"])
def test_commands_that_edit_share_the_groups_of_what_they_share(command: str) -> None:
    found, of_edit = groups(shown(command, "edit")), groups(shown("edit"))
    for title in ("Prompts", "Daemon"):
        assert set(found[title]) <= set(of_edit[title])
    assert set(of_edit["Model and sampling"]) <= set(found["Model and sampling"])
    assert found["Other options"] == ["--json", "--help"], "each of its own stands in a group"


def test_every_option_of_a_group_is_some_commands() -> None:
    known = {name for words in COMMANDS for names in groups(shown(*words)).values() for name in names}
    assert {f"--{name}" for names in GROUPS.values() for name in names} <= known


def test_a_command_without_groups_has_one_list() -> None:
    assert groups(shown("jobs", "list")) == {"Options": ["--state", "--queue", "--limit", "--json", "--help"]}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("edit", "x", "--source", "a", "--target", "b", "--deliver", "bla"), "'bla' is not one of 'full'"),
        (("doctor", "foo"), "'foo' is not one of 'blender'"),
        (("demo", "--seed", "x"), "'x' is no whole number."),
        (("jobs", "list", "--limit", "x"), "It has to be a whole number."),
        (("jobs", "list", "--limit", "0"), "It has to be at least 1."),
        (("jobs", "move", "a", "--priority", "900"), "It has to be at most 100."),
        (("stop", "--wait", "x"), "It has to be a number."),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_values_that_are_refused_are_told_in_words(words: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert f": {said}" in done.stderr
    assert not re.search("Value error|Input should", done.stderr)


def test_what_is_recorded_comes_behind_the_options() -> None:
    assert shown("resolve", "record").startswith(
        "Usage: flowanchor resolve record -o FILE COMMAND [ARGS]...\n"
    )


def test_ranges_and_choices_are_said_in_words() -> None:
    text = shown("edit")
    assert "[default: 0; from -100 to 100]" in " ".join(text.split())
    assert "--mode detail|fast " in text
    assert "[default: 50; at least 1]" in shown("jobs", "list")
    assert shown("jobs", "delete").startswith("Usage: flowanchor jobs delete [OPTIONS] JOB...\n")
    assert "`last`" in shown("jobs", "delete")
    assert "or one, as 5" in " ".join(text.split())
