# SPDX-License-Identifier: Apache-2.0
"""Exported pictures are those the timeline shows, whatever strip they come from and whatever is set."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import Any

import bpy
from flowanchor_vse import compat
from flowanchor_vse import strips as rules
from flowanchor_vse.logic.frames import FrameRange

from tests.blender.host import numbered
from tests.blender.host.scripts import bench
from tests.blender.host.scripts.bench import (
    FRAMES,
    MEDIA,
    check,
    effect,
    images,
    movie,
    pixels,
    refused,
    same,
    scene,
    shown,
    strips,
)
from tests.blender.host.scripts.exporting import as_shown, exported, numbers


@check
def cropped_and_transformed() -> None:
    strip = movie("clip")
    strip.crop.min_x, strip.crop.max_y = 10, 20
    strip.transform.scale_x = strip.transform.scale_y = 0.5
    strip.transform.offset_x, strip.transform.offset_y = 30, -10
    part = FrameRange(3, 8)
    result = exported(strip, part, direct=True)
    assert not result.direct
    timeline = as_shown(result, part)
    assert numbers(result, scale=0.5, right=30, down=10) == list(range(2, 8))
    assert not timeline[0][:10].any(), "above the clip it is black"


@check
def size_of_the_scene() -> None:
    scene().render.resolution_x = 256
    strip = movie("clip")
    result = exported(strip, FrameRange(1, 2), direct=True)
    assert (result.direct, result.width, result.height) == (False, 256, 96)
    assert pixels(result.files[0]).shape[:2] == (96, 256)
    assert numbers(result) == [0, 1]


@check
def still_image_and_image_sequence() -> None:
    strip = images("images")
    bench.trim(strip, 6, 20)
    part = rules.edited_range(scene(), strip)
    result = exported(strip)
    for index, file in enumerate(result.files):
        same(pixels(file)[..., :3], numbered.picture(5 + index))
    own = exported(strip, direct=True)
    assert own.direct
    assert own.first_number == 0
    assert [file.name for file in own.files] == [f"{number:06d}.png" for number in range(5, 19)]
    still = images("still", 2, 1, count=1)
    bench.trim(still, 1, 9)
    result = exported(still, direct=True)
    assert not result.direct
    assert numbers(result) == [0] * 8
    assert part.count == 14


@check
def scene_strip() -> None:
    inner = bpy.data.scenes.new("inner")
    inner.render.resolution_x, inner.render.resolution_y = numbered.WIDTH, numbered.HEIGHT
    inner.view_settings.view_transform = "Standard"
    inner.sequence_editor_create()
    made = compat.strips(inner.sequence_editor).new_image("i", str(MEDIA / "images" / "000000.png"), 1, 1)
    for number in range(1, FRAMES):
        made.elements.append(f"{number:06d}.png")
    inner.frame_start, inner.frame_end = 1, FRAMES
    strip = strips().new_scene("scene", inner, 1, 5)
    strip.scene_input = "SEQUENCER"
    part = FrameRange(7, 12)
    result = exported(strip, part, direct=True)
    assert not result.direct
    as_shown(result, part)
    assert numbers(result) == list(range(2, 8))
    strip.scene = None
    refused("strip-empty", lambda: exported(strip, part))


@check
def alone_among_others() -> None:
    strip = images("below", 2)
    over = effect("over", "COLOR", 4, 1, FRAMES + 1)
    over.color = (1, 0, 0)
    under = effect("under", "COLOR", 1, 1, FRAMES + 1)
    cross = effect("cross", "CROSS", 5, 1, FRAMES + 1, strip, over)
    scene().sequence_editor.channels[2].mute = True
    strip.mute = True
    strip.blend_type, strip.blend_alpha = "ALPHA_OVER", 0.5
    for other, path in ((over, "mute"), (strip, "mute"), (strip, "blend_alpha")):
        setattr(other, path, 0)
        other.keyframe_insert(path, frame=1)
    strip.keyframe_insert("mute", frame=3)
    strip.mute = True
    strip.keyframe_insert("mute", frame=4)
    result = exported(strip, FrameRange(1, 6))
    for index, file in enumerate(result.files):
        same(pixels(file)[..., :3], numbered.picture(index))
    said = " ".join(rules.notes(scene(), strip))
    assert "“cross”" in said
    assert "not opaque" in said
    assert under.channel == 1
    assert cross.mute is False


@check
def whole_stack_below() -> None:
    movie("below", channel=1)
    middle = images("middle", channel=2)
    middle.blend_type, middle.blend_alpha = "ALPHA_OVER", 0.25
    muted = effect("muted", "COLOR", 2, 41, 60)
    muted.mute = True
    top = effect("top", "COLOR", 3, 1, 41)
    part = FrameRange(2, 6)
    result = exported(middle, part, stack=True, direct=True)
    assert result.stack
    assert not result.direct
    top.mute = True
    as_shown(result, part)
    assert numbers(result) == [1, 2, 3, 4, 5]


@check
def colours_whatever_the_view_is() -> None:
    strip = images("images")
    here = scene()
    here.view_settings.view_transform = "AgX"
    here.view_settings.look = "AgX - Punchy"
    here.view_settings.exposure, here.view_settings.gamma = 2.0, 1.7
    here.view_settings.use_curve_mapping = True
    here.view_settings.curve_mapping.curves[3].points.new(0.5, 0.9)
    here.view_settings.keyframe_insert("exposure", frame=1)
    here.display_settings.display_device = "sRGB"
    here.render.resolution_percentage = 50
    here.render.use_border = here.render.use_crop_to_border = True
    here.render.border_max_x = 0.5
    here.render.use_stamp = True
    here.render.dither_intensity = 2.0
    here.frame_step = 3
    for strip.use_float in (
        False,
        True,
    ):  # numbers with fractions are dithered where that is not switched off
        result = exported(strip, FrameRange(1, 4))
        for index, file in enumerate(result.files):
            same(pixels(file)[..., :3], numbered.picture(index))


@check
def animation_of_what_is_seen_still_counts() -> None:
    strip = images("images")
    scene().view_settings.exposure = 1.0
    scene().view_settings.keyframe_insert("exposure", frame=1)
    for frame, offset in ((1, 0), (11, 20)):
        strip.transform.offset_y = offset
        strip.transform.keyframe_insert("offset_y", frame=frame)
    driven = strip.driver_add("color_multiply").driver
    driven.expression = "1.0"
    result = exported(strip, FrameRange(1, 11))
    last = pixels(result.files[-1])[..., :3]
    assert numbered.number_of(last, down=-20) == 10
    assert len(bpy.data.actions) == 1
    same(pixels(result.files[0])[..., :3], numbered.picture(0))


@check
def movie_colours() -> None:
    strip = movie("clip", "24.mkv")
    result = exported(strip, FrameRange(1, 3))
    for index, file in enumerate(result.files):
        same(pixels(file)[..., :3], numbered.picture(index), tolerance=3)


@check
def colours_of_a_movie_sent_as_it_is() -> None:
    scene().render.resolution_x, scene().render.resolution_y = numbered.WIDTH * 8, numbered.HEIGHT * 8
    for file, direct in (("tall.mp4", True), ("untagged.mp4", False)):
        strip = movie("clip", file)
        assert exported(strip, FrameRange(1, 3), direct=True).direct == direct, file
        for index, frame in enumerate(shown(1, 3, file)):
            # What the file holds; the corners' edges are lost to its coarser colours.
            found, expected = (p[40:-40:128, 40::128] for p in (frame, whole(index)))
            same(found, expected, tolerance=4)
        strips().remove(strip)


def whole(number: int) -> Any:
    return numbered.picture(number).repeat(8, 0).repeat(8, 1)


@check
def depth_of_16_bits() -> None:
    strip = images("images")
    for depth in (8, 16):
        (file,) = exported(strip, FrameRange(3, 3), depth=depth).files
        width, height, found, colours = struct.unpack(">IIBB", file.read_bytes()[16:26])
        assert (width, height, found, colours) == (numbered.WIDTH, numbered.HEIGHT, depth, 2)
        same(pixels(file)[..., :3], numbered.picture(2))


@check
def not_direct_when_anything_differs() -> None:
    strip = movie("clip")

    def is_direct() -> bool:
        return exported(strip, FrameRange(2, 2), direct=True).direct

    assert is_direct()
    changes: list[tuple[Any, str, Any]] = [
        (strip.transform, "rotation", 0.1),
        (strip.transform, "offset_y", 1),
        (strip.crop, "max_y", 1),
        (strip, "use_flip_y", True),
        (strip, "strobe", 2),
        (strip, "use_reverse_frames", True),
        (strip, "use_deinterlace", True),
        (strip, "use_float", True),
        (strip, "color_multiply", 0.9),
        (strip, "color_saturation", 0.5),
        (scene().render, "frame_map_new", 50),
        (scene().render, "fps_base", 1.001),
        (scene().render, "resolution_y", 100),
    ]
    for owner, name, value in changes:
        before = getattr(owner, name)
        setattr(owner, name, value)
        assert not is_direct(), name
        setattr(owner, name, before)
        assert is_direct(), name
    modifier = strip.modifiers.new("bright", "BRIGHT_CONTRAST")
    assert not is_direct()
    assert exported(strip, FrameRange(2, 2), direct=True, without="bright").direct
    modifier.mute = True
    assert is_direct()
    strip.transform.keyframe_insert("offset_x", frame=1)
    assert not is_direct(), "animated"
    for file in ("vfr.mp4", "24.mkv", "alpha.mov", "nclc.mov"):
        other = movie(file, file, channel=5)
        assert not exported(other, FrameRange(2, 2), direct=True).direct, file
        strips().remove(other)
    pictures = images("rgba", 3, folder="patches")
    assert not exported(pictures, FrameRange(2, 2), direct=True).direct


@check
def strips_that_cannot_be_edited_say_why() -> None:
    clip = movie("clip")
    kinds = {
        "COLOR": effect("colour", "COLOR", 2, 1, 10),
        "TEXT": effect("text", "TEXT", 3, 1, 10),
        "ADJUSTMENT": effect("adjust", "ADJUSTMENT", 4, 1, 10),
        "MASK": strips().new_mask("mask", bpy.data.masks.new("m"), 5, 1),
        "GAUSSIAN_BLUR": effect("blur", "GAUSSIAN_BLUR", 7, 1, 10, clip),
    }
    with suppress(RuntimeError):  # some builds of the module have no sound
        kinds["SOUND"] = strips().new_sound("sound", str(MEDIA / "sound.wav"), 6, 1)
    said = set()
    for kind, strip in kinds.items():
        assert strip.type == kind
        said.add(refused("strip-kind", lambda strip=strip: exported(strip)).message)  # type: ignore[misc]
    assert len(said) == len(kinds)
    none = rules.problem(scene(), None)
    assert none is not None
    assert none.code == "strip-none"
    gone = strips().new_movie("gone", "/nowhere/gone.mp4", 8, 1)
    bench.trim(gone, 1, 10)
    assert "gone.mp4" in refused("media-missing", lambda: exported(gone)).message


bench.run_all()
