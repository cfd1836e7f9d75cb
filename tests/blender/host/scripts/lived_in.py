# SPDX-License-Identifier: Apache-2.0
"""A file with everything in it that an export has to leave alone, and all kinds of exports of it."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any, Literal

import bpy
from flowanchor_vse import export, masks
from flowanchor_vse.logic.frames import FrameRange
from flowanchor_vse.masks import Kind

from tests.blender.host.scripts import bench
from tests.blender.host.scripts.bench import FOLDER, dump, effect, images, movie, scene, strips

PART = FrameRange(3, 12)


def lived_in() -> Any:
    """A file with everything in it that an export has to leave alone; its clip."""
    here = scene()
    clip = movie("clip", channel=3)
    cut = clip.modifiers.new("mask", "MASK")
    cut.input_mask_type, cut.input_mask_id = "ID", bpy.data.masks.new("region")
    spline = bpy.data.masks["region"].layers.new(name="layer").splines.new()
    spline.points.add(3)
    spline.use_cyclic = True
    for point, place in zip(spline.points, ((0.2, 0.4), (0.2, 0.6), (0.5, 0.6), (0.5, 0.4)), strict=True):
        point.co = point.handle_left = point.handle_right = place
    clip["mine"] = 5
    images("other", 1)
    top = effect("top", "COLOR", 5, 1, 30)
    top.mute = True
    top.keyframe_insert("mute", frame=1)
    strips().new_mask("mask strip", bpy.data.masks["region"], 6, 1)
    meta = strips().new_meta("meta", 7, 1)
    bench.trim(meta, 1, 20)
    here.view_settings.view_transform = "AgX"
    here.view_settings.exposure, here.view_settings.gamma = 0.7, 1.3
    here.view_settings.keyframe_insert("exposure", frame=1)
    here.view_settings.use_curve_mapping = True
    here.render.resolution_percentage = 37
    here.render.use_border = here.render.use_stamp = here.render.use_multiview = True
    here.render.filepath = "//somewhere/"
    here.render.dither_intensity = 1.5
    here.frame_start, here.frame_end, here.frame_step = 7, 99, 2
    here.frame_set(13)
    here.sequence_editor.use_prefetch = True
    here.sequence_editor.active_strip = top
    bpy.data.scenes.new("second")
    return clip


def steps_of(clip: Any, kind: Kind | Literal["clip"]) -> Generator[int, None, Any]:
    if kind == "clip":
        return export.export_frames(clip, PART, FOLDER / "clip", direct=False)
    choice = masks.MaskChoice(
        kind, {"mask": "region", "modifier": "mask", "strip": "mask strip"}.get(kind, "")
    )
    return masks.export_mask(choice, clip, PART, FOLDER / kind)


KINDS: tuple[Kind | Literal["clip"], ...] = ("clip", "mask", "modifier", "strip", "alpha")


def unchanged(before: str) -> None:
    now = dump()
    if now != before:
        old, new = set(before.splitlines()), set(now.splitlines())
        raise AssertionError(f"gone: {sorted(old - new)[:9]}\nnew: {sorted(new - old)[:9]}")


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*")) if folder.is_dir() else []


def fails(*_: Any) -> None:
    raise RuntimeError("made to fail")
