# SPDX-License-Identifier: Apache-2.0
"""Scenarios of inside.py about files that Blender saved by itself, and its user recovers."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

AUTOSAVE = "film_4711_autosave.blend"


def temporary(stage: Any) -> Path:
    """The folder in which this Blender keeps what it saves by itself."""
    folder: Path = stage.folder / "temporary"
    folder.mkdir(exist_ok=True)
    bpy.context.preferences.filepaths.temporary_directory = str(folder)
    return folder


def save_for_recovery(path: Path) -> None:
    """As Blender's autosave does, which runs in a window alone: no handler hears of it, paths stay as they
    are, and the file says of which one it is."""
    of = bpy.data.filepath
    handlers = {name: list(getattr(bpy.app.handlers, name)) for name in ("save_pre", "save_post")}
    try:
        for name in handlers:
            getattr(bpy.app.handlers, name).clear()
        bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, compress=False, relative_remap=False)
    finally:
        for name, some in handlers.items():
            getattr(bpy.app.handlers, name)[:] = some
    data = bytearray(path.read_bytes())
    at = data.index(b"GLOB")
    large = data[7:9] == b"17"  # Blender 5 writes longer heads of blocks
    start = at + (32 if large else 24)
    size = struct.unpack_from("<q", data, at + 16)[0] if large else struct.unpack_from("<i", data, at + 4)[0]
    field = slice(start + 80, start + 80 + 1024)  # FileGlobal.filepath, which only a recovery fills in
    assert size >= 80 + 1024
    assert not any(data[field]), "Blender has put something else there"
    data[field] = of.encode().ljust(1024, b"\0")
    path.write_bytes(data)


def killed_after_an_autosave(stage: Any) -> None:
    """An edit that is done and one that runs, both since the file was saved; then Blender is killed."""
    stage.scene()
    film = stage.folder / "film"
    film.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(film / "film.blend"))
    done = stage.edit()
    assert stage.until_ended(done).state == "done"
    running = stage.edit()
    stage.pump(lambda: stage.view(running).record.job, "the job is accepted")
    folder = temporary(stage)
    for name in (AUTOSAVE, "quit.blend"):
        save_for_recovery(folder / name)
    stage.outcome["jobs"] = [done.id, running.id]


def recovered(stage: Any) -> None:
    """Both are known again, as the file's own; nothing of their results is lost."""
    folder = temporary(stage)
    film = stage.folder / "film" / "film.blend"
    done, running = stage.arguments["jobs"]
    place, rules = stage.module("place"), stage.module("strips")

    def look() -> None:
        assert bpy.data.filepath == str(film)
        stage.module("ui.timer").tick()
        views = {view.id: view for view in stage.session.jobs()}
        assert set(views) == {done, running}
        assert all(view.owned for view in views.values())
        assert views[done].state == "done"
        assert all(path.is_file() for path in views[done].record.paths)
        (strip,) = place.result_strips(bpy.context.scene, views[done].record)
        assert strip.directory.startswith("//flowanchor-results"), strip.directory
        files = rules.media_files(strip)
        assert files
        assert all(file.is_file() for file in files)

    assert bpy.ops.wm.recover_auto_save(filepath=str(folder / AUTOSAVE)) == {"FINISHED"}
    look()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    temporary(stage)
    stage.begin()
    assert bpy.ops.wm.recover_last_session() == {"FINISHED"}
    look()
    found = stage.pump(
        lambda: next((view for view in stage.session.jobs() if view.offered), None), "it is offered"
    )
    assert found.id == running
    assert bpy.ops.flowanchor.place_all() == {"FINISHED"}
    ended = stage.until_ended(found)
    assert ended.state == "done", ended
    assert Path(ended.record.folder).parent == film.parent / "flowanchor-results"
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=str(film))
    stage.module("ui.timer").tick()
    for view in stage.session.jobs():
        assert view.owned
        (strip,) = place.result_strips(bpy.context.scene, view.record)
        assert all(file.is_file() for file in rules.media_files(strip))


def opened_from_the_temporary_folder(stage: Any) -> None:
    """Opened as any other file, it is a copy; new results do not go where nothing is kept."""
    folder = temporary(stage)
    bpy.ops.wm.open_mainfile(filepath=str(folder / AUTOSAVE))
    stage.module("ui.timer").tick()
    views = stage.session.jobs()
    assert {view.id for view in views} == set(stage.arguments["jobs"])
    assert not any(view.owned for view in views)
    if hasattr(bpy.context.workspace, "sequencer_scene"):
        bpy.context.workspace.sequencer_scene = bpy.context.scene
    source = stage.strips()["shot"]
    source.filepath = stage.arguments["clip"]  # what is relative in such a file Blender does not find
    bpy.context.scene.sequence_editor.active_strip = source
    made = stage.edit()
    root = Path(stage.view(made).record.folder).parent
    assert root == stage.module("preferences").results_folders()[-1]
    assert not (folder / "flowanchor-results").exists()
    assert stage.until_ended(made).state == "done"


SCENARIOS: dict[str, Callable[[Any], None]] = {
    one.__name__: one for one in (killed_after_an_autosave, recovered, opened_from_the_temporary_folder)
}
