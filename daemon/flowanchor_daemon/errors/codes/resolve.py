# SPDX-License-Identifier: Apache-2.0
"""What cannot be done in DaVinci Resolve: its timeline, its renders, its Fusion compositions."""

from __future__ import annotations

from grpc import StatusCode

from flowanchor_daemon.errors.entry import Entry, of_input

TITLE = "DaVinci Resolve"


def _state(code: str, message: str, action: str) -> Entry:
    """Something to be changed in Resolve, or in the call, before it can work."""
    return of_input(code, message, action, StatusCode.FAILED_PRECONDITION)


ENTRIES = (
    _state(
        "resolve-dialog-open",
        "A dialog is open in Resolve, or Resolve was closed, and it answers nothing.",
        "Close the dialog and try again.",
    ),
    _state("resolve-refused", "Resolve did not do what it was asked.", "Look at Resolve, then try again."),
    _state(
        "resolve-too-old",
        "This version of Resolve lacks a function.",
        "Update Resolve, or edit the timeline's file with `flowanchor timeline edit`.",
    ),
    _state(
        "resolve-free",
        "The free edition runs no scripts from 21.1 on: one-click editing needs DaVinci Resolve Studio.",
        "Export the timeline as OTIO and use `flowanchor timeline edit`.",
    ),
    _state(
        "resolve-studio-needed",
        "The free edition renders up to 3840 x 2160 at 60 frames a second.",
        "Use DaVinci Resolve Studio, or lower the timeline's resolution.",
    ),
    _state("resolve-no-project", "No project is open in Resolve.", "Open the project, then try again."),
    _state("resolve-no-timeline", "No timeline is open in Resolve.", "Open the timeline, then try again."),
    _state(
        "resolve-timeline-closed", "The timeline was closed in Resolve.", "Open it again, then try again."
    ),
    _state(
        "resolve-timeline-gone",
        "The timeline this belongs to is not in the open project.",
        "Open the project it is in, then try again.",
    ),
    _state(
        "resolve-timeline-changed",
        "The timeline's start, rate or size has changed since the clip was chosen.",
        "Select the clip and edit it again.",
    ),
    _state(
        "resolve-timeline-size",
        "Resolve states no picture size for the timeline.",
        "Check the timeline's resolution in its settings.",
    ),
    _state(
        "resolve-rate",
        "Resolve states a frame rate that we do not know.",
        "Set the timeline to one of Resolve's standard frame rates.",
    ),
    _state(
        "resolve-timecode",
        "Resolve states a timecode that cannot be read.",
        "Check the timeline's start timecode.",
    ),
    _state(
        "resolve-no-clip",
        "No clip is selected, and there is none under the playhead.",
        "Move the playhead onto the clip, or select it.",
    ),
    _state("resolve-no-track", "The timeline has no such video track.", "Use the number of one it has."),
    _state(
        "resolve-clip-unknown",
        "There is no such clip on the timeline.",
        "Check the clip's name, or select it in Resolve and leave the name out.",
    ),
    _state(
        "resolve-clip-ambiguous",
        "More than one clip is meant.",
        "Name the one by its id, or select it alone in Resolve.",
    ),
    _state(
        "resolve-clip-disabled", "The clip is disabled on the timeline.", "Enable it (D), then try again."
    ),
    _state("resolve-clip-gone", "The clip is no longer on the timeline.", "Select the clip again."),
    _state(
        "resolve-clip-moved",
        "The clip was moved, cut, slipped or removed since it was exported.",
        "Undo that, or edit the clip again where it is now.",
    ),
    _state(
        "resolve-marks-outside",
        "The timeline's in and out marks lie outside the clip.",
        "Clear them (Alt X), or set them within the clip.",
    ),
    _state(
        "resolve-no-volume",
        "None of the locations in Resolve's Media Storage can be written to.",
        "Add one in Resolve's Preferences > System > Media Storage.",
    ),
    _state(
        "render-unreadable",
        "A movie that Resolve has rendered, or a file of the timeline, cannot be read.",
        "Look at the file; render it again if it is Resolve's.",
    ),
    _state("resolve-rendering", "Resolve is rendering.", "Wait until it has finished, then try again."),
    _state(
        "resolve-codec-missing",
        "This Resolve renders none of the codecs we use.",
        "Export the timeline as OTIO and use `flowanchor timeline edit`.",
    ),
    _state(
        "resolve-job-differs",
        "The render job is not what was asked for.",
        "Reset the settings on the Deliver page, then try again.",
    ),
    _state("resolve-render-failed", "Resolve's render failed.", "Look at the Deliver page."),
    _state(
        "resolve-render-cancelled", "The render was cancelled in Resolve.", "Try again when you are ready."
    ),
    _state(
        "resolve-render-stalled",
        "Resolve's render did not move and was stopped.",
        "Look at Resolve, then try again.",
    ),
    _state(
        "resolve-render-empty",
        "Resolve says that it has rendered, and left no movie or several.",
        "Look at the Deliver page: the settings for individual clips or for file names may be on.",
    ),
    _state(
        "resolve-render-differs",
        "Resolve rendered something else than was asked for.",
        "Reset the settings on the Deliver page, then try again.",
    ),
    _state(
        "resolve-no-alpha",
        "Resolve rendered a movie without alpha.",
        "Add an Alpha Output to the clip's nodes on the Color page, or use a track named FA MASK.",
    ),
    _state(
        "resolve-no-mask",
        "The region is not marked in Resolve.",
        "Put a clip that is white inside it on a track named FA MASK, or use --mask or --box.",
    ),
    _state(
        "resolve-matte-placement",
        "The clip's matte does not lie frame on frame on the timeline.",
        "Put the matte on a track named FA MASK.",
    ),
    _state(
        "fusion-no-mask",
        "The clip's Fusion composition has no mask that can be read.",
        "Draw a Polygon, Rectangle or Ellipse mask, or use a track named FA MASK.",
    ),
    _state(
        "fusion-ambiguous",
        "Several of the clip's Fusion compositions have masks.",
        "Keep one of them, or mark the region on a track named FA MASK.",
    ),
    _state(
        "fusion-placement",
        "The clip's Fusion mask does not lie where it does in the composition.",
        "Mark the region on a track named FA MASK.",
    ),
    _state(
        "fusion-unreadable",
        "The clip's Fusion composition cannot be read.",
        "Mark the region on a track named FA MASK.",
    ),
    _state(
        "fusion-too-large",
        "The clip's Fusion composition is too long to be read.",
        "Mark the region on a track named FA MASK.",
    ),
    _state(
        "resolve-still",
        "The result is made of images, and Resolve is given movies only.",
        "Deliver the edit as a movie.",
    ),
    _state(
        "resolve-result-gone",
        "The result is not where it was.",
        "Fetch it again with `flowanchor jobs fetch`.",
    ),
    _state(
        "resolve-result-differs",
        "The result does not fit its place on the timeline.",
        "Edit the clip again as it is now on the timeline.",
    ),
    _state(
        "resolve-import",
        "Resolve did not import the result.",
        "Import the file in Resolve by hand to see why.",
    ),
    _state(
        "resolve-place-differs",
        "Resolve did not put the result in its place.",
        "Look at the timeline, then try again.",
    ),
    _state(
        "resolve-marker",
        "Resolve did not take a marker for the result.",
        "Remove a marker within the clip, then place the result again.",
    ),
    _state(
        "resolve-take-range",
        "A take replaces the whole clip, and only a part of it was edited.",
        "Place the result on a track of its own, or edit the whole clip.",
    ),
    _state(
        "resolve-take-differs",
        "The take changed the clip's length or other clips, and was removed.",
        "Place the result on a track of its own.",
    ),
    _state(
        "resolve-not-placed",
        "The result is not on the timeline.",
        "Nothing needs to be undone; `flowanchor resolve place` puts it there again.",
    ),
    _state("resolve-undo", "Resolve does not delete the result.", "Unlock the track, then try again."),
)
