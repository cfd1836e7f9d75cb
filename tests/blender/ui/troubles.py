# SPDX-License-Identifier: Apache-2.0
"""Scenarios of inside.py about daemons that are missing or die, results that are gone, and hostile files."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy


def result_deleted(stage: Any) -> None:
    """The daemon forgot the job, its files are gone here: told, not raised."""
    stage.scene()
    made = stage.edit()
    assert stage.until_ended(made).state == "done"
    for path in stage.view(made).record.paths:
        path.unlink()
    stage.strips().remove(stage.result())
    (stage.folder / "delete-now").write_text(stage.view(made).record.job)
    stage.pump(lambda: True, "nothing")
    deadline = time.monotonic() + 200
    while not (stage.folder / "deleted").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    bpy.ops.flowanchor.place(job=made.id)
    found = stage.pump(lambda: stage.view(made) if stage.view(made).problem else None, "a problem")
    stage.outcome["problem"] = [found.problem.code, found.problem.message, found.problem.action]


def daemon_missing(stage: Any) -> None:
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


def dies_in_mid_job(stage: Any) -> None:
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


def hostile_file(stage: Any) -> None:
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
    stage.pump(lambda: not gone.exists(), "exports are removed", 120)
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


SCENARIOS: dict[str, Callable[[Any], None]] = {
    one.__name__: one
    for one in (
        result_deleted,
        daemon_missing,
        dies_in_mid_job,
        hostile_file,
    )
}
