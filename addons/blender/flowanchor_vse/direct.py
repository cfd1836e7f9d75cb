# SPDX-License-Identifier: GPL-3.0-or-later
"""When a strip's own file can be sent as it is: only where each of its frames provably is what the timeline
shows on the scene frame it belongs to. Everything else is rendered through Blender."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import bpy

from . import compat, strips
from .logic.constant_rate import constant_timing
from .logic.frames import FrameRange, StripSpan

_MOVIES = frozenset({".mp4", ".mov", ".m4v"})
"""Files whose timing can be read without a decoder."""
_MOST_IMAGES = 20_000


class OwnFiles(NamedTuple):
    """The strip's own files: one movie (`first_number` None) of which frames `first` to `last` are meant, or
    one image a frame."""

    files: tuple[Path, ...]
    first_number: int | None
    first: int
    last: int


def own_files(scene: Any, strip: Any, part: FrameRange, without: str = "") -> OwnFiles | str:
    """The strip's own file or files for `part`, or the reason why they are not what is seen."""
    reason = next(_reasons(scene, strip, without), None)
    if reason is not None:
        return reason
    return _movie(scene, strip, part) if strip.type == "MOVIE" else _images(scene, strip, part)


def _reasons(scene: Any, strip: Any, without: str) -> Iterator[str]:
    """What stands against it, as far as the strip's settings tell."""
    if strip.type not in ("MOVIE", "IMAGE"):
        yield "it is no file"
        return
    if compat.is_retimed(strip):
        yield "it is retimed"
    if strip.strobe > 1:
        yield "strobe is set"
    if strips.users(scene, strip):
        yield "an effect works on it"
    if any(not modifier.mute and modifier.name != without for modifier in strip.modifiers):
        yield "it has modifiers"
    place, crop = strip.transform, strip.crop
    if (place.scale_x, place.scale_y, place.offset_x, place.offset_y, place.rotation) != (1, 1, 0, 0, 0):
        yield "it is transformed"
    if crop.min_x or crop.max_x or crop.min_y or crop.max_y:
        yield "it is cropped"
    plain = {
        "use_reverse_frames": False,
        "use_flip_x": False,
        "use_flip_y": False,
        "use_deinterlace": False,
        "use_multiview": False,
        "use_float": False,
        "color_multiply": 1,
        "color_saturation": 1,
        "stream_index": 0,
    }
    yield from (f"{name} is set" for name, value in plain.items() if getattr(strip, name, value) != value)
    if strip.colorspace_settings.name != "sRGB":
        yield "its colours are converted"
    if scene.render.frame_map_old != scene.render.frame_map_new:
        yield "the scene's time is stretched"
    if _animated(scene, strip):
        yield "it is animated"


def _animated(scene: Any, strip: Any) -> bool:
    animation = scene.animation_data
    if animation is None:
        return False
    paths = [driver.data_path for driver in animation.drivers]
    paths += [curve.data_path for curve in strips.scene_curves(scene)]
    return any(f'["{bpy.utils.escape_identifier(strip.name)}"]' in path for path in paths)


def _span(strip: Any, length: int) -> StripSpan:
    return StripSpan(
        compat.content_start(strip),
        length,
        compat.start(strip),
        compat.end(strip),
        strip.animation_offset_start,
    )


def _movie(scene: Any, strip: Any, part: FrameRange) -> OwnFiles | str:
    (file,) = strips.media_files(strip)
    if file.suffix.lower() not in _MOVIES:
        return "the timing of its file cannot be read"
    timing = constant_timing(file)
    if timing is None:
        return "its file is not of one constant rate"
    if not timing.rec709:
        return "its file does not say that its colours are those of Rec.709"
    if timing.rate != strips.scene_rate(scene):
        return "its rate is not the scene's"
    length = compat.content_length(strip)
    if length + strip.animation_offset_start + strip.animation_offset_end != timing.frames:
        return "Blender counts other frames in its file"
    if (timing.width, timing.height) != (scene.render.resolution_x, scene.render.resolution_y):
        return "its size is not the scene's"
    source = _span(strip, length).source_range(part)
    if source is None:
        return "it is longer than its file"
    return OwnFiles((file,), None, source.first, source.last)


def _images(scene: Any, strip: Any, part: FrameRange) -> OwnFiles | str:
    files = strips.media_files(strip)
    source = _span(strip, compat.content_length(strip)).source_range(part)
    if source is None or source.last >= len(files) or len(files) > _MOST_IMAGES:
        return "it is longer than its files"
    used = tuple(files[source.first : source.last + 1])
    size = (scene.render.resolution_x, scene.render.resolution_y)
    kinds = {_png_kind(file) for file in used}
    if len(kinds) != 1 or (kind := kinds.pop()) is None or kind[:2] != size:
        return "its files are not PNG of the scene's size, all of one kind and without alpha"
    return OwnFiles(used, 0, 0, part.count - 1)


def _png_kind(file: Path) -> tuple[int, int, int, int] | None:
    """Width, height, depth and colour type of a grey or RGB PNG; None for anything else."""
    try:
        with file.open("rb") as opened:
            head = opened.read(29)
        signature, width, height, depth, colours = struct.unpack(">16sIIBB", head[:26])
    except (OSError, struct.error):
        return None
    if signature != b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" or colours not in (0, 2) or depth not in (8, 16):
        return None
    return width, height, depth, colours
