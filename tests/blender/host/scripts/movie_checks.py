# SPDX-License-Identifier: Apache-2.0
"""Patches that were delivered as movies: which Blender shows them rightly, and how the others
come by images."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import flowanchor_vse
import numpy as np
from flowanchor_vse import as_images, compat, pictures, place
from flowanchor_vse import strips as rules
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
    refused,
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
    files, size = as_images.make_images(scene(), record.paths[0], PART.count)
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
    made = replace(record, files=tuple(file.name for file in files), size=size)
    strip = place.place_result(scene(), made, files)
    assert strip != old
    assert old.mute
    assert (strip.type, span(strip), strip.blend_type) == ("IMAGE", (5, 11), "ALPHA_OVER")
    assert place.result_strips(scene(), made) == [strip]
    for frame in shown(5, 10):
        same(frame, softly(), tolerance=2)


@check
def images_are_the_movies_whatever_space_the_sequencer_works_in() -> None:
    record, _ = soft_patch()
    if compat.shows_transparent_movies():
        return
    for space in ("Linear Rec.709", "Filmic sRGB"):
        scene().sequencer_colorspace_settings.name = space
        files, _ = as_images.make_images(scene(), record.paths[0], PART.count)
        assert scene().sequencer_colorspace_settings.name == space
        colours = pixels(files[2])[40, 60:120, :3]
        same(colours, np.broadcast_to(np.array(numbered.SOFT, np.uint8), colours.shape), tolerance=2)


@contextmanager
def failing_at(name: str) -> Iterator[None]:
    """A disk that is full in the middle of the picture of that name."""
    real = pictures.write

    def fails_later(file: Path, picture: Any) -> None:
        real(file, picture)
        if name in file.name:
            file.write_bytes(file.read_bytes()[:10])
            raise OSError(28, "made to fail")

    pictures.write = fails_later
    try:
        yield
    finally:
        pictures.write = real


@check
def images_that_cannot_be_made_leave_nothing() -> None:
    record, old = soft_patch()
    folder = Path(record.folder)
    with failing_at("000003"):
        raised(OSError, lambda: as_images.make_images(scene(), record.paths[0], PART.count))
    assert [file.name for file in folder.iterdir()] == ["soft.mov"]
    assert not old.mute
    if compat.shows_transparent_movies():
        return
    # Images of before may be shown in a copy of the file.
    files, _ = as_images.make_images(scene(), record.paths[0], PART.count)
    before = {file: file.read_bytes() for file in folder.iterdir()}
    files[5].unlink()
    with failing_at("000003"):
        raised(OSError, lambda: as_images.make_images(scene(), record.paths[0], PART.count))
    before.pop(files[5])
    assert {file: file.read_bytes() for file in folder.iterdir()} == before


@check
def a_movie_without_its_frames_is_refused() -> None:
    record, old = soft_patch()
    movie = record.paths[0]
    whole = movie.read_bytes()
    for data in (b"", b"x" * 5000, whole[: len(whole) // 2]):
        movie.write_bytes(data)
        refused("images-movie", lambda: as_images.make_images(scene(), movie, PART.count))
    movie.write_bytes(whole)
    refused("images-movie", lambda: as_images.make_images(scene(), movie, PART.count + 1))
    assert [file.name for file in movie.parent.iterdir()] == ["soft.mov"]
    assert (old.mute, place.result_strips(scene(), record)) == (False, [old])


def as_images_of(record: Record) -> tuple[Record, list[Path]]:
    """The record after its movie was made into images, here those of another patch."""
    files = sorted((MEDIA / "patches").glob("*.png"))[: PART.count]
    made = replace(record, folder=str(files[0].parent), files=tuple(file.name for file in files))
    return made, files


@check
def images_take_the_place_the_user_has_given_the_movie() -> None:
    record, old = soft_patch()
    strips().remove(strips()["black"])
    title = effect("title", "TEXT", old.channel + 1, 100, 140)
    old.frame_start += 100
    old.frame_final_start += 1
    old.frame_final_end -= 2
    old.transform.offset_x, old.transform.scale_x, old.crop.min_y, old.blend_alpha = 12.0, 0.5, 3, 0.25
    old.use_reverse_frames = True
    channel, seen = old.channel, span(old)
    assert place.uncertainty(scene(), record) == "gone"
    made, files = as_images_of(record)
    assert place.uncertainty(scene(), made) == "", "it goes where the movie is"
    strip = place.place_result(scene(), made, files)
    assert (strip.type, strip.channel, span(strip)) == ("IMAGE", channel, seen)
    assert compat.content_start(strip) == compat.content_start(old)
    assert strip.transform.offset_x == 12.0
    assert strip.transform.scale_x == 0.5
    assert (strip.crop.min_y, strip.blend_alpha, strip.mute) == (3, 0.25, False)
    assert strip.use_reverse_frames
    assert (old.mute, span(old), title.channel) == (True, seen, channel + 1), "titles stay above"
    assert place.result_strips(scene(), made) == [strip]


@check
def a_fade_of_the_movie_hides_no_images() -> None:
    record, old = soft_patch()
    old.transform.offset_y = 7.0
    for frame, alpha in ((5, 0.0), (10, 1.0)):
        old.blend_alpha = alpha
        old.keyframe_insert("blend_alpha", frame=frame)
    old.blend_alpha = 0.0  # as at the frame the user looks at
    made, files = as_images_of(record)
    strip = place.place_result(scene(), made, files)
    assert (strip.blend_alpha, strip.transform.offset_y) == (1.0, 7.0)


@check
def halves_and_copies_of_a_movie_get_images_each() -> None:
    record, old = soft_patch()
    half = old.split(frame=8, split_method="SOFT")
    copy = strips().new_movie("copy", old.filepath, 7, 60)
    copy[place.RECORD] = record.id
    before = [(strip.channel, span(strip)) for strip in (old, half, copy)]
    made, files = as_images_of(record)
    place.place_result(scene(), made, files)
    found = place.result_strips(scene(), made)
    assert {strip.type for strip in found} == {"IMAGE"}
    assert sorted((strip.channel, span(strip)) for strip in found) == sorted(before)
    assert sorted(map(compat.content_start, found)) == [5, 5, 60]
    assert len({strip[rules.ID] for strip in found}) == 3
    assert (old.mute, half.mute, copy.mute) == (True, True, True)


@check
def a_movie_whose_place_cannot_be_taken_gets_images_where_the_result_belongs() -> None:
    record, old = soft_patch()
    here = place.result_strips(scene(), record)
    meta = strips().new_meta("meta", 9, 5)
    old.move_to_meta(meta)
    assert old.parent_meta() == meta
    made, files = as_images_of(record)
    strip = place.place_result(scene(), made, files)
    assert (strip.type, span(strip), here[0].mute) == ("IMAGE", (5, 11), True)
    assert place.result_strips(scene(), made) == [strip]


@check
def images_that_cannot_be_placed_leave_the_movie_as_it_is() -> None:
    record, old = soft_patch()
    made, files = as_images_of(record)
    where = old.channel, span(old)
    refused("result-missing", lambda: place.place_result(scene(), made, [*files[:5], Path("gone.png")]))
    assert (old.mute, old.channel, span(old)) == (False, *where)
    for number in range(old.channel + 1, 129):
        effect(f"full {number}", "COLOR", number, 1, 40)
    refused("no-channel", lambda: place.place_result(scene(), made, files))
    strips().remove(strips()["full 50"])
    refused("result-length", lambda: place.place_result(scene(), made, files[:5]))
    assert (old.mute, old.channel, span(old)) == (False, *where)
    assert place.result_strips(scene(), made) == [old]


@check
def after_an_undo_place_brings_the_images_again() -> None:
    record, old = soft_patch()
    made, files = as_images_of(record)
    bpy.context.preferences.edit.use_global_undo = True
    name = old.name
    bpy.ops.ed.undo_push(message="before")
    place.place_result(scene(), made, files)
    bpy.ops.ed.undo_push(message="placed")
    bpy.ops.ed.undo()
    assert [strip.name for strip in place.result_strips(scene(), made)] == [name]
    assert not strips()[name].mute
    strip = place.place_result(scene(), made, files)
    assert (strip.type, strips()[name].mute) == ("IMAGE", True)
    assert place.place_result(scene(), made, files) == strip


def in_the_list() -> tuple[Record, Any]:
    """A ProRes patch that is placed and in the file's list; its strip."""
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
    return run.record, old


@check
def what_keeps_the_images_from_being_placed_is_said() -> None:
    record, old = in_the_list()
    if compat.shows_transparent_movies():
        return
    for number in range(old.channel + 1, 129):
        effect(f"full {number}", "COLOR", number, 1, 40)
    said = str(raised(RuntimeError, lambda: bpy.ops.flowanchor.as_images(job=record.id)))
    assert "No channel above 1" in said
    assert (old.mute, place.result_strips(scene(), record)) == (False, [old])
    strips().remove(strips()["full 50"])
    assert bpy.ops.flowanchor.place(job=record.id) == {"FINISHED"}
    assert old.mute
    assert [strip.type for strip in place.result_strips(scene(), record)] == ["IMAGE"]
    runtime.close()


@check
def a_movie_in_the_scene_its_source_was_moved_from_is_retired() -> None:
    record, old = in_the_list()
    if compat.shows_transparent_movies():
        return
    there = bpy.data.scenes.new("there")
    moved = compat.new_colour(there.sequence_editor_create(), "black", 1, 1, 40)
    for mark in (rules.ID, rules.OWNER):
        moved[mark] = strips()["black"][mark]
    strips().remove(strips()["black"])
    assert bpy.ops.flowanchor.as_images(job=record.id) == {"FINISHED"}
    assert [strip.type for strip in place.result_strips(there, record)] == ["IMAGE"]
    assert (old.mute, place.result_strips(scene(), record)) == (True, [])
    runtime.close()


@check
def the_panel_says_so_at_that_result_and_its_button_places_images() -> None:
    record, old = in_the_list()
    edit, session = record.id, runtime.get().session
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
