# SPDX-License-Identifier: Apache-2.0
"""An export is none of the user's renders: handlers do not hear of it, and it waits while one is at work."""

from __future__ import annotations

from typing import Any, Literal

import bpy
import flowanchor_vse
from flowanchor_vse import bystanders, compat, export, masks, settings_guard
from flowanchor_vse.logic.frames import FrameRange
from flowanchor_vse.masks import Kind
from flowanchor_vse.ui import runtime, timer

from tests.blender.host.scripts import bench
from tests.blender.host.scripts.bench import FOLDER, check, dump, finish, pixels, raised, refused, strips
from tests.blender.host.scripts.lived_in import KINDS, PART, fails, files_in, lived_in, steps_of, unchanged

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
def the_timer_waits_for_it_too() -> None:
    real = settings_guard.rendering
    try:
        settings_guard.rendering = lambda: True
        assert timer.tick() == timer.WHILE_RENDERING
        assert timer.waiting, "which the panel says"
        assert runtime.seen() is None, "nothing was asked, placed or written"
    finally:
        settings_guard.rendering = real
    assert not timer._waits(), "and goes on"
    assert not timer.waiting


@check
def buttons_that_change_the_file_wait_for_it() -> None:
    flowanchor_vse.register()
    lived_in()
    real = settings_guard.rendering
    buttons = {name: {"job": "any"} for name in ("place", "retry", "vary", "compare", "delete")}
    try:
        for name, arguments in {**buttons, "place_all": {}}.items():
            press = getattr(bpy.ops.flowanchor, name)
            settings_guard.rendering = lambda: False
            assert press.poll()
            settings_guard.rendering = lambda: True
            assert not press.poll()
            said = str(raised(RuntimeError, lambda press=press, arguments=arguments: press(**arguments)))  # type: ignore[misc]
            assert "Blender is rendering. Try again when the render has ended." in said, said
        assert bpy.ops.flowanchor.cancel.poll(), "work can be stopped at any time"
    finally:
        settings_guard.rendering = real
        flowanchor_vse.unregister()


bench.run_all()
