# SPDX-License-Identifier: Apache-2.0
"""Five kinds of masks, as pixels of the exported frames."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from flowanchor_vse import masks
from flowanchor_vse.logic.frames import FrameRange
from flowanchor_vse.logic.plan import Box
from flowanchor_vse.masks import MaskChoice

from tests.blender.host.scripts import bench
from tests.blender.host.scripts.bench import (
    FOLDER,
    HEIGHT,
    MEDIA,
    WIDTH,
    check,
    effect,
    finish,
    images,
    movie,
    pixels,
    refused,
    scene,
    strips,
)
from tests.blender.host.scripts.drawing import drawn, key, move

_exports = 0


def exported(choice: MaskChoice, strip: Any, part: FrameRange) -> masks.MaskResult:
    global _exports
    _exports += 1
    result: masks.MaskResult = finish(masks.export_mask(choice, strip, part, FOLDER / f"mask-{_exports}"))
    return result


def region(picture: Any) -> tuple[int, int, int, int] | None:
    """First and last column and row that are white."""
    rows, columns = np.where(picture[..., 0] >= 128)
    return (columns.min(), columns.max(), rows.min(), rows.max()) if len(rows) else None


def regions(result: masks.MaskResult) -> list[Any]:
    return [region(pixels(file)) for file in result.files]


def near(found: Any, expected: tuple[int, int, int, int], reach: int = 1) -> None:
    assert found is not None, "nothing is marked"
    assert all(abs(one - other) <= reach for one, other in zip(found, expected, strict=True)), (
        found,
        expected,
    )


@check
def mask_is_pixels_of_the_picture() -> None:
    clip = movie("clip")
    mask, _ = drawn()
    assert (mask.frame_start, mask.frame_end) != (1, 40)
    result = exported(MaskChoice("mask", "region"), clip, FrameRange(1, 3))
    assert all(pixels(file)[0, -1, 0] == 0 for file in result.files), "the corner Blender leaves undefined"
    for found in regions(result):
        near(found, (40, 79, 20, 59))
    assert all(abs(share - 1600 / (WIDTH * HEIGHT)) < 0.01 for share in result.coverage)
    for file in result.files:
        values = pixels(file)[..., 0]
        middle, outside = values[25:55, 45:75], np.concatenate((values[:15].ravel(), values[70:].ravel()))
        assert (middle == 255).all()
        assert (outside == 0).all()
        assert file.read_bytes()[24:26] == b"\x08\x00", "8-bit grey"
    assert result.footage[0].files == result.files
    assert not result.empty


@check
def keyed_shapes_move() -> None:
    clip = movie("clip")
    mask, _ = drawn()
    key(mask, 5, 40)
    key(mask, 15, 100)
    mask.frame_start, mask.frame_end = 1, 8  # keys beyond its own frames count as well
    part = FrameRange(3, 18)
    result = exported(MaskChoice("mask", "region"), clip, part)
    lefts = [found[0] for found in regions(result)]
    assert abs(lefts[0] - 40) <= 1
    assert abs(lefts[part.index(5)] - 40) <= 1
    assert abs(lefts[part.index(15)] - 100) <= 1
    assert abs(lefts[-1] - 100) <= 1
    assert abs(lefts[part.index(10)] - 70) <= 2
    assert lefts == sorted(lefts)
    assert len(set(lefts)) > 8
    assert len(bpy.data.masks) == 1
    assert (mask.frame_start, mask.frame_end) == (1, 8)


@check
def keyed_shapes_before_and_after_frame_0() -> None:
    clip = movie("clip", start=-60)
    bench.trim(clip, -60, 61)
    mask, _ = drawn()
    for frame in (-50, -10, 0, 30, 50):
        key(mask, frame, 70 + frame)
    choice = MaskChoice("mask", "region")
    for first, last in ((-55, -40), (-12, 9), (-1, -1), (0, 0), (40, 55)):
        part = FrameRange(first, last)
        lefts = [found[0] for found in regions(exported(choice, clip, part))]
        expected = [70 + min(max(frame, -50), 50) for frame in range(first, last + 1)]
        assert np.abs(np.subtract(lefts, expected)).max() <= 1, (lefts, expected)
    assert [masks.coverage_at(choice, clip, frame) > 0.08 for frame in (-50, 50)] == [True, True]
    modifier = clip.modifiers.new("cut", "MASK")
    modifier.input_mask_type, modifier.input_mask_id = "ID", mask
    modifier.mask_time = "ABSOLUTE"
    lefts = [
        found[0] for found in regions(exported(MaskChoice("modifier", "cut"), clip, FrameRange(-52, -45)))
    ]
    assert np.abs(np.subtract(lefts, [20, 20, 20, 21, 22, 23, 24, 25])).max() <= 1, lefts


@check
def a_mask_is_the_picture_of_its_strip() -> None:
    clip = movie("clip")
    mask, spline = drawn()
    spline.use_cyclic = True
    for point in spline.points:
        point.handle_type = "AUTO"
        point.weight = 0.7  # with a soft edge
    layer = mask.layers[0]
    layer.alpha = 0.6
    mask.frame_start, mask.frame_end = 1, 41
    key(mask, 1, 40)
    key(mask, 30, 120)
    strips().new_mask("over", mask, 4, 1)
    part = FrameRange(1, 12)
    one = exported(MaskChoice("mask", "region"), clip, part)
    other = exported(MaskChoice("strip", "over"), clip, part)
    for file, same_frame in zip(one.files, other.files, strict=True):
        bench.same(pixels(file), pixels(same_frame), tolerance=1)
    assert len({file.read_bytes() for file in one.files}) == part.count, "it moves"


@check
def a_mask_whatever_is_on_the_channels() -> None:
    clip = movie("clip", channel=1)
    for channel in (2, 127, 128):
        effect(f"on {channel}", "COLOR", channel, 1, 41)
    drawn()
    found = regions(exported(MaskChoice("mask", "region"), clip, FrameRange(2, 4)))
    for one in found:
        near(one, (40, 79, 20, 59))
    assert len(strips()) == 4


@check
def a_mask_where_the_sequencer_shows_no_scene() -> None:
    clip = movie("clip")
    drawn()
    if hasattr(bpy.context.workspace, "sequencer_scene"):  # Blender 5
        bpy.context.workspace.sequencer_scene = None
    near(regions(exported(MaskChoice("mask", "region"), clip, FrameRange(2, 2)))[0], (40, 79, 20, 59))


@check
def changed_by_a_script_it_is_not_stale() -> None:
    clip = movie("clip")
    mask, spline = drawn()
    strips().new_mask("mask strip", mask, 4, 1)
    choices = MaskChoice("mask", "region"), MaskChoice("strip", "mask strip")
    for left in (40, 90, 10, 152):  # the last one reaches the right edge
        move(spline, left, left + 40, 20, 60)
        for choice in choices:
            near(regions(exported(choice, clip, FrameRange(1, 1)))[0], (left, left + 39, 20, 59))
            assert abs(masks.coverage_at(choice, clip, 1) - 1600 / (WIDTH * HEIGHT)) < 0.01


@check
def modifier_of_the_strip() -> None:
    clip = movie("clip", start=11)
    mask, _ = drawn()
    mask.frame_start, mask.frame_end = 1, 100
    key(mask, 1, 40)
    key(mask, 21, 100)
    modifier = clip.modifiers.new("cut", "MASK")
    bright = clip.modifiers.new("bright", "BRIGHT_CONTRAST")
    bright.bright = -50
    choice = MaskChoice("modifier", "cut")
    assert masks.problem(scene(), clip, choice) is not None
    modifier.input_mask_type, modifier.input_mask_id = "ID", mask
    assert masks.problem(scene(), clip, choice) is None
    modifier.mute = True  # as one does to see the whole picture while editing
    part = FrameRange(11, 21)
    modifier.mask_time = "RELATIVE"
    lefts = [found[0] for found in regions(exported(choice, clip, part))]
    assert np.abs(np.subtract((lefts[0], lefts[-1]), (40, 70))).max() <= 2, lefts
    modifier.mask_time = "ABSOLUTE"
    lefts = [found[0] for found in regions(exported(choice, clip, part))]
    assert np.abs(np.subtract((lefts[0], lefts[-1]), (70, 100))).max() <= 2, lefts
    assert modifier.mute


@check
def modifier_that_takes_a_strip() -> None:
    clip = movie("clip")
    mask, _ = drawn()
    other = strips().new_mask("mask strip", mask, 4, 1)
    other.mute = True
    modifier = clip.modifiers.new("cut", "MASK")
    modifier.input_mask_type, modifier.input_mask_strip = "STRIP", other
    (found,) = regions(exported(MaskChoice("modifier", "cut"), clip, FrameRange(2, 2)))
    near(found, (40, 79, 20, 59))


@check
def strip_above() -> None:
    clip = movie("clip", channel=2)
    mask, _ = drawn()
    mask.frame_start, mask.frame_end = 1, 31
    key(mask, 1, 40)
    key(mask, 11, 100)
    over = strips().new_mask("over", mask, 4, 11)
    over.mute, over.blend_type, over.blend_alpha = True, "ALPHA_OVER", 0.3
    strips().new_mask("below", mask, 1, 1)
    strips().new_mask("elsewhere", mask, 5, 100)
    refused("mask-none", lambda: exported(MaskChoice("strip", "below"), clip, FrameRange(6, 7)))
    refused("mask-none", lambda: exported(MaskChoice("strip", "elsewhere"), clip, FrameRange(6, 7)))
    result = exported(MaskChoice("strip", "over"), clip, FrameRange(6, 25))
    assert result.empty == (0, 1, 2, 3, 4), "before the mask strip nothing is marked"
    lefts = [found[0] for found in regions(result)[5:]]
    assert abs(lefts[0] - 40) <= 1
    assert abs(lefts[10] - 100) <= 1
    assert lefts == sorted(lefts)
    shape = effect("shape", "COLOR", 6, 1, 40)
    shape.color = (1, 1, 1)
    shape.transform.scale_x = shape.transform.scale_y = 0.5
    near(regions(exported(MaskChoice("strip", "shape"), clip, FrameRange(1, 1)))[0], (48, 143, 24, 71))
    kinds = [(choice.kind, choice.name) for choice in masks.choices(scene(), clip)]
    assert kinds == [("strip", "over"), ("strip", "shape"), ("mask", "region"), ("alpha", "")]


@check
def alpha_of_the_strip() -> None:
    cut = images("patches", folder="patches")
    movie("below", channel=2)
    result = exported(MaskChoice("alpha"), cut, FrameRange(1, 2))
    for found in regions(result):
        near(found, (WIDTH // 2, WIDTH - 1, 0, HEIGHT - 1), 0)
    assert result.coverage == (0.5, 0.5)
    small = movie("small", channel=3)
    small.transform.scale_x = small.transform.scale_y = 0.5
    near(regions(exported(MaskChoice("alpha"), small, FrameRange(1, 1)))[0], (48, 143, 24, 71))


@check
def box_from_numbers() -> None:
    clip = movie("clip")
    result = exported(MaskChoice("box", box=Box(-10, 8, 58, 24)), clip, FrameRange(1, 4))
    assert result.boxes == (Box(0, 8, 48, 24),)
    assert not result.files
    assert result.coverage == (48 * 24 / (WIDTH * HEIGHT),) * 4
    wrong_boxes: tuple[Box | None, ...] = (Box(300, 8, 10, 10), Box(10, 10, 0, 5), None)
    for wrong in wrong_boxes:
        found = masks.problem(scene(), clip, MaskChoice("box", box=wrong))
        assert found is not None
        assert found.code == "mask-box"
    assert masks.coverage_at(MaskChoice("box", box=Box(0, 0, WIDTH, HEIGHT)), clip, 5) == 1


@check
def nothing_marked_is_seen_before_anything_is_sent() -> None:
    clip = movie("clip")
    bpy.data.masks.new("empty")
    choice = MaskChoice("mask", "empty")
    assert masks.coverage_at(choice, clip, 3) == 0
    result = exported(choice, clip, FrameRange(1, 4))
    assert result.empty == (0, 1, 2, 3)
    assert set(result.coverage) == {0.0}
    refused("mask-none", lambda: exported(MaskChoice("mask", "no such"), clip, FrameRange(1, 4)))


@check
def a_linked_mask_is_told_from_one_of_the_same_name() -> None:
    mask, _ = drawn()
    mask.use_fake_user = True
    library = str(FOLDER / "masks.blend")
    bpy.ops.wm.save_as_mainfile(filepath=library)
    bench.fresh()
    clip = movie("clip")
    own, spline = drawn()
    move(spline, 100, 140, 20, 60)
    with bpy.data.libraries.load(library, link=True) as (_, wanted):
        wanted.masks = ["region"]
    linked = next(one for one in bpy.data.masks if one.library is not None)
    assert linked.name == own.name
    part = FrameRange(2, 2)
    for one, left in ((linked, 40), (own, 100)):
        near(regions(exported(MaskChoice.of_mask(one), clip, part))[0], (left, left + 39, 20, 59))
    found = [choice.library for choice in masks.choices(scene(), clip) if choice.kind == "mask"]
    assert sorted(found) == sorted(["", linked.library.filepath])


@check
def masks_and_frames_lie_over_each_other() -> None:
    from flowanchor_vse import export

    scene().render.resolution_x = 256
    clip = images("clip")
    clip.transform.offset_x = 20
    white = effect("white", "COLOR", 5, 1, 9)
    white.color = (1, 1, 1)
    white.transform.scale_x, white.transform.scale_y = 10 / 256, 10 / 96
    white.transform.offset_x = 20
    part = FrameRange(1, 2)
    frames = finish(export.export_frames(clip, part, FOLDER / "over"))
    mask = exported(MaskChoice("strip", "white"), clip, part)
    assert pixels(frames.files[0]).shape == pixels(mask.files[0]).shape
    near(region(pixels(mask.files[0])), (143, 152, 43, 52))
    assert MEDIA.is_dir()


bench.run_all()
