# SPDX-License-Identifier: GPL-3.0-or-later
"""What an export shows, as values to compare between its steps: whatever of a timeline changes pixels and can
be read by a script. All properties count that Blender lets one set, but for those known to change no pixel,
so that what a later version adds counts as well.

Not seen are changes inside of the 3D scene of a scene strip, inside of files, and of a mask while another
frame is shown than at the start (Blender moves keyed shapes by the frame).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import bpy

from . import compat
from .logic.frames import FrameRange

Values = tuple[Any, ...]

_NO_PIXELS = frozenset(
    {
        *("rna_type", "select", "select_left_handle", "select_right_handle", "select_control_point"),
        *("lock", "color_tag", "show_waveform", "volume", "pan", "pitch", "sound", "use_proxy", "proxy"),
        *("show_expanded", "show_preview", "is_active", "open_mask_panel", "stereo_3d_format", "views"),
        *("strips", "sequences", "channels", "override_cache_settings", "orig_width", "orig_height"),
        *("use_cache_raw", "use_cache_preprocessed", "use_cache_composite", "hide_select"),
    }
)
_OF_SCENE = (
    *("resolution_x", "resolution_y", "pixel_aspect_x", "pixel_aspect_y", "fps", "fps_base"),
    *("frame_map_old", "frame_map_new"),
)


class Fingerprint(NamedTuple):
    """`fixed` stays the same from frame to frame, `shapes` of masks only at the same `frame`."""

    fixed: Values
    frame: int
    shapes: Values

    def differs(self, now: Fingerprint) -> bool:
        return self.fixed != now.fixed or (self.frame == now.frame and self.shapes != now.shapes)


def take(scene: Any, shown: Iterable[Any], masks: Iterable[Any] = ()) -> Fingerprint:
    """Of strips of a scene with all that goes into their pictures, and of further masks."""
    every = list(_reached(shown))
    scenes = {strip.id_data: None for strip in every} | {scene: None}
    drawn = dict.fromkeys((*masks, *(mask for strip in every for mask in _masks_of(strip))))
    moving = {owner: _animated(owner) for owner in (*scenes, *drawn)}
    fixed = (
        *(_of_scene(one, [strip for strip in every if strip.id_data == one]) for one in scenes),
        *(_of_strip(strip, moving[strip.id_data]) for strip in every),
        *((mask.name_full, _curves(mask, lambda _: True)) for mask in drawn),
    )
    return Fingerprint(fixed, scene.frame_current, tuple(_read(mask, moving[mask]) for mask in drawn))


def stacked(scene: Any, channel: int, part: FrameRange) -> list[Any]:
    """Strips that are seen somewhere in `part` on the channels up to one."""
    return [
        strip
        for strip in compat.strips(scene.sequence_editor)
        if strip.channel <= channel and compat.start(strip) < part.end and compat.end(strip) > part.first
    ]


def _reached(shown: Iterable[Any]) -> Iterator[Any]:
    """These strips and those their pictures are made of, each once."""
    seen: set[int] = set()
    waiting = list(shown)
    while waiting:
        strip = waiting.pop(0)
        if strip.as_pointer() in seen or strip.type == "SOUND":
            continue
        seen.add(strip.as_pointer())
        yield strip
        waiting += [
            other
            for other in (
                *(getattr(strip, name, None) for name in ("input_1", "input_2")),
                *(getattr(modifier, "input_mask_strip", None) for modifier in strip.modifiers),
            )
            if other is not None
        ]
        if strip.type == "META":
            waiting += compat.strips(strip)
        elif strip.type == "SCENE" and strip.scene is not None and strip.scene_input == "SEQUENCER":
            editor = strip.scene.sequence_editor
            waiting += compat.strips(editor) if editor is not None else ()


def _masks_of(strip: Any) -> Iterator[Any]:
    for owner, name in ((strip, "mask"), *((modifier, "input_mask_id") for modifier in strip.modifiers)):
        mask = getattr(owner, name, None)
        if mask is not None:
            yield mask


def _of_scene(scene: Any, shown: list[Any]) -> Values:
    """What of a scene's own settings, channels and curves matters to these of its strips."""
    editor = scene.sequence_editor
    channels = sorted({strip.channel for strip in shown}) if editor is not None else []
    names = tuple(f'["{bpy.utils.escape_identifier(strip.name)}"]' for strip in shown)
    return (
        scene.name_full,
        *(getattr(scene.render, name) for name in _OF_SCENE),
        scene.sequencer_colorspace_settings.name,
        *((number, editor.channels[number].mute) for number in channels if number < len(editor.channels)),
        _curves(
            scene, lambda path: path.startswith("sequence_editor") and any(name in path for name in names)
        ),
    )


def _of_strip(strip: Any, moving: frozenset[str]) -> Values:
    inner = [channel.mute for channel in strip.channels] if strip.type == "META" else []
    return (
        *_read(strip, moving),
        compat.content_length(strip),
        tuple(inner),
        tuple(sorted(one.name for one in compat.strips(strip))) if strip.type == "META" else (),
    )


def _animated(owner: Any) -> frozenset[str]:
    """Paths of the owner's properties that curves or drivers set: their values say at which frame it is."""
    animation = owner.animation_data
    if animation is None:
        return frozenset()
    paths = [driver.data_path for driver in animation.drivers]
    paths += [curve.data_path for curve in _all_curves(animation)]
    return frozenset(map(_plain, paths))


def _plain(path: str) -> str:
    return path.replace("sequences_all[", "strips_all[")


def _all_curves(animation: Any) -> Iterator[Any]:
    for holder in compat.action_holders(animation):
        yield from (curve for _, curve in compat.curves(holder.action))


def _curves(owner: Any, wanted: Callable[[str], bool]) -> Values:
    """Curves and drivers of an owner's properties with all their keys."""
    animation = owner.animation_data
    if animation is None:
        return ()
    every = [*_all_curves(animation), *animation.drivers]
    return tuple(_of_curve(curve) for curve in every if wanted(curve.data_path))


def _of_curve(curve: Any) -> Values:
    keys = curve.keyframe_points
    ways = array("i", bytes(4 * len(keys)))
    keys.foreach_get("interpolation", ways)
    places = array("f", bytes(8 * len(keys)))
    points = []
    for name in ("co", "handle_left", "handle_right"):
        keys.foreach_get(name, places)
        points.append(places.tobytes())
    return (
        *(curve.data_path, curve.array_index, curve.mute, curve.extrapolation, ways.tobytes(), *points),
        *(_read(modifier, frozenset()) for modifier in curve.modifiers),
        _read(curve.driver, frozenset()) if curve.driver is not None else None,
    )


def _read(thing: Any, moving: frozenset[str]) -> Values:
    """All properties of a thing that are set, those of what it holds included; other data by their names."""
    values: list[Any] = []
    for name, kind, several in _properties(thing):
        if moving and _path(thing, name) in moving:
            continue
        value = getattr(thing, name)
        if kind == "COLLECTION":
            values += [name, len(value), *(_held(thing, item, moving) for item in value)]
        elif kind == "POINTER":
            values += [name, value if value is None else _held(thing, value, moving)]
        else:
            values += [name, tuple(_flat(value)) if several else value]
    return tuple(values)


def _held(holder: Any, value: Any, moving: frozenset[str]) -> Values:
    """What a thing points at: its content if it is a part of the same data, else its name."""
    other = isinstance(value, bpy.types.ID) or compat.is_strip(value) or value.id_data != holder.id_data
    name = getattr(value, "name_full", getattr(value, "name", ""))
    return (value.bl_rna.identifier, name) if other else _read(value, moving)


def _path(thing: Any, name: str) -> str:
    try:
        return _plain(thing.path_from_id(name))
    except ValueError:  # what has no path cannot be animated
        return ""


def _flat(value: Any) -> Iterator[Any]:
    for one in value:
        if hasattr(one, "__len__") and not isinstance(one, str):
            yield from _flat(one)
        else:
            yield one


_known: dict[str, list[tuple[str, str, bool]]] = {}


def _properties(thing: Any) -> list[tuple[str, str, bool]]:
    """Name, type and whether it is an array, of the properties of a thing that matter here."""
    kind = thing.bl_rna.identifier
    if kind not in _known:
        _known[kind] = [
            (
                one.identifier,
                one.type,
                bool(getattr(one, "is_array", False) or getattr(one, "is_enum_flag", False)),
            )
            for one in thing.bl_rna.properties
            if one.identifier not in _NO_PIXELS
            and not one.is_runtime
            and not getattr(one, "is_deprecated", False)
            and (one.type in ("COLLECTION", "POINTER") or not one.is_readonly)
        ]
    return _known[kind]
