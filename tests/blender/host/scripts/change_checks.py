# SPDX-License-Identifier: Apache-2.0
"""What changes between the steps of an export is noticed if it changes pixels, and let be if it does not."""

from __future__ import annotations

from typing import Any

import bpy
from flowanchor_vse import compat, export, masks
from flowanchor_vse import strips as rules
from flowanchor_vse.logic.frames import FrameRange
from flowanchor_vse.masks import MaskChoice

from tests.blender.host import numbered
from tests.blender.host.scripts import bench
from tests.blender.host.scripts.bench import (
    FOLDER,
    FRAMES,
    MEDIA,
    check,
    effect,
    images,
    movie,
    refused,
    scene,
    strips,
)
from tests.blender.host.scripts.drawing import drawn, move


@check
def changed_or_removed_meanwhile() -> None:
    strip = movie("clip", "24.mkv")
    steps = export.export_frames(strip, FrameRange(1, 40), FOLDER / "meanwhile", direct=False)
    next(steps)
    bench.trim(strip, 1, 30)
    refused("export-changed", lambda: finish_late(steps))
    steps = export.export_frames(strip, FrameRange(1, 29), FOLDER / "meanwhile", direct=False)
    next(steps)
    strips().remove(strip)
    refused("strip-gone", lambda: finish_late(steps))
    assert not list((FOLDER / "meanwhile").iterdir())


def meanwhile(strip: Any, change: Any, noticed: bool, **options: Any) -> None:
    """Export a few frames, let something change after the first step, and see whether that is refused."""
    folder = FOLDER / f"meanwhile-{strip.name}-{noticed}"
    steps = export.export_frames(strip, FrameRange(2, 21), folder, direct=False, **options)
    next(steps)
    change()
    if noticed:
        refused("export-changed", lambda: finish_late(steps))
        assert not list(folder.iterdir())
    else:
        finish_late(steps)


def setting(owner: Any, name: str, value: Any) -> Any:
    return lambda: setattr(owner, name, value)


@check
def whatever_changes_pixels_is_noticed() -> None:
    clip = movie("clip", "24.mkv", channel=3)
    here = scene()
    bright = clip.modifiers.new("bright", "BRIGHT_CONTRAST")
    curves = clip.modifiers.new("curves", "CURVES")
    balance = clip.modifiers.new("balance", "COLOR_BALANCE")
    cut = clip.modifiers.new("cut", "MASK")
    mask = bpy.data.masks.new("m")
    cut.input_mask_type, cut.input_mask_id = "ID", mask
    other = FOLDER / "other.mkv"
    other.write_bytes((MEDIA / "24.mkv").read_bytes())
    changes: list[tuple[Any, str, Any]] = [
        (clip.transform, "offset_x", 4),
        (clip.transform, "scale_y", 0.5),
        (clip.transform, "rotation", 0.1),
        (clip.transform, "origin", (0.2, 0.5)),
        (clip.crop, "min_x", 4),
        (clip.crop, "max_y", 4),
        (clip, "blend_type", "ADD"),
        (clip, "blend_alpha", 0.5),
        (clip, "mute", True),
        (clip, "color_multiply", 0.5),
        (clip, "color_saturation", 0.5),
        (clip, "strobe", 2),
        (clip, "use_flip_x", True),
        (clip, "use_reverse_frames", True),
        (clip, "use_float", True),
        (clip, "use_deinterlace", True),
        (clip, "alpha_mode", "PREMUL"),
        (clip.colorspace_settings, "name", "Non-Color"),
        (clip, "filepath", str(other)),
        (clip, "channel", 2),
        (clip, "frame_start", 0),
        (clip, "animation_offset_start", 2),
        (bright, "bright", 9),
        (bright, "mute", True),
        (curves.curve_mapping.curves[0].points[1], "location", (1, 0.5)),
        (balance.color_balance, "gain", (0.5, 1, 1)),
        (cut, "mask_time", "ABSOLUTE" if cut.mask_time == "RELATIVE" else "RELATIVE"),
        (mask.layers.new(name="l"), "invert", True),
        (here.render, "resolution_x", 128),
        (here.render, "fps_base", 1.001),
        (here.render, "frame_map_new", 50),
        (here.render, "pixel_aspect_x", 2),
        (here.sequencer_colorspace_settings, "name", "Non-Color"),
    ]
    for owner, name, value in changes:
        before = getattr(owner, name)
        before = before if isinstance(before, str) or not hasattr(before, "__len__") else tuple(before)
        assert before != value, name
        try:
            meanwhile(clip, setting(owner, name, value), True)
        except AssertionError as failure:
            raise AssertionError(f"{name} of {owner}") from failure
        setattr(owner, name, before)
    meanwhile(clip, lambda: clip.modifiers.new("new", "TONEMAP"), True)
    meanwhile(clip, lambda: clip.modifiers.remove(bright), True)
    meanwhile(clip, lambda: bench.trim(clip, 1, 30), True)
    meanwhile(clip, lambda: clip.transform.keyframe_insert("offset_x", frame=5), True)
    curve = rules.scene_curves(here)[0]
    meanwhile(clip, setting(curve.keyframe_points[0], "co", (5, 40)), True)
    meanwhile(clip, setting(curve, "mute", True), True)
    driver = clip.driver_add("color_saturation").driver
    meanwhile(clip, setting(driver, "expression", "2.0"), True)


@check
def whatever_is_below_counts_with_the_stack_alone() -> None:
    clip = movie("clip", "24.mkv", channel=3)
    below = movie("below", "24.mkv", channel=1)
    above = movie("above", "24.mkv", channel=5)
    elsewhere = images("elsewhere", 1, 100)
    channels = scene().sequence_editor.channels

    def added() -> None:
        effect("new", "COLOR", 2, 1, 30)

    changes = [
        *((setting(below.crop, "min_x", n), setting(below, "mute", n == 1)) for n in (1, 2)),
        (added, lambda: strips().remove(strips()["new"])),
        (setting(channels[1], "mute", True), setting(channels[1], "mute", False)),
    ]
    for some in changes:
        for change in some:
            meanwhile(clip, change, True, stack=True)
    for change in (
        setting(above, "mute", True),
        setting(elsewhere, "mute", True),
        setting(above.crop, "min_x", 1),
        setting(channels[5], "mute", True),
    ):
        meanwhile(clip, change, False, stack=True)
    for change in (setting(below.crop, "min_x", 7), setting(below, "mute", True), added):
        meanwhile(clip, change, False)


@check
def whatever_is_inside_counts() -> None:
    inner = bpy.data.scenes.new("inner")
    inner.render.resolution_x, inner.render.resolution_y = numbered.WIDTH, numbered.HEIGHT
    inner.sequence_editor_create()
    made = compat.strips(inner.sequence_editor)
    deep = made.new_movie("deep", str(MEDIA / "24.mkv"), 1, 1)
    inner.frame_start, inner.frame_end = 1, FRAMES
    shows = strips().new_scene("scene", inner, 1, 1)
    shows.scene_input = "SEQUENCER"
    meanwhile(shows, setting(deep.crop, "min_x", 3), True)
    meanwhile(shows, lambda: made.new_movie("second", str(MEDIA / "24.mkv"), 2, 1), True)
    meta = strips().new_meta("meta", 2, 1)
    kept = compat.strips(meta).new_movie("kept", str(MEDIA / "24.mkv"), 1, 1)
    bench.trim(meta, 1, FRAMES + 1)
    meanwhile(meta, setting(kept.transform, "offset_x", 3), True)
    meanwhile(meta, setting(meta.channels[1], "mute", True), True)
    meanwhile(meta, setting(kept, "select", not kept.select), False)
    still = images("still", 4)
    meanwhile(still, setting(still.elements[7], "filename", "000001.png"), True)


@check
def a_changed_speed_is_noticed() -> None:
    strip = movie("clip", "24.mkv")
    scene().sequence_editor.active_strip = strip
    strip.select = True
    with bench.sequencer():
        bpy.ops.sequencer.retiming_key_add(timeline_frame=11)
        meanwhile(strip, lambda: bpy.ops.sequencer.retiming_segment_speed_set(speed=50), True)
        meanwhile(strip, lambda: bpy.ops.sequencer.retiming_key_add(timeline_frame=5), True)


@check
def what_changes_no_pixel_may_go_on() -> None:
    clip = movie("clip", "24.mkv")
    for frame, offset in ((1, 0), (30, 90)):
        clip.transform.offset_x = offset
        clip.transform.keyframe_insert("offset_x", frame=frame)
    driver = clip.driver_add("color_multiply").driver
    driver.expression = "1.0 - frame / 1000"
    mask = bpy.data.masks.new("m")
    mask.layers.new(name="l").splines.new().points.add(3)
    cut = clip.modifiers.new("cut", "MASK")
    cut.input_mask_type, cut.input_mask_id = "ID", mask
    here = scene()
    for change in (
        setting(clip, "select", not clip.select),
        setting(clip, "color_tag", "COLOR_03"),
        setting(clip, "lock", True),
        setting(cut, "show_expanded", not cut.show_expanded),
        lambda: clip.__setitem__("mine", 3),
        lambda: here.frame_set(17),
        setting(here, "frame_end", 500),
        setting(here.view_settings, "exposure", 2),
        lambda: bpy.data.scenes.new("another"),
        lambda: bpy.ops.ed.undo_push(message="nothing"),
    ):
        meanwhile(clip, change, False)


def finish_late(steps: Any) -> None:
    list(steps)


@check
def a_mask_that_changes_meanwhile() -> None:
    clip = movie("clip")
    mask, spline = drawn()
    over = strips().new_mask("over", mask, 4, 1)
    bench.trim(over, 1, 41)
    part = FrameRange(1, 40)

    def moves() -> None:
        move(spline, 60, 90, 10, 50)

    def feathers() -> None:
        spline.points[0].weight = 0.5

    def inverts() -> None:
        mask.layers[0].invert = not mask.layers[0].invert

    def lifts() -> None:
        over.transform.offset_y += 5

    def turns() -> None:
        clip.transform.rotation += 0.1

    changes = {
        "mask": (moves, feathers, inverts, turns),
        "strip": (moves, inverts, lifts, turns),
        "alpha": (turns,),
    }
    names = {"mask": "region", "strip": "over", "alpha": ""}
    for kind, several in changes.items():
        for change in several:
            steps = masks.export_mask(MaskChoice(kind, names[kind]), clip, part, FOLDER / "meanwhile")  # type: ignore[arg-type]
            next(steps)
            change()
            refused("export-changed", lambda steps=steps: list(steps))  # type: ignore[misc]
            assert not list((FOLDER / "meanwhile").iterdir()), (kind, change)


bench.run_all()
