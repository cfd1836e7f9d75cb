# SPDX-License-Identifier: Apache-2.0
"""What Ctrl-C and SIGTERM leave of a job, for a command to tell of it."""

from __future__ import annotations

from flowanchor_client import ServiceFailure

INTERRUPTED = "interrupted"
JOB_CANCELLED = "job-cancelled"


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while the command was at work on a job, and the state in which the job was left."""

    def __init__(self, job: str, state: str) -> None:
        super().__init__(job, state)
        self.job = job
        self.state = state


class Terminated(SystemExit):
    """The same for SIGTERM."""

    def __init__(self, code: object, job: str, state: str) -> None:
        super().__init__(code)
        self.job = job
        self.state = state


def at_job(by: KeyboardInterrupt | SystemExit, job: str, state: str) -> Interrupted | Terminated:
    """The same interruption, with the job that it met."""
    return Terminated(by.code, job, state) if isinstance(by, SystemExit) else Interrupted(job, state)


def as_failure(by: BaseException) -> ServiceFailure:
    """What an interruption means for the job it met, if it met one, as failures are told."""
    if not isinstance(by, Interrupted | Terminated):
        return ServiceFailure(INTERRUPTED, "The command was interrupted.", "Start it again.")
    job = by.job
    if by.state == "cancelled":
        return ServiceFailure(JOB_CANCELLED, f"The job {job} was cancelled.", retry(job))
    if by.state == "failed":
        return ServiceFailure(INTERRUPTED, f"The job {job} has failed.", retry(job))
    if by.state == "succeeded":
        done = f"The edit of the job {job} is done, and was not delivered."
        return ServiceFailure(INTERRUPTED, done, f"`flowanchor jobs fetch {job}` delivers it.")
    if by.state == "cancelling":
        return ServiceFailure(
            INTERRUPTED,
            f"The job {job} goes on being cancelled.",
            "`flowanchor jobs list` shows when it has.",
        )
    return ServiceFailure(INTERRUPTED, f"The job {job} goes on.", f"`flowanchor jobs cancel {job}` stops it.")


def as_plain(by: BaseException) -> dict[str, object]:
    """The same for `--json`: what failures have there, the job and its state."""
    told = as_failure(by)
    error = {"code": told.code, "message": told.message, "action": told.action}
    if not isinstance(by, Interrupted | Terminated):
        return {"state": "cancelled", "error": error}
    return {"job": by.job, "state": by.state, "error": error}


def retry(job: str) -> str:
    """How a job that came to nothing is run again."""
    return f"`flowanchor jobs retry {job}` runs it again."
