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
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import bpy

FOLDER = Path(sys.argv[-1])
PLAN = json.loads((FOLDER / "plan.json").read_text(encoding="utf-8"))
PACKAGE = "bl_ext.user_default.flowanchor_vse"
FIRST = 1
LONG_RENDER = 50_000
"""Frames, most of them empty."""
bpy.context.preferences.view.show_splash = False
outcome: dict[str, Any] = {"blender": bpy.app.version_string, "failure": ""}


TITLE, BUTTON = 0.8, 3.7
"""How far below a panel's upper edge the middles of its title and of the button are, in Blender's units."""
HEADER, TAB_FIRST, TAB_PANELS = 1.4, 4.4, 7
"""In the tab of a movie strip (Blender 5.2): height of a closed panel, the first one's title, and how many
there are before ours."""
heard: dict[str, int] = {}
"""How often handlers of rendering were called."""


def hear(name: str) -> None:
    def handler(*_: Any) -> None:
        heard[name] = heard.get(name, 0) + 1

    getattr(bpy.app.handlers, name).append(handler)


RADIUS = 0.19
"""Of the mask and of the clip's circle, as a share of the picture."""


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


def click(window: Any, region: Any, down: float, **keys: bool) -> Iterator[float]:
    """Click in the middle of a region, so many of Blender's units below its upper edge."""
    unit = 20 * bpy.context.preferences.system.ui_scale
    y = region.y + region.height - int(down * unit)
    yield from press(window, "LEFTMOUSE", region.x + region.width // 2, y, **keys)
    yield 1.0  # the next were the second of a double click


def aside(window: Any, area: Any) -> Iterator[float]:
    """Put the pointer over the timeline, where it lights nothing up."""
    window.event_simulate(
        type="MOUSEMOVE", value="NOTHING", x=area.x + area.width // 3, y=area.y + area.height // 3
    )
    yield 0.5


def strip_tab(window: Any) -> Generator[float, None, Any]:
    """A Properties editor right of the sequencer, its tab of strips open; its region."""
    area = widest(window)
    with bpy.context.temp_override(window=window, area=area, region=region_of(area, "WINDOW")):
        bpy.ops.screen.area_split(direction="VERTICAL", factor=0.68)
    yield 0.5
    area = max((one for one in window.screen.areas if one.type == "SEQUENCE_EDITOR"), key=lambda one: one.x)
    area.type = "PROPERTIES"
    yield 0.5
    area.spaces.active.context = "STRIP"
    yield 1.0
    return region_of(area, "WINDOW")


def open_in_tab(window: Any, region: Any) -> Generator[float, None, float]:
    """Close the tab's other panels and open ours by clicks on their headers; how far below the upper edge its
    button is then."""
    yield from click(window, region, TAB_FIRST, ctrl=True)  # with Ctrl: that one alone is open
    yield from click(window, region, TAB_FIRST)
    ours = TAB_FIRST + TAB_PANELS * HEADER
    yield from click(window, region, ours)
    return ours + BUTTON - TITLE


def exporting() -> Any | None:
    """The edit that is on its way to the daemon."""
    return module("ui.runtime").get().work


def while_blender_renders(window: Any, region: Any, button: float) -> Iterator[float]:
    """Edits pressed during a render of the user's wait, can be stopped, and go on when it has ended."""
    scene = window.scene
    for name in ("render_post", "render_complete", "render_cancel"):
        hear(name)
    bpy.context.preferences.view.render_display_type = "NONE"
    scene.render.filepath = str(FOLDER / "rendered" / "f")
    last, scene.frame_end = scene.frame_end, LONG_RENDER
    with bpy.context.temp_override(window=window):
        bpy.ops.render.render("INVOKE_DEFAULT", animation=True)
    yield 0.1
    yield from click(window, region, button)
    work = exporting()
    assert work is not None, "the button was not hit"
    picture("waiting")
    assert bpy.app.is_job_running("RENDER"), "the render was over too soon"
    assert (work.done, work.label) == (0, module("text").RENDERING), (work.done, work.label)
    yield from press(window, "ESC", region.x + 20, region.y + 20)
    assert exporting() is None, "Esc did not stop it"
    assert not work.folder.exists(), "it left a trace"
    yield from click(window, region, button)
    assert bpy.app.is_job_running("RENDER"), "the render was over too soon"
    while bpy.app.is_job_running("RENDER"):
        work = exporting()
        assert work is not None, "the button was not hit again"
        assert work.done == 0, "it did not wait"
        yield 0.1
    assert heard == {"render_post": LONG_RENDER, "render_complete": 1}, heard
    scene.frame_end = last


def disabled_while_exporting(window: Any) -> Iterator[float]:
    """Disabled in the middle of an export the add-on leaves nothing behind, and can be enabled again."""
    with bpy.context.temp_override(window=window):
        assert bpy.ops.flowanchor.edit("INVOKE_DEFAULT") == {"RUNNING_MODAL"}
    work, operators, exports = (
        exporting(),
        module("ui.operators_edit"),
        module("preferences").exports_folder(),
    )
    assert work is not None
    assert operators._pulse is not None
    bpy.ops.preferences.addon_disable(module=PACKAGE)
    yield 1.0
    assert operators._pulse is None
    assert not list(exports.rglob("*"))
    assert not work.folder.exists()
    bpy.ops.preferences.addon_enable(module=PACKAGE)
    yield 1.0
    assert exporting() is None


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
                0.27 + 0.012 * frame + RADIUS * math.cos(angle),
                0.67 - 0.008 * frame + RADIUS * math.sin(angle),
            )
            point.handle_type = "AUTO"
        with bpy.context.temp_override(window=window, area=area, region=region_of(area, "WINDOW")):
            bpy.ops.mask.select_all(action="SELECT")
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
    scene.frame_set(FIRST + 4)  # the things do not touch yet
    yield from disabled_while_exporting(window)
    yield from close_others(window)
    panel, button = None, 0.0
    if PLAN["tab"]:
        panel = yield from strip_tab(window)
        button = yield from open_in_tab(window, panel)
    area = widest(window)
    area.spaces.active.view_type = "SEQUENCER_PREVIEW"
    area.spaces.active.show_region_ui = panel is None
    area.spaces.active.timeline_overlay.show_strip_source = False  # paths of this machine
    yield 1.0
    if panel is None:
        panel, button = region_of(area, "UI"), BUTTON
        panel.active_panel_category = "FlowAnchor"
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
    with bpy.context.temp_override(window=window, area=area, region=region_of(area, "WINDOW")):
        bpy.ops.flowanchor.estimate()
    while session.daemon.estimate is None:
        assert session.daemon.problem is None, session.daemon.problem
        yield 0.1
    yield from aside(window, area)
    picture("idle")
    yield from while_blender_renders(window, panel, button)
    yield from aside(window, area)
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
