# SPDX-License-Identifier: GPL-3.0-or-later
"""Images that were made of a result's movie take the place of the movie's strip, as the user has put it."""

from __future__ import annotations

from typing import Any

import bpy

from . import compat, strips
from .logic.frames import FrameRange
from .logic.ledger import Record

_PLACED = (
    *(f"transform.{name}" for name in ("offset_x", "offset_y", "scale_x", "scale_y", "rotation", "origin")),
    *(f"crop.{name}" for name in ("min_x", "max_x", "min_y", "max_y")),
    *("blend_type", "blend_alpha", "use_flip_x", "use_flip_y", "use_reverse_frames", "strobe"),
)


def can_follow(movie: Any, record: Record) -> bool:
    """Whether the images can be shown as this strip of the movie is."""
    whole = compat.content_length(movie) == record.origin.range.count
    return whole and movie.parent_meta() is None and not compat.is_retimed(movie)


def content_range(strip: Any) -> FrameRange:
    """Scene frames of the strip's content, trimmed away or not."""
    first = round(compat.content_start(strip))
    return FrameRange.half_open(first, first + compat.content_length(strip))


def whole_range(strip: Any) -> FrameRange:
    """Scene frames of the strip's content and of what it shows beyond that."""
    content = content_range(strip)
    return FrameRange.half_open(min(content.first, compat.start(strip)), max(content.end, compat.end(strip)))


def exchange(scene: Any, images: Any, movie: Any, free: int) -> None:
    """Let the images have the movie's channel, and the movie theirs, if they would be seen there: what lies
    above the movie is to stay above. `free` is a channel where nothing is at the movie's frames."""
    own, other = movie.channel, images.channel
    channels = scene.sequence_editor.channels
    if strips.users(scene, movie) or channels[own].mute or channels[own].lock:
        return
    movie.channel = free
    images.channel = own
    movie.channel = other


def take_after(scene: Any, images: Any, movie: Any) -> None:
    """Show the images as the movie is shown: trimmed, placed and as opaque as that. What is animated is left
    as it is: at this frame a movie that fades in is not seen at all."""
    compat.set_start(images, compat.start(movie))
    compat.set_end(images, compat.end(movie))
    own = f'["{bpy.utils.escape_identifier(movie.name)}"].'
    drivers = scene.animation_data.drivers if scene.animation_data is not None else ()
    animated = {
        curve.data_path.partition(own)[2]
        for curve in (*strips.scene_curves(scene), *drivers)
        if own in curve.data_path
    }
    for path in _PLACED:
        if path not in animated:
            part, _, name = path.rpartition(".")
            to, of = ((getattr(strip, part) if part else strip) for strip in (images, movie))
            setattr(to, name, getattr(of, name))
