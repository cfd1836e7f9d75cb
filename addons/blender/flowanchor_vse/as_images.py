# SPDX-License-Identifier: GPL-3.0-or-later
"""A patch that was delivered as a movie, made into the images that every Blender shows rightly.

A Blender that shows transparent movies too bright takes their colours for such as were multiplied with alpha.
Colours and alpha themselves it decodes rightly, so each is rendered by itself and both are put together here:
alpha as that of the movie alone, colours as what is lighter than black, for which alpha does not count.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from . import compat, pictures, settings_guard, text
from .logic import partials
from .logic.ledger import Record
from .place import is_movie
from .strips import Refused

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


def make_images(scene: Any, movie: Path, count: int) -> tuple[tuple[Path, ...], tuple[int, int]]:
    """Write the movie's frames beside it, one PNG each, of 8 bits and with straight alpha; the files in frame
    order, and their width and height. Refused, or OSError, if they cannot be made; none is left then but what
    was there before, as it was or made anew.

    Args:
        count: of the movie's frames; Refused if Blender finds another number in it.
    """
    files: list[Path] = []
    made: list[Path] = []
    size = (0, 0)
    try:
        with tempfile.TemporaryDirectory(prefix="flowanchor-") as name:
            colours, alphas = (
                _render(scene, movie, count, Path(name) / kind, kind) for kind in ("RGB", "RGBA")
            )
            for index, (colour, alpha) in enumerate(zip(colours, alphas, strict=True)):
                whole = np.dstack(
                    [
                        *(pictures.read_channel(colour, at) for at in range(_ALPHA)),
                        pictures.read_channel(alpha, _ALPHA),
                    ]
                )
                file = movie.with_name(f"{movie.stem}.{index:06d}.png")
                files.append(file)
                if not _write_whole(file, whole):
                    made.append(file)
                size = whole.shape[1], whole.shape[0]
    except BaseException:
        for file in made:
            file.unlink(missing_ok=True)
        raise
    return tuple(files), size


def _write_whole(file: Path, picture: pictures.Picture) -> bool:
    """Write a picture, whole or not at all; whether there was one, which a copy of the .blend may show."""
    arriving = file.with_name(partials.partial_name(file.name))
    try:
        pictures.write(arriving, picture)
        there = file.exists()
        os.replace(arriving, file)
    except BaseException:
        arriving.unlink(missing_ok=True)
        raise
    return there


def _render(scene: Any, movie: Path, count: int, folder: Path, colours: str) -> list[Path]:
    folder.mkdir()
    scene.sequence_editor_create()  # one that is there stays
    with settings_guard.scratch_scene(scene) as scratch:
        settings_guard.hide_all(scratch)
        there = compat.strips(scratch.sequence_editor)
        # Where no strip is: Blender moves what overlaps another to a channel above, muted or not.
        start = max([1, *map(compat.end, there)])
        strip = there.new_movie("patch", str(movie), 2, start)
        picture, end = strip.elements[0], start + count
        if compat.content_length(strip) != count or not (picture.orig_width and picture.orig_height):
            raise Refused(
                "images-movie",
                text.say(text.MOVIE_DAMAGED, movie=movie.name, count=count),
                text.say(text.MOVIE_DAMAGED_HELP, movie=movie),
            )
        scratch.render.resolution_x, scratch.render.resolution_y = picture.orig_width, picture.orig_height
        settings_guard.show_alone(scratch, strip.name)
        settings_guard.work_on_code_values(scratch, strip)
        if colours == "RGB":
            black = compat.new_colour(scratch.sequence_editor, "black", 1, start, end)
            black.color, black.blend_type = (0.0, 0.0, 0.0), "REPLACE"
            settings_guard.unmute_channel(scratch, 1)
            strip.blend_type = "LIGHTEN"
        return settings_guard.render(scratch, start, end - 1, folder, colours)
