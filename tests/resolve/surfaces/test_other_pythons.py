# SPDX-License-Identifier: Apache-2.0
"""What runs inside Resolve, run by other Pythons, as far as this machine has them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flowanchor_resolve import handoff, meeting, menu_files
from flowanchor_resolve.session import Task

from tests.resolve.core.scene import footage
from tests.resolve.pythons import VERSIONS, python
from tests.resolve.surfaces.scene import PatchEditing, secret_world, until
from tests.resolve.surfaces.test_sidecar import Running, start

__all__ = ["start"]
ROOT = Path(__file__).parents[3]
Own = Callable[[str], Path]
IMPORT_ALL = """
import importlib, pkgutil, flowanchor_resolve
for found in pkgutil.walk_packages(flowanchor_resolve.__path__, "flowanchor_resolve."):
    if found.name != "flowanchor_resolve.scripts.menu_script":
        importlib.import_module(found.name)
"""


@pytest.fixture(scope="module", params=VERSIONS)
def other(request: pytest.FixtureRequest) -> str:
    found = python(request.param)
    if found is None:
        pytest.skip(f"there is no Python {request.param} here")
    return found


def run(other: str, *arguments: str, **more: str) -> str:
    """What a Python says that has nothing but our package, warnings being failures."""
    done = subprocess.run(
        [other, "-W", "error", "-W", "ignore::ResourceWarning", *arguments],
        env={**os.environ, "PYTHONPATH": str(menu_files.PACKAGE.parent), **more},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def test_all_of_the_package_can_be_loaded(other: str) -> None:
    run(other, "-c", IMPORT_ALL)


@pytest.mark.parametrize("version", ["18.6", "21.0.4"])
def test_the_free_editions_menu(other: str, own_folders: Own, tmp_path: Path, version: str) -> None:
    movie = footage(tmp_path)
    with secret_world(
        tmp_path, movie, movie, version=version, edition="free", where="in-app", profile="hostile"
    ) as world:
        assert world.project is not None
        timeline: Any = world.project.current
        timeline.tracks["video"].reverse()  # what is uppermost under the playhead is edited

        def menu(action: str) -> str:
            script = tmp_path / f"{action}.py"
            script.write_text(menu_files.script_of(action))
            return run(other, "-m", "tests.resolve.standin.inside", str(script), **world.environment())

        assert "Now run `flowanchor resolve edit --handoff`" in menu("edit")
        request = handoff.read(handoff.find())
        task = Task(request.selection, request.footage, request.region, tmp_path)
        made = PatchEditing(tmp_path / "edited.mov").edit(task)
        assert made is not None
        handoff.finish(request, replace(made, deliver="patch"))
        assert "1 result is on the timeline." in menu("place")
        assert [len(track.items) for track in timeline.tracks["video"]] == [1, 1, 1]
        assert "off the timeline again" in menu("undo")
        assert [len(track.items) for track in timeline.tracks["video"]] == [1, 1]


def test_studios_menu_reaches_the_sidecar(
    other: str, own_folders: Own, start: Callable[..., Running]
) -> None:
    running = start()
    said = run(other, "-c", "from flowanchor_resolve import poke; print(poke.poke('edit').text)")
    assert said.strip() == "FlowAnchor Edit begins."
    until(lambda: running.status() == "edit is done.", "it is done")
    assert meeting.sidecar_lives(running.folder)


def test_a_python_that_is_too_old_is_told(tmp_path: Path) -> None:
    """The script itself is read by older ones, to say so."""
    found = next((path for minor in ("3.9", "3.8", "3.7", "3.6") if (path := python(minor))), None)
    if found is None:
        pytest.skip("there is no older Python here")
    script = tmp_path / "FlowAnchor Edit.py"
    script.write_text(menu_files.script_of("edit"))
    said = run(found, str(script))
    assert "Install 3.10 or newer, then restart Resolve." in said
