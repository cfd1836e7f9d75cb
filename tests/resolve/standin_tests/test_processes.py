# SPDX-License-Identifier: Apache-2.0
"""Scripts in processes of their own meet the world of the test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.resolve.standin.line import ContractBroken
from tests.resolve.standin.world import Behaviour, Clip, World

Make = Callable[..., World]
CONNECT = "import DaVinciResolveScript as d; resolve = d.scriptapp('Resolve')\n"
PROJECT = CONNECT + "project = resolve.GetProjectManager().GetCurrentProject()\n"


def run(
    world: World, code: str, behaviour: Behaviour = "answer", limit: float = 200, plain: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run code in a Python that has the standard library only, unless it is not `plain`."""
    return subprocess.run(
        [sys.executable, *(["-S"] if plain else []), "-c", code],
        env={**os.environ, **world.environment(behaviour)},
        capture_output=True,
        text=True,
        timeout=limit,
        check=False,
    )


def test_a_child_process_gets_the_same_resolve(make: Make, movie: Path) -> None:
    world = make("20")
    world.add_timeline(clips=[Clip(movie, first=5, frames=10, name="shot")])
    child = run(
        world,
        PROJECT + "import json\nitem, = project.GetCurrentTimeline().GetItemListInTrack('video', 1)\n"
        "print(json.dumps([resolve.GetVersionString(), item.GetName(), item.GetLeftOffset()]))\n"
        "print('GetSelectedClips' in dir(project.GetCurrentTimeline()), resolve.KEYFRAME_MODE_SIZING)\n"
        "print(project.GetCurrentTimeline().GetMarkers(), resolve.EXPORT_AAF)",
    )
    assert child.returncode == 0, child.stderr
    told, listed, plain = child.stdout.splitlines()
    assert json.loads(told) == ["20.3.2.9", "shot", 5]
    assert listed == "False 2"
    assert plain.startswith("{} ")
    assert "EXPORT_AAF" in plain


def test_what_one_process_does_the_next_one_finds(make: Make, movie: Path) -> None:
    world = make()
    timeline = world.add_timeline(clips=[Clip(movie)])
    first = run(
        world,
        PROJECT + f"pool = project.GetMediaPool()\nclip, = pool.ImportMedia([{str(movie)!r}])\n"
        "timeline = project.GetCurrentTimeline()\ntimeline.AddTrack('video')\n"
        "pool.AppendToTimeline([{'mediaPoolItem': clip, 'startFrame': 0, 'endFrame': 8, 'trackIndex': 2,"
        " 'recordFrame': 86402, 'mediaType': 1}])\n"
        "timeline.AddMarker(2, 'Blue', 'FlowAnchor', '', 8, 'id')",
    )
    assert first.returncode == 0, first.stderr
    (placed,) = timeline.tracks["video"][1].items
    assert (placed.start, placed.duration) == (86402, 8)
    second = run(world, PROJECT + "print(project.GetCurrentTimeline().GetMarkers())")
    assert second.stdout.startswith("{2.0: {'color': 'Blue', 'duration': 8.0"), second.stderr


def test_it_may_give_nothing_hang_crash_or_be_missing(make: Make) -> None:
    world = make()
    assert run(world, CONNECT + "print(resolve)", "none").stdout == "None\n"
    with pytest.raises(subprocess.TimeoutExpired):
        run(world, CONNECT, "hang", limit=1)
    assert run(world, CONNECT, "crash").returncode not in (0, 1)
    missing = run(world, CONNECT, "raise")
    assert missing.returncode == 1
    assert "ImportError" in missing.stderr


@pytest.mark.parametrize(
    "world",
    [{"edition": "free"}, {"scripting": False}, {"running": False}],
    ids=["free edition", "preference off", "not running"],
)
def test_scriptapp_gives_none_where_a_real_one_does(make: Make, world: dict[str, object]) -> None:
    assert run(make(**world), CONNECT + "print(resolve)").stdout == "None\n"


def test_a_child_that_breaks_the_contract_fails_and_so_does_the_test() -> None:
    world = World()
    child = run(world, PROJECT + "try: project.NoSuchThing()\nexcept Exception: pass")
    assert child.returncode == 1
    assert "ContractBroken" in child.stderr
    with pytest.raises(ContractBroken, match="NoSuchThing"):
        world.__exit__(None, None, None)


def test_what_is_not_modelled_is_told_to_the_child(make: Make) -> None:
    child = run(make(), PROJECT + "project.GetGallery()")
    assert child.returncode == 1
    assert "NotModelled" in child.stderr


def inside(world: World, script: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.resolve.standin.inside", str(script), "argument"],
        env={**os.environ, **world.environment()},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.mark.parametrize(
    ("version", "runs"), [("18.6", True), ("19.1", True), ("21.0.4", True), ("21.1", False)]
)
def test_a_menu_script_runs_inside_the_free_edition_until_21_1(
    make: Make, tmp_path: Path, version: str, runs: bool
) -> None:
    script = tmp_path / "Edit.py"
    script.write_text(
        "import sys\n"
        "print(resolve.GetProductName(), app.GetResolve().GetCurrentPage(), sys.argv[1], __name__)\n"
        "assert bmd.scriptapp('Resolve') is resolve"
    )
    done = inside(make(version, "free", where="in-app"), script)
    if runs:
        assert done.stdout == "DaVinci Resolve edit argument __main__\n", done.stderr
    else:
        assert (done.returncode, done.stdout) == (3, "")


def test_a_render_goes_on_while_a_child_watches_it(make: Make, movie: Path, tmp_path: Path) -> None:
    world = make()
    world.add_timeline(clips=[Clip(movie)])
    child = run(
        world,
        PROJECT + "import time\nproject.SetCurrentRenderFormatAndCodec('mov', 'ProRes422HQ')\n"
        f"project.SetRenderSettings({{'TargetDir': {str(tmp_path)!r}, 'CustomName': 'out'}})\n"
        "job = project.AddRenderJob()\nproject.StartRendering([job])\n"
        "while project.IsRenderingInProgress(): time.sleep(0.01)\n"
        "print(project.GetRenderJobStatus(job)['JobStatus'])",
    )
    assert child.stdout == "Complete\n", child.stderr
    assert (tmp_path / "out.mov").stat().st_size > 0


def test_a_dead_world_is_noticed(make: Make) -> None:
    world = make()
    environment = {**os.environ, **world.environment()}
    world.close()
    child = subprocess.run(
        [sys.executable, "-c", CONNECT],
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert "ConnectionRefusedError" in child.stderr
