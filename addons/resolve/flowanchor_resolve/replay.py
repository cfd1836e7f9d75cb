# SPDX-License-Identifier: Apache-2.0
"""Run the client against a recording: `python -m flowanchor_resolve.replay FILE`.

The recording stands where Resolve would: it answers each call with the reply that is written there, as long
as the client makes the same calls in the same order. What the client makes up anew (random names, temporary
folders) is matched: a veiled part stands for the same text wherever it comes again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowanchor_resolve import plain, session, veiled
from flowanchor_resolve.host import Host, Result, Selection
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.record import FORMAT, VERSION
from flowanchor_resolve.session import Order, Task
from flowanchor_resolve.tape import Differs, Tape
from flowanchor_resolve.watch import Watch

LARGEST = 500_000_000  # bytes of a recording


@dataclass(frozen=True)
class Report:
    """How a replay went: calls that were the same, and the first difference (empty: none)."""

    calls: int
    difference: str = ""


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of a recording, the first of which tells what it is.

    Raises:
        ResolveProblem: "recording-unusable".
    """
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("it is too large")
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError, RecursionError) as failure:
        raise _unusable(path, str(failure)) from failure
    if not lines or not all(isinstance(line, dict) for line in lines):
        raise _unusable(path, "it is empty or no recording")
    if (lines[0].get("flowanchor"), lines[0].get("version")) != (FORMAT, VERSION):
        raise _unusable(path, f"it is no recording of version {VERSION}")
    if (lines[0].get("system") == "Windows") != (os.name == "nt"):
        raise _unusable(path, f"it was made on {lines[0].get('system')}, and paths are others here")
    return lines


def replay(path: Path) -> Report:
    """Run the client against a recording.

    Raises:
        ResolveProblem: "recording-unusable".
    """
    lines = read(path)
    with tempfile.TemporaryDirectory(prefix="flowanchor-replay-") as scratch:
        tape = Tape(lines, Path(scratch).resolve())
        before = tempfile.tempdir
        try:
            tempfile.tempdir = str(tape.inside(tape.live(str(lines[0].get("temporary", "/")))))
            os.makedirs(tempfile.tempdir, exist_ok=True)
            _run(tape)
        except ResolveProblem as problem:
            # As it was recorded, if all that was recorded has been done.
            if not tape.ended:
                return Report(tape.calls, f"{tape.where()}: the client stops with {problem.code}: {problem}")
        except Differs as difference:
            return Report(tape.calls, str(difference))
        except Exception as failure:  # noqa: BLE001 - a reply of another form, or a fault of the client's
            what = f"the client fails on it ({type(failure).__name__}: {failure})"
            return Report(tape.calls, f"{tape.where()}: {what}")
        finally:
            tempfile.tempdir = before
        if tape.difference:
            return Report(tape.calls, tape.difference)
        if not tape.ended:
            return Report(tape.calls, f"{tape.where()}: the client stops here")
    return Report(tape.calls)


class _TapeEditing:
    """Gives the edit that was recorded."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def check(self, selection: Selection) -> None:
        pass  # an edit that was refused here ends the recording

    def edit(self, task: Task) -> Result | None:
        raw = self._tape.did("edited")["result"]
        return None if raw is None else _result(self._tape, raw)

    def discard(self, result: Result) -> None:
        result.path.unlink(missing_ok=True)


def _run(tape: Tape) -> None:
    """Do what was recorded."""
    from flowanchor_resolve.resolve_host import ResolveHost

    host: Host = ResolveHost(tape.root, tape.probe, watch=Watch(tape.clock, lambda seconds: None))
    if tape.coming() == "again":
        tape.did("again")
        list(host.placed())
    line = tape.did("edit", "place", "undo", "look")
    actions: dict[str, Callable[[Tape, Host, dict[str, Any]], None]] = {
        "edit": _edit,
        "place": _place,
        "undo": _undo,
        "look": _look,
    }
    actions[line["did"]](tape, host, line)


def _edit(tape: Tape, host: Host, line: dict[str, Any]) -> None:
    raw: Any = veiled.strings_changed(line["order"], tape.live)
    raw["span"] = None if raw["span"] is None else tuple(raw["span"])
    session.edit(host, Order(**raw), _TapeEditing(tape), lambda text: None)


def _place(tape: Tape, host: Host, line: dict[str, Any]) -> None:
    selection = plain.read_selection(veiled.strings_changed(line["selection"], tape.live))
    result = _result(tape, line["result"])
    session.place(host, selection, result, _TapeEditing(tape), line["as_take"])


def _undo(tape: Tape, host: Host, line: dict[str, Any]) -> None:
    job = line["job"]
    placed, _ = session.newest(list(host.placed()), None if job is None else tape.live(job))
    host.undo(placed)


def _look(tape: Tape, host: Host, line: dict[str, Any]) -> None:
    session.look(host)


def _result(tape: Tape, raw: dict[str, Any]) -> Result:
    """A recorded result, with a file that stands for its movie."""
    content = veiled.strings_changed(raw, tape.live)
    path = tape.inside(content["path"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"stands for a result")
    return plain.read_result({**content, "file": "result.mov"}, lambda name: path)


def _unusable(path: Path, why: str) -> ResolveProblem:
    return ResolveProblem(
        "recording-unusable", f"The recording {path.name} cannot be replayed: {why}.", "Record again."
    )


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="flowanchor_resolve.replay", description="Run the client against a recording."
    )
    parser.add_argument("file", type=Path)
    try:
        report = replay(parser.parse_args(arguments).file)
    except ResolveProblem as problem:
        print(problem, file=sys.stderr)
        return 2
    print(f"{report.calls} calls are as recorded.")
    if report.difference:
        print(f"Then the client differs at {report.difference}.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
