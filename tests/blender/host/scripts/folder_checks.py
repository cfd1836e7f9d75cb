# SPDX-License-Identifier: Apache-2.0
"""Where results and exports are kept, and what is ever removed of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
from flowanchor.rendezvous import results_folder
from flowanchor_vse import preferences
from flowanchor_vse.logic.files import FileId
from flowanchor_vse.logic.ledger import Ledger, Origin, Record
from flowanchor_vse.logic.settings import EditSettings
from flowanchor_vse.ui import cleanup

from tests.blender.host.scripts import bench
from tests.blender.host.scripts.bench import FOLDER, check, refused

DATA = FOLDER / "data"
os.environ["XDG_DATA_HOME"] = str(DATA)
USERS = results_folder()
OUTSIDE = FOLDER / "outside"


def saved(name: str) -> Path:
    """Save the file in a folder of its own, which is returned."""
    folder = FOLDER / name
    folder.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "film.blend"))
    return folder


@contextmanager
def chosen(folder: str) -> Iterator[None]:
    """With this folder in the preferences, which the add-on has only when it is installed."""
    get = preferences.get
    preferences.get = lambda: SimpleNamespace(folder=folder, daemon_command="")
    try:
        yield
    finally:
        preferences.get = get


def exported(name: str, part: str = "clip", frames: int = 2) -> Path:
    folder: Path = preferences.exports_folder() / name / part
    folder.mkdir(parents=True)
    for index in range(frames):
        (folder / f"{index:06d}.png").write_bytes(b"frame")
    return folder


def record(name: str, *exports: Path, **changes: Any) -> Record:
    parts = [{"folder": str(folder)} for folder in exports]
    plan = {"clip": parts[0], "masks": parts[1:]} if parts else {}
    origin = Origin("Scene", "id", "shot", 1, 2, 1)
    values = {"folder": str(FOLDER / "results" / name), "state": "done", "job": "j", "plan": plan, **changes}
    return Record(name, origin, EditSettings(), **values)


@check
def a_file_without_a_place_keeps_results_with_the_users_data() -> None:
    assert preferences.results_folders() == [USERS]
    assert USERS.is_relative_to(DATA) or sys.platform != "linux"
    with chosen("//beside"):
        assert preferences.results_folders() == [USERS], "beside nothing"


@check
def a_saved_file_keeps_results_beside_it() -> None:
    folder = saved("beside")
    assert preferences.results_folders() == [folder / preferences.BESIDE, USERS]
    made = preferences.make_results_folder("edit-1")
    assert made == folder / preferences.BESIDE / "edit-1"
    cleanup.remove_results(made)
    assert not made.parent.exists(), "nothing is in it"
    with chosen(str(FOLDER / "mine")):
        assert preferences.results_folders()[0] == FOLDER / "mine"
        assert preferences.make_results_folder("edit-2") == FOLDER / "mine" / "edit-2"
        cleanup.remove_results(FOLDER / "mine" / "edit-2")
    assert (FOLDER / "mine").is_dir(), "a folder the user chose stays"


@check
def where_nothing_can_be_written_beside_the_file_the_users_data_serve() -> None:
    folder = saved("unwritable")
    (folder / preferences.BESIDE).write_bytes(b"a file in the way")
    assert preferences.make_results_folder("edit-3") == USERS / "edit-3"
    with chosen(str(folder / preferences.BESIDE)):
        refused("no-folder", lambda: preferences.make_results_folder("edit-4"))


@check
def results_beside_earlier_ones_follow_the_same_rule() -> None:
    folder = saved("again")
    make = preferences.make_results_folder
    mine, earlier = FOLDER / "mine-again", make("edit-6")
    assert make("edit-7", beside=str(earlier)) == folder / preferences.BESIDE / "edit-7"
    assert make("edit-6", beside=str(earlier)) == earlier, "it is there, and can be written"
    assert make("edit-8", beside="/elsewhere/edit-6") == folder / preferences.BESIDE / "edit-8"
    with chosen(str(mine)):
        assert make("edit-9", beside=str(earlier)) == folder / preferences.BESIDE / "edit-9"
        for name in ("edit-6", "edit-7", "edit-8", "edit-9"):
            cleanup.remove_results(folder / preferences.BESIDE / name)
        (folder / preferences.BESIDE).write_bytes(b"a file in the way")
        assert make("edit-10", beside=str(earlier)) == mine / "edit-10"
    assert make("edit-11", beside=str(earlier)) == USERS / "edit-11"
    assert make("edit-12", beside=str(USERS / "edit-11")) == USERS / "edit-12"


@check
def a_folder_that_is_there_and_cannot_be_written_is_none() -> None:
    folder = saved("closed")
    real = os.access

    def access(path: Path, mode: int) -> bool:
        return not path.is_relative_to(folder) and real(path, mode)

    os.access = access  # type: ignore[assignment]
    try:
        assert preferences.make_results_folder("edit-13") == USERS / "edit-13"
    finally:
        os.access = real


@check
def a_link_beside_a_file_is_not_followed() -> None:
    folder = saved("linked")
    OUTSIDE.mkdir(exist_ok=True)
    (folder / preferences.BESIDE).symlink_to(OUTSIDE)
    assert preferences.results_folders() == [USERS]
    assert preferences.make_results_folder("edit-5") == USERS / "edit-5"


@check
def exports_of_what_was_sent_are_removed_and_nothing_else() -> None:
    clip, mask = exported("sent"), exported("sent", "mask")
    needed, foreign = exported("needed"), exported("foreign")
    (mask / "notes.txt").write_bytes(b"mine")
    elsewhere = FOLDER / "elsewhere" / "clip"
    elsewhere.mkdir(parents=True)
    (elsewhere / "000000.png").write_bytes(b"mine")
    ledger = Ledger(
        [
            record("a", clip, mask),
            record("b", needed),
            record("c", needed, state="uploading", job=""),
            record("d", foreign, file="another"),
            record("e", elsewhere),
            record("f", preferences.exports_folder() / "sent" / ".." / ".." / "elsewhere" / "clip"),
        ],
        FileId("ours", "/film.blend"),
    )
    cleanup.exports(ledger)
    assert not clip.exists()
    assert sorted(path.name for path in mask.iterdir()) == ["notes.txt"]
    assert len(list(needed.iterdir())) == len(list(foreign.iterdir())) == 2
    assert (elsewhere / "000000.png").exists()
    gone = ledger.find("b")
    assert gone is not None
    cleanup.forget(gone, ledger)
    assert needed.exists(), "another edit sends the same"
    cleanup.forget(gone, Ledger())
    assert not needed.parent.exists()


@check
def forgetting_an_edit_keeps_its_results() -> None:
    folder = FOLDER / "results" / "kept"
    folder.mkdir(parents=True)
    (folder / "000000.png").write_bytes(b"result")
    (folder / "clip").mkdir()
    (folder / "clip" / "000000.png").write_bytes(b"result")
    cleanup.forget(record("kept"), Ledger())
    assert (folder / "000000.png").exists()
    assert (folder / "clip" / "000000.png").exists()


@check
def exports_that_nobody_touches_for_long_are_swept() -> None:
    old, new, link = exported("old"), exported("new"), preferences.exports_folder() / "link"
    OUTSIDE.mkdir(exist_ok=True)
    (OUTSIDE / "clip").mkdir()
    (OUTSIDE / "clip" / "000000.png").write_bytes(b"mine")
    link.symlink_to(OUTSIDE)
    now = new.stat().st_mtime
    long_ago = now - cleanup.FORGOTTEN_SECONDS - 10
    for folder in (old, OUTSIDE / "clip", OUTSIDE):
        os.utime(folder, (long_ago, long_ago))
    cleanup.sweep(now)
    assert not old.parent.exists()
    assert len(list(new.iterdir())) == 2
    assert (OUTSIDE / "clip" / "000000.png").exists()
    assert link.is_symlink()


bench.run_all()
