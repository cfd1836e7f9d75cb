# SPDX-License-Identifier: Apache-2.0
"""What Resolve's menu scripts do: in Studio poke the sidecar, in the free edition the one action at hand.

Then they end: nothing of ours stays at work inside Resolve.
"""

from __future__ import annotations

from typing import Any

from flowanchor_resolve import inapp, meeting, poke, sidecar
from flowanchor_resolve.calls import Calls
from flowanchor_resolve.edition import check_usable, read_edition
from flowanchor_resolve.host import Say
from flowanchor_resolve.problems import ResolveProblem


def run(action: str, resolve: Any, say: Say = print) -> bool:
    """Do a menu script's action ("edit", "again", "place" or "undo"); what comes of it is said.

    Returns:
        Whether it went well: in Studio, whether the sidecar has taken it on.
    """
    try:
        say(f"FlowAnchor: {_run(action, resolve, say)}")
    except ResolveProblem as problem:
        say(f"FlowAnchor: {problem}")
        return False
    return True


def _run(action: str, resolve: Any, say: Say) -> str:
    if resolve is None:
        raise ResolveProblem(
            "resolve-not-inside",
            "This script was not started by Resolve.",
            "Start it from Workspace > Scripts in Resolve.",
        )
    edition = read_edition(Calls(resolve))
    folder = meeting.open_folder()
    version = ".".join(map(str, edition.version))
    meeting.note_contact(folder, edition.product, version, "menu")
    check_usable(edition)
    if not edition.studio:
        return inapp.act(action, resolve, lambda text: say(f"FlowAnchor: {text}"))
    before = sidecar.status(folder) if meeting.sidecar_lives(folder) else None
    reply = poke.poke(action)
    if not reply.accepted:
        raise ResolveProblem("resolve-sidecar-busy", reply.text, "Look at the sidecar's terminal.")
    last = f" Before that: {before}" if before else ""
    return f"{reply.text} Its progress is in the sidecar's terminal, or in {folder / meeting.LOG}.{last}"
