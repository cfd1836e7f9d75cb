# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender is told of, in order, and taken back in reverse; safe to be done again and again."""

import bpy

from . import preferences, properties
from .ui import (
    operators_daemon,
    operators_edit,
    operators_jobs,
    panels,
    presets,
    runtime,
    thumbnails,
    timer,
)

_registered: list[type] = []


def register() -> None:
    if _registered:
        unregister()
    try:
        for cls in (
            *preferences.CLASSES,
            *properties.CLASSES,
            *operators_edit.CLASSES,
            *operators_jobs.CLASSES,
            *operators_daemon.CLASSES,
            *presets.CLASSES,
            *panels.panel_classes(),
        ):
            bpy.utils.register_class(cls)
            _registered.append(cls)
        properties.register()
        timer.register()
    except BaseException:
        unregister()
        raise


def unregister() -> None:
    timer.unregister()
    operators_edit.let_go()
    runtime.close()
    thumbnails.clear()
    properties.unregister()
    while _registered:
        bpy.utils.unregister_class(_registered.pop())
