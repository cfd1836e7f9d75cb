# SPDX-License-Identifier: GPL-3.0-or-later
"""Failures as the panel tells them: a sentence, a next step, and the button for it."""

from __future__ import annotations

import errno
from typing import Final, get_args

from flowanchor.v1 import types_pb2
from flowanchor_client import DaemonUnreachable, ServiceFailure

from .views import Problem, Remedy

_REMEDIES: Final[frozenset[str]] = frozenset(get_args(Remedy))
_BY_CODE: Final[dict[str, Remedy]] = {
    "api-version": "connect",
    "state-not-ours": "connect",
    "daemon-start-failed": "start",
    "clip-unreadable": "resubmit",
    "media-hash": "resubmit",
    "media-missing": "retry",
    "request-too-large": "settings",
    "model-unknown": "settings",
}
_BY_KIND: Final[dict[types_pb2.FailureKind.ValueType, Remedy]] = {
    types_pb2.FAILURE_KIND_INPUT: "settings",
    types_pb2.FAILURE_KIND_MODEL: "settings",
}
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def problem_of(failure: ServiceFailure, remedy: Remedy | None = None) -> Problem:
    """A failure of a call or of a job, as it is told. `remedy` wins over what the failure suggests."""
    if isinstance(failure, DaemonUnreachable):
        found: Remedy = _BY_CODE.get(failure.code, "start" if failure.stopped else "connect")
        return Problem(failure.code, failure.message, failure.action, remedy or found, failure.log)
    found = _BY_CODE.get(failure.code) or _BY_KIND.get(failure.kind, "retry")
    return Problem(failure.code, failure.message, failure.action, remedy or found)


def to_json(problem: Problem) -> dict[str, str]:
    return {
        "code": problem.code,
        "message": problem.message,
        "action": problem.action,
        "remedy": problem.remedy,
    }


def from_json(data: dict[str, str]) -> Problem | None:
    """What `to_json` gave; None for nothing."""
    if not data.get("code"):
        return None
    remedy = data.get("remedy", "")
    known: Remedy = remedy if remedy in _REMEDIES else "none"  # type: ignore[assignment]
    return Problem(str(data["code"]), str(data.get("message")), str(data.get("action")), known)


def unreadable(name: str, error: OSError) -> Problem:
    """A file that was exported cannot be read (any more)."""
    if isinstance(error, FileNotFoundError):
        return Problem(
            "clip-unreadable", f"The exported file {name} is gone.", "Submit the edit again.", "resubmit"
        )
    return Problem(
        "clip-unreadable",
        f"The exported file {name} could not be read ({error.strerror or type(error).__name__}).",
        "Check the folder of the edits in the preferences, then submit the edit again.",
        "resubmit",
    )


def unwritable(folder: str, error: OSError) -> Problem:
    """The result could not be written."""
    if error.errno in _FULL:
        return Problem(
            "disk-full",
            f"The disk filled up while the result was written to {folder}.",
            "Free some space, then fetch the result again: the daemon still has it.",
            "fetch",
        )
    return Problem(
        "write-failed",
        f"The result could not be written to {folder} ({error.strerror or type(error).__name__}).",
        "Check the folder and its permissions, then fetch the result again.",
        "fetch",
    )


def changed(name: str) -> Problem:
    return Problem(
        "media-hash",
        f"The exported file {name} changed while it was sent.",
        "Submit the edit again.",
        "resubmit",
    )


def damaged(name: str) -> Problem:
    return Problem(
        "media-hash",
        f"What arrived of {name} is not what the daemon has made.",
        "Fetch the result again; if that fails too, run the edit again.",
        "fetch",
    )


def gone(can_send_again: bool) -> Problem:
    """The daemon does not know the job: deleted there, or its data were cleared."""
    return Problem(
        "job-unknown",
        "The daemon does not know this edit any more: it was deleted there.",
        "Run it again." if can_send_again else "Submit it again from its strip.",
        "retry" if can_send_again else "resubmit",
    )


def result_gone(can_send_again: bool) -> Problem:
    return Problem(
        "artifact-unknown",
        "The result of this edit was deleted in the daemon.",
        "Run it again." if can_send_again else "Submit it again from its strip.",
        "retry" if can_send_again else "resubmit",
    )


def empty_result() -> Problem:
    return Problem("artifact-unknown", "The edit ended without a result.", "Run it again.", "retry")


def never_sent() -> Problem:
    return Problem(
        "not-sent",
        "Blender was closed before this edit had been sent.",
        "Send it again; nothing was lost.",
        "retry",
    )


def unexpected(error: Exception) -> Problem:
    return Problem(
        "unexpected",
        f"The add-on failed ({type(error).__name__}: {error}).",
        "Look into Blender's console, and report it.",
        "retry",
    )
