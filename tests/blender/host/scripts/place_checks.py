# SPDX-License-Identifier: Apache-2.0
"""Where results come to lie, what they show there, and what is left alone."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
from flowanchor_vse import compat, place, properties
from flowanchor_vse import strips as rules
from flowanchor_vse.export import ExportResult
from flowanchor_vse.logic.frames import FrameRange
from flowanchor_vse.logic.ledger import Record
from flowanchor_vse.logic.settings import EditSettings
from flowanchor_vse.masks import MaskChoice

from tests.blender.host import numbered
from tests.blender.host.scripts import bench
from tests.blender.host.scripts.bench import (
    FOLDER,
    FRAMES,
    HEIGHT,
    MEDIA,
    WIDTH,
    check,
    effect,
    images,
    movie,
    refused,
    same,
    scene,
    shown,
    strips,
)

PATCHES = sorted((MEDIA / "patches").glob("*.png"))


def record_of(
    strip: Any, part: FrameRange, deliver: str = "full", stack: bool = False, **changes: Any
) -> Record:
    size = scene().render.resolution_x, scene().render.resolution_y
    exported = ExportResult((), 0, 0, part.count - 1, Fraction(24), *size, False, stack=stack)
    origin = place.origin_of(scene(), strip, part, MaskChoice("alpha"), exported)
    settings = EditSettings("a red car", "a green car", deliver=deliver, seed=7)
    values: dict[str, Any] = {
        "id": "record-1",
        "job": "job-1",
        "seed": 2**40,
        "folder": str(MEDIA),
        **changes,
    }
    return Record(origin=origin, settings=settings, **values)


def span(strip: Any) -> tuple[int, int]:
    return compat.start(strip), compat.end(strip)


def about(strip: Any) -> str:
    """Everything about one strip."""
    lines: list[str] = []
    bench._dump(strip, strip.name, lines, set())
    return "\n".join(lines)


def movie_of(count: int) -> list[Path]:
    assert count == FRAMES
    return [MEDIA / "24.mkv"]


@check
def full_movie_frame_on_frame() -> None:
    source = images("source", 2, 11)
    here = scene()
    active = here.sequence_editor.active_strip = source
    record = record_of(source, FrameRange(11, 50))
    before = about(source)
    strip = place.place_result(here, record, movie_of(FRAMES))
    assert about(source) == before, "the source is as it was"
    assert here.sequence_editor.active_strip == active
    assert (span(strip), strip.channel) == ((11, 51), 3)
    assert (strip.blend_type, strip.blend_alpha, strip.mute) == ("REPLACE", 1.0, False)
    assert strip.colorspace_settings.name == "sRGB"
    assert (strip.transform.scale_x, strip.transform.scale_y) == (1.0, 1.0)
    assert len(strips()) == 2, "no sound strip"
    assert [numbered.number_of(frame) for frame in shown(11, 50)] == list(range(FRAMES))


@check
def movie_in_a_scene_of_another_rate() -> None:
    scene().render.fps, scene().render.fps_base = 30, 1.001
    source = movie("source", "29.97.mp4")
    strip = place.place_result(scene(), record_of(source, FrameRange(1, FRAMES)), movie_of(FRAMES))
    assert span(strip) == (1, FRAMES + 1)
    assert [numbered.number_of(frame) for frame in shown(1, FRAMES)] == list(range(FRAMES))


@check
def patch_of_png_over_the_source() -> None:
    source = images("source", 1, 5)
    part = FrameRange(10, 14)
    strip = place.place_result(scene(), record_of(source, part, "patch"), PATCHES[5:10])
    assert (span(strip), strip.channel, strip.type) == ((10, 15), 2, "IMAGE")
    assert (strip.blend_type, strip.alpha_mode) == ("ALPHA_OVER", "STRAIGHT")
    for index, frame in enumerate(shown(9, 15)):
        expected = numbered.picture(4 + index).copy()
        if 10 <= 9 + index <= 14:
            expected[: numbered.SQUARE, WIDTH // 2 :] = 255
        same(frame, expected)


@check
def patch_of_prores_over_the_source() -> None:
    source = images("source", 1, 5)
    strip = place.place_result(scene(), record_of(source, FrameRange(5, 44), "patch"), [MEDIA / "alpha.mov"])
    assert (span(strip), strip.blend_type, strip.alpha_mode) == ((5, 45), "ALPHA_OVER", "STRAIGHT")
    for index, frame in enumerate(shown(5, 8)):
        assert frame[4:12, WIDTH // 2 + 8 :].min() > 240
        if compat.shows_transparent_movies():
            same(frame[:, : WIDTH // 2 - 2], numbered.picture(index)[:, : WIDTH // 2 - 2])
            assert numbered.number_of(frame) == index


@check
def no_format_is_asked_for_that_is_shown_wrongly() -> None:
    def asked(deliver: str, files: str) -> str:
        return properties.file_format(SimpleNamespace(deliver=deliver, file_format=files))

    assert (asked("full", "movie"), asked("patch", "images"), asked("full", "images")) == (
        "prores",
        "png",
        "png",
    )
    assert asked("patch", "movie") == ("prores4444" if compat.shows_transparent_movies() else "png")


@check
def one_frame() -> None:
    source = images("source", 1, 5)
    strip = place.place_result(scene(), record_of(source, FrameRange(9, 9), "patch"), PATCHES[4:5])
    assert (span(strip), strip.channel) == ((9, 10), 2)


@check
def first_free_channel_above_everything_that_uses_it() -> None:
    source = images("source", 2, 1)
    effect("before", "COLOR", 3, 1, 5)
    effect("after", "COLOR", 3, 15, 40)
    effect("low", "COLOR", 1, 1, 40)
    here = scene()
    strip = place.place_result(here, record_of(source, FrameRange(5, 14), "patch"), PATCHES[4:14])
    assert strip.channel == 3
    other = place.place_result(here, record_of(source, FrameRange(4, 14), "patch", id="b"), PATCHES[3:14])
    assert other.channel == 4
    effect("glow", "GLOW", 8, 1, 40, source)
    last = place.place_result(here, record_of(source, FrameRange(4, 14), "patch", id="c"), PATCHES[3:14])
    assert last.channel == 9
    for channel in range(10, 129):
        effect(f"full {channel}", "COLOR", channel, 1, 40)
    before = len(strips())
    refused(
        "no-channel",
        lambda: place.place_result(here, record_of(source, FrameRange(4, 9), "patch", id="d"), PATCHES[:6]),
    )
    assert len(strips()) == before


@check
def source_moved_trimmed_renamed_or_deleted() -> None:
    source = images("source", 1, 1)
    part = FrameRange(6, 10)
    record = record_of(source, part, "patch")
    source.name = "renamed"
    source.frame_start += 100
    source.channel = 4
    strip = place.place_result(scene(), record, PATCHES[5:10])
    assert (span(strip), strip.channel) == ((106, 111), 5)
    assert place.source_strip(scene(), record) == source
    strips().remove(strip)
    bench.trim(source, 107, 130)
    strip = place.place_result(scene(), record, PATCHES[5:10])
    assert span(strip) == (106, 111), "trimming moves no frame"
    strips().remove(strip)
    stacked = record_of(source, part, "patch", stack=True, id="stack")
    source.frame_start += 50
    strip = place.place_result(scene(), stacked, PATCHES[5:10])
    assert span(strip) == (6, 11), "a whole stack belongs to its place in time"
    strips().remove(source)
    strip = place.place_result(scene(), record, PATCHES[5:10])
    assert (span(strip), strip.channel) == ((6, 11), 2), "where the source was"


@check
def placed_once_and_again_when_deleted() -> None:
    source = images("source", 1, 1)
    record = record_of(source, FrameRange(6, 10), "patch")
    strip = place.place_result(scene(), record, PATCHES[5:10])
    assert place.place_result(scene(), record, PATCHES[5:10]) == strip
    assert len(strips()) == 2
    strips().remove(strip)
    assert not place.result_strips(scene(), record)
    strip = place.place_result(scene(), record, PATCHES[5:10])
    assert place.result_strips(scene(), record) == [strip]


@check
def wrong_length_or_missing_files_leave_nothing() -> None:
    source = images("source", 1, 1)
    record = record_of(source, FrameRange(1, FRAMES))
    refused("result-length", lambda: place.place_result(scene(), record, [MEDIA / "short.mkv"]))
    refused("result-length", lambda: place.place_result(scene(), record, PATCHES[:7]))
    refused("result-missing", lambda: place.place_result(scene(), record, [MEDIA / "none.mkv"]))
    refused("result-missing", lambda: place.place_result(scene(), record, []))
    assert len(strips()) == 1


@check
def another_size_is_fitted() -> None:
    source = images("source", 1, 1)
    scene().render.resolution_x, scene().render.resolution_y = WIDTH * 2, HEIGHT * 2
    record = record_of(source, FrameRange(1, FRAMES), size=(WIDTH * 2, HEIGHT * 2))
    strip = place.place_result(scene(), record, movie_of(FRAMES))
    assert (strip.transform.scale_x, strip.transform.scale_y) == (2.0, 2.0)
    frame = shown(3, 3)[0]
    assert numbered.number_of(frame, scale=2.0) == 2


@check
def resolution_changed_meanwhile() -> None:
    source = images("source", 1, 1)
    record = record_of(source, FrameRange(1, FRAMES))
    scene().render.resolution_x, scene().render.resolution_y = WIDTH * 2, HEIGHT * 3
    before = shown(3, 3, "before")[0]
    strip = place.place_result(scene(), record, movie_of(FRAMES))
    assert (strip.transform.scale_x, strip.transform.scale_y) == (1.0, 1.0), "as its source still is"
    same(shown(3, 3)[0], before, tolerance=3)


@check
def a_path_that_blender_cuts_off_is_refused() -> None:
    source = images("source", 1, 1)
    record = record_of(source, FrameRange(3, 4), "patch")
    folder = FOLDER.joinpath(*(letter * 190 for letter in "abcd"), "e" * 30)
    for files in ([PATCHES[2], PATCHES[3]], [MEDIA / "24.mkv"]):
        folder.mkdir(parents=True)
        copies = [Path(shutil.copy(file, folder)) for file in files]
        refused("result-path", lambda copies=copies: place.place_result(scene(), record, copies))  # type: ignore[misc]
        assert list(strips()) == [source]
        shutil.rmtree(FOLDER / ("a" * 190))


@check
def muted_and_locked_channels_get_no_result() -> None:
    source = images("source", 1, 1)
    record = record_of(source, FrameRange(3, 6), "patch")
    channels = scene().sequence_editor.channels
    channels[2].mute = channels[3].lock = True
    assert place.place_result(scene(), record, PATCHES[2:6]).channel == 4
    assert np.any(shown(4, 4)[0] != numbered.picture(3)), "it is seen"


@check
def compare_by_muting() -> None:
    source = images("source", 1, 1)
    record = record_of(source, FrameRange(1, 4), "patch")
    strip = place.place_result(scene(), record, PATCHES[:4])
    place.show([strip], False)
    assert strip.mute
    assert not source.mute
    same(shown(2, 2)[0], numbered.picture(1))
    place.show([strip], True)
    assert not strip.mute
    assert np.any(shown(2, 2)[0] != numbered.picture(1))


@check
def saved_and_loaded_again() -> None:
    source = images("source", 1, 1)
    record = record_of(source, FrameRange(3, 6), "patch", parent="record-0")
    place.place_result(scene(), record, PATCHES[2:6])
    path = str(FOLDER / "placed.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bench.fresh()
    bpy.ops.wm.open_mainfile(filepath=path)
    (strip,) = place.result_strips(scene(), record)
    assert span(strip) == (3, 7)
    told = {
        "record": "record-1",
        "job": "job-1",
        "parent": "record-0",
        "seed": str(2**40),
        "source_prompt": "a red car",
        "target_prompt": "a green car",
    }
    assert {name: strip[f"flowanchor_{name}"] for name in told} == told
    source = place.source_strip(scene(), record)
    assert source is not None
    assert source.name == "source"
    assert place.RECORD not in source
    assert "green" in strip.name
    assert rules.identity(scene(), strips()["source"]) == record.origin.strip


@check
def undone_and_placed_again() -> None:
    source = images("source", 1, 1)
    record = record_of(source, FrameRange(3, 6), "patch")
    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="before")
    place.place_result(scene(), record, PATCHES[2:6])
    bpy.ops.ed.undo_push(message="placed")
    bpy.ops.ed.undo()
    assert not place.result_strips(scene(), record)
    assert len(strips()) == 1
    bpy.ops.ed.redo()
    assert len(place.result_strips(scene(), record)) == 1


@check
def copies_and_halves_of_the_source() -> None:
    source = images("source", 1, 1)
    record = record_of(source, FrameRange(3, 6), "patch")
    half = source.split(frame=20, split_method="SOFT")
    assert half.get(rules.ID) == source.get(rules.ID), "a copy has the same id"
    found = place.source_strip(scene(), record)
    assert found is not None
    assert found.name == "source"


bench.run_all()
