# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done with an edit after it was sent. Each operator names its edit by the record's id."""

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import bpy
from bpy.props import StringProperty

from .. import as_images, compat, place, preferences, properties, settings_guard, text
from ..logic.edits import MakeFolder
from ..logic.session import Session
from ..logic.views import JobView
from ..strips import Refused
from . import cleanup, runtime, timer
from .operators_edit import report


class JobOperator:
    """What all have in common: the edit they are about."""

    bl_options = {"REGISTER", "INTERNAL"}

    job: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: Any) -> set[str]:
        view = runtime.get().session.job(self.job)
        if view is None:
            return {"CANCELLED"}
        outcome = self.act(context, view)
        timer.ensure()
        runtime.redraw()
        return outcome

    def act(self, context: Any, view: JobView) -> set[str]:
        raise NotImplementedError

    def refuse(self, message: str) -> set[str]:
        self.report({"ERROR"}, text.say(message))  # type: ignore[attr-defined]  # of every Blender operator
        return {"CANCELLED"}


class FileOperator:
    """What changes the file, now or as soon as a tick can, waits until Blender has rendered: a result that
    landed under a render would be in some of its frames."""

    @classmethod
    def poll(cls, context: Any) -> bool:
        if settings_guard.rendering():
            refused = text.say(text.RENDERING_REFUSED), text.say(text.RENDERING_HELP)
            cls.poll_message_set(" ".join(refused))  # type: ignore[attr-defined]  # of every Blender operator
            return False
        return True


class PlacingOperator(FileOperator, JobOperator):
    """Places a result."""

    def bring(self, view: JobView) -> set[str]:
        if bring(view):
            return {"FINISHED"}
        now = runtime.get().session.job(view.id)
        return self.refuse(str(now.problem if now is not None else ""))


class AgainOperator(FileOperator, JobOperator):
    """Begins an edit like an earlier one."""

    def folders(self, view: JobView) -> MakeFolder:
        """Its results lie beside those of the earlier one, where they can be written there."""
        return partial(preferences.make_results_folder, beside=view.record.folder)

    def begin(self, act: Callable[[Session], object]) -> set[str]:
        try:
            act(runtime.get().session)
        except Refused as failure:
            return report(self, failure)
        return {"FINISHED"}


class FLOWANCHOR_OT_cancel(JobOperator, bpy.types.Operator):
    bl_idname = "flowanchor.cancel"
    bl_label = text.CANCEL
    bl_description = text.CANCEL_HELP

    def act(self, context: Any, view: JobView) -> set[str]:
        runtime.get().session.cancel(view.id)
        return {"FINISHED"}


class FLOWANCHOR_OT_retry(AgainOperator, bpy.types.Operator):
    bl_idname = "flowanchor.retry"
    bl_label = text.RETRY
    bl_description = text.RETRY_HELP

    def act(self, context: Any, view: JobView) -> set[str]:
        return self.begin(lambda session: session.retry(view.id, self.folders(view)))


class FLOWANCHOR_OT_vary(AgainOperator, bpy.types.Operator):
    bl_idname = "flowanchor.vary"
    bl_label = text.VARY
    bl_description = text.VARY_HELP

    def act(self, context: Any, view: JobView) -> set[str]:
        # Drawn here and not by the daemon, whose seeds are larger than Blender's numbers.
        seed = random.SystemRandom().randint(0, properties.LARGEST_SEED)
        return self.begin(lambda session: session.vary(view.id, seed, self.folders(view)))


class FLOWANCHOR_OT_place(PlacingOperator, bpy.types.Operator):
    bl_idname = "flowanchor.place"
    bl_label = text.PLACE
    bl_description = text.PLACE_HELP
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    def act(self, context: Any, view: JobView) -> set[str]:
        return self.bring(view)


class FLOWANCHOR_OT_place_all(FileOperator, bpy.types.Operator):
    bl_idname = "flowanchor.place_all"
    bl_label = text.PLACE_ALL
    bl_description = text.PLACE_ALL_HELP
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        for view in runtime.get().session.jobs():
            if view.state == "placing":
                bring(view)
        timer.ensure()
        return {"FINISHED"}


def bring(view: JobView) -> bool:
    """Place a result, now if its files are here, else as soon as they were fetched; False if that failed."""
    record = view.record
    if record.files and all(path.is_file() for path in record.paths):
        return timer.place_record(record)
    runtime.get().session.fetch(view.id)
    return True


class FLOWANCHOR_OT_as_images(PlacingOperator, bpy.types.Operator):
    bl_idname = "flowanchor.as_images"
    bl_label = text.AS_IMAGES
    bl_description = text.AS_IMAGES_HELP
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    def act(self, context: Any, view: JobView) -> set[str]:
        record, session = view.record, runtime.get().session
        if not as_images.is_shown_wrongly(record) or not all(path.is_file() for path in record.paths):
            return self.refuse(text.MOVIE_GONE)
        scene = runtime.scene_of(record)
        if scene is None:
            return self.refuse(text.SCENE_GONE)
        try:
            files, size = as_images.make_images(scene, record.paths[0], record.origin.range.count)
        except Refused as failure:
            return report(self, failure)
        except OSError as failure:
            reason = failure.strerror or type(failure).__name__
            told = (
                text.say(text.NO_IMAGES, reason=reason),
                text.say(text.NO_IMAGES_HELP, folder=record.folder),
            )
            return report(self, Refused("images-write", *told))
        movies = runtime.results_of(record)
        session.made_into(view.id, files, size)
        made = session.job(view.id)
        outcome = self.bring(made) if made is not None else {"CANCELLED"}
        if outcome == {"FINISHED"}:  # where the source was moved into another scene, they are in the first
            place.retire([strip for strip in movies if strip.id_data != scene])
        return outcome


class FLOWANCHOR_OT_compare(FileOperator, JobOperator, bpy.types.Operator):
    bl_idname = "flowanchor.compare"
    bl_label = text.COMPARE
    bl_description = text.COMPARE_HELP
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    def act(self, context: Any, view: JobView) -> set[str]:
        found = runtime.results_of(view.record)
        if not found:
            return self.refuse(text.GONE)
        place.show(found, all(strip.mute for strip in found))
        return {"FINISHED"}


class FLOWANCHOR_OT_reveal(JobOperator, bpy.types.Operator):
    bl_idname = "flowanchor.reveal"
    bl_label = text.REVEAL
    bl_description = text.REVEAL_HELP
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    def act(self, context: Any, view: JobView) -> set[str]:
        scene = runtime.scene_of(view.record)
        strip = place.source_strip(scene, view.record) if scene is not None else None
        if scene is None or strip is None:
            return self.refuse(text.SOURCE_GONE)
        for other in compat.all_strips(scene.sequence_editor):
            other.select = False
        strip.select = True
        scene.sequence_editor.active_strip = strip
        return {"FINISHED"}


class FLOWANCHOR_OT_adopt(JobOperator, bpy.types.Operator):
    bl_idname = "flowanchor.adopt"
    bl_label = text.ADOPT
    bl_description = text.ADOPT_HELP
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    def act(self, context: Any, view: JobView) -> set[str]:
        scene = compat.sequencer_scene(context)
        if scene is None:
            return self.refuse(text.NO_SCENE)
        left = properties.adopt(properties.of(scene), view.record.settings, view.record.seed)
        if left:
            message = text.say(text.NOT_ADOPTED, names=", ".join(left))
            self.report({"WARNING"}, message)
        return {"FINISHED"}


class FLOWANCHOR_OT_delete(FileOperator, JobOperator, bpy.types.Operator):
    bl_idname = "flowanchor.delete"
    bl_label = text.DELETE
    bl_description = text.DELETE_HELP

    @classmethod
    def description(cls, context: Any, properties: Any) -> str:
        now = runtime.seen()
        view = now.session.job(properties.job) if now is not None else None
        return text.say(text.DELETE_HELP if view is None or view.owned else text.DELETE_OTHER_HELP)

    def act(self, context: Any, view: JobView) -> set[str]:
        session = runtime.get().session
        session.delete(view.id)
        if view.owned:
            cleanup.forget(view.record, session.ledger)
        runtime.write_ledger(session.ledger)
        return {"FINISHED"}


class FLOWANCHOR_OT_open_folder(JobOperator, bpy.types.Operator):
    bl_idname = "flowanchor.open_folder"
    bl_label = text.OPEN_FOLDER
    bl_description = text.OPEN_FOLDER_HELP

    def act(self, context: Any, view: JobView) -> set[str]:
        if not Path(view.record.folder).is_dir():
            return self.refuse(text.FILES_GONE)
        bpy.ops.wm.path_open(filepath=view.record.folder)
        return {"FINISHED"}


CLASSES = (
    FLOWANCHOR_OT_cancel,
    FLOWANCHOR_OT_retry,
    FLOWANCHOR_OT_vary,
    FLOWANCHOR_OT_place,
    FLOWANCHOR_OT_place_all,
    FLOWANCHOR_OT_as_images,
    FLOWANCHOR_OT_compare,
    FLOWANCHOR_OT_reveal,
    FLOWANCHOR_OT_adopt,
    FLOWANCHOR_OT_delete,
    FLOWANCHOR_OT_open_folder,
)
