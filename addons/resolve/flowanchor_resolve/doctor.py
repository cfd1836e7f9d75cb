# SPDX-License-Identifier: Apache-2.0
"""What is needed to edit from Resolve: looked at one by one, each with a sentence and, if it is not well, one
thing to do. Nothing is changed in Resolve."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from flowanchor_resolve import connect, handoff, meeting, menu_files, poke, scripting, sidecar
from flowanchor_resolve.edition import Edition, edition_of
from flowanchor_resolve.places import meeting_folder, script_folders
from flowanchor_resolve.problems import ResolveProblem

_INSTALL = "Run `python3 installers/run.py resolve`."


class Told(NamedTuple):
    """A finding: `level` is "ok", "warning" or "problem"."""

    name: str
    level: str
    text: str
    action: str = ""


def check_python() -> Iterator[Told]:
    """Which Python talks to Resolve from outside."""
    bits = 64 if sys.maxsize > 2**32 else 32
    version = sys.version.split()[0]
    if bits == 32:
        yield Told(
            "resolve python",
            "problem",
            f"Python {version} has 32 bits, Resolve's library has 64.",
            "Set FlowAnchor up with a 64-bit Python.",
        )
        return
    yield Told("resolve python", "ok", f"outside of Resolve: {version} ({sys.executable})")


def check_module() -> Iterator[Told]:
    """Whether Resolve's scripting module is there."""
    found = scripting.find()
    if found is None:
        yield Told(
            "resolve module",
            "problem",
            "The module DaVinciResolveScript is nowhere on this machine.",
            "Install DaVinci Resolve, or set RESOLVE_SCRIPT_API to its folder Developer/Scripting.",
        )
        return
    yield Told("resolve module", "ok", str(found))


def check_connection(probe: Callable[[], connect.Answer] = connect.probe) -> Iterator[Told]:
    """Reach Resolve: product, version, edition and the preference, as far as they can be told."""
    try:
        answer = probe()
    except ResolveProblem as problem:
        if problem.code == "resolve-module-missing":  # told by `check_module`, with what helps
            yield Told(
                "resolve", "warning", "It cannot be asked without its module.", "See `resolve module`."
            )
        else:
            level = "warning" if problem.code in ("resolve-not-running", "resolve-free") else "problem"
            yield Told("resolve", level, problem.message, problem.action)
        edition = _edition_of_contact()
        if edition is not None:
            yield _usable(edition, "as it was met last")
        return
    page = f", on the page {answer.page}" if answer.page else ""
    yield Told("resolve", "ok", f"{answer.product} {answer.version} answers{page}")
    edition = edition_of(answer.product, answer.version)
    yield _usable(edition, "now")
    if edition.studio:
        yield Told("resolve preference", "ok", 'External scripting is on ("Local")')


def _usable(edition: Edition, when: str) -> Told:
    name = "resolve edition"
    if edition.studio:
        return Told(name, "ok", f"{edition}, {when}: one-click edits")
    if edition.scripts_inside:
        return Told(
            name,
            "warning",
            f"{edition}, {when}: the free edition lets no other program in, so edits go through hand-offs.",
            "Use FlowAnchor Edit in Resolve, then `flowanchor resolve edit --handoff`; "
            "one click needs Studio.",
        )
    return Told(
        name,
        "problem",
        f"{edition}, {when}: the free edition runs no scripts from 21.1 on, so one-click edits need Studio.",
        "Export the timeline and use `flowanchor timeline edit`, or use Studio.",
    )


def check_scripts() -> Iterator[Told]:
    """Whether each menu entry is there, once, and of this installation."""
    for found in menu_files.look():
        name = f"script {found.name}"
        if not found.copies:
            text = f"It is not in Resolve's folder of scripts ({script_folders()[0]})."
            yield Told(name, "warning", text, _INSTALL)
        elif len(found.copies) > 1:
            where = ", ".join(str(path.parent) for path in found.copies)
            yield Told(name, "warning", f"It is there more than once: {where}.", "Remove all but the first.")
        elif not found.current:
            yield Told(name, "warning", f"{found.copies[0]} is of another version or installation.", _INSTALL)
        else:
            yield Told(name, "ok", str(found.copies[0]))


def check_sidecar() -> Iterator[Told]:
    """Whether a sidecar runs, or Resolve's menu could start one."""
    folder = meeting_folder()
    if folder.is_dir() and meeting.sidecar_lives(folder):
        yield Told("resolve sidecar", "ok", f"It runs. {sidecar.status(folder) or ''}".strip())
    elif poke.command_line() is None:
        yield Told(
            "resolve sidecar",
            "warning",
            "It does not run, and Resolve's menu cannot start it: the set-up has left no record.",
            "Unset FLOWANCHOR_STATE, with which no record of it is left, and run `flowanchor serve` once."
            if os.environ.get("FLOWANCHOR_STATE")
            else "Run `python3 installers/run.py setup`, or `flowanchor resolve sidecar` in a terminal.",
        )
    else:
        yield Told("resolve sidecar", "ok", "it does not run; Resolve's menu starts it when needed")


def check_contact(now: Callable[[], float] = time.time) -> Iterator[Told]:
    """When Resolve was met last, and which Python it has inside."""
    found = meeting.last_contact(meeting_folder())
    if found is None:
        yield Told("resolve last contact", "ok", "never so far")
        return
    inside = found["where"] == "menu"
    where = "its menu" if inside else "outside"
    text = f"{_ago(now() - found['at'])}, from {where}: {found['product']} {found['version']}"
    yield Told("resolve last contact", "ok", f"{text}, Python {found['python']} there" if inside else text)


def check_handoffs() -> Iterator[Told]:
    """Hand-offs that wait to be edited or placed."""
    waiting, finished = len(handoff.waiting()), len(handoff.finished())
    if waiting:
        yield Told(
            "resolve hand-offs",
            "warning",
            f"{waiting} wait in {handoff.root()} to be edited.",
            "Run `flowanchor resolve edit --handoff`.",
        )
    if finished:
        yield Told(
            "resolve hand-offs",
            "warning",
            f"{finished} are edited and not on their timelines yet.",
            "Choose FlowAnchor Place in Resolve.",
        )
    if not waiting and not finished:
        yield Told("resolve hand-offs", "ok", "none wait")


CHECKS: dict[str, Callable[[], Iterator[Told]]] = {
    "resolve python": check_python,
    "resolve module": check_module,
    "resolve": check_connection,
    "resolve scripts": check_scripts,
    "resolve sidecar": check_sidecar,
    "resolve last contact": check_contact,
    "resolve hand-offs": check_handoffs,
}
"""All checks by name, in the order of the report."""


def _edition_of_contact() -> Edition | None:
    found = meeting.last_contact(meeting_folder())
    return None if found is None else edition_of(found["product"], found["version"])


def _ago(seconds: float) -> str:
    if seconds < 0:
        return "in the future, says its clock"
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {name}{'' if count == 1 else 's'} ago"
    return "less than a minute ago"
