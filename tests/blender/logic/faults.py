# SPDX-License-Identifier: Apache-2.0
"""An edit in the midst of something, and what it says when that goes wrong."""

from __future__ import annotations

from flowanchor_vse.logic.views import Problem

from tests.blender.logic.conftest import Desk


def problem_of(desk: Desk, record: str) -> Problem:
    problem = desk.view(record).problem
    assert problem is not None
    assert problem.message.endswith(".")
    assert problem.action.endswith(".")
    return problem


def stage(desk: Desk, record: str, state: str) -> None:
    """Bring an edit to a state, in the midst of it."""
    if state == "uploading":
        desk.until(lambda: desk.standin.calls["upload_chunk"] == 4)
        return
    desk.until_state(record, "waiting")
    if state == "waiting":
        return
    desk.standin.run(desk.standin.only.id, 1, 4)
    desk.until_state(record, "running")
    if state == "downloading":
        desk.standin.succeed(desk.standin.only.id)
        desk.until(lambda: desk.standin.calls["download_chunk"] == 4)
