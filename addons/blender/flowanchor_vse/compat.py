# SPDX-License-Identifier: GPL-3.0-or-later
"""The only file that knows of differences between Blender's versions (4.2 LTS to 5.2 LTS). Features are asked
for, not version numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy


def strips(editor: Any) -> Any:
    """Strips of a sequence editor or a meta strip. Never `a or b`: an empty collection is false."""
    return getattr(editor, strips_name(editor))


def strips_name(editor: Any) -> str:
    """What the property with the strips is called."""
    return "strips" if hasattr(editor, "strips") else "sequences"


def all_strips(editor: Any) -> Any:
    """Strips of a sequence editor, those inside metas included."""
    return editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all


def with_inner(some: Any) -> list[Any]:
    """These strips and all that are inside of metas among them."""
    return [
        one for strip in some for one in (strip, *(with_inner(strips(strip)) if strip.type == "META" else ()))
    ]


def sequencer_scene(context: Any) -> Any | None:
    """The scene whose strips the sequencer shows; None if there is none."""
    return context.sequencer_scene if hasattr(context, "sequencer_scene") else context.scene


def active_strip(context: Any) -> Any | None:
    """The active strip of the sequencer's scene."""
    scene = sequencer_scene(context)
    editor = scene.sequence_editor if scene is not None else None
    return editor.active_strip if editor is not None else None


def start(strip: Any) -> int:
    """First visible scene frame."""
    return int(strip.left_handle if hasattr(strip, "left_handle") else strip.frame_final_start)


def end(strip: Any) -> int:
    """Scene frame after the last visible one."""
    return int(strip.right_handle if hasattr(strip, "right_handle") else strip.frame_final_end)


def content_start(strip: Any) -> float:
    """Scene frame of the first frame of the content, trimmed away or not."""
    return float(strip.content_start if hasattr(strip, "content_start") else strip.frame_start)


def content_length(strip: Any) -> int:
    """Frames of the content at the speed it plays, trimmed away or not."""
    return int(strip.content_duration if hasattr(strip, "content_duration") else strip.frame_duration)


def is_retimed(strip: Any) -> bool:
    """Whether retiming keys change which frames are seen. Image strips of 4.2 can have none."""
    return bool(len(getattr(strip, "retiming_keys", ())))


def set_start(strip: Any, frame: int) -> None:
    """Trim or extend the strip to begin at a scene frame."""
    if hasattr(strip, "left_handle"):
        strip.left_handle = frame
    else:
        strip.frame_final_start = frame


def set_end(strip: Any, frame: int) -> None:
    """Trim or extend the strip to end before a scene frame."""
    if hasattr(strip, "right_handle"):
        strip.right_handle = frame
    else:
        strip.frame_final_end = frame


def is_strip(value: Any) -> bool:
    """Whether this is a strip."""
    return isinstance(value, bpy.types.Strip if hasattr(bpy.types, "Strip") else bpy.types.Sequence)


def new_colour(editor: Any, name: str, channel: int, first: int, end: int) -> Any:
    """A strip of one colour, black until set, from scene frame `first` to before `end`."""
    known = strips(editor).bl_rna.functions["new_effect"].parameters
    size = {"length": end - first} if "length" in known else {"frame_end": end}
    added = strips(editor).new_effect(name, "COLOR", channel, first, **size)
    set_end(added, end)
    return added


def new_modifier(scene: Any, strip: Any, name: str, kind: str) -> Any:
    """A modifier of a strip of `scene`, whatever scene the sequencer shows: where it shows none, Blender 5.0
    would crash."""
    if not hasattr(bpy.context, "sequencer_scene"):
        return strip.modifiers.new(name, kind)
    with bpy.context.temp_override(sequencer_scene=scene):
        return strip.modifiers.new(name, kind)


def png_output(scene: Any, colours: str, depth: int) -> None:
    """Let the scene write PNG of the colours "BW", "RGB" or "RGBA" at 8 or 16 bits a channel."""
    output = scene.render.image_settings
    if hasattr(output, "media_type"):
        output.media_type = "IMAGE"  # before the format, which is refused otherwise
    output.file_format = "PNG"
    output.color_mode = colours
    output.color_depth = str(depth)
    output.compression = 15
    output.color_management = "FOLLOW_SCENE"


def plain_view(scene: Any) -> None:
    """Force a view that changes no colour. TypeError where the colour configuration in use has no such
    view."""
    scene.display_settings.display_device = "sRGB"
    if hasattr(scene.display_settings, "emulation"):
        scene.display_settings.emulation = "OFF"
    view = scene.view_settings
    view.view_transform = "Standard"
    view.look = "None"
    view.exposure = 0.0
    view.gamma = 1.0
    for switch in ("use_curve_mapping", "use_white_balance", "use_hdr_view"):
        if hasattr(view, switch):
            setattr(view, switch, False)


def no_caches(editor: Any) -> None:
    """Switch off all caches of the sequencer: those of 5.x show masks as they were before a script changed
    them."""
    for switch in (
        "use_cache_raw",
        "use_cache_preprocessed",
        "use_cache_composite",
        "use_cache_final",
        "use_prefetch",
    ):
        if hasattr(editor, switch):
            setattr(editor, switch, False)


def has_strip_tab() -> bool:
    """Whether the Properties editor has a tab for the active strip, as from 5.0 on."""
    return hasattr(bpy.types, "STRIP_PT_strip")


def curves(action: Any) -> Iterator[tuple[Any, Any]]:
    """Animation curves of an action, each with the collection that it can be removed from."""
    if hasattr(action, "layers") and len(action.layers):
        for layer in action.layers:
            for strip in layer.strips:
                for bag in strip.channelbags:
                    yield from ((bag.fcurves, curve) for curve in list(bag.fcurves))
    elif hasattr(action, "fcurves"):
        yield from ((action.fcurves, curve) for curve in list(action.fcurves))


def action_holders(animation: Any) -> Iterator[Any]:
    """What of animation data has an action: itself, and the strips of its NLA tracks."""
    if animation is None:
        return
    if animation.action is not None:
        yield animation
    waiting = [strip for track in animation.nla_tracks for strip in track.strips]
    while waiting:
        strip = waiting.pop(0)
        waiting += strip.strips  # of one that holds others
        if strip.action is not None:
            yield strip


def shows_transparent_movies() -> bool:
    """Whether a movie with transparency is laid over what is below as its alpha says, as in 4.2. Later ones
    (measured: 4.5, 5.0 and 5.2) take its colours for such as were multiplied with alpha, whatever the strip's
    alpha mode, so that soft edges, and in 5.2 all that is transparent, are too bright. No feature tells, so
    the version has to; 4.3 and 4.4 were not measured."""
    return bool(bpy.app.version < (4, 3, 0))


def modifier_mask(modifier: Any) -> Any | None:
    """What a MASK modifier takes its mask from: a Mask or a strip; None if neither is chosen."""
    if modifier.input_mask_type == "ID":
        return modifier.input_mask_id
    return modifier.input_mask_strip


def keeps_frames_by_number(editor: Any) -> bool:
    """Whether the sequencer takes decoded frames from its memory by whole numbers, and is set to (Blender
    5)."""
    return not hasattr(editor, "use_cache_preprocessed") and bool(editor.use_cache_raw)
