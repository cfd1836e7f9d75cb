# SPDX-License-Identifier: Apache-2.0
"""Requests, the queue and the engine process that works it off."""

from grpc import StatusCode

from flowanchor_daemon.errors.entry import of_input, of_run, of_service

TITLE = "Jobs"
ENTRIES = (
    of_input("request-invalid", "The request cannot be used.", "Correct it and send it again."),
    of_input(
        "request-too-large",
        "The request is larger than the daemon accepts.",
        "Keep it within the limits that GetInfo tells.",
    ),
    of_input(
        "request-id-reused",
        "This request id was used for a different edit.",
        "Make a new id for each wish.",
        StatusCode.ALREADY_EXISTS,
    ),
    of_input(
        "job-unknown",
        "There is no such job.",
        "List the jobs with `flowanchor jobs list`.",
        StatusCode.NOT_FOUND,
    ),
    of_input(
        "job-not-finished",
        "The job has not ended yet.",
        "Wait for it or cancel it first.",
        StatusCode.FAILED_PRECONDITION,
    ),
    of_run("job-cancelled", "The job was cancelled.", "Retry it to run it again.", StatusCode.CANCELLED),
    of_service(
        "interrupted",
        "The command was interrupted with Ctrl-C.",
        "Start it again; what became of its job is in the message.",
        StatusCode.CANCELLED,
    ),
    of_input("unknown-state", "There is no such state of a job.", "Use one that the message names."),
    of_input(
        "job-not-waiting",
        "The job is not waiting in the queue.",
        "Move only waiting jobs: others have no place in the queue.",
        StatusCode.FAILED_PRECONDITION,
    ),
    of_input(
        "artifact-unknown",
        "The job has no such result.",
        "Get the job to see what it has made.",
        StatusCode.NOT_FOUND,
    ),
    of_service(
        "queue-damaged",
        "The queue's file is damaged.",
        "Move the file away to begin with an empty queue: it is kept as it is.",
        StatusCode.DATA_LOSS,
    ),
    of_service(
        "queue-locked",
        "Another program keeps the queue's file locked.",
        "Close that program and try again.",
        StatusCode.UNAVAILABLE,
        2.0,
    ),
    of_service(
        "queue-newer",
        "The queue's file was written by a later version of this program.",
        "Update the program, or move the file away to begin with an empty queue.",
        StatusCode.FAILED_PRECONDITION,
    ),
    of_service(
        "queue-unusable",
        "The queue's file cannot be read or written.",
        "Check the permissions of its folder, and its disk.",
        StatusCode.UNAVAILABLE,
    ),
    of_run(
        "attempts-exhausted",
        "The edit was tried several times, and each try was cut short.",
        "Look into the engine's log, then retry with a smaller region or fewer frames.",
    ),
    of_run(
        "engine-crashed",
        "The engine process ended unexpectedly.",
        "Retry the job; if it happens again, look into the engine's log.",
    ),
    of_run(
        "engine-start-failed",
        "The engine process could not be started.",
        "Run `flowanchor doctor` and look into the engine's log.",
        StatusCode.UNAVAILABLE,
    ),
    of_service(
        "engine-updated",
        "FlowAnchor was updated while its daemon ran.",
        "End the old daemon with `flowanchor stop`, then try again.",
        StatusCode.UNAVAILABLE,
    ),
    of_run(
        "engine-output",
        "The engine named a result that is not a plain file of its folder.",
        "Report it with the output of `flowanchor doctor --bundle`.",
    ),
    of_service(
        "engine-busy",
        "The engine is working on a job.",
        "Wait for the job or cancel it first.",
        StatusCode.FAILED_PRECONDITION,
        5.0,
    ),
    of_run(
        "out-of-memory",
        "The memory ran out while the model worked, in the sparing plan too.",
        "Close other programs, mark a smaller region or edit fewer frames.",
        StatusCode.RESOURCE_EXHAUSTED,
    ),
)
