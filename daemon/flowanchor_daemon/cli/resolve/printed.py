# SPDX-License-Identifier: Apache-2.0
"""What `flowanchor resolve` prints of an edit's end."""

from __future__ import annotations

import json
import sys

from flowanchor_resolve import plain

from flowanchor_daemon.cli.edit import print_result
from flowanchor_daemon.cli.resolve.actions import Outcome


def print_outcome(outcome: Outcome, as_json: bool) -> None:
    """An edit's outcome on standard output, as `flowanchor edit` prints it, with where it was placed."""
    placed = None if outcome.placed is None else plain.placed_as_plain(outcome.placed)
    if outcome.report is None:
        print(json.dumps({"job": outcome.job, "placed": None}) if as_json else outcome.job)
        say(f"`flowanchor resolve place {outcome.job}` places it.")
    elif as_json:
        content = {**outcome.report.to_json(), "placed": placed}
        if outcome.folder is not None:
            content["handoff"] = str(outcome.folder)
        print(json.dumps(content, ensure_ascii=False))
    else:
        print_result(outcome.report, exact="--deliver patch")
        if placed is not None:
            where = f"record frames {placed['start']}-{placed['end'] - 1}"
            print(f"  placed on video track {placed['track']}, {where}")
        if outcome.folder is not None:
            print("  now choose Workspace > Scripts > FlowAnchor Place in Resolve")


def print_undone(job: str, as_json: bool) -> None:
    print(
        json.dumps({"undone": job}) if as_json else f"The result of the job {job} is off the timeline again."
    )


def say(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)
