# SPDX-License-Identifier: Apache-2.0
"""How a command ends: exit codes, and what is printed when it fails."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from flowanchor.v1 import types_pb2
from flowanchor_client import DaemonUnreachable, ServiceFailure

from flowanchor_core.errors import FlowAnchorError, InputError, ModelError, ModelRunError
from flowanchor_daemon.cli import interruption, start
from flowanchor_daemon.cli.interruption import JOB_CANCELLED
from flowanchor_daemon.cli.start import CANCELLED, TERMINATED

DONE, USAGE, UNREACHABLE, FAILED = 0, 2, 3, 4

_CORRECTABLE = (types_pb2.FAILURE_KIND_INPUT, types_pb2.FAILURE_KIND_MODEL)


def exit_code(failure: FlowAnchorError | ServiceFailure) -> int:
    """2 for what the user can correct in the call, 3 for a daemon that cannot be used, 130 for a job that
    somebody cancelled, 4 for a job that failed after it began."""
    if failure.code == "engine-busy":  # nothing failed: the call comes at the wrong time
        return USAGE
    if isinstance(failure, DaemonUnreachable):
        return UNREACHABLE
    if isinstance(failure, ServiceFailure):
        if failure.code == JOB_CANCELLED:
            return CANCELLED
        return USAGE if failure.kind in _CORRECTABLE else FAILED
    if isinstance(failure, ModelRunError):
        return FAILED
    return USAGE if isinstance(failure, InputError | ModelError) else FAILED


@contextmanager
def reported(as_json: bool = False) -> Iterator[None]:
    """Run a command's body; turn its failures into a sentence on standard error and an exit code.

    With `as_json` the failure is also the last line of standard output: {"error": {code, message, action}}.
    After Ctrl-C or SIGTERM it holds besides the job that was under way, and its state.
    An unexpected exception keeps its traceback, above a sentence that asks to report it.
    """
    try:
        start.at_work()
        yield
    except (FlowAnchorError, ServiceFailure) as failure:
        _tell(failure, as_json)
        raise typer.Exit(exit_code(failure)) from None
    except KeyboardInterrupt as interrupt:
        if not isinstance(interrupt, interruption.Interrupted):
            print(start.sentence(), file=sys.stderr)
        # Of a job that goes on, who stopped waiting for it has told.
        elif interrupt.state not in ("queued", "running"):
            print("flowanchor: cancelled.", file=sys.stderr)
        if as_json:
            _print(_interrupted(interrupt))
        raise typer.Exit(CANCELLED) from None
    except SystemExit as ending:
        if as_json and ending.code == TERMINATED:
            _print(_interrupted(ending))
        raise
    except (typer.Exit, typer.Abort, BrokenPipeError):
        raise  # an ending that was chosen, or a reader that went away: the command's entry point handles it
    except Exception as failure:  # noqa: BLE001 - the last place that can still answer in JSON
        traceback.print_exc()
        name = type(failure).__name__
        _tell(FlowAnchorError("unexpected", f"The command met a {name}.", "Report the lines above."), as_json)
        raise typer.Exit(FAILED) from None


def _interrupted(by: BaseException) -> dict[str, object]:
    if isinstance(by, interruption.Interrupted | interruption.Terminated):
        return interruption.as_plain(by)
    return start.as_plain()


def _tell(failure: FlowAnchorError | ServiceFailure, as_json: bool) -> None:
    print(f"flowanchor: {failure}", file=sys.stderr)
    if isinstance(failure, DaemonUnreachable):
        # One that could not start has its last line in the message.
        further = failure.log[:-1] if failure.log and failure.log[-1] in failure.message else failure.log
        if further:
            print("The daemon's last lines:", *(f"  {line}" for line in further), sep="\n", file=sys.stderr)
    if as_json:
        error = {"code": failure.code, "message": failure.message, "action": failure.action}
        _print({"error": error})


def _print(plain: dict[str, Any]) -> None:
    print(json.dumps(plain, ensure_ascii=False))
