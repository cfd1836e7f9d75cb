# SPDX-License-Identifier: GPL-3.0-or-later
"""Images that were made of a result's movie take the place of the movie's strip, as the user has put it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy

from . import compat, strips
from .logic.frames import FrameRange
from .logic.ledger import Record

_PLACED = (
    *(f"transform.{name}" for name in ("offset_x", "offset_y", "scale_x", "scale_y", "rotation", "origin")),
    *(f"crop.{name}" for name in ("min_x", "max_x", "min_y", "max_y")),
    *("blend_type", "blend_alpha", "use_flip_x", "use_flip_y"),
)


def predecessor(movies: Sequence[Any], record: Record) -> Any | None:
    """The one strip of the movie whose place the images can take; None where there is none, or several."""
    if len(movies) != 1 or movies[0].parent_meta() is not None or compat.is_retimed(movies[0]):
        return None
    return movies[0] if compat.content_length(movies[0]) == record.origin.range.count else None


def content_range(strip: Any) -> FrameRange:
    """Scene frames of the strip's content, trimmed away or not."""
    first = round(compat.content_start(strip))
    return FrameRange.half_open(first, first + compat.content_length(strip))


def whole_range(strip: Any) -> FrameRange:
    """Scene frames of the strip's content and of what it shows beyond that."""
    content = content_range(strip)
    return FrameRange.half_open(min(content.first, compat.start(strip)), max(content.end, compat.end(strip)))


def give_way(scene: Any, movie: Any, channel: int) -> int:
    """Move the movie's strip to a free channel, if it can leave its own to the images: what lies above it is
    to stay above. The channel for the images, the movie's or the free one."""
    own = movie.channel
    channels = scene.sequence_editor.channels
    if strips.users(scene, movie) or channels[own].mute or channels[own].lock:
        return channel
    movie.channel = channel
    return int(own)


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
