# SPDX-License-Identifier: GPL-3.0-or-later
"""The only file that knows of differences between Blender's versions (4.2 LTS to 5.2 LTS). Features are asked for,
not version numbers."""

from __future__ import annotations

from typing import Any


def strips(editor: Any) -> Any:
    """Strips of a sequence editor or a meta strip. Never `a or b`: an empty collection is false."""
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def all_strips(editor: Any) -> Any:
    """Strips of a sequence editor, those inside metas included."""
    return editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all


def sequencer_scene(context: Any) -> Any | None:
    """The scene whose strips the sequencer shows; None if there is none."""
    return context.sequencer_scene if hasattr(context, "sequencer_scene") else context.scene


def active_strip(context: Any) -> Any | None:
    """The active strip of the sequencer's scene."""
    scene = sequencer_scene(context)
    editor = scene.sequence_editor if scene is not None else None
    return editor.active_strip if editor is not None else None


def selected_strips(context: Any) -> list[Any]:
    """Selected strips of what the sequencer shows."""
    scene = sequencer_scene(context)
    editor = scene.sequence_editor if scene is not None else None
    return [strip for strip in strips(editor) if strip.select] if editor is not None else []


def start(strip: Any) -> int:
    """First visible scene frame."""
    return int(strip.left_handle if hasattr(strip, "left_handle") else strip.frame_final_start)


def end(strip: Any) -> int:
    """Scene frame after the last visible one."""
    return int(strip.right_handle if hasattr(strip, "right_handle") else strip.frame_final_end)


def content_start(strip: Any) -> float:
    """Scene frame of the first frame of the content, trimmed away or not."""
    return float(strip.content_start if hasattr(strip, "content_start") else strip.frame_start)


def set_end(strip: Any, frame: int) -> None:
    """Trim or extend the strip to end before a scene frame."""
    if hasattr(strip, "right_handle"):
        strip.right_handle = frame
    else:
        strip.frame_final_end = frame
