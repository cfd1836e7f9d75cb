# SPDX-License-Identifier: Apache-2.0
"""How a command ends: exit codes, and what is printed when it fails."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from flowanchor_core.errors import FlowAnchorError, InputError, ModelError

DONE, USAGE, UNREACHABLE, FAILED, CANCELLED = 0, 2, 3, 4, 130


def exit_code(failure: FlowAnchorError) -> int:
    """2 for what the user can correct in the call, 4 for a job that failed after it began."""
    return USAGE if isinstance(failure, InputError | ModelError) else FAILED


@contextmanager
def reported(as_json: bool = False) -> Iterator[None]:
    """Run a command's body; turn its failures into a sentence on standard error and an exit code.

    With `as_json` the failure is also the last line of standard output: {"error": {code, message, action}}.
    An unexpected exception is not ours to phrase: it passes through with its traceback.
    """
    try:
        yield
    except FlowAnchorError as failure:
        print(f"flowanchor: {failure}", file=sys.stderr)
        if as_json:
            error = {"code": failure.code, "message": failure.message, "action": failure.action}
            print(json.dumps({"error": error}, ensure_ascii=False))
        raise typer.Exit(exit_code(failure)) from None
    except KeyboardInterrupt:
        print("flowanchor: cancelled.", file=sys.stderr)
        raise typer.Exit(CANCELLED) from None
