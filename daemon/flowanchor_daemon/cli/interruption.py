# SPDX-License-Identifier: Apache-2.0
"""What Ctrl-C and SIGTERM leave of a job, for a command to tell of it."""

from __future__ import annotations

from flowanchor_client import ServiceFailure

INTERRUPTED = "interrupted"
JOB_CANCELLED = "job-cancelled"
DELIVERS = "jobs fetch"
"""The command that brings what a finished job has made to where it goes."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while the command was at work on a job; the state in which the job was left, and the command
    that delivers it once it is done."""

    def __init__(self, job: str, state: str, delivers: str) -> None:
        super().__init__(job, state, delivers)
        self.job = job
        self.state = state
        self.delivers = delivers


class Terminated(SystemExit):
    """The same for SIGTERM."""

    def __init__(self, code: object, job: str, state: str, delivers: str) -> None:
        super().__init__(code)
        self.job = job
        self.state = state
        self.delivers = delivers


def at_job(
    by: KeyboardInterrupt | SystemExit, job: str, state: str, delivers: str = DELIVERS
) -> Interrupted | Terminated:
    """The same interruption, with the job that it met; one that tells of a job already stays as it is."""
    if isinstance(by, Interrupted | Terminated):
        return by
    if isinstance(by, SystemExit):
        return Terminated(by.code, job, state, delivers)
    return Interrupted(job, state, delivers)


def as_failure(by: Interrupted | Terminated) -> ServiceFailure:
    """What an interruption means for the job it met, as failures are told."""
    job = by.job
    if by.state == "cancelled":
        return ServiceFailure(JOB_CANCELLED, f"The job {job} was cancelled.", retry(job))
    if by.state == "failed":
        return ServiceFailure(INTERRUPTED, f"The job {job} has failed.", retry(job))
    if by.state == "succeeded":
        done = f"The edit of the job {job} is done; what comes after it was left unfinished."
        return ServiceFailure(INTERRUPTED, done, f"`flowanchor {by.delivers} {job}` goes on with it.")
    if by.state == "cancelling":
        return ServiceFailure(
            INTERRUPTED,
            f"The job {job} goes on being cancelled.",
            "`flowanchor jobs list` shows when it has.",
        )
    return ServiceFailure(INTERRUPTED, f"The job {job} goes on.", f"`flowanchor jobs cancel {job}` stops it.")


def as_plain(by: Interrupted | Terminated) -> dict[str, object]:
    """The same for `--json`: what failures have there, the job and its state."""
    told = as_failure(by)
    error = {"code": told.code, "message": told.message, "action": told.action}
    return {"job": by.job, "state": by.state, "error": error}


def retry(job: str) -> str:
    """How a job that came to nothing is run again."""
    return f"`flowanchor jobs retry {job}` runs it again."
