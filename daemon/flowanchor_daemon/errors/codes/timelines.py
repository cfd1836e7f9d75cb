# SPDX-License-Identifier: Apache-2.0
"""Timelines of other editing programs that cannot be read, edited or written."""

from flowanchor_daemon.errors.entry import of_delivery, of_input

TITLE = "Timelines"
ENTRIES = (
    of_input("timeline-missing", "There is no such timeline file.", "Check the folder and the name."),
    of_input(
        "timeline-format",
        "The file is of no timeline format that is known.",
        "Use OTIO, Final Cut Pro 7 XML, FCPXML, EDL, MLT XML or a Kdenlive project.",
    ),
    of_input(
        "timeline-bundle",
        "The timeline is a bundle or folder, not a file.",
        "Give the timeline file in it.",
    ),
    of_input(
        "timeline-unreadable", "The timeline cannot be read.", "Export it again from your editing program."
    ),
    of_input(
        "timeline-unsafe",
        "The timeline declares XML entities, which no editing program does.",
        "Export it again from your editing program.",
    ),
    of_input("timeline-too-large", "The timeline is too large.", "Export only the sequence with the clip."),
    of_input("timeline-several", "The file holds several sequences.", "Choose one with --sequence."),
    of_input("timeline-rate", "This is no frame rate.", "Give one such as 25 or 24000/1001."),
    of_input(
        "timeline-rate-unknown",
        "The timeline does not state its frame rate.",
        "Say it with --timeline-rate.",
    ),
    of_input(
        "timecode",
        "This is no timecode at the timeline's frame rate.",
        "Check the frame rate and whether it counts drop-frame.",
    ),
    of_input(
        "timeline-track",
        "The timeline has no such video track.",
        "Look at its tracks and clips with `flowanchor timeline list`.",
    ),
    of_input(
        "timeline-clip",
        "The track has no such clip.",
        "Look at its tracks and clips with `flowanchor timeline list`.",
    ),
    of_input(
        "timeline-clip-unsuitable",
        "The clip cannot be edited on the timeline.",
        "Render it in your editing program, put the file in its place and export the timeline again.",
    ),
    of_input(
        "timeline-frames",
        "The frames are not all in the clip's visible part.",
        "Count them from the clip's first visible frame, 0.",
    ),
    of_input("timeline-media-missing", "The clip's file is not there.", "Name it with --media."),
    of_input(
        "timeline-media-differs",
        "The clip's file is not what the timeline says.",
        "Name the right one with --media, or export the timeline again.",
    ),
    of_input("timeline-exists", "The new timeline's name is taken.", "Choose a name that nothing has."),
    of_input(
        "timeline-place",
        "The result cannot be put on the timeline.",
        "Write another format, or to another folder.",
    ),
    of_delivery(
        "timeline-not-written",
        "The new timeline could not be written.",
        "Place the result by hand, or run the edit again with another output.",
    ),
)
