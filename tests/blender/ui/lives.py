# SPDX-License-Identifier: Apache-2.0
"""Scenarios of inside.py about what becomes of an edit when its file is undone, copied, saved elsewhere or
left in the middle of sending."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy


def undone_past_the_edit(stage: Any) -> None:
    """Undo to before the button was pressed, then move and rename the strip: the result follows it."""
    bpy.context.preferences.edit.use_global_undo = True
    stage.scene()
    bpy.ops.ed.undo_push(message="before")
    made = stage.edit()
    bpy.ops.ed.undo_push(message="edit")
    strips = stage.module("strips")
    assert strips.ID in stage.strips()["shot"]
    bpy.ops.ed.undo()
    assert strips.ID not in stage.strips()["shot"], "this undo took no mark"
    stage.module("ui.timer").tick()
    stage.strips()["shot"].frame_start += 30
    ended = stage.until_ended(made)
    assert ended.state == "done", ended
    stage.outcome["result"] = stage.describe(stage.result())
    stage.outcome["where"] = ended.record.where


def duplicated_while_it_runs(stage: Any) -> None:
    """The strip and the whole scene are duplicated, the copies are moved, the scenes change names."""
    here = stage.scene()
    made = stage.edit()
    stage.pump(lambda: stage.view(made).record.job, "the job is accepted")
    copy = stage.module("compat").strips(here.sequence_editor).new_movie("x", stage.arguments["clip"], 5, 1)
    for name in ("ID", "OWNER"):  # as Blender's own duplicate does
        key = getattr(stage.module("strips"), name)
        copy[key] = stage.strips()["shot"][key]
    bpy.ops.scene.new(type="FULL_COPY")
    other = bpy.context.scene
    here.name, other.name = "first", "Scene"
    for strip in stage.module("compat").strips(other.sequence_editor):
        strip.frame_start += 50
    stage.module("compat").strips(here.sequence_editor)["shot"].frame_start += 7
    ended = stage.until_ended(made)
    assert ended.state == "done", ended
    place = stage.module("place")
    assert not place.result_strips(other, ended.record)
    (result,) = place.result_strips(here, ended.record)
    stage.outcome["result"] = stage.describe(result)


def saved_while_sending(stage: Any) -> None:
    """Save when the edit is in the list and the daemon has not heard of it; then send it, and leave."""
    stage.scene()
    made = stage.edit()
    assert not stage.view(made).record.job
    bpy.ops.wm.save_as_mainfile(filepath=str(stage.folder / "later.blend"))
    stage.pump(lambda: stage.view(made).record.job, "the job is accepted")
    stage.outcome["job"] = stage.view(made).record.job


def forgotten_in_a_copy(stage: Any) -> None:
    """Forget an edit in a copied file: the original's goes on, and its result lands."""
    stage.scene()
    made = stage.edit()
    stage.pump(lambda: stage.view(made).record.job, "the job is accepted")
    first, second = stage.folder / "first.blend", stage.folder / "second.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(first))
    shutil.copy(first, second)
    bpy.ops.wm.open_mainfile(filepath=str(second))
    stage.module("ui.timer").tick()
    assert not stage.view(made).owned
    draw_all = importlib.import_module("layouts").draw_all
    stage.outcome["shown"] = draw_all(bpy.context.scene, stage.strips()["shot"])
    assert bpy.ops.flowanchor.delete(job=made.id) == {"FINISHED"}
    stage.pump(lambda: stage.session.daemon.models is not None, "the daemon is asked")
    assert stage.session.job(made.id) is None
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=str(first))
    stage.module("ui.timer").tick()
    assert stage.view(made).owned
    stage.pump(lambda: stage.view(made).offered, "the result is offered")
    assert bpy.ops.flowanchor.place_all() == {"FINISHED"}
    assert stage.until_ended(made).state == "done"
    stage.outcome["result"] = stage.describe(stage.result())


def saved_as_another_file(stage: Any) -> None:
    """Save a copy, then save as: who owns the edit, and where its marks and results are."""
    stage.scene()
    folder = stage.folder / "film"
    folder.mkdir()
    first, second, copy = (folder / f"{name}.blend" for name in ("first", "second", "copy"))
    bpy.ops.wm.save_as_mainfile(filepath=str(first))
    made = stage.edit()
    assert Path(made.record.folder).parent == folder / "flowanchor-results"
    stage.pump(lambda: stage.view(made).record.job, "the job is accepted")
    bpy.ops.wm.save_as_mainfile(filepath=str(copy), copy=True)
    assert stage.view(made).owned, "the open file is still the first"
    bpy.ops.wm.save_mainfile()
    assert stage.view(made).owned
    bpy.ops.wm.save_as_mainfile(filepath=str(second))
    assert not stage.view(made).owned, "the first file has it"
    owners = {}
    for file in (first, second, copy):
        bpy.ops.wm.open_mainfile(filepath=str(file))
        stage.module("ui.timer").tick()
        owners[file.stem] = stage.view(made).owned
    stage.outcome["owners"] = owners
    bpy.ops.wm.open_mainfile(filepath=str(first))
    stage.pump(lambda: stage.view(made).offered, "the result is offered")
    assert bpy.ops.flowanchor.place_all() == {"FINISHED"}
    ended = stage.until_ended(made)
    assert ended.state == "done", ended
    result = stage.result()
    stage.outcome["directory"] = result.directory
    stage.outcome["exports"] = [str(path) for path in stage.module("preferences").exports_folder().rglob("*")]
    bpy.ops.wm.save_mainfile()
    moved = stage.folder / "moved"
    folder.rename(moved)
    bpy.ops.wm.open_mainfile(filepath=str(moved / "first.blend"))
    stage.module("ui.timer").tick()
    again = stage.view(made)
    assert again.owned, "it was moved, not copied"
    assert all(path.is_file() for path in again.record.paths), again.record.folder
    stage.strips().remove(stage.result())
    assert bpy.ops.flowanchor.place(job=made.id) == {"FINISHED"}
    stage.outcome["again"] = stage.describe(stage.result())


def begun_after_the_last_save(stage: Any) -> None:
    """An edit, then save as, then quit: the file it was saved as has it. Saved as a copy, the first has it
    as soon as it is saved."""
    stage.scene()
    first, second, copy = (stage.folder / f"{name}.blend" for name in ("first", "second", "copy"))
    bpy.ops.wm.save_as_mainfile(filepath=str(first))
    made = stage.edit()
    stage.pump(lambda: stage.view(made).record.job, "the job is accepted")
    bpy.ops.wm.save_as_mainfile(filepath=str(copy), copy=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(second))
    bpy.ops.wm.open_mainfile(filepath=str(first))
    stage.module("ui.timer").tick()
    assert stage.session.job(made.id) is None
    bpy.ops.wm.open_mainfile(filepath=str(second))
    stage.module("ui.timer").tick()
    assert stage.view(made).owned
    assert stage.pump(lambda: stage.view(made).offered, "the result is offered")
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=str(first))
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=str(second))
    stage.module("ui.timer").tick()
    assert stage.view(made).owned, "once it is the second's it stays so"
    bpy.ops.wm.open_mainfile(filepath=str(copy))
    stage.module("ui.timer").tick()
    assert not stage.view(made).owned, "the first may know it now"


def startup_file(stage: Any) -> None:
    """A startup file saved while an edit runs: the open file keeps its edit, new files begin without."""
    stage.scene()
    made = stage.edit()
    stage.pump(lambda: stage.view(made).record.job, "the job is accepted")
    assert bpy.ops.wm.save_homefile() == {"FINISHED"}
    assert stage.view(made).owned
    assert bpy.context.scene.flowanchor.ledger, "the open file's own is back"
    path = str(stage.folder / "film.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert bpy.ops.wm.save_homefile() == {"FINISHED"}  # before any tick has looked into the file
    stage.module("ui.timer").tick()
    assert stage.view(made).owned
    bpy.ops.wm.read_homefile()
    stage.module("ui.timer").tick()
    assert not stage.session.jobs()
    assert len(stage.strips()) == 1, "it is the startup file that was saved"


def export_stopped(stage: Any) -> None:
    """Esc in the middle of an export: no folder is left, not beside the file either."""
    stage.scene()
    folder = stage.folder / "film"
    folder.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "film.blend"))
    exports = stage.module("preferences").exports_folder()
    work = stage.module("ui.work").Work(bpy.context)
    assert work.step()
    assert list(exports.rglob("*.png")), "nothing had been exported yet"
    work.close()
    assert not list(exports.rglob("*"))
    assert [path.name for path in folder.iterdir()] == ["film.blend"]
    assert not stage.session.jobs()


def equal_prompts(stage: Any) -> None:
    """Refused before anything is exported, and the panel says so beforehand."""
    scene = stage.scene()
    scene.flowanchor.target_prompt = f"  {scene.flowanchor.source_prompt} "
    draw_all = importlib.import_module("layouts").draw_all
    stage.outcome["shown"] = draw_all(scene, stage.strips()["shot"])
    preferences = stage.module("preferences")
    folders = [preferences.exports_folder(), *preferences.results_folders()]
    before = [sorted(folder.rglob("*")) for folder in folders]
    try:
        bpy.ops.flowanchor.edit()
    except RuntimeError as failure:
        stage.outcome["said"] = str(failure)
    assert [sorted(folder.rglob("*")) for folder in folders] == before, "something was exported"
    assert not stage.session.jobs()


def a_version_of_any_kind(stage: Any) -> None:
    version = stage.module("ui.draw_jobs").version
    stage.outcome["versions"] = [version(one) for one in ("0.1.0", "1.2.3+local.5", "0+source", "")]


SCENARIOS: dict[str, Callable[[Any], None]] = {
    one.__name__: one
    for one in (
        undone_past_the_edit,
        duplicated_while_it_runs,
        saved_while_sending,
        forgotten_in_a_copy,
        saved_as_another_file,
        begun_after_the_last_save,
        startup_file,
        export_stopped,
        equal_prompts,
        a_version_of_any_kind,
    )
}
