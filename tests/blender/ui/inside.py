# SPDX-License-Identifier: Apache-2.0
"""Runs inside a Blender: `python inside.py SCENARIO FOLDER`. Notes its outcome in FOLDER/outcome.json and
ends with os._exit, because some Blenders hang or crash when Python ends."""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

SECONDS = 150.0


class Stage:
    """The add-on in this Blender, and what scenarios do with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.arguments: dict[str, Any] = json.loads((folder / "arguments.json").read_text(encoding="utf-8"))
        self.package = "flowanchor_vse"
        self.outcome: dict[str, Any] = {"blender": bpy.app.version_string}

    def module(self, name: str) -> Any:
        return importlib.import_module(f"{self.package}.{name}")

    def begin(self) -> None:
        """Register from the source folder."""
        importlib.import_module(self.package).register()
        if not self.arguments.get("as_users_do"):  # ask for news more often, so that tests end sooner
            job = self.module("logic.job")
            job.RUNNING_SECONDS = job.WAITING_SECONDS = 0.1

    @property
    def session(self) -> Any:
        return self.module("ui.runtime").get().session

    def scene(self) -> Any:
        """A scene with the clip as its active strip, the panel filled in."""
        scene = bpy.context.scene
        scene.render.resolution_x, scene.render.resolution_y = self.arguments["size"]
        scene.render.resolution_percentage = 100
        scene.render.fps, scene.render.fps_base = 24, 1.0
        scene.frame_start, scene.frame_end = 1, 60
        editor = scene.sequence_editor_create()
        for attribute in ("sequencer_scene",):
            if hasattr(bpy.context.workspace, attribute):
                setattr(bpy.context.workspace, attribute, scene)
        compat = self.module("compat")
        strip = compat.strips(editor).new_movie("shot", self.arguments["clip"], 2, self.arguments["first"])
        editor.active_strip = strip
        strip.select = True
        settings = scene.flowanchor
        settings.source_prompt = self.arguments["source"]
        settings.target_prompt = self.arguments["target"]
        settings.mask_kind, settings.box = "box", self.arguments["box"]
        settings.preset, settings.seed, settings.device = "draft", 7, "cpu"
        settings.use_schedule, settings.steps, settings.skip = True, self.arguments.get("steps", 2), 0
        return scene

    def strips(self) -> Any:
        return self.module("compat").strips(bpy.context.scene.sequence_editor)

    def result(self) -> Any:
        (found,) = [strip for strip in self.strips() if strip.name != "shot"]
        return found

    def describe(self, strip: Any) -> dict[str, Any]:
        compat = self.module("compat")
        return {
            "name": strip.name,
            "channel": strip.channel,
            "start": compat.start(strip),
            "end": compat.end(strip),
            "blend": strip.blend_type,
            "details": {
                key: value
                for key, value in (self.module("place").details_of(strip) or {}).items()
                if isinstance(value, int | float | str)
            },
        }

    def edit(self) -> Any:
        """Press the button; the edit's view."""
        before = {view.id for view in self.session.jobs()}
        begun = time.perf_counter()
        assert bpy.ops.flowanchor.edit() == {"FINISHED"}
        self.outcome["submit_seconds"] = time.perf_counter() - begun
        (made,) = [view for view in self.session.jobs() if view.id not in before]
        return made

    def view(self, made: Any) -> Any:
        found = self.session.job(made.id)
        assert found is not None
        return found

    def pump(self, done: Callable[[], Any], what: str, seconds: float = SECONDS) -> Any:
        """Do what Blender's event loop would: tick until `done` gives something true."""
        timer = self.module("ui.timer")
        deadline = time.monotonic() + seconds
        while not (found := done()):
            if time.monotonic() > deadline:
                jobs = [(view.state, str(view.problem)) for view in self.session.jobs()]
                raise AssertionError(
                    f"{what}: not within {seconds:g} s; {jobs}; {self.session.daemon.problem}"
                )
            wait = timer.tick()
            if wait is None:
                found = done()
                assert found, f"the timer ended before: {what}; {[v.state for v in self.session.jobs()]}"
                break
            time.sleep(min(wait, 0.5))
        return found

    def until_ended(self, made: Any) -> Any:
        """The edit's view once it has ended."""
        return self.pump(
            lambda: self.view(made) if self.view(made).state in ("done", "failed", "cancelled") else None,
            "the end",
        )

    def held(self) -> dict[str, list[float]]:
        """Seconds for which ticks held Blender, by what they did."""
        found: dict[str, list[float]] = {}
        for did, seconds in self.module("ui.timer").held:
            found.setdefault(did, []).append(seconds)
        return found


def registers_twice(stage: Stage) -> None:
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


def whole_edit(stage: Stage) -> None:
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


def settings_and_seeds(stage: Stage) -> None:
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


def panels_draw(stage: Stage) -> None:
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


def result_deleted(stage: Stage) -> None:
    """The daemon forgot the job, its files are gone here: told, not raised."""
    stage.scene()
    made = stage.edit()
    assert stage.until_ended(made).state == "done"
    for path in stage.view(made).record.paths:
        path.unlink()
    stage.strips().remove(stage.result())
    (stage.folder / "delete-now").write_text(stage.view(made).record.job)
    stage.pump(lambda: True, "nothing")
    deadline = time.monotonic() + 60
    while not (stage.folder / "deleted").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    bpy.ops.flowanchor.place(job=made.id)
    found = stage.pump(lambda: stage.view(made) if stage.view(made).problem else None, "a problem")
    stage.outcome["problem"] = [found.problem.code, found.problem.message, found.problem.action]


def daemon_missing(stage: Stage) -> None:
    """No daemon, and none can be started: the reason is shown, the edit waits."""
    stage.scene()
    made = stage.edit()
    found = stage.pump(
        lambda: (
            stage.session.daemon.problem
            if stage.session.daemon.state not in ("starting", "unknown")
            else None
        ),
        "the reason",
    )
    stage.outcome["state"] = stage.session.daemon.state
    stage.outcome["problem"] = [found.code, found.message, found.action]
    stage.outcome["job"] = stage.view(made).state


def dies_in_mid_job(stage: Stage) -> None:
    """The daemon is killed while the job runs, and started again: the edit ends all the same."""
    stage.scene()
    made = stage.edit()
    stage.pump(lambda: stage.view(made).phase == "edit", "the edit runs")
    (stage.folder / "kill-now").touch()
    stage.pump(lambda: stage.session.daemon.state != "running", "the loss is seen")
    stage.outcome["lost"] = stage.session.daemon.state
    (stage.folder / "start-now").touch()
    ended = stage.until_ended(made)
    assert ended.state == "done", ended
    stage.outcome["result"] = stage.describe(stage.result())


def closed_while_it_runs(stage: Stage) -> None:
    """Submit, save, and leave; `opened_later` finds the result."""
    stage.scene()
    made = stage.edit()
    stage.pump(lambda: stage.view(made).record.job, "the job is accepted")
    bpy.ops.wm.save_as_mainfile(filepath=str(stage.folder / "later.blend"))
    stage.outcome["job"] = stage.view(made).record.job


def opened_later(stage: Stage) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(stage.folder / "later.blend"))
    found = stage.pump(
        lambda: next((view for view in stage.session.jobs() if view.offered), None),
        "the finished job is offered",
    )
    assert [strip.name for strip in stage.strips()] == ["shot"], "placed unasked"
    assert bpy.ops.flowanchor.place_all() == {"FINISHED"}
    stage.until_ended(found)
    stage.outcome["result"] = stage.describe(stage.result())


def from_zip(stage: Stage) -> None:
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


def hostile_file(stage: Stage) -> None:
    """A file whose ledger names folders of the user's, for results and for exports."""
    preferences = stage.module("preferences")
    victim, home = stage.folder / "victim", stage.folder / "film"
    results, exports = home / preferences.BESIDE, preferences.exports_folder()
    kept = [
        victim / "clip" / "000000.png",
        victim / "mask" / "notes.txt",
        results / "ours" / "clip" / "000000.png",
        results / "victim" / "clip" / "000000.png",
        exports / "ours" / "clip" / "a.txt",
        exports / "other" / "clip" / "000000.png",
    ]
    gone = exports / "ours" / "clip" / "000000.png"
    for file in (*kept, gone):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    (exports / "link").symlink_to(victim)

    def plan(folder: Path) -> dict[str, Any]:
        clip = {"folder": str(folder), "count": 1, "suffix": ".png", "first_number": 0, "rate": None}
        return {"clip": clip, "masks": [], "boxes": [[0, 0, 1, 1]], "first": 0, "last": None}

    origin = {"scene": "Scene", "strip": "u", "strip_name": "n", "first": 1, "last": 2, "channel": 1}
    common = {"origin": origin, "settings": {}, "state": "done", "job": "j"}
    entries = [
        {**common, "id": "a", "folder": str(victim), "files": ["../b.png"], "plan": plan(victim / "clip")},
        {**common, "id": "b", "state": "running", "job": "", "folder": str(victim)},
        {**common, "id": "c", "folder": str(results / "ours"), "plan": plan(exports / "ours" / "clip")},
        {**common, "id": "d", "folder": str(results / "ours"), "plan": plan(exports / "link" / "clip")},
        {**common, "id": "e", "folder": str(results / "ours"), "plan": plan(results / "ours" / "clip")},
        {
            **common,
            "id": "f",
            "file": "another file's",
            "folder": str(results / "ours"),
            "plan": plan(exports / "other" / "clip"),
        },
    ]
    scene = bpy.context.scene
    scene.sequence_editor_create()
    scene.flowanchor.ledger = json.dumps({"schema": 1, "records": entries})
    path = home / "hostile.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    timer = stage.module("ui.timer")
    stage.pump(lambda: not gone.exists(), "exports are removed", 20)
    for _ in range(3):
        timer.tick()
    assert all(file.read_bytes() == b"x" for file in kept)
    assert (exports / "link").is_symlink()
    views = {view.id: view for view in stage.session.jobs()}
    assert views["b"].state == "starting", "the daemon was not asked yet"
    assert views["a"].record.paths == ()
    assert all(Path(view.record.folder).parent == results for view in views.values())
    assert [name for name, view in views.items() if not view.owned] == ["f"]
    for name in views:
        assert bpy.ops.flowanchor.delete(job=name) == {"FINISHED"}
    assert all(file.read_bytes() == b"x" for file in kept)


SCENARIOS: dict[str, Callable[[Stage], None]] = {
    one.__name__: one
    for one in (
        registers_twice,
        whole_edit,
        settings_and_seeds,
        panels_draw,
        result_deleted,
        daemon_missing,
        hostile_file,
        dies_in_mid_job,
        closed_while_it_runs,
        opened_later,
        from_zip,
    )
}


def main() -> None:
    folder = Path(sys.argv[2])
    stage = Stage(folder)
    try:
        if sys.argv[1] not in ("registers_twice", "from_zip"):
            stage.begin()
        known = dict(SCENARIOS)
        for beside in ("lives", "recoveries"):
            known |= importlib.import_module(beside).SCENARIOS
        known[sys.argv[1]](stage)
    except BaseException:  # noqa: BLE001  # everything goes to the outcome
        stage.outcome["failure"] = traceback.format_exc()
    (folder / "outcome.json.partial").write_text(json.dumps(stage.outcome), encoding="utf-8")
    (folder / "outcome.json.partial").replace(folder / "outcome.json")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


main()
