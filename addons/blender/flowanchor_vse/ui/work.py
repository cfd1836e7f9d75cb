# SPDX-License-Identifier: GPL-3.0-or-later
"""One press of the button: check, export the frames, export the region, hand both to the session.

`Work.step` renders one frame, so that Blender lives between them; `close` at any moment leaves no trace.
"""

from __future__ import annotations

import uuid
from collections.abc import Generator
from typing import Any

import bpy

from .. import compat, export, masks, place, preferences, properties, settings_guard, strips, text
from ..logic import naming
from ..logic.frames import FrameRange
from ..logic.plan import UploadPlan
from ..logic.settings import EditSettings, problems
from ..strips import Refused
from . import cleanup, runtime


def known_parameters(editor: str) -> dict[str, Any] | None:
    """The editor's parameters by name as the daemon listed them; None before it has."""
    now = runtime.seen()
    info = now.session.daemon.info if now is not None else None
    if info is None:
        return None
    return {
        parameter.name: parameter
        for found in info.editors
        if found.name == editor
        for parameter in found.parameters
    }


def chosen_mask(scene: Any, strip: Any, settings: Any) -> masks.MaskChoice:
    """The region as chosen; where its name was left open, the first there is."""
    choice = properties.mask_choice(settings)
    if choice.kind in ("modifier", "strip") and not choice.name:
        same = (other for other in masks.choices(scene, strip) if other.kind == choice.kind)
        return next(same, choice)
    return choice


def check(context: Any) -> tuple[Any, Any, EditSettings, masks.MaskChoice, FrameRange]:
    """Everything an edit needs, or Refused with the first thing that is missing."""
    scene = compat.sequencer_scene(context)
    if scene is None:
        raise Refused("no-scene", text.say(text.NO_SCENE), "")
    strip = compat.active_strip(context)
    if strip is None:
        raise Refused("no-strip", text.say(text.NO_STRIP), "")
    wrong = strips.problem(scene, strip)
    if wrong is not None:
        raise wrong
    panel = properties.of(scene)
    settings = properties.to_edit(panel, known_parameters(panel.editor_name))
    for sentence in problems(settings):
        raise Refused("prompts", text.say(sentence), "")
    choice = chosen_mask(scene, strip, panel)
    wrong = masks.problem(scene, strip, choice)
    if wrong is not None:
        raise wrong
    return scene, strip, settings, choice, strips.edited_range(scene, strip, panel.range_mode == "SCENE")


class Work:
    """An edit from the press of the button to its submission."""

    def __init__(self, context: Any) -> None:
        """Refused if something is missing; nothing has been written then."""
        self.scene, self.strip, self.settings, self.choice, self.part = check(context)
        self.scene_name, self.strip_name = self.scene.name, self.strip.name
        self.done = 0
        self.phase = text.EXPORTING
        self.record = ""
        name = naming.folder_name(bpy.data.filepath, uuid.uuid4().hex)
        self.exports = preferences.exports_folder() / name
        try:
            self.exports.mkdir(parents=True)
        except OSError as failure:
            raise self._not_written(failure) from failure
        try:
            self.folder = preferences.make_results_folder(name)
        except Refused:
            cleanup.remove_empty(self.exports)
            raise
        self._steps = self._run()

    @property
    def fraction(self) -> float:
        half = 0.0 if self.phase == text.EXPORTING else 0.5
        return min(1.0, half + 0.5 * self.done / self.part.count)

    @property
    def label(self) -> str:
        if settings_guard.rendering():
            return text.say(text.RENDERING)
        return text.say(self.phase, done=self.done, total=self.part.count)

    def step(self) -> bool:
        """Render one frame; False when the edit has been submitted. Raises Refused, and whatever rendering
        raises; the export has been removed then."""
        try:
            next(self._steps)
        except StopIteration:
            return False
        except OSError as failure:
            self.close()
            raise self._not_written(failure) from failure
        except BaseException:
            self.close()
            raise
        return True

    def close(self) -> None:
        """Stop: what was written is removed, unless it was submitted."""
        self._steps.close()
        if not self.record:
            cleanup.remove((self.exports / cleanup.CLIP, self.exports / cleanup.MASK))
            cleanup.remove_empty(self.exports)
            cleanup.remove_results(self.folder)

    def _not_written(self, failure: OSError) -> Refused:
        reason = failure.strerror or type(failure).__name__
        return Refused(
            "export-write",
            text.say(text.NOT_WRITTEN, reason=reason),
            text.say(text.NOT_WRITTEN_HELP, folder=self.exports),
        )

    def _run(self) -> Generator[None, None, None]:
        stack = properties.of(self.scene).stack
        without = self.choice.name if self.choice.kind == "modifier" else ""
        exported = yield from self._count(
            export.export_frames(
                self.strip, self.part, self.exports / cleanup.CLIP, stack=stack, without=without
            )
        )
        self.scene, self.strip = strips.named(self.scene_name, self.strip_name)
        self.phase, self.done = text.EXPORTING_MASK, 0
        region = yield from self._count(
            masks.export_mask(self.choice, self.strip, self.part, self.exports / cleanup.MASK)
        )
        self.scene, self.strip = strips.named(self.scene_name, self.strip_name)
        if region.coverage and len(region.empty) == len(region.coverage) and not self.settings.invert:
            raise Refused("mask-empty", text.say(text.EMPTY_MASK), text.say(text.EMPTY_MASK_HELP))
        plan = UploadPlan(exported.footage, region.footage, region.boxes, exported.first, exported.last)
        runtime.settle()
        origin = place.origin_of(self.scene, self.strip, self.part, self.choice, exported)
        session = runtime.get().session
        cleanup.remove_empty(self.exports)  # a strip's own file is sent from where it is
        self.record = session.submit(plan, self.settings, origin, str(self.folder))
        runtime.write_ledger(session.ledger)
        properties.after_edit(properties.of(self.scene))

    def _count(self, steps: Generator[int, None, Any]) -> Generator[None, None, Any]:
        try:
            while True:
                try:
                    self.done = next(steps)
                except StopIteration as end:
                    return end.value
                yield
        finally:
            steps.close()
