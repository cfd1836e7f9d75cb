# SPDX-License-Identifier: Apache-2.0
"""Patches that were delivered as movies: which Blender shows them rightly, and how the others
come by images."""

from __future__ import annotations

import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import flowanchor_vse
import numpy as np
from flowanchor_vse import as_images, compat, pictures, place
from flowanchor_vse.export import ExportResult
from flowanchor_vse.logic.frames import FrameRange
from flowanchor_vse.logic.ledger import Record
from flowanchor_vse.logic.plan import Box, Footage, UploadPlan
from flowanchor_vse.logic.settings import EditSettings
from flowanchor_vse.masks import MaskChoice
from flowanchor_vse.ui import runtime

from tests.blender.host import numbered
from tests.blender.host.scripts import bench
from tests.blender.host.scripts.bench import (
    FOLDER,
    HEIGHT,
    MEDIA,
    WIDTH,
    check,
    dump,
    effect,
    pixels,
    raised,
    same,
    scene,
    shown,
    strips,
)
from tests.blender.ui.layouts import draw_all

flowanchor_vse.register()
PART = FrameRange(5, 10)
TOO_BRIGHT = "This Blender shows this result too bright where it is transparent: it is a movie."


def span(strip: Any) -> tuple[int, int]:
    return compat.start(strip), compat.end(strip)


def softly() -> Any:
    """What the soft patch looks like over black."""
    alpha = numbered.soft_alpha()[:, None] / 255
    return np.broadcast_to(np.rint(np.array(numbered.SOFT) * alpha), (HEIGHT, WIDTH, 3)).astype(np.uint8)


def soft_patch() -> tuple[Record, Any]:
    """A ProRes patch as an older Blender has placed it, over black; its strip."""
    source = effect("black", "COLOR", 1, 1, 40)
    source.color = (0.0, 0.0, 0.0)
    folder = FOLDER / f"soft-{len(list(FOLDER.iterdir()))}"
    folder.mkdir()
    movie = shutil.copy(MEDIA / "soft.mov", folder)
    changes: dict[str, Any] = {"files": ("soft.mov",), "state": "done"}
    exported = ExportResult((), 0, 0, PART.count - 1, Fraction(24), WIDTH, HEIGHT, False)
    origin = place.origin_of(scene(), source, PART, MaskChoice("alpha"), exported)
    settings = EditSettings("a red car", "a green car", deliver="patch", format="prores4444", seed=7)
    record = Record("record-1", origin, settings, str(folder), job="job-1", seed=7, **changes)
    return record, place.place_result(scene(), record, [Path(movie)])


@check
def soft_edges_of_movies_are_right_where_it_is_said_so() -> None:
    """Why Blender after 4.2 is asked for no such movie: it shows them too bright."""
    record, _ = soft_patch()
    (frame,) = shown(7, 7)
    assert as_images.is_shown_wrongly(record) != compat.shows_transparent_movies()
    if compat.shows_transparent_movies():
        same(frame, softly(), tolerance=2)
    else:
        assert int(np.abs(frame[40, 60:120].astype(int) - softly()[40, 60:120]).min(axis=0).max()) > 30
    assert not as_images.is_shown_wrongly(replace(record, files=("a.png",)))
    assert not as_images.is_shown_wrongly(replace(record, files=()))
    full = replace(record, settings=replace(record.settings, deliver="full"))
    assert not as_images.is_shown_wrongly(full)


@check
def a_movie_that_is_shown_too_bright_becomes_images_that_are_not() -> None:
    record, old = soft_patch()
    if compat.shows_transparent_movies():
        return
    for channel in (1, 2):  # of strips that are not in the picture, and channels that are not seen
        effect(f"in the way {channel}", "COLOR", channel, 41, 80)
        scene().sequence_editor.channels[channel].mute = True
    before = dump()
    files, size = as_images.make_images(scene(), record.paths[0])
    assert dump() == before, "nothing of the file has changed"
    assert (len(files), size) == (6, (WIDTH, HEIGHT))
    assert {file.parent for file in files} == {Path(record.folder)}
    whole = pixels(files[3])
    seen = whole[..., 3] > 0
    same(
        whole[seen][:, :3],
        np.broadcast_to(np.array(numbered.SOFT, np.uint8), (int(seen.sum()), 3)),
        tolerance=2,
    )
    same(whole[..., 3], np.broadcast_to(numbered.soft_alpha(), (HEIGHT, WIDTH)), tolerance=2)
    for channel in (1, 2):
        scene().sequence_editor.channels[channel].mute = False
    as_images.retire(scene(), record)
    assert old.mute
    made = replace(record, files=tuple(file.name for file in files), size=size)
    strip = place.place_result(scene(), made, files)
    assert strip != old
    assert (strip.type, span(strip), strip.blend_type) == ("IMAGE", (5, 11), "ALPHA_OVER")
    assert place.result_strips(scene(), made) == [strip]
    for frame in shown(5, 10):
        same(frame, softly(), tolerance=2)


@check
def images_that_cannot_be_made_leave_nothing() -> None:
    record, old = soft_patch()
    real = pictures.write

    def fails_later(file: Path, picture: Any) -> None:
        real(file, picture)
        if "000003" in file.name:
            raise OSError(28, "made to fail")

    pictures.write = fails_later
    try:
        raised(OSError, lambda: as_images.make_images(scene(), record.paths[0]))
    finally:
        pictures.write = real
    assert [file.name for file in Path(record.folder).iterdir()] == ["soft.mov"]
    assert not old.mute


@check
def the_panel_says_so_at_that_result_and_its_button_places_images() -> None:
    record, old = soft_patch()
    runtime.close()
    session = runtime.get().session
    plan = UploadPlan(Footage((MEDIA / "soft.mov",), None), boxes=(Box(0, 0, 1, 1),))
    edit = session.submit(plan, record.settings, record.origin, record.folder)
    run = session._runs[edit]
    run.record = replace(record, id=edit)
    run.due = None
    session._runs.keep(run)
    old[place.RECORD] = edit
    told = draw_all(scene(), old)
    if compat.shows_transparent_movies():
        assert TOO_BRIGHT not in " ".join(told)
        runtime.close()
        return
    assert TOO_BRIGHT in " ".join(told)
    assert "Place as Images" in told
    movie = record.paths[0]
    aside = movie.rename(movie.with_suffix(".aside"))
    said = str(raised(RuntimeError, lambda: bpy.ops.flowanchor.as_images(job=edit)))
    assert "Place fetches it again" in said
    aside.rename(movie)
    assert bpy.ops.flowanchor.as_images(job=edit) == {"FINISHED"}
    view = session.job(edit)
    assert view is not None
    assert (view.state, len(view.record.files), view.record.size) == ("done", 6, (WIDTH, HEIGHT))
    (strip,) = place.result_strips(scene(), view.record)
    assert (strip.type, strip.mute) == ("IMAGE", False)
    assert view.record.placed == strip["flowanchor_id"]
    assert old.mute
    assert old.name in strips(), "it may hold what the user has made of it"
    assert TOO_BRIGHT not in " ".join(draw_all(scene(), strip))
    stored = runtime.read_ledger().get(edit)
    assert stored is not None
    assert stored.files == view.record.files, "the file knows"
    runtime.close()


bench.run_all()
