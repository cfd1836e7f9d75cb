# SPDX-License-Identifier: Apache-2.0
"""`flowanchor doctor`: is everything here that an edit needs?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from flowanchor_daemon.cli.outcome import FAILED, reported

if TYPE_CHECKING:
    from flowanchor_daemon.doctor import Finding

Program = Annotated[
    Literal["blender", "resolve"] | None,
    typer.Argument(metavar="[blender|resolve]", help="Look at what editing from there needs."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the findings as one JSON object.")]
Bundle = Annotated[
    Path | None,
    typer.Option("--bundle", metavar="FILE.zip", help="Write a report without tokens, names and prompts."),
]


def doctor(host: Program = None, as_json: AsJson = False, bundle: Bundle = None) -> None:
    """Report versions, device, disks, folders, daemon, queue and models; exit code 4 if edits could not run.

    With `blender` or `resolve`, what editing from there needs instead. Nothing is changed, and no daemon is
    started.
    """
    with reported(as_json):
        from flowanchor_daemon.doctor import Places, checks_of, checks_of_host, examine
        from flowanchor_daemon.doctor.bundle import checked, write_bundle

        if bundle is not None:
            checked(bundle)
        places = Places.default()
        checks = checks_of(places) if host is None else checks_of_host(host)
        if host is None:
            print("Looking at everything; asking torch takes about 10 s.", file=sys.stderr, flush=True)
        report = examine(checks, None if as_json else _print)
        written: Path | None = None
        if bundle is not None:
            written = write_bundle(bundle, report, places)
        if as_json:
            answer: dict[str, Any] = {**report.as_json(), "bundle": None if written is None else str(written)}
            print(json.dumps(answer, ensure_ascii=False))
        elif written is not None:
            print(f"The bundle is {written}; look into it before you send it.")
        if problems := report.count("problem"):
            are = "is a problem" if problems == 1 else "are problems"
            print(f"{problems} of {len(report.findings)} findings {are}.", file=sys.stderr)
            raise typer.Exit(FAILED)


def _print(finding: Finding) -> None:
    print(f"{finding.level:<8} {finding.name:<26} {finding.text}", flush=True)
    if finding.action:
        print(f"{'':<35} -> {finding.action}", flush=True)
