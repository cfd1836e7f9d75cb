# SPDX-License-Identifier: GPL-3.0-or-later
"""A patch that was delivered as a movie, made into the images that every Blender shows rightly.

A Blender that shows transparent movies too bright takes their colours for such as were multiplied with alpha.
Colours and alpha themselves it decodes rightly, so each is rendered by itself and both are put together here:
alpha as that of the movie alone, colours as what is lighter than black, for which alpha does not count.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from . import compat, pictures, settings_guard
from .logic.ledger import Record
from .place import RECORD, is_movie, result_strips

_ALPHA = 3


def is_shown_wrongly(record: Record) -> bool:
    """Whether a result is a movie that this Blender shows too bright where it is transparent. Looks at no
    file."""
    return (
        record.settings.deliver == "patch"
        and bool(record.files)
        and is_movie(record.paths[0])
        and not compat.shows_transparent_movies()
    )


def make_images(scene: Any, movie: Path) -> tuple[tuple[Path, ...], tuple[int, int]]:
    """Write the movie's frames beside it, one PNG each, of 8 bits and with straight alpha; the files in frame
    order, and their width and height. Refused, or OSError, if they cannot be made; none is left then."""
    made: list[Path] = []
    size = (0, 0)
    try:
        with tempfile.TemporaryDirectory(prefix="flowanchor-") as name:
            colours, alphas = (_render(scene, movie, Path(name) / kind, kind) for kind in ("RGB", "RGBA"))
            for index, (colour, alpha) in enumerate(zip(colours, alphas, strict=True)):
                whole = np.dstack(
                    [
                        *(pictures.read_channel(colour, at) for at in range(_ALPHA)),
                        pictures.read_channel(alpha, _ALPHA),
                    ]
                )
                made.append(movie.with_name(f"{movie.stem}.{index:06d}.png"))
                pictures.write(made[-1], whole)
                size = whole.shape[1], whole.shape[0]
    except BaseException:
        for file in made:
            file.unlink(missing_ok=True)
        raise
    return tuple(made), size


def retire(scene: Any, record: Record) -> None:
    """The strips of the record's movie are its result no longer; muted, they stay for what the user has made
    of them."""
    for strip in result_strips(scene, record):
        strip.mute = True
        del strip[RECORD]


def _render(scene: Any, movie: Path, folder: Path, colours: str) -> list[Path]:
    folder.mkdir()
    scene.sequence_editor_create()  # one that is there stays
    with settings_guard.scratch_scene(scene) as scratch:
        settings_guard.hide_all(scratch)
        there = compat.strips(scratch.sequence_editor)
        # Where no strip is: Blender moves what overlaps another to a channel above, muted or not.
        start = max([1, *map(compat.end, there)])
        strip = there.new_movie("patch", str(movie), 2, start)
        picture, end = strip.elements[0], start + compat.content_length(strip)
        scratch.render.resolution_x, scratch.render.resolution_y = picture.orig_width, picture.orig_height
        settings_guard.show_alone(scratch, strip.name)
        if colours == "RGB":
            black = compat.new_colour(scratch.sequence_editor, "black", 1, start, end)
            black.color, black.blend_type = (0.0, 0.0, 0.0), "REPLACE"
            settings_guard.unmute_channel(scratch, 1)
            strip.blend_type = "LIGHTEN"
        return settings_guard.render(scratch, start, end - 1, folder, colours)
