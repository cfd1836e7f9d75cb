# SPDX-License-Identifier: Apache-2.0
"""What the README tells to type exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main
from flowanchor_daemon.cli.main import app
from flowanchor_daemon.cli.outcome import DONE, FAILED, UNREACHABLE, USAGE
from flowanchor_daemon.cli.start import CANCELLED
from flowanchor_daemon.serve import ALREADY_RUNNING

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = typer.main.get_group(app)


def options_of(*path: str) -> set[str]:
    """Option names of a command; KeyError if there is no such command."""
    command = COMMANDS
    for name in path:
        command = command.commands[name]  # type: ignore[assignment]  # groups hold groups and commands
    return {name for entry in command.params for name in (*entry.opts, *entry.secondary_opts)}


def test_every_command_named_exists() -> None:
    named = set(re.findall(r"(?:`|bin/)flowanchor ((?:models|jobs|bench) [a-z]+|[a-z]+)", README))
    assert {"edit", "serve", "doctor", "demo", "jobs list", "models pull", "bench quality"} <= named
    for words in named:
        options_of(*words.split())
    # Named after the first of their row, without the words before.
    for path in (
        "stop",
        "jobs retry",
        "jobs vary",
        "jobs move",
        "jobs delete",
        "models verify",
        "models unload",
    ):
        assert f"`{path.split()[-1]}" in README
        options_of(*path.split())


def test_every_option_of_edit_is_told_and_exists() -> None:
    section = README[README.index("## `flowanchor edit CLIP`") : README.index("Parameters of all editors")]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    told = set(re.findall(r"(-o\b|--[a-z]+)", " ".join(rows)))
    exist = {name for name in options_of("edit") if name.startswith("-")} - {"--help"}
    assert told == exist


def test_every_exit_code_is_told() -> None:
    told = {int(number) for number in re.findall(r"^\| (\d+) \| ", README, re.MULTILINE)}
    assert {DONE, USAGE, UNREACHABLE, FAILED, CANCELLED, ALREADY_RUNNING} <= told


@pytest.mark.parametrize("variable", ["STATE", "RUNTIME", "MODELS", "CACHE", "DAEMON"])
def test_every_variable_told_is_read(variable: str) -> None:
    name = f"FLOWANCHOR_{variable}"
    assert name in README
    sources = [
        *ROOT.glob("flowanchor_core/*.py"),
        *ROOT.glob("daemon/*/*.py"),
        ROOT / "proto/flowanchor/rendezvous.py",
    ]
    assert any(f'environ.get("{name}")' in path.read_text(encoding="utf-8") for path in sources)


PAGES = sorted(
    path
    for path in ROOT.rglob("README.md")
    if not any(part.startswith(".") or part == "build" for part in path.relative_to(ROOT).parts)
)


def headings(page: Path) -> set[str]:
    """The anchors a page's headings get."""
    return {
        re.sub(r"[^\w -]", "", line.lstrip("# ").strip().lower()).replace(" ", "-")
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith("#")
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), target
        assert not anchor or anchor in headings(path), target
