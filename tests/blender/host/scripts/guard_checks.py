# SPDX-License-Identifier: Apache-2.0
"""Everything the user set is the same before, between and after the steps of an export, however it ends."""

from __future__ import annotations

from pathlib import Path

import bpy
from flowanchor_vse import compat, export
from flowanchor_vse.logic.frames import FrameRange

from tests.blender.host import numbered
from tests.blender.host.scripts import bench
from tests.blender.host.scripts.bench import (
    FOLDER,
    check,
    dump,
    finish,
    images,
    pixels,
    raised,
    refused,
    same,
    scene,
)
from tests.blender.host.scripts.lived_in import KINDS, PART, fails, files_in, lived_in, steps_of, unchanged


@check
def same_after_success_and_between_steps() -> None:
    clip = lived_in()
    before = dump()
    assert len(before) > 20_000
    assert "view_settings.exposure" in before
    assert ".modifiers[0].input_mask_id" in before
    for kind in KINDS:
        for _ in steps_of(clip, kind):
            unchanged(before)
        unchanged(before)
        assert len(files_in(FOLDER / kind)) == PART.count, kind


@check
def same_after_closing_early() -> None:
    clip = lived_in()
    before = dump()
    for kind in KINDS:
        folder = FOLDER / kind
        there = files_in(folder)
        for file in there:
            file.unlink()
        steps = steps_of(clip, kind)
        next(steps)
        assert files_in(folder)
        steps.close()
        unchanged(before)
        assert not files_in(folder), kind


@check
def same_after_a_failure() -> None:
    clip = lived_in()
    before = dump()
    blocked = FOLDER / "blocked"
    for kind in KINDS:
        steps = steps_of(clip, kind)
        next(steps)
        real = compat.png_output
        compat.png_output = fails  # type: ignore[assignment]
        try:
            failure = raised(RuntimeError, lambda steps=steps: list(steps))  # type: ignore[misc]
        finally:
            compat.png_output = real
        assert str(failure) == "made to fail"
        unchanged(before)
        assert not files_in(FOLDER / kind), kind
    blocked.write_text("a file where the folder should be")
    raised(FileExistsError, lambda: finish(export.export_frames(clip, PART, blocked, direct=False)))
    unchanged(before)


@check
def same_after_a_frame_that_cannot_be_written() -> None:
    clip = lived_in()
    before = dump()
    folder = FOLDER / "full"
    for first in (3, -2):  # by an animation, and one by one
        part = FrameRange(first, first + 3)
        (folder / ("rendering-0003.png" if first == 3 else "rendering-0000002.png")).mkdir(parents=True)
        if first < 0:
            bench.trim(clip, -2, 20)
            before = dump()
        steps = export.export_frames(clip, part, folder, direct=False)
        refused("export-render", lambda steps=steps: finish(steps))  # type: ignore[misc]
        unchanged(before)
        assert [file for file in files_in(folder) if file.is_file()] == []


@check
def what_the_user_rendered_last_stays() -> None:
    clip = lived_in()
    here = scene()
    here.render.use_multiview = False
    bench.shown(1, 1)
    kept = FOLDER / "kept.png"
    bpy.data.images["Render Result"].save_render(str(kept))
    before = pixels(kept)
    finish(export.export_frames(clip, FrameRange(20, 22), FOLDER / "clip", direct=False))
    bpy.data.images["Render Result"].save_render(str(kept))
    same(pixels(kept), before)


@check
def a_saved_file_stays_saved() -> None:
    clip = lived_in()
    path = str(FOLDER / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    size = Path(path).stat().st_size
    finish(export.export_frames(clip, PART, FOLDER / "clip", direct=False))
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert [found.name for found in bpy.data.scenes] == ["Scene", "second"]
    assert len(bpy.data.actions) == 1
    assert abs(Path(path).stat().st_size - size) < 20_000


@check
def undo_in_the_middle() -> None:
    clip = lived_in()
    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="before")
    steps = export.export_frames(clip, PART, FOLDER / "clip", direct=False)
    next(steps)
    scene().frame_set(44)
    bpy.ops.ed.undo_push(message="moved")
    bpy.ops.ed.undo()
    count = sum(1 for _ in steps)
    assert count == PART.count - 1
    assert bpy.context.scene.frame_current == 13


@check
def animation_in_nla_tracks() -> None:
    """Blender plays them after all that was forced; and a strip they move is no plain file."""
    here, clip, over = scene(), images("clip"), images("over", channel=2)
    held = (here.view_settings, "exposure", 3), (over, "mute", False), (clip, "blend_alpha", 0.5)
    moves = (clip.transform, "offset_x", 0), (clip.transform, "offset_x", 30)
    for frame, (owner, name, value) in zip((1, 1, 1, 3, 4), (*held, *moves), strict=True):
        setattr(owner, name, value)
        owner.keyframe_insert(name, frame=frame)
    played = here.animation_data.nla_tracks.new().strips.new("played", 1, here.animation_data.action)
    played.extrapolation = "HOLD"
    here.animation_data.action = None
    here.frame_set(3)
    before = dump()
    result = finish(export.export_frames(clip, FrameRange(3, 4), FOLDER / "nla"))
    unchanged(before)
    assert not result.direct
    same(pixels(result.files[0])[..., :3], numbered.picture(2))
    same(pixels(result.files[1])[:, 60:, :3], numbered.picture(3)[:, 30:-30])


bench.run_all()
