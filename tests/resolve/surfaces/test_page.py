# SPDX-License-Identifier: Apache-2.0
"""What the page on Resolve tells to type exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import typer.main
from flowanchor_daemon.cli.main import app
from flowanchor_resolve import menu_files
from flowanchor_resolve.wishes import read_wish

PAGE = (Path(menu_files.PACKAGE).parent / "README.md").read_text(encoding="utf-8")
GROUP: Any = typer.main.get_group(app)
COMMANDS: Any = GROUP.commands["resolve"].commands


def options_of(command: Any) -> set[str]:
    return {name for entry in command.params for name in entry.opts if name.startswith("-")}


def test_every_command_is_told_and_exists() -> None:
    assert set(re.findall(r"flowanchor resolve ([a-z]+)", PAGE)) == set(COMMANDS)


def test_every_option_exists() -> None:
    known = set().union(*(options_of(command) for command in (*COMMANDS.values(), GROUP.commands["edit"])))
    told = set(re.findall(r"(?<![\w-])(--[a-z-]+|-o)\b", PAGE))
    assert told <= known
    assert {"--again", "--detach", "--handoff", "--mask-from", "--source-file", "--take"} <= told


def test_the_options_of_an_edit_are_those_of_the_other_command() -> None:
    other = options_of(GROUP.commands["edit"])
    assert other - options_of(COMMANDS["edit"]) == {"--format", "--rate"}


def test_every_menu_entry_is_told() -> None:
    assert all(name.split()[-1] in PAGE for name in menu_files.MENU)


def test_the_marker_that_is_shown_is_understood() -> None:
    shown = "\n".join(line for line in PAGE.splitlines() if line.startswith("    "))
    assert read_wish(shown) == {
        "source": "a red car on a street",
        "target": "a green car on a street",
        "words": "green car",
    }
