# SPDX-License-Identifier: Apache-2.0
"""Scenarios of inside.py about an edit from button to result, its panels, and the add-on itself."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy


def registers_twice(stage: Any) -> None:
    addon = importlib.import_module(stage.package)
    for _ in range(2):
        addon.register()
        addon.register()
        assert bpy.app.timers.is_registered(stage.module("ui.timer").tick)
        assert hasattr(bpy.types, "FLOWANCHOR_PT_main")
        addon.unregister()
        addon.unregister()
        assert not bpy.app.timers.is_registered(stage.module("ui.timer").tick)
        assert not [name for name in dir(bpy.types) if name.startswith("FLOWANCHOR")]
        assert not hasattr(bpy.types.Scene, "flowanchor")
        addon.register()
        waits = []
        while (wait := stage.module("ui.timer").tick()) is not None:
            waits.append(wait)
            assert sum(waits) < 60, "the timer goes on with nothing to do"
            time.sleep(min(wait, 0.2))
        addon.unregister()
        handlers = [
            one for name in ("load_post", "save_pre", "undo_post") for one in getattr(bpy.app.handlers, name)
        ]
        assert not [one for one in handlers if stage.package in one.__module__]


def whole_edit(stage: Any) -> None:
    """From the button to the result strip; then compare, save, load, remove the result and bring it back."""
    scene = stage.scene()
    made = stage.edit()
    ended = stage.until_ended(made)
    assert ended.state == "done", ended
    stage.outcome["result"] = stage.describe(stage.result())
    stage.outcome["source"] = stage.describe(stage.strips()["shot"])
    stage.outcome["files"] = list(map(str, ended.record.paths))
    stage.outcome["left"] = sorted(path.name for path in Path(ended.record.folder).iterdir() if path.is_dir())
    stage.outcome["held"] = stage.held()

    bpy.ops.flowanchor.compare(job=made.id)
    assert stage.result().mute
    bpy.ops.flowanchor.compare(job=made.id)
    assert not stage.result().mute

    scene["marker"] = 1
    path = str(stage.folder / "edit.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    importlib.import_module(stage.package).register()
    bpy.ops.wm.open_mainfile(filepath=path)
    stage.module("ui.timer").tick()
    assert stage.view(made).state == "done"
    stage.outcome["reopened"] = stage.describe(stage.result())

    stage.strips().remove(stage.result())
    assert bpy.ops.flowanchor.place(job=made.id) == {"FINISHED"}
    stage.outcome["placed_again"] = stage.describe(stage.result())

    assert bpy.ops.flowanchor.adopt(job=made.id) == {"FINISHED"}
    assert bpy.context.scene.flowanchor.seed == 7


def settings_and_seeds(stage: Any) -> None:
    scene = stage.scene()
    settings = scene.flowanchor
    properties = stage.module("properties")
    settings.seed_mode = "increment"
    assert properties.to_edit(settings).seed == 7
    properties.after_edit(settings)
    assert settings.seed == 8
    settings.seed = properties.LARGEST_SEED
    properties.after_edit(settings)
    assert settings.seed == 0
    settings.seed_mode = "fixed"
    properties.after_edit(settings)
    assert settings.seed == 0
    settings.seed_mode = "random"
    assert len({properties.to_edit(settings).seed for _ in range(8)}) == 8
    # Parameters come from the daemon, with ranges.
    stage.module("ui.timer").tick()
    stage.pump(lambda: stage.session.daemon.info, "the daemon's info")
    known = stage.module("ui.work").known_parameters("flowanchor")
    assert bpy.ops.flowanchor.set_parameter(parameter="beta1") == {"FINISHED"}
    limits = settings.parameters.id_properties_ui("beta1").as_dict()
    assert (limits["min"], limits["max"]) == (known["beta1"].minimum, known["beta1"].maximum)
    assert set(properties.to_edit(settings, known).parameters) == {"beta1"}
    settings.editor = "flowedit"
    assert not properties.to_edit(settings, stage.module("ui.work").known_parameters("flowedit")).parameters
    settings.editor = "flowanchor"
    assert bpy.ops.flowanchor.reset_parameter(parameter="beta1") == {"FINISHED"}
    assert not properties.to_edit(settings, known).parameters
    # Frames are exported at the whole resolution, so numbers about them are of that.
    width, height = scene.render.resolution_x, scene.render.resolution_y
    scene.render.resolution_percentage = 50
    assert bpy.ops.flowanchor.middle_box() == {"FINISHED"}
    assert tuple(settings.box) == (width // 4, height // 4, width // 2, height // 2)
    asked = stage.module("ui.estimate").request_for(scene, stage.module("logic.frames").FrameRange(11, 14))
    assert (asked.width, asked.height, asked.frames) == (width, height, 4)
    # What is missing is said, once, and kept for the panel.
    settings.target_prompt = ""
    try:
        bpy.ops.flowanchor.edit()
    except RuntimeError as failure:
        stage.outcome["said"] = str(failure)
    stage.outcome["kept"] = stage.module("ui.runtime").get().failure.message
    assert not stage.session.jobs()


def panels_draw(stage: Any) -> None:
    """Every panel in every state an edit goes through, drawn on a layout that checks what it is given."""
    draw_all = importlib.import_module("layouts").draw_all  # beside this file

    outcome: dict[str, list[str]] = stage.outcome.setdefault("shown", {})
    outcome["nothing"] = draw_all(None, None)
    scene = stage.scene()
    for kind in ("mask", "modifier", "strip", "alpha", "box"):
        scene.flowanchor.mask_kind = kind
        outcome[kind] = draw_all(scene, stage.strips()["shot"])
    bpy.ops.flowanchor.check_coverage()
    stage.pump(lambda: stage.session.daemon.models, "the daemon's models")
    bpy.ops.flowanchor.set_parameter(parameter="beta1")
    assert bpy.ops.flowanchor.estimate() == {"FINISHED"}
    stage.pump(lambda: stage.session.daemon.estimate, "the estimate")
    outcome["estimated"] = draw_all(scene, stage.strips()["shot"])
    scene.flowanchor.use_schedule = scene.flowanchor.use_negative = True
    outcome["connected"] = draw_all(scene, stage.strips()["shot"])
    bpy.ops.flowanchor.reset_parameter(parameter="beta1")
    made = stage.edit()
    stage.pump(lambda: stage.view(made).phase == "edit" and stage.view(made).step, "the edit runs")
    outcome["running"] = draw_all(scene, stage.strips()["shot"])
    stage.until_ended(made)
    outcome["done"] = draw_all(scene, stage.strips()["shot"])
    bpy.ops.flowanchor.daemon(wish="stop")
    stage.pump(lambda: stage.session.daemon.state != "running", "the daemon ends")
    outcome["stopped"] = draw_all(scene, stage.strips()["shot"])
    scene.flowanchor.target_prompt = ""
    try:
        bpy.ops.flowanchor.edit()
    except RuntimeError:
        outcome["refused"] = draw_all(scene, stage.strips()["shot"])
    stage.strips()["shot"].mute = True
    outcome["muted"] = draw_all(scene, stage.strips()["shot"])


def closed_while_it_runs(stage: Any) -> None:
    """Submit, save, and leave; `opened_later` finds the result."""
    stage.scene()
    made = stage.edit()
    stage.pump(lambda: stage.view(made).record.job, "the job is accepted")
    bpy.ops.wm.save_as_mainfile(filepath=str(stage.folder / "later.blend"))
    stage.outcome["job"] = stage.view(made).record.job


def opened_later(stage: Any) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(stage.folder / "later.blend"))
    found = stage.pump(
        lambda: next((view for view in stage.session.jobs() if view.offered), None),
        "the finished job is offered",
    )
    assert [strip.name for strip in stage.strips()] == ["shot"], "placed unasked"
    assert bpy.ops.flowanchor.place_all() == {"FINISHED"}
    stage.until_ended(found)
    stage.outcome["result"] = stage.describe(stage.result())


def from_zip(stage: Any) -> None:
    """Install the zip as a user would, then edit."""
    repo = bpy.context.preferences.extensions.repos.new(name="Local", module="user_default")
    done = bpy.ops.extensions.package_install_files(
        filepath=stage.arguments["zip"], repo=repo.module, enable_on_install=True
    )
    assert done == {"FINISHED"}, done
    stage.package = f"bl_ext.{repo.module}.flowanchor_vse"
    import flowanchor
    import flowanchor_client
    import grpc

    for module in (grpc, flowanchor, flowanchor_client):
        assert str(stage.folder / "blender") in str(module.__file__), module.__file__
    stage.scene()
    made = stage.edit()
    ended = stage.until_ended(made)
    assert ended.state == "done", ended
    stage.outcome["result"] = stage.describe(stage.result())
    stage.outcome["folder"] = ended.record.folder
    exports = stage.module("preferences").exports_folder()
    stage.outcome["exports"] = str(exports)
    exports.mkdir(parents=True, exist_ok=True)
    index = list(bpy.context.preferences.extensions.repos).index(repo)
    gone = bpy.ops.extensions.package_uninstall(repo_index=index, pkg_id="flowanchor_vse")
    assert gone == {"FINISHED"}, gone
    assert not exports.exists(), "Blender removes the extension's own folder"
    assert all(path.is_file() for path in ended.record.paths), "the results are the user's"


SCENARIOS: dict[str, Callable[[Any], None]] = {
    one.__name__: one
    for one in (
        registers_twice,
        whole_edit,
        settings_and_seeds,
        panels_draw,
        closed_while_it_runs,
        opened_later,
        from_zip,
    )
}
