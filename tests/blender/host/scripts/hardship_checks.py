# SPDX-License-Identifier: Apache-2.0
"""Full disks, missing files, saves that fail, values nobody typed: what is told, and what is left."""

from __future__ import annotations

import resource
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import bpy
import flowanchor_vse
from flowanchor_vse import export, masks, place, preferences, properties
from flowanchor_vse.logic.frames import FrameRange
from flowanchor_vse.logic.plan import Box, Footage, UploadPlan
from flowanchor_vse.logic.request import edit_request
from flowanchor_vse.logic.settings import EditSettings
from flowanchor_vse.masks import MaskChoice
from flowanchor_vse.ui import cleanup, estimate, runtime, thumbnails, timer, work

from tests.blender.host.scripts import bench
from tests.blender.host.scripts.bench import (
    FOLDER,
    MEDIA,
    check,
    finish,
    images,
    movie,
    raised,
    refused,
    scene,
    strips,
)
from tests.blender.host.scripts.drawing import drawn

flowanchor_vse.register()
PART = FrameRange(3, 6)
IMAGE = MEDIA / "images" / "000000.png"


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file can become larger than that: what goes beyond is lost, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def submitted() -> str:
    """An edit in the list; no tick sends it anywhere."""
    runtime.close()
    source = images("source")
    exported = export.ExportResult((IMAGE,), 0, 0, 0, Fraction(24), 192, 96, False)
    origin = place.origin_of(scene(), source, PART, MaskChoice("alpha"), exported)
    plan = UploadPlan(Footage((IMAGE,), 0, Fraction(24)), boxes=(Box(0, 0, 1, 1),))
    return runtime.get().session.submit(plan, EditSettings("a", "b"), origin, str(FOLDER / "edit"))


@check
def frames_a_full_disk_has_cut_off_are_not_handed_out() -> None:
    clip = images("clip")
    drawn()
    folder = FOLDER / "full"
    for size in (0, 40, 100):
        for begin in (
            partial(export.export_frames, clip, PART, folder, direct=False),
            partial(masks.export_mask, MaskChoice("mask", "region"), clip, PART, folder),
        ):
            steps = begin()
            with full_disk(size):
                refused("export-render", partial(finish, steps))
            assert not list(folder.iterdir())


@check
def frames_that_cannot_be_moved_or_written_are_told() -> None:
    clip = images("clip")
    settings = scene().flowanchor
    settings.source_prompt, settings.target_prompt = "a red car", "a green car"
    settings.mask_kind, settings.mask = "mask", drawn()[0]
    clip.use_flip_x = True  # or its own files were sent
    scene().sequence_editor.active_strip = clip
    edit = work.Work(bpy.context)
    edit.exports.joinpath("clip").write_bytes(b"a file in the way")
    told = refused("export-write", lambda: [None for _ in iter(edit.step, False)])
    assert str(edit.exports) in told.action
    assert "File exists" in told.message
    assert not edit.folder.exists()


@check
def run_again_and_vary_find_another_folder_where_the_first_cannot_be_written() -> None:
    edit = submitted()
    home = FOLDER / "folders"
    home.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(home / "film.blend"))
    (home / preferences.BESIDE).write_bytes(b"a file in the way")
    session = runtime.get().session
    run = session._runs[edit]
    run.record = replace(run.record, folder=str(home / preferences.BESIDE / "film-1"))
    users = preferences.results_folders()[-1]

    def newest() -> Path:
        return Path(session.jobs()[0].record.folder)

    assert bpy.ops.flowanchor.retry(job=edit) == {"FINISHED"}  # never accepted: sent again as itself
    assert len(session.jobs()) == 1
    assert newest() == users / "film-1"
    for press in (bpy.ops.flowanchor.retry, bpy.ops.flowanchor.vary):
        run.record = replace(
            run.record, job="job", state="done", folder=str(home / preferences.BESIDE / "film-1")
        )
        assert press(job=edit) == {"FINISHED"}
        assert newest().parent == users
        assert newest().is_dir()
    real, preferences.results_folders = preferences.results_folders, lambda: [home / preferences.BESIDE]
    try:
        known = len(session.jobs())
        said = str(raised(RuntimeError, lambda: bpy.ops.flowanchor.vary(job=edit)))
    finally:
        preferences.results_folders = real
    assert "The folder for results cannot be written" in said
    assert len(session.jobs()) == known, "nothing has begun"
    runtime.close()


@check
def a_stack_with_a_missing_file_below_is_refused() -> None:
    shutil.copy(MEDIA / "24.mp4", FOLDER / "lost.mp4")
    top = images("top", channel=4)
    lost = strips().new_movie("lost", str(FOLDER / "lost.mp4"), 2, 1)
    movie("below", channel=1)
    (FOLDER / "lost.mp4").unlink()

    def stack() -> Any:
        return finish(export.export_frames(top, PART, FOLDER / "stack", stack=True))

    told = refused("media-missing", stack)
    assert "lost.mp4" in told.message
    lost.mute = True
    stack()
    lost.mute, scene().sequence_editor.channels[2].mute = False, True
    stack()


@check
def an_edit_keeps_its_owner_when_a_save_fails() -> None:
    edit = submitted()
    (FOLDER / "no-folder").write_bytes(b"")
    raised(RuntimeError, lambda: bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "no-folder" / "a.blend")))
    path = str(FOLDER / "good.blend")
    for act in (bpy.ops.wm.save_as_mainfile, bpy.ops.wm.open_mainfile):
        act(filepath=path)
        view = runtime.get().session.job(edit)
        assert view is not None
        assert view.owned
    runtime.close()


@check
def what_the_last_file_had_gets_into_no_other() -> None:
    edit = submitted()
    bench.fresh()
    before = scene().flowanchor.ledger
    real = runtime.open_ledger

    def fails() -> Any:
        raise RuntimeError("made to fail")

    runtime.open_ledger = fails
    try:
        timer.tick()
        timer.tick()
        bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "other.blend"))
    finally:
        runtime.open_ledger = real
    assert scene().flowanchor.ledger == before
    assert runtime.get().session.job(edit) is None
    runtime.close()


@check
def previews_that_cannot_be_written_leave_the_panel_drawn() -> None:
    edit = submitted()
    found = runtime.get().session.job(edit)
    assert found is not None
    first, second = (replace(found, thumbnail=b"\xff\xd8", thumbnail_edition=one) for one in (1, 2))
    thumbnails.clear()
    real, tempfile.tempdir = tempfile.tempdir, str(FOLDER / "no such folder")
    try:
        assert thumbnails.icon(first) == 0
        assert not thumbnails._shown
    finally:
        tempfile.tempdir = real
    thumbnails.icon(first)  # without a window every icon has the number 0
    assert thumbnails._shown[edit][0] == 1
    assert thumbnails._folder is not None
    shutil.rmtree(thumbnails._folder)
    assert thumbnails.icon(second) == 0
    assert not thumbnails._shown
    thumbnails._folder.mkdir()
    thumbnails.icon(second)
    assert thumbnails._shown[edit][0] == 2
    thumbnails.clear()
    runtime.close()


@check
def a_folder_that_may_not_be_removed_stays() -> None:
    folder = FOLDER / "busy"
    folder.mkdir()
    real = Path.rmdir

    def denied(self: Path) -> None:
        raise PermissionError(13, "made to fail")

    Path.rmdir = denied  # type: ignore[method-assign]
    try:
        cleanup.remove_empty(folder)
    finally:
        Path.rmdir = real  # type: ignore[method-assign]
    assert folder.is_dir()


@check
def settings_of_another_version_are_told() -> None:
    panel = scene().flowanchor
    edit = EditSettings(
        *("a red car", "a green car"),
        preset="of tomorrow",
        priority=2**40,
        feather=3,
        parameters={"beta1": 0.5, "of many letters" * 10: 1, "big": 2**40},
    )
    left = properties.adopt(panel, edit, 9)
    assert left == ["preset", "priority", "of many letters" * 10, "big"]
    assert (panel.target_prompt, panel.feather, panel.seed, panel.preset) == ("a green car", 3, 9, "standard")
    assert properties.parameters(panel) == {"beta1": 0.5}
    assert properties.adopt(panel, EditSettings("a", "b"), 9) == []


@check
def what_is_no_number_is_not_sent() -> None:
    panel = scene().flowanchor
    for name, value in (("beta1", float("inf")), ("beta2", float("nan")), ("tau", 0.5)):
        panel.parameters[name] = value
    asked = estimate.request_for(scene(), PART)
    assert list(asked.edit.parameters) == ["tau"]
    plan = UploadPlan(Footage((IMAGE,)), boxes=(Box(0, 0, 1, 1),))
    assert edit_request(properties.to_edit(panel), plan, {IMAGE: "0" * 64}).parameters


@check
def a_result_waits_while_an_edit_is_exported() -> None:
    """One that lands below a strip whose stack is exported would change the picture under it."""
    edit = submitted()
    now = runtime.get()
    top = images("top", channel=5)
    steps = export.export_frames(top, PART, FOLDER / "waits", stack=True)
    next(steps)
    run = now.session._runs[edit]
    run.record, run.ready, run.due = replace(run.record, state="placing", files=(IMAGE.name,)), True, None
    now.session._runs.keep(run)
    now.work = object()  # type: ignore[assignment]
    try:
        for _ in range(3):
            timer.tick()
            next(steps)
    finally:
        now.work = None
    assert isinstance(raised(BaseException, lambda: next(steps)), StopIteration)
    assert len(strips()) == 2
    assert runtime.get().session.tick().to_place == (run.record,), "now it is its turn"
    runtime.close()


bench.run_all()
