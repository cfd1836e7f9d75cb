# SPDX-License-Identifier: GPL-3.0-or-later
"""Preferences of this user and machine; nothing of it is saved in a .blend."""

import os
from pathlib import Path
from typing import Any

import bpy
from bpy.props import StringProperty

from . import text

PACKAGE = __package__


class FlowAnchorPreferences(bpy.types.AddonPreferences):
    bl_idname = PACKAGE

    daemon_command: StringProperty(
        name=text.COMMAND,
        description=text.COMMAND_HELP,
    )
    folder: StringProperty(
        name=text.FOLDER,
        description=text.FOLDER_HELP,
        subtype="DIR_PATH",
    )

    def draw(self, context: Any) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "daemon_command")
        layout.prop(self, "folder")


def get() -> Any | None:
    """The preferences; None where the add-on was not enabled through Blender's preferences."""
    entry = bpy.context.preferences.addons.get(PACKAGE)
    return entry.preferences if entry is not None else None


def tell_command() -> None:
    """Let the client know the user's own command for the daemon."""
    found = get()
    if found is not None and found.daemon_command.strip():
        os.environ["FLOWANCHOR_DAEMON"] = found.daemon_command.strip()


def results_folder() -> Path:
    """Where the files of edits go. OSError if it cannot be made."""
    folder = results_path()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def results_path() -> Path:
    """Where the files of edits go; a folder the user chose need not be there."""
    found = get()
    if found is not None and found.folder:
        return Path(bpy.path.abspath(found.folder))
    if PACKAGE.startswith("bl_ext."):
        return Path(bpy.utils.extension_path_user(PACKAGE, path="results", create=True))
    # Run from its source folder.
    return Path(bpy.utils.user_resource("DATAFILES", path="flowanchor", create=True))


CLASSES = (FlowAnchorPreferences,)
