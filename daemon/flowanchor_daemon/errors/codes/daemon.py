# SPDX-License-Identifier: Apache-2.0
"""Reaching the daemon, and being allowed to."""

from grpc import StatusCode

from flowanchor_daemon.errors.entry import of_service

TITLE = "The daemon"
ENTRIES = (
    of_service(
        "unauthenticated",
        "The call carried no valid token.",
        "Connect again: the daemon's discovery file holds its current token.",
        StatusCode.UNAUTHENTICATED,
    ),
    of_service(
        "api-version",
        "The program and the daemon speak different major versions of the API.",
        "Update the older of the two, then restart the daemon with `flowanchor stop`.",
        StatusCode.FAILED_PRECONDITION,
    ),
    of_service(
        "daemon-unreachable",
        "The daemon cannot be reached.",
        "Start it with `flowanchor serve` and look into its log.",
        StatusCode.UNAVAILABLE,
        1.0,
    ),
    of_service(
        "daemon-silent",
        "The daemon did not answer in time.",
        "Try again; if it stays silent, end it with `flowanchor stop`.",
        StatusCode.DEADLINE_EXCEEDED,
    ),
    of_service(
        "daemon-start-failed",
        "The daemon could not be started.",
        "Run `flowanchor serve` to see why.",
        StatusCode.UNAVAILABLE,
    ),
    of_service(
        "daemon-running",
        "Another daemon of this user is running.",
        "Use that one, or end it with `flowanchor stop`.",
        StatusCode.FAILED_PRECONDITION,
    ),
    of_service(
        "draining",
        "The daemon is ending and takes no new work.",
        "Try again in a moment: it is started anew on demand.",
        StatusCode.UNAVAILABLE,
        2.0,
    ),
    of_service(
        "bind-refused",
        "The daemon does not listen on that address.",
        "Use a loopback address, or give --tls-cert and --tls-key.",
        StatusCode.FAILED_PRECONDITION,
    ),
    of_service(
        "state-not-ours",
        "A folder or file of the daemon's is not this user's alone.",
        "Remove it or close it to others, then try again.",
        StatusCode.FAILED_PRECONDITION,
    ),
    of_service(
        "state-unreadable",
        "A file of the daemon's cannot be read now.",
        "Close some programs or check the disk, then try again.",
        StatusCode.UNAVAILABLE,
    ),
    of_service(
        "no-home",
        "FlowAnchor does not know where your home folder is.",
        "Set HOME, or FLOWANCHOR_STATE and FLOWANCHOR_MODELS, to folders of yours.",
        StatusCode.FAILED_PRECONDITION,
    ),
    of_service(
        "unexpected",
        "Something failed that should not have.",
        "Report it with the output of `flowanchor doctor --bundle`.",
        StatusCode.INTERNAL,
    ),
)
