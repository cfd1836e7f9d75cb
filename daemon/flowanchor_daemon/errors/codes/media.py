# SPDX-License-Identifier: Apache-2.0
"""Bytes in, and the room they take."""

from grpc import StatusCode

from flowanchor_daemon.errors.entry import of_delivery, of_input, of_service

TITLE = "Uploads and room on disk"
ENTRIES = (
    of_input(
        "media-missing",
        "A file that this needs has not been uploaded.",
        "Upload it, then send the request again.",
        StatusCode.FAILED_PRECONDITION,
    ),
    of_input(
        "media-too-large", "The file is larger than the daemon accepts.", "Cut the clip to the part you need."
    ),
    of_input(
        "media-hash",
        "What arrived is not the file that was announced.",
        "Upload it again from the start.",
        StatusCode.INVALID_ARGUMENT,
    ),
    of_input(
        "media-offset",
        "The piece does not begin where the file goes on.",
        "Ask with StatMedia where to go on.",
        StatusCode.OUT_OF_RANGE,
    ),
    of_input(
        "media-kind",
        "The file is not of a kind that can be edited.",
        "Convert it to MP4, MOV, MKV or numbered PNG images.",
    ),
    of_service(
        "quota-full",
        "The daemon's store is full.",
        "Delete jobs you no longer need with `flowanchor jobs delete`.",
        StatusCode.RESOURCE_EXHAUSTED,
    ),
    of_service(
        "disk-full", "The disk is full.", "Free some space, then try again.", StatusCode.RESOURCE_EXHAUSTED
    ),
    of_delivery(
        "disk-too-small",
        "The disk has less free space than the result may take.",
        "Free some space or choose another output folder.",
        StatusCode.RESOURCE_EXHAUSTED,
    ),
)
