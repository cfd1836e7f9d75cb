# SPDX-License-Identifier: Apache-2.0
"""Clips that cannot be used, and ranges of them."""

from flowanchor_daemon.errors.entry import of_delivery, of_input

TITLE = "Clips"
ENTRIES = (
    of_input("clip-missing", "There is no such clip.", "Check the folder and the name."),
    of_input("path-unusable", "The path cannot be looked up.", "Check it."),
    of_input(
        "clip-unreadable",
        "The file could not be read as video.",
        "Check that it plays in a video player, or convert it to MP4, MOV or MKV.",
    ),
    of_input(
        "clip-refers-elsewhere",
        "The file is a playlist or script that refers to other files.",
        "Give the clip itself.",
    ),
    of_input(
        "clip-damaged",
        "A frame of the clip cannot be decoded.",
        "Export the clip again, or edit a range without that frame.",
    ),
    of_input(
        "clip-truncated",
        "The clip states more frames than can be read.",
        "Export it again, or edit only frames that are there.",
    ),
    of_input(
        "clip-changes",
        "The clip's size or pixel format changes on the way.",
        "Convert it to one size and format first.",
    ),
    of_input("no-video", "The file has no video stream.", "Give a clip with a picture, not only sound."),
    of_input("no-frames", "The clip has no frames.", "Export it again."),
    of_input("codec-unknown", "The clip's video codec is not known.", "Convert it to H.264 or ProRes."),
    of_input(
        "pixel-format-unsupported",
        "The clip's pixel format is not supported.",
        "Convert it to 8- or 10-bit YUV or RGB first.",
    ),
    of_input(
        "colour-unsupported",
        "The clip's colours are coded in a way that cannot be edited faithfully.",
        "Convert it to Rec.709 first.",
    ),
    of_input("too-small", "The picture is smaller than the model can work on.", "Use larger footage."),
    of_input(
        "too-large", "The picture is larger than this version handles.", "Scale it to at most 8192x4320."
    ),
    of_input("too-long", "The clip has too many frames.", "Cut it to the part you need."),
    of_input("no-rate", "The clip does not tell its frame rate.", "Convert it to MP4 or MOV."),
    of_input("bad-rate", "This is no frame rate.", "Give a positive number of frames a second."),
    of_input("varying-rate", "The clip's frame rate varies.", "Convert it to a constant frame rate first."),
    of_input(
        "rate-contradicted",
        "The rate given is not the one the clip states.",
        "Leave it out: it is for image sequences, which do not state one.",
    ),
    of_input(
        "rate-out-of-range",
        "The frame rate is out of range.",
        "Give the rate of the footage, such as 24 or 30000/1001.",
    ),
    of_input("range-empty", "The range holds no frames.", "Give it as first-last."),
    of_input(
        "range-outside",
        "The range goes beyond the clip's end.",
        "Give frames that are in the clip, counted from 0.",
    ),
    of_input("sequence-empty", "The folder holds no numbered images.", "Number them as in name.0001.png."),
    of_input(
        "sequence-ambiguous",
        "The folder holds several image sequences.",
        "Name one by a pattern or by one of its files.",
    ),
    of_input(
        "sequence-holes",
        "The image sequence has holes.",
        "Render the missing frames or give a range without them.",
    ),
    of_input(
        "frame-size",
        "The model cannot take frames of this size.",
        "Use another region or footage of another size.",
    ),
    of_input("frame-count", "The model takes clips of 4n + 1 frames.", "Repeat the last frame to get there."),
    of_input(
        "sound-container",
        "The clip's sound cannot be copied into this kind of file.",
        "Deliver as .mov or .mkv.",
    ),
    of_delivery("sound-untimed", "The clip's sound has no times.", "Convert the clip to MOV first."),
)
