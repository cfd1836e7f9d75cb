# SPDX-License-Identifier: Apache-2.0
"""Reach a running Resolve from outside, and say why it cannot be reached.

`scriptapp` gives None when Resolve is down, when the preference "External scripting using" is not "Local" and
when the edition is free, and it may hang or crash. So it is asked in a child process first, with a time
limit.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowanchor_resolve import meeting, scripting
from flowanchor_resolve.edition import edition_of
from flowanchor_resolve.places import meeting_folder
from flowanchor_resolve.probe_child import MARK
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.running import resolve_runs

SECONDS = 15.0
"""How long Resolve may take to answer; it is slow while it opens a project."""
PREFERENCE = 'the preference "External scripting using" (Preferences > System > General)'


@dataclass(frozen=True)
class Answer:
    """What a Resolve that was reached says of itself."""

    product: str
    version: str
    page: str | None
    module: str
    """The file through which it was reached."""


@dataclass(frozen=True)
class _Seen:
    """What the child told before it ended: its last step, all it said, and how it ended (None: it hung)."""

    step: str
    said: Mapping[str, Any]
    code: int | None
    errors: str


def probe(seconds: float = SECONDS, runs: Callable[[], bool | None] = resolve_runs) -> Answer:
    """Ask Resolve who it is, in a process of its own.

    Args:
        seconds: time limit.
        runs: whether Resolve's process is there; None if nobody knows.

    Raises:
        ResolveProblem: it cannot be reached; code, sentence and action tell the cause as far as it can be
            told.
    """
    seen = _ask(seconds)
    if seen.step == "answer":
        answer = _answer(seen.said)
        if answer is not None:
            return answer
        raise ResolveProblem(
            "resolve-dialog-open",
            "Resolve is there but answers nothing: a dialog is open in it.",
            "Close the dialog and try again.",
        )
    if seen.code is None:
        raise _hung(seen, seconds)
    if seen.code != 0:
        raise _crashed(seen)
    if seen.step == "missing":
        raise ResolveProblem(
            "resolve-module-missing",
            "Resolve's scripting module DaVinciResolveScript is nowhere on this machine.",
            "Install DaVinci Resolve, or set RESOLVE_SCRIPT_API to its folder Developer/Scripting.",
        )
    if seen.step == "none":
        raise _silent(runs())
    raise ResolveProblem(
        "resolve-module-broken",
        f"Resolve's scripting module does not work in Python {sys.version.split()[0]}: "
        f"{seen.said.get('error') or 'it ended without a word'}.",
        "Update Resolve, or run FlowAnchor with a Python version that your Resolve supports.",
    )


def connect(seconds: float = SECONDS, runs: Callable[[], bool | None] = resolve_runs) -> tuple[Any, Answer]:
    """Resolve's own object, in this process, and what it says of itself.

    Raises:
        ResolveProblem: as `probe`.
    """
    answer = probe(seconds, runs)
    try:
        resolve = scripting.load(Path(answer.module)).scriptapp("Resolve")
    except ImportError as failure:
        raise ResolveProblem(
            "resolve-module-broken",
            f"Resolve's scripting module could not be loaded: {failure}.",
            "Try again.",
        ) from failure
    if resolve is None:
        raise _silent(runs())
    meeting.note_contact(meeting.open_folder(), answer.product, answer.version, "external")
    return resolve, answer


def _ask(seconds: float) -> _Seen:
    package = str(Path(__file__).resolve().parent.parent)
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (package, environment.get("PYTHONPATH"))))
    environment["PYTHONSAFEPATH"] = "1"  # nobody else's modules from the folder at hand
    child = subprocess.Popen(
        [sys.executable, "-m", f"{__package__}.probe_child"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # a Ctrl-C is for us, who end it
    )
    code: int | None
    try:
        out, errors = child.communicate(timeout=seconds)
        code = child.returncode
    except subprocess.TimeoutExpired:
        code = None
        child.kill()
        out, errors = child.communicate()
    except BaseException:
        child.kill()
        child.wait()
        raise
    said: dict[str, Any] = {}
    step = ""
    for line in out.decode("utf-8", "replace").splitlines():
        if line.startswith(MARK):
            content = json.loads(line[len(MARK) :])
            said.update(content)
            step = content["step"]
    return _Seen(step, said, code, errors.decode("utf-8", "replace"))


def _answer(said: Mapping[str, Any]) -> Answer | None:
    product, version, page = said.get("product"), said.get("version"), said.get("page")
    if not (isinstance(product, str) and product and isinstance(version, str) and version):
        return None
    return Answer(product, version, page if isinstance(page, str) else None, str(said["path"]))


def _hung(seen: _Seen, seconds: float) -> ResolveProblem:
    return ResolveProblem(
        "resolve-hung",
        f"Resolve did not answer within {seconds:g} s while {_doing(seen.step)}.",
        "Wait until Resolve has opened its project, close any dialog in it, then try again.",
    )


def _crashed(seen: _Seen) -> ResolveProblem:
    code = seen.code or 0
    try:
        how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    except ValueError:
        how = f"by signal {-code}"
    help_ = "Update Resolve, or use another Python version for FlowAnchor."
    if sys.platform == "win32":
        help_ = "Set FUSION_PYTHON3_HOME to the folder of the Python that FlowAnchor runs in, then try again."
    return ResolveProblem(
        "resolve-crashed",
        f"Resolve's scripting library crashed {how} in Python {sys.version.split()[0]}, "
        f"while {_doing(seen.step)}.",
        help_,
    )


def _doing(step: str) -> str:
    return {"": "it was looked for", "found": "it was loaded", "loaded": "it was asked for"}.get(
        step, "it answered"
    )


def _silent(runs: bool | None) -> ResolveProblem:
    """Why `scriptapp` gave nothing, as far as that can be told from outside."""
    if runs is False:
        return ResolveProblem(
            "resolve-not-running",
            "DaVinci Resolve is not running.",
            "Start it and open the project, then try again.",
        )
    contact = meeting.last_contact(meeting_folder())
    edition = None if contact is None else edition_of(contact["product"], contact["version"])
    if edition is not None and edition.studio:
        return ResolveProblem(
            "resolve-scripting-off",
            "DaVinci Resolve Studio does not let other programs in.",
            f'Set {PREFERENCE} to "Local", restart Resolve, then try again.',
        )
    if edition is not None:
        menu = "Workspace > Scripts > FlowAnchor Edit in Resolve, or " if edition.scripts_inside else ""
        return ResolveProblem(
            "resolve-free",
            f"This is {edition}, the free edition, which lets no other program in.",
            f"Use {menu}`flowanchor timeline edit` on an exported timeline; one click needs Studio.",
        )
    seems = "runs but does not" if runs else "does not"
    return ResolveProblem(
        "resolve-silent",
        f"DaVinci Resolve {seems} let other programs in: its scripting is off, or it is the free edition.",
        f'In Studio set {PREFERENCE} to "Local" and restart Resolve; in the free edition up to 21.0.4 use '
        "Workspace > Scripts > FlowAnchor Edit, in a later one `flowanchor timeline edit`.",
    )
