# SPDX-License-Identifier: GPL-3.0-or-later
"""Every English text of the user interface. `say` looks a text up in Blender's translations and fills it in;
names and descriptions of properties and operators Blender translates by itself."""

from __future__ import annotations

from typing import Any


def say(message: str, **values: Any) -> str:
    """The message in the user's language, with `{name}` replaced by values."""
    import bpy

    translated: str = bpy.app.translations.pgettext_iface(message)
    return translated.format(**values) if values else translated


NAME = "FlowAnchor"

# Panels
CLIP = "Clip and Range"
MASK = "Mask"
PROMPTS = "Prompts"
ADVANCED = "Advanced"
JOBS = "Jobs"
DAEMON = "Daemon"

# The edit
NO_SCENE = "The sequencer shows no scene."
NO_STRIP = "Select a strip to edit."
EDIT = "Edit Strip"
EDIT_HELP = (
    "Export the active strip's range and region, send them, and place the result above when it is done"
)
BUSY = "An edit is being exported already."
EXPORTING = "Exporting frame {done} of {total}"
EXPORTING_MASK = "Exporting mask {done} of {total}"
RENDERING = "Waiting for Blender's render to end"
RENDERING_REFUSED = "Blender is rendering."
RENDERING_HELP = "Try again when the render has ended."
ESCAPE = "Esc to stop"
EXPORT_STOPPED = "Export stopped. Nothing was sent and nothing changed."
SUBMITTED = "Edit sent; the result will be placed above “{strip}”."
NOT_WRITTEN = "The exported frames could not be written ({reason})."
NOT_WRITTEN_HELP = "Look whether the disk of {folder} is full, or closed to you."
EMPTY_MASK = "The mask marks nothing on any frame of the range."
EMPTY_MASK_HELP = "Draw it over the strip, or choose another source for the region."
ESTIMATE = "{forwards} model runs, about {memory}"
ESTIMATE_TIME = "{forwards} model runs, about {memory} and {time}"
ESTIMATE_MOST = "{estimate} at most; less where the mask is small"
ASK = "Estimate"
ASK_HELP = "Ask the daemon for the edit's model runs, memory and time before it is sent"
DISMISS = "Dismiss"

# Clip and range
FRAMES = "{first} – {last} ({count} frames)"

MOVIE_AS_IMAGES = "This Blender shows transparent movies too bright, so images are made."

# Mask
COVERAGE = "Marked at frame {frame}: {share:.1f} % of the picture"
CHECK_COVERAGE = "Check Coverage"
CHECK_COVERAGE_HELP = "Measure how much of the picture the region marks at the current frame"
MIDDLE_BOX = "Middle of Picture"
MIDDLE_BOX_HELP = "Set the box to the middle half of the picture"

# Prompts
CHANGED = "Changes:"
NOTHING_CHANGES = "The prompts have the same words: nothing to anchor."

EDITORS = {"flowanchor": "FlowAnchor", "flowedit": "FlowEdit", "flowedit-mask": "FlowEdit in the mask"}

# Advanced
UNKNOWN_PARAMETERS = "Connect to the daemon to see the editor's parameters."
PRESET_VALUE = "preset"
OVERRIDE = "Set Parameter"
OVERRIDE_HELP = "Use a value of your own in place of the preset's"
RESET = "Reset Parameter"
RESET_HELP = "Use the preset's value again"

# Jobs
NO_JOBS = "No edits in this file yet."
FINISHED_OFFER = "{count} results finished while this file was closed."
FINISHED_OFFER_ONE = "A result finished while this file was closed."
PLACE_ALL = "Place Them"
PLACE_ALL_HELP = "Fetch and place the results that are ready"
STATES = {
    "starting": "Waiting for the daemon",
    "uploading": "Sending",
    "waiting": "In the queue",
    "running": "Running",
    "downloading": "Fetching the result",
    "placing": "Ready to place",
    "done": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
}
PHASES = {
    "hash": "Reading the export",
    "upload": "Sending",
    "load": "Loading the model",
    "read": "Reading",
    "encode": "Encoding",
    "edit": "Editing",
    "decode": "Decoding",
    "deliver": "Writing",
    "verify": "Checking",
    "download": "Fetching",
}
POSITION = "Place {position} in the queue"
CANCELLING = "Stopping"
STEP = "{phase} {step}/{total}"
LEFT = "{time} left"
SECONDS = "{seconds} s"
MINUTES = "{minutes} min {seconds} s"
SEED = "seed {seed}"
GONE = "The result's strip was removed."
WHERE = {
    "ambiguous": "Several strips could be the one this edit was made of: the result lies where it was then.",
    "gone": "The strip this edit was made of is no longer there: the result lies where it was.",
}
TOO_BRIGHT = "This Blender shows this result too bright where it is transparent: it is a movie."
AS_IMAGES = "Place as Images"
AS_IMAGES_HELP = "Make images of the result's movie and place them; the movie's strip stays, muted"
OF_ANOTHER_FILE = "Belongs to the file this one was copied from"
CANCEL = "Cancel"
CANCEL_HELP = "Stop this edit"
RETRY = "Run Again"
RETRY_HELP = "Run the same edit with the same seed again"
VARY = "Vary"
VARY_HELP = "Run the same edit with another seed"
PLACE = "Place"
PLACE_HELP = "Fetch the result if need be and place it above its strip"
COMPARE = "Compare"
COMPARE_HELP = "Show the result or what is below it, by muting the result's strip"
REVEAL = "Reveal Source"
REVEAL_HELP = "Select the strip this edit was made of"
ADOPT = "Use These Settings"
NOT_ADOPTED = "This version has no place for: {names}. They stay as they are in the panel."
ADOPT_HELP = "Put this edit's prompts, seed and settings into the panel"
DELETE = "Forget"
DELETE_HELP = "Take this edit off the list and out of the daemon; placed strips and their files stay"
DELETE_OTHER_HELP = (
    "Take this edit off this file's list; the file it belongs to keeps it, and so does the daemon"
)
SOURCE_GONE = "The strip this edit was made of is no longer in the file."
SCENE_GONE = "The scene this edit was made in is no longer in the file, or cannot be told from its copies."
SCENE_GONE_HELP = "The result's files stay in {folder}."
PLACED = "Place FlowAnchor Result"
FILES_GONE = "The result's files are gone."
MOVIE_GONE = "The result's movie is not there. Place fetches it again, if the daemon still has it."
MOVIE_DAMAGED = "Blender does not find the result's {count} frames in {movie}."
MOVIE_DAMAGED_HELP = "Remove {movie}; then Place fetches it again, if the daemon still has it."
NO_IMAGES = "The images could not be written ({reason})."
NO_IMAGES_HELP = "Look whether the disk of {folder} is full, or closed to you."
OPEN_LOG = "Open Log"
OPEN_LOG_HELP = "Show what the daemon last wrote, in Blender's text editor"
LOG_NAME = "FlowAnchor log"
NO_LOG = "There is nothing to show yet."
OPEN_FOLDER = "Open Folder"
OPEN_FOLDER_HELP = "Show the folder of the result's files"

# Daemon
DAEMON_STATES = {
    "unknown": "Not asked yet",
    "stopped": "Not running",
    "starting": "Starting",
    "running": "Running",
    "unreachable": "Cannot be reached",
    "wrong-version": "Another version",
}
VERSION = "Version {version}"
VERSION_UNKNOWN = "Run from its source"
ENGINE_STATES = {
    0: "Engine unknown",
    1: "Engine stopped",
    2: "Engine starting",
    3: "Engine idle",
    4: "Engine busy",
}
MODEL_LOADED = "{model} loaded, {memory}"
START = "Start"
START_HELP = "Start the daemon on this computer"
STOP = "Stop"
STOP_HELP = "End the daemon; a running edit is kept and goes on at the next start"
UNLOAD = "Free Memory"
UNLOAD_HELP = "Unload the model and free the memory it holds, the GPU's included"
CONNECT = "Try Again"
CONNECT_HELP = "Look for the daemon again"
PULL = "Download Model"
PULL_HELP = "Download the chosen model; goes on where an earlier download broke off"
NOT_INSTALLED = "{title} has to be downloaded first ({size})."
OFFLINE = "Blender is not allowed to go online (Preferences, System, Network)."
PULLING = "Downloading {model}"

# What can go wrong here
UNEXPECTED = "Something went wrong inside the add-on ({failure})."
UNEXPECTED_HELP = "Save your file; the details are in the log."
NO_FOLDER = "The folder for results cannot be written ({reason})."
NO_FOLDER_HELP = "Choose another one in the add-on's preferences."

# Presets of the advanced settings
PRESETS = "FlowAnchor Presets"
PRESET_ADD = "Add FlowAnchor Preset"
PRESET_HELP = "Add or remove a set of FlowAnchor's settings"

# Preferences
COMMAND = "Daemon Command"
COMMAND_HELP = "Command that starts the daemon; empty: the one FlowAnchor's installation left word of"
FOLDER = "Results Folder"
FOLDER_HELP = (
    "Where results are kept; empty: flowanchor-results beside the .blend, or with your data until it is saved"
)

# Properties by name: what they are called, and their tooltip
FIELDS = {
    "range_mode": ("Range", "Frames to edit"),
    "stack": (
        "With Strips Below",
        "Edit the picture of the strip and everything below it, not the strip alone",
    ),
    "deliver": ("Result", "What is laid above the strip"),
    "file_format": ("Files", "What the result is kept in"),
    "mask_kind": ("Region", "Where the edit happens"),
    "mask": ("Mask", "A mask of this file"),
    "modifier": ("Modifier", "Empty: the first Mask modifier"),
    "mask_strip": ("Mask Strip", "Empty: the first mask strip above"),
    "box": ("Box", "Left, top, width and height in pixels of the picture, from its upper left corner"),
    "invert": ("Invert", "The region is what was not marked"),
    "grow": ("Grow", "Pixels by which the region may grow"),
    "feather": ("Feather", "Width of the soft edge outside the region in pixels"),
    "source_prompt": ("Shows", "What the strip shows now"),
    "target_prompt": ("Should Show", "What it should show; change as few words as you can"),
    "words": (
        "Words",
        "Words of the second sentence that drive the edit, parted by commas; empty: what differs",
    ),
    "editor": ("Editor", "Editing method"),
    "model": ("Model", "The model that edits"),
    "preset": ("Preset", "Quality against time"),
    "seed": ("Seed", "Number that fixes the noise"),
    "seed_mode": ("Seed Mode", "Where the seed of each edit comes from"),
    "use_negative": ("Negative Prompt", "Use one of your own in place of the model's"),
    "negative_prompt": ("Negative Prompt", "What the picture should not look like"),
    "margin": ("Margin", "Surroundings shown to the model, as a share of the region's longer side"),
    "mode": ("Crop", "How the region becomes what the model sees"),
    "use_schedule": ("Own Schedule", "Set steps, shift and skip in place of the preset's"),
    "steps": ("Steps", "Steps of the schedule"),
    "shift": ("Shift", "Shift of the schedule towards noise"),
    "skip": ("Skip", "Steps left out at the noisy end"),
    "device": ("Device", "auto, cpu, cuda or cuda:N"),
    "priority": ("Priority", "Edits of higher priority run first"),
}
CHOICES = {
    "range_mode": [
        ("STRIP", "Whole Strip", "All frames of the strip that are seen"),
        ("SCENE", "Scene Range", "Those within the scene's frame range, or its preview range if that is on"),
    ],
    "deliver": [
        ("patch", "Patch", "The region alone, with a soft edge, laid over the strip"),
        ("full", "Full Frames", "Whole frames"),
    ],
    "file_format": [
        ("images", "Images", "PNG, one a frame: outside of the region exactly the strip's own picture"),
        ("movie", "Movie", "ProRes: smaller, and nearly the same"),
    ],
    "mask_kind": [
        ("mask", "Mask", "A mask of this file"),
        ("modifier", "Mask Modifier", "The mask of the strip's Mask modifier"),
        ("strip", "Mask Strip", "A mask strip above the strip"),
        ("alpha", "Strip's Alpha", "Where the strip is not transparent"),
        ("box", "Box", "A rectangle from numbers"),
    ],
    "preset": [
        ("draft", "Draft", "Quick look"),
        ("standard", "Standard", "The usual quality"),
        ("final", "Final", "More steps"),
    ],
    "seed_mode": [
        ("random", "Random", "Another seed for each edit"),
        ("fixed", "Fixed", "The same seed for each edit"),
        ("increment", "Increment", "One more after each edit"),
    ],
    "mode": [
        ("detail", "Detail", "Scale the region to the model's size"),
        ("fast", "Fast", "Keep the region's scale"),
    ],
}
