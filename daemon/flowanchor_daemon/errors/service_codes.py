# SPDX-License-Identifier: Apache-2.0
"""Failures of the daemon itself: who may call, what it accepts, its queue, its store, its engine."""

from __future__ import annotations

from flowanchor.v1 import types_pb2
from grpc import StatusCode

from flowanchor_daemon.errors.entry import Entry

_INPUT = types_pb2.FAILURE_KIND_INPUT
_MODEL = types_pb2.FAILURE_KIND_MODEL
_RUN = types_pb2.FAILURE_KIND_RUN
_SERVICE = types_pb2.FAILURE_KIND_SERVICE

SERVICE = (
    # Reaching the daemon
    Entry(
        "unauthenticated",
        _SERVICE,
        StatusCode.UNAUTHENTICATED,
        "The call carried no valid token.",
        "Connect again; the daemon's discovery file holds its current token.",
    ),
    Entry(
        "api-version",
        _SERVICE,
        StatusCode.FAILED_PRECONDITION,
        "The program and the daemon speak different major versions of the API.",
        "Update the older of the two, then restart the daemon with `flowanchor stop`.",
    ),
    Entry(
        "daemon-unreachable",
        _SERVICE,
        StatusCode.UNAVAILABLE,
        "The daemon cannot be reached.",
        "Start it with `flowanchor serve` and look into its log.",
        1.0,
    ),
    Entry(
        "daemon-start-failed",
        _SERVICE,
        StatusCode.UNAVAILABLE,
        "The daemon could not be started.",
        "Run `flowanchor serve` to see why.",
    ),
    Entry(
        "daemon-running",
        _SERVICE,
        StatusCode.FAILED_PRECONDITION,
        "Another daemon of this user is running.",
        "Use that one, or end it with `flowanchor stop`.",
    ),
    Entry(
        "draining",
        _SERVICE,
        StatusCode.UNAVAILABLE,
        "The daemon is ending and takes no new work.",
        "Try again in a moment; it is started anew on demand.",
        2.0,
    ),
    Entry(
        "bind-refused",
        _SERVICE,
        StatusCode.FAILED_PRECONDITION,
        "The daemon does not listen on that address.",
        "Use a loopback address, or give --tls-cert and --tls-key.",
    ),
    Entry(
        "state-not-ours",
        _SERVICE,
        StatusCode.FAILED_PRECONDITION,
        "A folder or file of the daemon's is not this user's alone.",
        "Remove it or close it to others, then try again.",
    ),
    Entry(
        "unexpected",
        _SERVICE,
        StatusCode.INTERNAL,
        "Something failed that should not have.",
        "Report it with the output of `flowanchor doctor --bundle`.",
    ),
    # Requests and jobs
    Entry(
        "request-invalid",
        _INPUT,
        StatusCode.INVALID_ARGUMENT,
        "The request cannot be used.",
        "Correct it and send it again.",
    ),
    Entry(
        "request-too-large",
        _INPUT,
        StatusCode.INVALID_ARGUMENT,
        "The request is larger than the daemon accepts.",
        "Keep it within the limits GetInfo tells.",
    ),
    Entry(
        "request-id-reused",
        _INPUT,
        StatusCode.ALREADY_EXISTS,
        "This request id was used for a different edit.",
        "Make a new id for each wish.",
    ),
    Entry(
        "job-unknown",
        _INPUT,
        StatusCode.NOT_FOUND,
        "There is no such job.",
        "List the jobs with `flowanchor jobs list`.",
    ),
    Entry(
        "job-not-finished",
        _INPUT,
        StatusCode.FAILED_PRECONDITION,
        "The job has not ended yet.",
        "Wait for it or cancel it first.",
    ),
    Entry(
        "job-not-waiting",
        _INPUT,
        StatusCode.FAILED_PRECONDITION,
        "The job is not waiting in the queue.",
        "Only waiting jobs have a place that can be changed.",
    ),
    Entry(
        "artifact-unknown",
        _INPUT,
        StatusCode.NOT_FOUND,
        "The job has no such result.",
        "Get the job to see what it has made.",
    ),
    # Media
    Entry(
        "media-missing",
        _INPUT,
        StatusCode.FAILED_PRECONDITION,
        "A file this needs has not been uploaded.",
        "Upload it, then send the request again.",
    ),
    Entry(
        "media-too-large",
        _INPUT,
        StatusCode.INVALID_ARGUMENT,
        "The file is larger than the daemon accepts.",
        "Cut the clip to the part you need.",
    ),
    Entry(
        "media-hash",
        _INPUT,
        StatusCode.INVALID_ARGUMENT,
        "What arrived is not the file that was announced.",
        "Upload it again from the start.",
    ),
    Entry(
        "media-offset",
        _INPUT,
        StatusCode.OUT_OF_RANGE,
        "The piece does not begin where the file goes on.",
        "Ask with StatMedia where to go on.",
    ),
    Entry(
        "media-kind",
        _INPUT,
        StatusCode.INVALID_ARGUMENT,
        "The file is not of a kind that can be edited.",
        "Convert it to MP4, MOV, MKV or numbered PNG images.",
    ),
    Entry(
        "quota-full",
        _SERVICE,
        StatusCode.RESOURCE_EXHAUSTED,
        "The daemon's store is full.",
        "Delete jobs you no longer need with `flowanchor jobs delete`.",
    ),
    # Queue
    Entry(
        "queue-damaged",
        _SERVICE,
        StatusCode.DATA_LOSS,
        "The queue's file is damaged.",
        "Move it away to begin with an empty queue; it is kept as it is.",
    ),
    Entry(
        "queue-locked",
        _SERVICE,
        StatusCode.UNAVAILABLE,
        "Another program keeps the queue's file locked.",
        "Close that program and try again.",
        2.0,
    ),
    Entry(
        "attempts-exhausted",
        _RUN,
        StatusCode.ABORTED,
        "The edit was tried several times and each try was cut short.",
        "Look into the engine's log, then retry with a smaller preset or region.",
    ),
    # Engine
    Entry(
        "engine-crashed",
        _RUN,
        StatusCode.ABORTED,
        "The engine process ended unexpectedly.",
        "Retry the job; if it happens again, look into the engine's log.",
    ),
    Entry(
        "engine-busy",
        _SERVICE,
        StatusCode.FAILED_PRECONDITION,
        "The engine is working on a job.",
        "Wait for the job or cancel it first.",
        5.0,
    ),
    Entry(
        "engine-start-failed",
        _RUN,
        StatusCode.UNAVAILABLE,
        "The engine process could not be started.",
        "Run `flowanchor doctor` and look into the engine's log.",
    ),
    Entry(
        "out-of-memory",
        _RUN,
        StatusCode.RESOURCE_EXHAUSTED,
        "The memory ran out, in the sparing plan too.",
        "Close other programs, mark a smaller region or edit fewer frames.",
    ),
    Entry(
        "disk-full",
        _SERVICE,
        StatusCode.RESOURCE_EXHAUSTED,
        "The disk is full.",
        "Free some space, then try again.",
    ),
    # Models
    Entry(
        "model-unknown",
        _MODEL,
        StatusCode.NOT_FOUND,
        "There is no model of that name.",
        "List the models with `flowanchor models list`.",
    ),
    Entry(
        "pull-failed",
        _MODEL,
        StatusCode.UNAVAILABLE,
        "The model could not be downloaded.",
        "Pull it again; it goes on where it broke off.",
        10.0,
    ),
    Entry(
        "pull-offline",
        _MODEL,
        StatusCode.UNAVAILABLE,
        "The model hub cannot be reached from here.",
        "Check the network, or import the model from a folder.",
    ),
    Entry(
        "verify-failed",
        _MODEL,
        StatusCode.DATA_LOSS,
        "Files of the model differ from its manifest.",
        "Pull the model again.",
    ),
)
