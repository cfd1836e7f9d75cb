# SPDX-License-Identifier: Apache-2.0
"""The console script, and what Ctrl-C means while a command has no job yet.

It imports next to nothing: what a command needs takes a second or more to import, and Ctrl-C in that time
would be told by Python as a traceback, or be swallowed by whatever library is just being imported.
"""

from __future__ import annotations

import codecs
import io
import os
import signal
import sys
from types import FrameType

CANCELLED, TERMINATED = 130, 128 + signal.SIGTERM

_WAITING = (["jobs", "watch"], ["jobs", "fetch"])
"""Commands that wait for a job which goes on without them."""


def sentence() -> str:
    """What people read after Ctrl-C that has met no job."""
    if _waits():
        return "No longer waiting for the job; `flowanchor jobs cancel` stops it."
    return "flowanchor: cancelled."


def as_plain() -> dict[str, object]:
    """The same for `--json`."""
    state, message = "cancelled", "The command was interrupted."
    if _waits():
        state, message = "unknown", "The command was interrupted; the job goes on."
    return {"state": state, "error": {"code": "interrupted", "message": message, "action": "Start it again."}}


def _waits() -> bool:
    # By the first words of the call: nothing has read them yet.
    return sys.argv[1:3] in _WAITING


def _leave_early(number: int, frame: FrameType | None) -> None:
    """Nothing has been begun that would have to be undone, so nothing may keep the process from ending."""
    # Not through the streams, which may be in the middle of a write.
    os.write(2, f"{sentence()}\n".encode())
    if "--json" in sys.argv:
        import json

        os.write(1, f"{json.dumps(as_plain())}\n".encode())
    os._exit(CANCELLED)


def at_work() -> None:
    """From here on Ctrl-C is an exception, so that every `with` and `finally` on the way out removes its
    unfinished files. Called where somebody stands ready to catch it."""
    if signal.getsignal(signal.SIGINT) is _leave_early:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(number: int, frame: FrameType | None) -> None:
    # As an exception, for the same reason.
    sys.exit(TERMINATED)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Letters that the output's encoding lacks, as JSON writes them."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)), error.end


def _bear_all_letters() -> None:
    """Let no name of a file keep an edit's result from being told: names may be no text at all, and what a
    pipe on Windows takes is a few letters."""
    codecs.register_error("flowanchor", _escaped)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="flowanchor")


def run() -> None:
    """Console script `flowanchor`."""
    # A script that runs it in the background may have told it to ignore Ctrl-C.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave_early)
    _bear_all_letters()
    # What goes wrong with a connection is told in our own words; grpc's own lines are for its developers.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # Before torch starts its threads: waiting ones must not spin. With two of them on two busy cores a demo
    # edit took 36 s spinning and 3.4 s not.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from flowanchor_daemon.cli.main import app

    signal.signal(signal.SIGTERM, _leave)
    app()
