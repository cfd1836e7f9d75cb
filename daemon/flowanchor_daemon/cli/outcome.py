# SPDX-License-Identifier: Apache-2.0
"""How a command ends: exit codes, and what is printed when it fails."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from flowanchor_core.errors import FlowAnchorError, InputError, ModelError, ModelRunError

DONE, USAGE, UNREACHABLE, FAILED, CANCELLED = 0, 2, 3, 4, 130


def exit_code(failure: FlowAnchorError) -> int:
    """2 for what the user can correct in the call, 4 for a job that failed after it began."""
    if isinstance(failure, ModelRunError):
        return FAILED
    return USAGE if isinstance(failure, InputError | ModelError) else FAILED


@contextmanager
def reported(as_json: bool = False) -> Iterator[None]:
    """Run a command's body; turn its failures into a sentence on standard error and an exit code.

    With `as_json` the failure is also the last line of standard output: {"error": {code, message, action}}.
    An unexpected exception keeps its traceback, above a sentence that asks to report it.
    """
    try:
        yield
    except FlowAnchorError as failure:
        _tell(failure, as_json)
        raise typer.Exit(exit_code(failure)) from None
    except KeyboardInterrupt:
        print("flowanchor: cancelled.", file=sys.stderr)
        raise typer.Exit(CANCELLED) from None
    except (typer.Exit, typer.Abort, BrokenPipeError):
        raise  # an ending that was chosen, or a reader that went away: the command's entry point handles it
    except Exception as failure:  # noqa: BLE001 - the last place that can still answer in JSON
        traceback.print_exc()
        name = type(failure).__name__
        _tell(FlowAnchorError("unexpected", f"The command met a {name}.", "Report the lines above."), as_json)
        raise typer.Exit(FAILED) from None


def _tell(failure: FlowAnchorError, as_json: bool) -> None:
    print(f"flowanchor: {failure}", file=sys.stderr)
    if as_json:
        error = {"code": failure.code, "message": failure.message, "action": failure.action}
        print(json.dumps({"error": error}, ensure_ascii=False))
