# SPDX-License-Identifier: GPL-3.0-or-later
"""FlowAnchor in Blender's sequencer: edit part of a strip by describing it before and after.

Nothing here imports bpy before Blender asks for it, so that `logic` is tested without Blender.
"""

import importlib.util
import sys
from pathlib import Path


def _prefer_own_wheels() -> None:
    """Let the libraries that came with the extension win over the system's. Blender means them to, but where
    Python keeps its libraries in another place than usual (Debian's `dist-packages`), they come last."""
    found = importlib.util.find_spec("flowanchor_client")
    if __package__.startswith("bl_ext.") and found is not None and found.origin is not None:
        folder = str(Path(found.origin).parent.parent)
        if folder in sys.path:
            sys.path.remove(folder)
            sys.path.insert(0, folder)


def register() -> None:
    _prefer_own_wheels()
    from . import registration

    registration.register()


def unregister() -> None:
    from . import registration

    registration.unregister()
