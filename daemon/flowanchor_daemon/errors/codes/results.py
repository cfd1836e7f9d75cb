# SPDX-License-Identifier: Apache-2.0
"""Where results go and what they are."""

from grpc import StatusCode

from flowanchor_daemon.errors.entry import of_delivery, of_input

TITLE = "Results"
ENTRIES = (
    of_input("kind-unknown", "There is no such delivery.", "Use full or patch."),
    of_input(
        "format-unknown",
        "There is no such format for this delivery.",
        "Use one of the formats the message names.",
    ),
    of_input(
        "unknown-format",
        "The output's name does not tell a known format.",
        "Use an ending that the message names.",
    ),
    of_input("odd-size", "H.264 cannot hold an odd size.", "Deliver as prores, ffv1 or png."),
    of_input("sheet-format", "The contact sheet is no PNG.", "Give it the ending .png."),
    of_input(
        "output-name",
        "The result cannot be written under this name.",
        "Use the ending of its format, or a folder for images.",
    ),
    of_input("output-folder-missing", "There is no such output folder.", "Make it first."),
    of_input("output-folder-locked", "The output folder cannot be written to.", "Choose another output."),
    of_input(
        "output-exists", "The output folder already holds files of these names.", "Choose an empty folder."
    ),
    of_input("output-is-clip", "The output is the clip itself.", "Choose another output name."),
    of_input("output-is-input", "The output is a file that the edit reads.", "Choose another output name."),
    of_input("output-twice", "Two outputs have the same name.", "Choose another name for one of them."),
    of_delivery(
        "write-failed",
        "The result could not be written.",
        "Check the folder and its permissions, then run the edit again.",
    ),
    of_delivery(
        "verification-failed",
        "The result did not pass its own check, and none was kept.",
        "Report this with the clip if you can.",
        StatusCode.DATA_LOSS,
    ),
)
