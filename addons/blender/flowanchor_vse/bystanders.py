# SPDX-License-Identifier: GPL-3.0-or-later
"""Handlers of the user and of other add-ons. They wait for the user's renders, and an export is none: what
keeps a log, makes data or sends a mail at the end of a render must not hear of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import bpy

_OF_RENDERING = ("render_", "composite_", "depsgraph_update_")
_OF_FRAMES = ("frame_change_",)


def without_render_handlers() -> Any:
    """A context without handlers of rendering, compositing and updates of data."""
    return _muted(_OF_RENDERING)


def without_frame_handlers() -> Any:
    """A context without handlers of frame changes."""
    return _muted(_OF_FRAMES)


@contextmanager
def _muted(kinds: tuple[str, ...]) -> Iterator[None]:
    """However it ends, the handlers are back in their order afterwards, before those that were added
    meanwhile."""
    before: dict[str, list[Callable[..., Any]]] = {
        name: list(getattr(bpy.app.handlers, name))
        for name in dir(bpy.app.handlers)
        if name.startswith(kinds)
    }
    try:
        for name in before:
            getattr(bpy.app.handlers, name).clear()
        yield
    finally:
        for name, handlers in before.items():
            now = getattr(bpy.app.handlers, name)
            now[:] = [*handlers, *(added for added in now if added not in handlers)]
