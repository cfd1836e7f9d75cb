# SPDX-License-Identifier: Apache-2.0
"""The add-on in a Blender, and what scenarios of inside.py do with it."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

SECONDS = 220.0


def details_of(strip: Any) -> dict[str, str]:
    """What a result strip says about its edit; nothing for any other strip."""
    names = ("record", "job", "parent", "source_strip", "seed", "source_prompt", "target_prompt", "editor")
    keys = {name: f"flowanchor_{name}" for name in (*names, "model", "preset")}
    return {name: strip[key] for name, key in keys.items() if key in strip}


class Stage:
    """One Blender with the add-on; `outcome` is what a scenario notes."""

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
            "details": details_of(strip),
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
