# SPDX-License-Identifier: Apache-2.0
"""What goes wrong or is cut off is told, and leaves Resolve and the folders as they were."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flowanchor_core.shapes.demo import DemoClip
from tests.resolve.core.scene import state_of
from tests.resolve.standin.world import World
from tests.resolve.surfaces.commands.desk import (
    Run,
    environment_of,
    fill,
    last,
    leftovers,
)
from tests.resolve.surfaces.scene import until


def test_what_is_wrong_with_the_options_is_told_before_anything_is_exported(run: Run, world: World) -> None:
    assert world.project is not None
    assert world.project.current is not None
    world.project.current.tracks["video"][0].items[0].DeleteMarkersByColor("All")
    done = run("edit", "--track", 1, "--json", code=2)
    assert last(done)["error"]["code"] == "prompts-missing"
    prompts = ("--source", "a red circle", "--target", "a blue circle")
    for option, code in (
        (("--steps", 2000), "steps-out-of-range"),
        (("--box", "1,2"), "box-syntax"),
        (("--model", "wan2.1-t2v-1.3b"), "unknown-model"),
        (("--param", "tau=9"), "parameter-value"),
        (("--sheet", "sheet.jpg"), "sheet-format"),
    ):
        told = last(run("edit", "--track", 1, *prompts, *option, "--json", code=2))
        assert told["error"]["code"] == code
    assert world.called("AddRenderJob") == []


def test_failures_are_told_as_all_others_are(run: Run, world: World, tmp_path: Path) -> None:
    before = state_of(world)
    world.render_fate = "fail"
    done = run("edit", "--track", 1, "--json", code=2)
    assert last(done)["error"]["code"] == "resolve-render-failed"
    assert "Traceback" not in done.stderr
    assert state_of(world) == before
    assert leftovers(tmp_path / "volume") == leftovers(tmp_path / "results") == []
    world.scripting = False
    done = run("edit", "--track", 1, "--json", code=2)
    assert last(done)["error"]["code"] in ("resolve-not-running", "resolve-scripting-off")
    for behaviour in ("crash", "raise"):
        code = {"crash": "resolve-crashed", "raise": "resolve-module-broken"}[behaviour]
        told = world.environment(behaviour)
        done = run("edit", "--json", code=2, RESOLVE_STANDIN=told["RESOLVE_STANDIN"])
        assert last(done)["error"]["code"] == code


def watches_a_render(world: World) -> bool:
    """Whether the client has begun a render and looked how far it is."""
    names = [call.name for call in world.calls]
    return "StartRendering" in names and "GetRenderJobStatus" in names[names.index("StartRendering") :]


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_while_resolve_renders_restores_all(
    world: World, folders: dict[str, str], tmp_path: Path
) -> None:
    before = state_of(world)
    world.render_fate = "hang"
    process = subprocess.Popen(
        [sys.executable, "-m", "flowanchor_daemon.cli", "resolve", "edit", "--track", "1"],
        env=environment_of(world, folders),
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: process.poll() is not None or watches_a_render(world), "it renders", 200)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=200)
    finally:
        process.kill()
    assert process.returncode == 130, said
    assert state_of(world) == before
    assert leftovers(tmp_path / "volume") == []


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_while_the_daemon_edits_cancels_the_job(
    world: World, folders: dict[str, str], tmp_path: Path
) -> None:
    before = state_of(world)
    said = tmp_path / "said"
    with said.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "flowanchor_daemon.cli", "resolve", "edit", "--track", "1"),
                *("--steps", "1000", "--skip", "1"),
            ],
            env=environment_of(world, folders),
            cwd=tmp_path,
            stderr=output,
        )
    try:
        until(lambda: process.poll() is not None or b"edit: 0/" in said.read_bytes(), "it edits", 200)
        process.send_signal(signal.SIGINT)
        process.wait(200)
    finally:
        process.kill()
    assert process.returncode == 130, said.read_text()
    assert "Cancelling the edit" in said.read_text()
    assert state_of(world) == before
    assert leftovers(tmp_path / "results") == leftovers(tmp_path / "volume") == []
    listed = subprocess.run(
        [sys.executable, "-m", "flowanchor_daemon.cli", "jobs", "list", "--limit", "1", "--json"],
        env=folders,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert json.loads(listed.stdout)[0]["state"] == "cancelled"


def test_free_21_1_is_told_in_words(demo: DemoClip, folders: dict[str, str], tmp_path: Path) -> None:
    """Its menu runs no scripts at all; from outside it does not answer either."""
    with World("21.1", "free", "hostile", "external", volumes=[tmp_path]) as world:
        fill(world, demo)
        done = subprocess.run(
            [sys.executable, "-m", "flowanchor_daemon.cli", "resolve", "edit", "--json"],
            env=environment_of(world, folders),
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.returncode == 2
        assert last(done)["error"]["code"] in (
            "resolve-not-running",
            "resolve-silent",
            "resolve-scripting-off",
        )
