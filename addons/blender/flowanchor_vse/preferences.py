# SPDX-License-Identifier: GPL-3.0-or-later
"""Preferences of this user and machine, and the folders files are kept in; nothing of it is saved in a
.blend.

Results are the user's footage: they lie beside the .blend, or with the user's data until that has a place,
and stay when the extension is uninstalled. Exported frames are removed sooner or later, and lie in the
extension's own folder.
"""

import contextlib
import errno
import os
from pathlib import Path
from typing import Any

import bpy
from bpy.props import StringProperty
from flowanchor.rendezvous import RendezvousError
from flowanchor.rendezvous import results_folder as users_results

from . import text
from .strips import Refused

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
    return list(dict.fromkeys([*chosen, *_beside(), _users_folder()]))


def make_results_folder(name: str, beside: str = "") -> Path:
    """A folder of that name for one edit's results: in the folder the user chose, else beside the .blend,
    else, where nothing can be written there, with the user's data. Refused if none can be made or written.

    Args:
        beside: the folder of an earlier edit's results; these go to the same place if it is still one of the
            file's.
    """
    folders, near = results_folders(), Path(beside).parent
    others = [] if _chosen() is not None else folders[1:]
    first, *rest = dict.fromkeys([*([near] if near in folders else []), folders[0], *others])
    try:
        return _writable(first / name)
    except OSError as failure:
        for root in rest:
            with contextlib.suppress(OSError):
                return _writable(root / name)
        raise Refused(
            "no-folder",
            text.say(text.NO_FOLDER, reason=failure.strerror or type(failure).__name__),
            text.say(text.NO_FOLDER_HELP),
        ) from failure


def _writable(folder: Path) -> Path:
    """The folder, made if it is not there. OSError if nothing can be written into it."""
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    return folder


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


def _beside() -> list[Path]:
    """The folder beside the file, if it has a place where files are kept: an autosaved one, opened without
    being recovered, lies where Blender keeps what is temporary."""
    home = Path(bpy.data.filepath).parent
    if not bpy.data.filepath or home == Path(bpy.app.tempdir).parent:
        return []
    beside = home / BESIDE
    # A link that came along with a file leads wherever its maker wants.
    return [] if beside.is_symlink() else [beside]


def _users_folder() -> Path:
    try:
        return users_results()
    except RendezvousError:  # no home folder is known
        return Path(bpy.utils.user_resource("DATAFILES", path="flowanchor")) / "results"


CLASSES = (FlowAnchorPreferences,)
