# SPDX-License-Identifier: Apache-2.0
"""Everything the user set is the same before, between and after the steps of an export, however it ends."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any, Literal

import bpy
from flowanchor_vse import bystanders, compat, export, masks, settings_guard
from flowanchor_vse.logic.frames import FrameRange
from flowanchor_vse.masks import Kind

from tests.blender.host.scripts import bench
from tests.blender.host.scripts.bench import (
    FOLDER,
    check,
    dump,
    effect,
    finish,
    images,
    movie,
    pixels,
    raised,
    refused,
    same,
    scene,
    strips,
)

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


def fails(*_: Any) -> None:
    raise RuntimeError("made to fail")


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


HEARD = ("render_", "composite_", "depsgraph_update_", "frame_change_")


class Bystander:
    """Handlers of everything that a render sets off; each of them leaves data, as some add-ons do."""

    def __init__(self, kinds: tuple[str, ...] = HEARD) -> None:
        self.called: list[str] = []
        self.lists = {name: getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers)}
        self.lists = {name: found for name, found in self.lists.items() if name.startswith(kinds)}
        for name, handlers in self.lists.items():
            handlers += [self._handler(name), self._handler(name)]
        self.registered = self.now()

    def _handler(self, name: str) -> Any:
        def handler(*_: Any) -> None:
            self.called.append(name)
            bpy.data.images.new(f"by {name}", 4, 4)
            bpy.data.actions.new(f"by {name}")

        return handler

    def now(self) -> dict[str, list[Any]]:
        return {name: list(handlers) for name, handlers in self.lists.items()}

    def silent(self) -> None:
        assert self.called == []
        assert self.now() == self.registered


@check
def handlers_of_others_are_not_called_and_stay() -> None:
    clip = lived_in()
    bench.trim(clip, -2, 20)
    before = dump()
    others = Bystander()
    assert len(others.lists) >= 14
    for kind in KINDS:
        for _ in steps_of(clip, kind):
            others.silent()
        steps = steps_of(clip, kind)
        next(steps)
        steps.close()
        others.silent()
        steps = steps_of(clip, kind)
        next(steps)
        real = compat.png_output
        compat.png_output = fails  # type: ignore[assignment]
        try:
            raised(RuntimeError, lambda steps=steps: list(steps))  # type: ignore[misc]
        finally:
            compat.png_output = real
        others.silent()
    finish(export.export_frames(clip, FrameRange(-2, 1), FOLDER / "below", direct=False))
    masks.coverage_at(masks.MaskChoice("mask", "region"), clip, -2)
    others.silent()
    unchanged(before)
    bpy.ops.render.render()
    assert {"render_pre", "render_post"} <= set(others.called), "the user's own renders are heard of"


@check
def handlers_of_frames_are_called_where_they_make_the_picture() -> None:
    inner = bpy.data.scenes.new("inner")
    inner.render.engine, inner.cycles.samples = "CYCLES", 1
    inner.render.resolution_x, inner.render.resolution_y = bench.WIDTH, bench.HEIGHT
    inner.world = bpy.data.worlds.new("sky")
    if not inner.world.node_tree:  # before Blender 5
        inner.world.use_nodes = True
    sky = next(node for node in inner.world.node_tree.nodes if node.type == "BACKGROUND")
    inner.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    inner.collection.objects.link(inner.camera)
    inner.frame_end = 40
    shows = strips().new_scene("shows", inner, 1, 1)

    def rig(of: Any, *_: Any) -> None:
        if of.name == "inner":
            sky.inputs["Color"].default_value[0] = of.frame_current / 10
            bpy.data.images.new("made by a rig", 4, 4)

    bpy.app.handlers.frame_change_pre.append(rig)
    others = Bystander(("render_", "composite_", "depsgraph_update_"))
    part = FrameRange(2, 5)
    result = finish(export.export_frames(shows, part, FOLDER / "rig", direct=False))
    reds = [int(pixels(file)[40, 40, 0]) for file in result.files]
    assert reds == sorted(set(reds)), reds
    others.silent()
    made = [image.name for image in bpy.data.images if image.name.startswith("made by a rig")]
    assert len(made) == part.count, "what a handler makes is not ours to remove"
    assert list(bpy.app.handlers.frame_change_pre) == [rig]


@check
def a_handler_added_meanwhile_stays() -> None:
    clip = lived_in()
    others = Bystander(("render_init",))

    def added(*_: Any) -> None:
        """Nothing."""

    with bystanders.without_render_handlers():
        bpy.app.handlers.render_init.append(added)
    assert list(bpy.app.handlers.render_init) == [*others.registered["render_init"], added]
    assert clip.name == "clip"


@check
def a_render_of_the_user_is_waited_for() -> None:
    clip = lived_in()
    mask = masks.MaskChoice("mask", "region")
    real = settings_guard.rendering
    kinds: tuple[Kind | Literal["clip"], ...] = ("clip", "mask", "alpha")
    for kind in kinds:
        for there in files_in(FOLDER / kind):
            there.unlink()
        steps = steps_of(clip, kind)
        try:
            settings_guard.rendering = lambda: True
            for _ in range(3):
                assert next(steps) == 0
            assert not files_in(FOLDER / kind), "nothing was rendered"
            refused("rendering", lambda: masks.coverage_at(mask, clip, 5))
            settings_guard.rendering = real
            assert next(steps) == 1
            settings_guard.rendering = lambda: True
            reached = [next(steps) for _ in range(2 * PART.count)]
            assert reached[-1] == reached[-2] < PART.count, "the step that was begun, and no further one"
        finally:
            settings_guard.rendering = real
        done = [*reached[-1:], *steps]
        assert done == list(range(reached[-1], PART.count + 1))
        assert len(files_in(FOLDER / kind)) == PART.count
    assert settings_guard.rendering() is False


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


bench.run_all()
