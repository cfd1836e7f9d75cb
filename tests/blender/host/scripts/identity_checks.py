# SPDX-License-Identifier: Apache-2.0
"""A result finds the strip and the scene it was made of after undo, renaming, moving and copying, and says so
where they cannot be told."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
from flowanchor_vse import compat, marks, place
from flowanchor_vse import strips as rules
from flowanchor_vse.export import ExportResult
from flowanchor_vse.logic.frames import FrameRange
from flowanchor_vse.logic.ledger import Record
from flowanchor_vse.logic.settings import EditSettings
from flowanchor_vse.masks import MaskChoice

from tests.blender.host.scripts import bench
from tests.blender.host.scripts.bench import FOLDER, MEDIA, check, images, movie, scene, strips

PATCHES = sorted((MEDIA / "patches").glob("*.png"))


def record_of(strip: Any, part: FrameRange, folder: Path = MEDIA) -> Record:
    """As an edit of that part of a strip leaves it, delivered as a patch."""
    size = scene().render.resolution_x, scene().render.resolution_y
    exported = ExportResult((), 0, 0, part.count - 1, Fraction(24), *size, False)
    origin = place.origin_of(scene(), strip, part, MaskChoice("alpha"), exported)
    settings = EditSettings("a red car", "a green car", deliver="patch", seed=7)
    return Record("record-1", origin, settings, str(folder), job="job-1", seed=7)


def span(strip: Any) -> tuple[int, int]:
    return compat.start(strip), compat.end(strip)


@check
def halves_of_the_source() -> None:
    source = images("source", 1, 1)
    record = record_of(source, FrameRange(3, 6))
    half = source.split(frame=20, split_method="SOFT")
    assert half.get(rules.ID) == record.origin.strip, "Blender copies the mark"
    marks.settle([record.origin])
    assert rules.ID not in half
    assert rules.identity(scene(), half) != record.origin.strip, "an edit of the half is its own"
    source.name = "renamed"
    assert place.source_strip(scene(), record) == source


@contextmanager
def undoing() -> Iterator[None]:
    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="before")
    yield


def duplicate(strip: Any, frames: int, channels: int) -> Any:
    """As a user does it (Shift D, then a move); the copy."""
    before = {one.name for one in strips()}
    for one in strips():
        one.select = one == strip
    scene().sequence_editor.active_strip = strip
    with bench.sequencer():
        assert bpy.ops.sequencer.duplicate() == {"FINISHED"}
    (copy,) = [one for one in strips() if one.name not in before]
    copy.frame_start += frames
    copy.channel += channels
    return copy


@check
def duplicated_source_keeps_its_result() -> None:
    source = images("source", 1, 1)
    record = record_of(source, FrameRange(6, 10))
    copy = duplicate(source, 100, 1)
    assert copy.get(rules.ID) == record.origin.strip, "Blender copies the mark"
    source.frame_start += 10
    strip = place.place_result(scene(), record, PATCHES[5:10])
    assert (span(strip), place.uncertainty(scene(), record)) == ((16, 21), "")
    strips().remove(strip)
    # Renamed before anybody looked, they cannot be told: the result lies at the frames of then, and says so.
    source.name, copy.name = "one", "other"
    assert place.uncertainty(scene(), record) == "ambiguous"
    strip = place.place_result(scene(), record, PATCHES[5:10])
    assert span(strip) == (6, 11)


@check
def duplicated_and_renamed_with_a_look_in_between() -> None:
    source = images("source", 1, 1)
    record = record_of(source, FrameRange(6, 10))
    source.name = "hero"
    marks.settle([record.origin])
    copy = duplicate(source, 100, 1)
    marks.settle([record.origin])
    source.name, copy.name = "x", "hero"
    source.frame_start += 10
    assert place.source_strip(scene(), record) == source
    assert place.result_range(scene(), record) == FrameRange(16, 20)


@check
def undone_past_the_edit_the_source_is_known_again() -> None:
    images("source", 1, 1)
    with undoing():
        record = record_of(strips()["source"], FrameRange(6, 10))
        bpy.ops.ed.undo_push(message="edited")
    bpy.ops.ed.undo()
    source = strips()["source"]
    assert rules.ID not in source, "the undo took the mark"
    marks.settle([record.origin])
    assert source.get(rules.ID) == record.origin.strip
    source.name = "renamed"
    source.frame_start += 10
    assert marks.scene_of(record.origin) == scene()
    strip = place.place_result(scene(), record, PATCHES[5:10])
    assert (span(strip), place.uncertainty(scene(), record)) == ((16, 21), "")


@check
def undone_past_the_edit_and_replaced_by_another_strip() -> None:
    images("source", 1, 1)
    with undoing():
        record = record_of(strips()["source"], FrameRange(6, 10))
        bpy.ops.ed.undo_push(message="edited")
    bpy.ops.ed.undo()
    strips().remove(strips()["source"])
    other = movie("source", "24.mkv", 1, 31)
    marks.settle([record.origin])
    assert rules.ID not in other
    assert place.uncertainty(scene(), record) == "gone"
    strip = place.place_result(scene(), record, PATCHES[5:10])
    assert span(strip) == (6, 11)


@check
def copied_scene_gets_no_result() -> None:
    source = images("source", 1, 1)
    here = scene()
    record = record_of(source, FrameRange(6, 10))
    bpy.ops.scene.new(type="FULL_COPY")
    copy = bpy.context.scene
    assert copy != here
    assert copy.get(marks.SCENE_KEY) == record.origin.scene_key, "Blender copies the mark"
    here.name, copy.name = "first", "Scene"
    marks.settle([record.origin])
    assert marks.scene_of(record.origin) == here
    assert marks.key_of(copy) != record.origin.scene_key
    bpy.data.scenes.remove(here)
    marks.settle([record.origin])
    assert marks.scene_of(record.origin) is None, "the copy is not taken for it"


def pasted(strip: Any, into: Any, cut: bool = True, meanwhile: Callable[[], None] = lambda: None) -> Any:
    """As a user cuts or copies a strip and pastes it on the timeline of another scene; the pasted strip.
    `meanwhile` is called before it is pasted."""
    here = scene()
    for one in strips():
        one.select = one == strip
    with bench.sequencer():
        assert bpy.ops.sequencer.copy() == {"FINISHED"}
        if cut:
            assert bpy.ops.sequencer.delete() == {"FINISHED"}
    meanwhile()
    before = set(compat.strips(into.sequence_editor).keys())
    show_scene(into)
    with bench.sequencer():
        assert bpy.ops.sequencer.paste() == {"FINISHED"}
    (name,) = set(compat.strips(into.sequence_editor).keys()) - before
    show_scene(here)
    return compat.strips(into.sequence_editor)[name]


def show_scene(shown: Any) -> None:
    bpy.context.window.scene = shown
    if hasattr(bpy.context.workspace, "sequencer_scene"):
        bpy.context.workspace.sequencer_scene = shown


def another_scene() -> Any:
    other = bpy.data.scenes.new("other")
    other.sequence_editor_create()
    return other


@check
def a_strip_cut_and_pasted_into_another_scene_is_followed() -> None:
    source = images("source", 1, 1)
    here, other = scene(), another_scene()
    record = record_of(source, FrameRange(6, 10))
    half = source.split(frame=20, split_method="SOFT")
    marks.settle([record.origin])
    other.frame_set(31)
    moved = pasted(source, other)
    assert moved.get(rules.ID) == record.origin.strip, "Blender keeps the mark"
    marks.settle([record.origin])
    assert rules.ID not in half, "its other half is not taken for it"
    assert marks.scene_of(record.origin) == other
    strip = place.place_result(other, record, PATCHES[5:10])
    assert (span(strip), place.uncertainty(other, record)) == ((36, 41), "")
    stack = replace(record.origin, transform={**record.origin.transform, "stack": True})
    assert marks.scene_of(stack) == here, "a stack belongs to its scene"
    bpy.data.scenes.remove(here)
    assert marks.scene_of(record.origin) == other, "also if that was all of the first scene that is left"


@check
def a_copy_in_another_scene_is_not_followed() -> None:
    source = images("source", 1, 1)
    here, other = scene(), another_scene()
    record = record_of(source, FrameRange(6, 10))
    copy = pasted(source, other, cut=False)
    assert copy.get(rules.ID) == record.origin.strip, "Blender copies the mark"
    marks.settle([record.origin])
    assert marks.scene_of(record.origin) == here
    third = bpy.data.scenes.new("third")
    third.sequence_editor_create()
    pasted(source, third)
    marks.settle([record.origin])
    assert marks.scene_of(record.origin) == here, "either could be it"
    assert place.uncertainty(here, record) == "gone"


@check
def a_half_is_not_taken_for_the_other_while_that_is_in_the_clipboard() -> None:
    source = images("source", 1, 1)
    half = source.split(frame=20, split_method="SOFT")
    record = record_of(source, FrameRange(3, 6))
    other = another_scene()
    moved = pasted(source, other, meanwhile=lambda: marks.settle([record.origin]))  # as when it is saved
    marks.settle([record.origin])
    assert rules.ID not in half
    assert marks.scene_of(record.origin) == other
    assert place.source_strip(other, record) == moved


@check
def a_scene_a_strip_was_moved_to_is_known_from_its_copies_too() -> None:
    record = record_of(images("source", 1, 1), FrameRange(3, 6))
    other = another_scene()
    moved = pasted(strips()["source"], other)
    marks.settle([record.origin])
    show_scene(other)
    bpy.ops.scene.new(type="FULL_COPY")
    marks.settle([record.origin])
    assert marks.scene_of(record.origin) == other
    assert place.source_strip(other, record) == moved


@check
def every_strip_is_looked_at_once_however_many_edits_there_are() -> None:
    record = record_of(images("source", 1, 1), FrameRange(3, 6))
    looked = []
    real = rules.marks_in

    def looks(scene: Any) -> list[str]:
        looked.append(scene)
        return real(scene)

    rules.marks_in = looks
    try:
        marks.settle([replace(record.origin, strip=f"{number:032x}") for number in range(50)])
    finally:
        rules.marks_in = real
    assert looked == list(bpy.data.scenes)


@check
def strips_of_a_copied_scene_are_not_followed() -> None:
    source = images("source", 1, 1)
    here = scene()
    record = record_of(source, FrameRange(6, 10))
    bpy.ops.scene.new(type="FULL_COPY")
    copy = bpy.context.scene
    compat.strips(here.sequence_editor).remove(source)
    assert compat.strips(copy.sequence_editor)["source"].get(rules.ID) == record.origin.strip
    marks.settle([record.origin])
    assert marks.scene_of(record.origin) == here
    assert place.uncertainty(here, record) == "gone"
    assert rules.ID not in compat.strips(copy.sequence_editor)["source"]


@check
def copied_scene_in_a_file_opened_again() -> None:
    source = images("source", 1, 1)
    record = record_of(source, FrameRange(6, 10))
    name = scene().name
    bpy.ops.scene.new(type="FULL_COPY")
    path = str(FOLDER / "copied.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bench.fresh()
    marks.forget()
    bpy.ops.wm.open_mainfile(filepath=path)
    assert [one.get(marks.SCENE_KEY) for one in bpy.data.scenes] == [record.origin.scene_key] * 2
    marks.settle([record.origin])
    found = marks.scene_of(record.origin)
    assert found is not None
    assert found.name == name
    assert sum(marks.SCENE_KEY in one for one in bpy.data.scenes) == 1


@check
def scene_is_known_again_after_an_undo_and_under_another_name() -> None:
    images("source", 1, 1)
    with undoing():
        record = record_of(strips()["source"], FrameRange(6, 10))
        bpy.ops.ed.undo_push(message="edited")
    bpy.ops.ed.undo()
    assert marks.SCENE_KEY not in scene()
    scene().name = "renamed"
    marks.settle([record.origin])
    assert marks.scene_of(record.origin) == scene()


@check
def every_kind_of_strip_shows_something_of_its_own() -> None:
    other = bpy.data.scenes.new("inner")
    movies = [movie("m", "24.mkv", 1, 1), movie("n", "24.mp4", 2, 1)]
    sets = [images("i", 3, 1, 5), images("j", 4, 1, 6)]
    scenes = [strips().new_scene("s", other, 5, 1), strips().new_scene("t", scene(), 6, 1)]
    metas = [strips().new_meta("e", 7, 1), strips().new_meta("f", 8, 1)]
    compat.strips(metas[0]).new_movie("in", str(MEDIA / "24.mkv"), 1, 1)
    told = [rules.content(one) for one in (*movies, *sets, *scenes, *metas)]
    assert len(set(told)) == len(told), told
    path = movies[0].filepath
    movies[0].filepath = bpy.path.relpath(path, start=str(MEDIA.parent))
    assert rules.content(movies[0]) == told[0], "however its folder is written"


@check
def results_beside_the_file_move_with_it() -> None:
    source = images("source", 1, 1)
    home, away = FOLDER / "home", FOLDER / "away"
    folder = home / "flowanchor-results" / "one"
    folder.mkdir(parents=True)
    files = [Path(shutil.copy(file, folder)) for file in PATCHES[5:10]]
    bpy.ops.wm.save_as_mainfile(filepath=str(home / "film.blend"))
    record = record_of(source, FrameRange(6, 10), folder)
    strip = place.place_result(scene(), record, files)
    assert strip.directory.startswith("//flowanchor-results"), strip.directory
    assert (span(strip), len(strip.elements)) == ((6, 11), 5)
    bpy.ops.wm.save_mainfile()
    home.rename(away)
    bpy.ops.wm.open_mainfile(filepath=str(away / "film.blend"))
    (strip,) = place.result_strips(scene(), record)
    assert all(file.is_file() for file in rules.media_files(strip))


bench.run_all()
