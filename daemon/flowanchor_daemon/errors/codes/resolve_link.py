# SPDX-License-Identifier: Apache-2.0
"""Reaching DaVinci Resolve, its menu and the sidecar, hand-offs, recordings."""

from __future__ import annotations

from grpc import StatusCode

from flowanchor_daemon.errors.entry import of_input

TITLE = "The link to DaVinci Resolve"
_STATE = StatusCode.FAILED_PRECONDITION
ENTRIES = (
    of_input(
        "resolve-module-missing",
        "Resolve's scripting module DaVinciResolveScript is nowhere on this machine.",
        "Install DaVinci Resolve, or set RESOLVE_SCRIPT_API to its folder Developer/Scripting.",
        _STATE,
    ),
    of_input(
        "resolve-module-broken",
        "Resolve's scripting module does not work in this Python.",
        "Update Resolve, or run FlowAnchor with a Python version that your Resolve supports.",
        _STATE,
    ),
    of_input(
        "resolve-not-running",
        "DaVinci Resolve is not running.",
        "Start it and open the project, then try again.",
        _STATE,
    ),
    of_input(
        "resolve-silent",
        "DaVinci Resolve does not let other programs in: its scripting is off, or it is the free edition.",
        'In Studio set the preference "External scripting using" to "Local" and restart Resolve.',
        _STATE,
    ),
    of_input(
        "resolve-scripting-off",
        "DaVinci Resolve Studio does not let other programs in.",
        'Set the preference "External scripting using" to "Local" and restart Resolve.',
        _STATE,
    ),
    of_input(
        "resolve-hung",
        "Resolve did not answer in time.",
        "Wait until Resolve has opened its project, close any dialog in it, then try again.",
        _STATE,
    ),
    of_input(
        "resolve-crashed",
        "Resolve's scripting library crashed; it was asked in a process of its own.",
        "Update Resolve, or use another Python version for FlowAnchor.",
        _STATE,
    ),
    of_input(
        "resolve-needs-studio",
        "The free edition can only export, place and undo from its menu.",
        "Use FlowAnchor Edit, then `flowanchor resolve edit --handoff` in a terminal.",
        _STATE,
    ),
    of_input(
        "resolve-not-inside",
        "A menu script was not started by Resolve.",
        "Start it from Workspace > Scripts in Resolve.",
        _STATE,
    ),
    of_input(
        "resolve-folder-not-ours",
        "The folder in which Resolve's menu and the sidecar meet is not this user's alone.",
        "Remove it or close it to others, then try again.",
        _STATE,
    ),
    of_input(
        "resolve-disk",
        "A file for Resolve cannot be written.",
        "Make room or check the folder, then try again.",
        _STATE,
    ),
    of_input(
        "resolve-sidecar-unknown",
        "FlowAnchor's sidecar does not run, and nothing says how it is started.",
        "Run `flowanchor resolve sidecar` in a terminal, or `installers/run.py setup` once.",
        _STATE,
    ),
    of_input(
        "resolve-sidecar-failed",
        "FlowAnchor's sidecar could not be started.",
        "Run `flowanchor resolve sidecar` in a terminal to see why.",
        _STATE,
    ),
    of_input(
        "resolve-sidecar-silent",
        "FlowAnchor's sidecar did not answer in time.",
        "Look at its terminal, or end it with Ctrl-C and start `flowanchor resolve sidecar` anew.",
        _STATE,
    ),
    of_input(
        "resolve-sidecar-busy",
        "FlowAnchor's sidecar is still at work.",
        "Ask again when it is done; its terminal shows the progress.",
        _STATE,
    ),
    of_input(
        "resolve-sidecar-running",
        "Another sidecar of this user runs.",
        "Use that one, or end it with Ctrl-C in its terminal.",
        _STATE,
    ),
    of_input(
        "resolve-frames",
        "The clip on the timeline does not have the frames asked for.",
        "Choose frames within the part of the clip that is on the timeline.",
    ),
    of_input(
        "resolve-nothing-placed",
        "The current timeline has no such result of FlowAnchor's.",
        "Open the timeline it was placed on, then try again.",
        StatusCode.NOT_FOUND,
    ),
    of_input(
        "resolve-note-broken",
        "What was left about a clip cannot be used.",
        "Begin the edit again from the clip on the timeline.",
    ),
    of_input(
        "prompts-missing",
        "Nothing says what the clip shows and what it should show.",
        'Give --source and --target, or the clip a marker named FlowAnchor with the note "this -> that".',
    ),
    of_input(
        "marker-unusable",
        "A result's marker does not say how it was made.",
        "Begin a new edit with `flowanchor resolve edit`.",
    ),
    of_input(
        "outline-inverted",
        "An inverted outline can be the region only if it is the only one.",
        "Leave the other masks out, or draw what is meant instead of its surroundings.",
    ),
    of_input(
        "job-not-from-resolve",
        "The job was not made from Resolve, so it has no place on a timeline.",
        "Deliver it with `flowanchor jobs fetch`.",
        _STATE,
    ),
    of_input(
        "handoff-unknown",
        "There is no such hand-off.",
        "In Resolve choose Workspace > Scripts > FlowAnchor Edit first.",
        StatusCode.NOT_FOUND,
    ),
    of_input(
        "handoff-broken",
        "The hand-off is not whole, or not as it says.",
        "In Resolve choose Workspace > Scripts > FlowAnchor Edit again.",
    ),
    of_input(
        "handoff-none-finished",
        "No finished edit of this project waits to be placed.",
        "Run `flowanchor resolve edit --handoff` in a terminal first.",
        StatusCode.NOT_FOUND,
    ),
    of_input(
        "handoff-options",
        "An option does not go with a hand-off, whose result stays in its folder.",
        "Leave out -o and --detach.",
    ),
    of_input(
        "handoff-unasked",
        "A hand-off was named without --handoff.",
        "Say --handoff before it.",
    ),
    of_input(
        "record-nothing",
        "Nothing says what to record.",
        "Write a command behind it, such as `doctor`, or `edit` with its options.",
    ),
    of_input(
        "record-place",
        "The recording cannot be written.",
        "Name a new file in a folder of yours.",
    ),
    of_input(
        "recording-unusable",
        "The file is no recording that can be replayed here.",
        "Record again with `flowanchor resolve record`.",
    ),
)
