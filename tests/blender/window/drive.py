# SPDX-License-Identifier: Apache-2.0
"""Runs in a Blender with a window: fills the panel in, presses the button, takes pictures."""

from __future__ import annotations

import importlib
import json
import math
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy

FOLDER = Path(sys.argv[-1])
PLAN = json.loads((FOLDER / "plan.json").read_text(encoding="utf-8"))
PACKAGE = "bl_ext.user_default.flowanchor_vse"
FIRST = 1
LONG_RENDER = 15_000
"""Frames, most of them empty."""
bpy.context.preferences.view.show_splash = False
outcome: dict[str, Any] = {"blender": bpy.app.version_string, "failure": ""}


heard: dict[str, int] = {}
"""How often handlers of rendering were called."""


def hear(name: str) -> None:
    def handler(*_: Any) -> None:
        heard[name] = heard.get(name, 0) + 1

    getattr(bpy.app.handlers, name).append(handler)


def module(name: str) -> Any:
    return importlib.import_module(f"{PACKAGE}.{name}")


def picture(name: str) -> None:
    subprocess.run(["import", "-window", "root", str(FOLDER / f"{name}.png")], check=True, timeout=60)


def widest(window: Any) -> Any:
    """The sequencer at the bottom, below its preview."""
    areas = [area for area in window.screen.areas if area.type == "SEQUENCE_EDITOR"]
    return max(areas, key=lambda area: area.width)


def close_others(window: Any) -> Iterator[float]:
    """Leave the one sequencer, so that its sidebar has the window's whole height; areas go one by one."""
    while True:
        kept = widest(window).as_pointer()
        others = [area for area in window.screen.areas if area.as_pointer() != kept and area.height > 100]
        if not others:
            return
        with bpy.context.temp_override(window=window, area=others[0], region=region_of(others[0], "WINDOW")):
            bpy.ops.screen.area_close()
        yield 0.5


def region_of(area: Any, kind: str) -> Any:
    return next(region for region in area.regions if region.type == kind)


def press(window: Any, kind: str, x: int, y: int, **keys: bool) -> Iterator[float]:
    """A key or button at a place of the window, as the user's hand does it; `--enable-event-simulate`."""
    for value, event in (("NOTHING", "MOUSEMOVE"), ("PRESS", kind), ("RELEASE", kind)):
        window.event_simulate(type=event, value=value, x=x, y=y, **keys)
        yield 0.05


def click_edit(window: Any, region: Any) -> Iterator[float]:
    """Click on the panel's button: below its header and the strip's name."""
    unit = 20 * bpy.context.preferences.system.ui_scale
    button = region.y + region.height - int(3.3 * unit)
    yield from press(window, "LEFTMOUSE", region.x + region.width // 2, button)


def while_blender_renders(window: Any, region: Any) -> Iterator[float]:
    """Edits pressed during a render of the user's wait, can be stopped, and go on when it has ended."""
    scene, runtime = window.scene, module("ui.runtime").get()
    for name in ("render_post", "render_complete", "render_cancel"):
        hear(name)
    bpy.context.preferences.view.render_display_type = "NONE"
    scene.render.filepath = str(FOLDER / "rendered" / "f")
    last, scene.frame_end = scene.frame_end, LONG_RENDER
    with bpy.context.temp_override(window=window):
        bpy.ops.render.render("INVOKE_DEFAULT", animation=True)
    yield 0.1
    assert bpy.app.is_job_running("RENDER"), "the render was over too soon"
    yield from click_edit(window, region)
    assert runtime.work is not None, "the button was not hit"
    work = runtime.work
    yield 0.3
    picture("waiting")
    assert bpy.app.is_job_running("RENDER"), "the render was over too soon"
    assert (work.done, work.label) == (0, module("text").RENDERING), (work.done, work.label)
    yield from press(window, "ESC", region.x + 20, region.y + 20)
    assert runtime.work is None, "Esc did not stop it"
    assert not work.folder.exists(), "it left a trace"
    yield 1.0  # or it were a double click
    yield from click_edit(window, region)
    assert runtime.work is not None, "the button was not hit again"
    assert bpy.app.is_job_running("RENDER"), "the render was over too soon"
    while bpy.app.is_job_running("RENDER"):
        assert runtime.work.done == 0, "it did not wait"
        yield 0.1
    assert heard == {"render_post": LONG_RENDER, "render_complete": 1}, heard
    scene.frame_end = last


def draw_mask(window: Any) -> Any:
    """A circle around the clip's circle, keyed along its way; the area of files lends itself as an editor."""
    mask = bpy.data.masks.new("Circle")
    mask.frame_start, mask.frame_end = FIRST, FIRST + 17
    spline = mask.layers.new(name="Circle").splines.new()
    spline.use_cyclic = True
    spline.points.add(7)
    area = next(area for area in window.screen.areas if area.type == "FILE_BROWSER")
    area.type = "IMAGE_EDITOR"
    area.spaces.active.ui_mode = "MASK"
    area.spaces.active.mask = mask
    for frame in (0, 16):
        window.scene.frame_set(FIRST + frame)
        for index, point in enumerate(spline.points):
            angle = 2 * math.pi * index / 8
            point.co = (
                0.27 + 0.012 * frame + 0.26 * math.cos(angle),
                0.67 - 0.008 * frame + 0.26 * math.sin(angle),
            )
            point.handle_type = "AUTO"
        with bpy.context.temp_override(window=window, area=area, region=region_of(area, "WINDOW")):
            bpy.ops.mask.shape_key_insert()
    return mask


def steps() -> Iterator[float]:
    """What a user does; yields seconds to wait."""
    if PACKAGE not in bpy.context.preferences.addons:
        bpy.ops.preferences.addon_enable(module=PACKAGE)
    yield 1.0
    window = bpy.context.window_manager.windows[0]
    scene = window.scene
    scene.render.resolution_x = scene.render.resolution_y = 64
    scene.render.fps, scene.render.fps_base = 24, 1.0
    scene.frame_start, scene.frame_end = FIRST, FIRST + 16
    editor = scene.sequence_editor_create()
    compat = module("compat")
    strip = compat.strips(editor).new_movie("two-things", PLAN["clip"], 1, FIRST)
    editor.active_strip = strip
    strip.select = True
    settings = scene.flowanchor
    settings.source_prompt, settings.target_prompt = PLAN["source"], PLAN["target"]
    settings.mask_kind, settings.mask = "mask", draw_mask(window)
    settings.preset, settings.seed, settings.device, settings.feather = "standard", 0, "cpu", 2
    scene.frame_set(FIRST + 8)
    yield from close_others(window)
    area = widest(window)
    area.spaces.active.view_type = "SEQUENCER_PREVIEW"
    area.spaces.active.show_region_ui = True
    area.spaces.active.timeline_overlay.show_strip_source = False  # paths of this machine
    yield 1.0
    sidebar = region_of(area, "UI")
    sidebar.active_panel_category = "FlowAnchor"
    for kind, view_all in (
        ("WINDOW", bpy.ops.sequencer.view_all),
        ("PREVIEW", bpy.ops.sequencer.view_all_preview),
    ):
        with bpy.context.temp_override(window=window, area=area, region=region_of(area, kind)):
            view_all()
    session = module("ui.runtime").get().session
    while session.daemon.models is None:
        yield 0.3
    yield 1.0
    with bpy.context.temp_override(window=window, area=area, region=sidebar):
        bpy.ops.flowanchor.estimate()
    while session.daemon.estimate is None:
        assert session.daemon.problem is None, session.daemon.problem
        yield 0.1
    yield 0.5
    picture("idle")
    yield from while_blender_renders(window, sidebar)
    while not session.jobs():
        failure = module("ui.runtime").get().failure
        assert failure is None, str(failure)
        yield 0.2
    (job,) = session.jobs()
    while True:
        view_now = session.job(job.id)
        assert view_now.state not in ("failed", "cancelled"), view_now
        if (
            view_now.phase == "edit"
            and view_now.thumbnail
            and view_now.fraction > 0.3
            and view_now.seconds_left
        ):
            break
        assert view_now.state != "done", "it was over before it was seen"
        yield 0.1
    yield 0.4
    picture("running")
    while session.job(job.id).state != "done":
        view_now = session.job(job.id)
        assert view_now.state not in ("failed", "cancelled"), view_now
        yield 0.2
    yield 1.5
    picture("done")
    results = [one for one in compat.strips(scene.sequence_editor) if one.name != "two-things"]
    outcome["strips"] = [(one.name, one.channel, compat.start(one), compat.end(one)) for one in results]
    assert [(one[1], one[2], one[3]) for one in outcome["strips"]] == [(2, FIRST, FIRST + 17)], outcome[
        "strips"
    ]
    assert heard == {"render_post": LONG_RENDER, "render_complete": 1}, f"an export was heard: {heard}"
    held: dict[str, list[float]] = {}
    for did, seconds in module("ui.timer").held:
        held.setdefault(did, []).append(1e3 * seconds)
    outcome["held_ms"] = {
        did: {
            "times": len(spans),
            "p99": round(sorted(spans)[int(0.99 * (len(spans) - 1))], 1),
            "longest": round(max(spans), 1),
        }
        for did, spans in held.items()
    }
    # Undo takes the placement back as one step, redo brings it again.
    with bpy.context.temp_override(window=window):
        bpy.ops.ed.undo()
    yield 1.0
    scene = bpy.context.window_manager.windows[0].scene
    outcome["after_undo"] = [one.name for one in compat.strips(scene.sequence_editor)]
    assert outcome["after_undo"] == ["two-things"], outcome["after_undo"]
    assert session.job(job.id) is not None, "undo forgot the edit"


run = steps()


def heartbeat() -> float | None:
    try:
        return next(run)
    except StopIteration:
        pass
    except BaseException:  # noqa: BLE001  # everything goes to the outcome
        outcome["failure"] = traceback.format_exc()
        picture("failed")
    partial = FOLDER / "outcome.partial"
    partial.write_text(json.dumps(outcome), encoding="utf-8")
    partial.replace(FOLDER / "outcome.json")
    sys.stdout.flush()
    os._exit(0)


bpy.app.timers.register(heartbeat, first_interval=2.0, persistent=True)
