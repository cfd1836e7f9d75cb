# SPDX-License-Identifier: GPL-3.0-or-later
"""FlowAnchor in Blender's sequencer: edit part of a strip by describing it before and after.

Nothing here imports bpy before Blender asks for it, so that `logic` is tested without Blender.
"""


def register() -> None:
    from . import registration

    registration.register()


def unregister() -> None:
    from . import registration

    registration.unregister()
