# SPDX-License-Identifier: GPL-3.0-or-later
"""Preferences of this user and machine, and the folders files are kept in; nothing of it is saved in a
.blend.

Results are the user's footage: they lie beside the .blend, or with the user's data until that has a place,
and stay when the extension is uninstalled. Exported frames are removed sooner or later, and lie in the
extension's own folder.
"""

import os
from pathlib import Path
from typing import Any

import bpy
from bpy.props import StringProperty
from flowanchor.rendezvous import RendezvousError
from flowanchor.rendezvous import results_folder as users_results

from . import text

PACKAGE = __package__
BESIDE = "flowanchor-results"
"""Folder of results beside a saved .blend."""


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


def results_folders() -> list[Path]:
    """Where results of the open file may lie, the one for new ones first; they need not be there."""
    chosen = [folder] if (folder := _chosen()) is not None else []
    beside = Path(bpy.data.filepath).parent / BESIDE if bpy.data.filepath else None
    # A link that came along with a file leads wherever its maker wants.
    own = [beside] if beside is not None and not beside.is_symlink() else []
    return list(dict.fromkeys([*chosen, *own, _users_folder()]))


def results_root(folder: str) -> Path:
    """Where results beside those in `folder` go: the same place, unless the file has another one now."""
    folders, here = results_folders(), Path(folder).parent
    return here if here in folders else folders[0]


def make_results_folder(name: str) -> Path:
    """A new folder of that name for one edit's results: in the folder the user chose, else beside the .blend,
    else, where nothing can be written there, with the user's data. OSError if none can be made."""
    first, *others = results_folders()
    try:
        (first / name).mkdir(parents=True)
    except OSError:
        if _chosen() is not None or not others:
            raise
        first = others[-1]
        (first / name).mkdir(parents=True)
    return first / name


def exports_folder() -> Path:
    """Where exported frames wait until they were sent; it need not be there."""
    if PACKAGE.startswith("bl_ext."):
        return Path(bpy.utils.extension_path_user(PACKAGE, path="exports"))
    # Run from its source folder.
    return Path(bpy.utils.user_resource("DATAFILES", path="flowanchor")) / "exports"


def _chosen() -> Path | None:
    """The folder the user chose; None for one that is relative to a file without a place."""
    found = get()
    if found is None or not found.folder or (found.folder.startswith("//") and not bpy.data.filepath):
        return None
    return Path(bpy.path.abspath(found.folder))


def _users_folder() -> Path:
    try:
        return users_results()
    except RendezvousError:  # no home folder is known
        return Path(bpy.utils.user_resource("DATAFILES", path="flowanchor")) / "results"


CLASSES = (FlowAnchorPreferences,)
