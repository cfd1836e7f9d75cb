# SPDX-License-Identifier: Apache-2.0
"""`flowanchor resolve` as processes of their own, against a stand-in, with a real daemon and `shapes`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from flowanchor_resolve import handoff, meeting, menu_files, replay, sidecar

from flowanchor_core.shapes.demo import DemoClip, demo_clip
from tests.e2e.conftest import end_daemon, environment_in
from tests.resolve.core.scene import alphas, own_settings, probe, state_of
from tests.resolve.standin.model.item import Look
from tests.resolve.standin.model.pictures import Stage
from tests.resolve.standin.world import Clip, World
from tests.resolve.surfaces.test_sidecar import until

SIZE, START, FIRST, FRAMES = (64, 64), 86_400, 5, 12
CIRCLE, SQUARE = 0, 1
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoClip:
    return demo_clip(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Of one daemon for all of these tests."""
    environment = environment_in(tmp_path_factory.mktemp("home"))
    yield environment
    end_daemon(environment)


@pytest.fixture
def folders(tmp_path: Path, environment: dict[str, str]) -> dict[str, str]:
    """The daemon's environment with results and a home of the test's own."""
    (tmp_path / "home").mkdir()
    return {**environment, "FLOWANCHOR_RESULTS": str(tmp_path / "results"), "HOME": str(tmp_path / "home")}


@pytest.fixture
def world(tmp_path: Path, demo: DemoClip, request: pytest.FixtureRequest) -> Iterator[World]:
    """The demo's clip on track 1, its circle's mask on the track FA MASK, a marker with the wish. Strict,
    unless a test says otherwise."""
    volume = tmp_path / "volume"
    volume.mkdir()
    with World(profile=getattr(request, "param", "strict"), volumes=[volume]) as made:
        fill(made, demo)
        own_settings(made, volume)
        yield made


def fill(world: World, demo: DemoClip) -> Any:
    edit = demo.edits[CIRCLE]
    clips = [
        Clip(demo.clip, at=FIRST, first=2, frames=FRAMES),
        Clip(edit.mask, at=FIRST, first=2, frames=FRAMES, track=2),
    ]
    timeline = world.add_timeline(Fraction(24), size=SIZE, clips=clips, name="Reel 1")
    timeline.tracks["video"][1].name = "FA MASK"
    timeline.tracks["video"][1].enabled = False
    wish = f"shows: {demo.source_prompt}\nshould show: {edit.target_prompt}\nwords: {', '.join(edit.words)}"
    assert timeline.tracks["video"][0].items[0].AddMarker(2.0, "Purple", "FlowAnchor", wish, 1.0)
    timeline.SetCurrentTimecode("01:00:00:08")
    return timeline


def environment_of(world: World, folders: dict[str, str]) -> dict[str, str]:
    found = world.environment()
    path = os.pathsep.join((found["PYTHONPATH"], folders["PYTHONPATH"]))
    return {**folders, **found, "PYTHONPATH": path}


@pytest.fixture
def run(world: World, folders: dict[str, str], tmp_path: Path) -> Run:
    """Run `flowanchor resolve` with arguments."""
    environment = environment_of(world, folders)

    def ran(*arguments: object, code: int = 0, **more: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "flowanchor_daemon.cli", "resolve", *map(str, arguments)]
        done = subprocess.run(
            command, env={**environment, **more}, cwd=tmp_path, capture_output=True, text=True, timeout=240
        )
        assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return ran


def last(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(found, dict)
    return found


def shown(world: World) -> list[Any]:
    """The timeline's pictures over the clip, RGBA from 0 to 1, as it is now."""
    assert world.project is not None
    assert world.project.current is not None
    stage = Stage(world.project.current, SIZE)
    try:
        return [stage.at(START + FIRST + number) for number in range(FRAMES)]
    finally:
        stage.close()


def marked(demo: DemoClip, grow: int) -> list[Any]:
    """Where the circle is or may be changed, frame by frame of the clip on the timeline."""
    import cv2

    with av.open(str(demo.edits[CIRCLE].mask)) as container:
        masks = [frame.to_ndarray(format="gray") > 127 for frame in container.decode(video=0)]
    kernel = np.ones((2 * grow + 1, 2 * grow + 1), np.uint8)
    return [cv2.dilate(mask.astype(np.uint8), kernel) > 0 for mask in masks[2 : 2 + FRAMES]]


def leftovers(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("world", ["strict", "hostile"], indirect=True)
def test_an_edit_and_its_undo_in_two_processes(
    run: Run, world: World, demo: DemoClip, tmp_path: Path
) -> None:
    before, pictures = state_of(world), shown(world)
    told = last(run("edit", "--track", 1, "--feather", 2, "--seed", 5, "--json"))
    placed = told["placed"]
    assert (placed["track"], placed["start"], placed["end"]) == (3, START + FIRST, START + FIRST + FRAMES)
    assert placed["made_track"] is True
    assert (told["frames"], told["rate"], told["deliver"], told["format"]) == (
        FRAMES,
        "24/1",
        "patch",
        "prores4444",
    )
    assert (told["start_timecode"], told["max_abs_diff_outside"], told["seed"]) == ("01:00:00:05", 0, 5)
    result = tmp_path / "results" / "Reel 1" / "two-things-patch.mov"
    assert told["output"] == str(result)

    now = shown(world)
    inside = marked(demo, grow=3)
    for was, is_, mask, alpha in zip(pictures, now, inside, alphas(result), strict=True):
        assert np.array_equal(was[~mask], is_[~mask]), "a picture outside the region has changed"
        assert not alpha[~mask].any()
    changes = [np.abs(was - is_)[mask].max() for was, is_, mask in zip(pictures, now, inside, strict=True)]
    assert max(changes) > 0.1, "the region shows no edit"
    assert leftovers(tmp_path / "volume") == []

    assert world.project is not None
    assert world.project.current is not None
    names = [track.name for track in world.project.current.tracks["video"]]
    assert names == ["Video 1", "FA MASK", "FlowAnchor"]

    assert last(run("undo", "--json")) == {"undone": told["job"]}
    assert [np.array_equal(one, other) for one, other in zip(shown(world), pictures, strict=True)] == [
        True
    ] * FRAMES
    after = state_of(world)
    assert (after, after["bin"]) == (before, before["bin"])
    assert "resolve-nothing-placed" in run("undo", "--json", code=2).stdout


def test_left_to_the_daemon_and_placed_later(run: Run, world: World, tmp_path: Path) -> None:
    job = last(run("edit", "--track", 1, "--detach", "--json"))["job"]
    assert leftovers(tmp_path / "results") == []
    told = last(run("place", "--json"))
    assert told["job"] == job
    assert told["placed"]["track"] == 3
    again = last(run("edit", "--again", "--seed", 9, "--json"))
    assert again["seed"] == 9
    assert (again["placed"]["track"], again["placed"]["start"]) == (4, told["placed"]["start"])
    assert again["settings"] == told["settings"]
    run("place", job[:12], "--undo", "--json")
    assert last(run("undo", "--json"))["undone"] == again["job"]


def test_a_part_with_a_box_as_a_whole_take(run: Run, world: World, tmp_path: Path) -> None:
    out = tmp_path / "named.mov"
    told = last(
        run(
            *(
                "edit",
                "--clip",
                "two-things.mkv",
                "--frames",
                "3-7",
                "--box",
                "10,12,20,20",
                "--deliver",
                "full",
            ),
            *("-o", out, "--no-place", "--json"),
        )
    )
    assert (told["frames"], told["output"], told["placed"]) == (5, str(out), None)
    assert told["deliver"] == "full"
    assert out.is_file()
    calls = len(world.calls)
    assert "output-name" in run("edit", "--track", 1, "-o", tmp_path / "x.mkv", "--json", code=2).stdout
    assert not any(call.name == "AddRenderJob" for call in world.calls[calls:]), "it was exported in vain"


def test_the_clips_own_file_gets_the_timelines_timecode(run: Run, world: World, demo: DemoClip) -> None:
    told = last(run("edit", "--track", 1, "--source-file", "--box", "10,12,20,20", "--json"))
    assert world.called("StartRendering") == []
    assert (told["frames"], told["start_timecode"]) == (FRAMES, "01:00:00:05")
    assert probe(Path(told["output"])).start_timecode == "01:00:00:05"
    assert told["placed"]["start"] == START + FIRST
    assert demo.clip.is_file()


POLYGON = """Composition { RenderRange = { 0, 11 }, Tools = ordered() { Polygon1 = PolylineMask { Inputs = {
    Polyline = Input { Value = Polyline { Closed = true, Points = {
        { X = -0.25, Y = -0.25 }, { X = 0.25, Y = -0.25 }, { X = 0.25, Y = 0.25 }, { X = -0.25, Y = 0.25 },
    } } } } } } }"""
MIDDLE = (16, 16, 32, 32)
"""The polygon's square in pixels."""


@pytest.mark.parametrize("source", ["fusion", "alpha", "matte"])
def test_a_region_from_each_place_on_the_timeline(
    run: Run, world: World, demo: DemoClip, tmp_path: Path, source: str
) -> None:
    look = Look(alpha=MIDDLE) if source == "alpha" else Look()
    more: dict[str, Any] = {"fusion": {"fusion": POLYGON}, "matte": {"mattes": [demo.edits[SQUARE].mask]}}
    clip = Clip(demo.clip, first=2, frames=FRAMES, name="other", look=look, **more.get(source, {}))
    world.add_timeline(Fraction(24), size=SIZE, clips=[clip], name="Reel 2")
    prompts = ("--source", demo.source_prompt, "--target", demo.edits[SQUARE].target_prompt)
    told = last(run("edit", "--clip", "other", "--mask-from", source, *prompts, "--feather", 0, "--json"))
    assert told["placed"]["track"] == 2
    changed = np.any([alpha > 127 for alpha in alphas(Path(told["output"]))], axis=0)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    found = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    if source == "matte":
        with av.open(str(demo.edits[SQUARE].mask)) as container:
            masks = [frame.to_ndarray(format="gray") > 127 for frame in container.decode(video=0)]
        assert np.array_equal(changed, np.any(masks[2 : 2 + FRAMES], axis=0))
    else:
        assert found == (16, 16, 48, 48)
    assert f'"mask":"{source}"' in next(iter(timeline_markers(world)))
    assert leftovers(tmp_path / "volume") == []


def timeline_markers(world: World) -> list[str]:
    """customData of the timeline's markers."""
    assert world.project is not None
    assert world.project.current is not None
    return [str(marker["customData"]) for marker in world.project.current.GetMarkers().values()]


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
        until(lambda: process.poll() is not None or world.called("StartRendering"), "it renders", 60)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
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
        until(lambda: process.poll() is not None or b"edit: 0/" in said.read_bytes(), "it edits", 120)
        process.send_signal(signal.SIGINT)
        process.wait(60)
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
        timeout=60,
    )
    assert json.loads(listed.stdout)[0]["state"] == "cancelled"


def test_the_doctor(run: Run, world: World) -> None:
    done = run("doctor", "--json")
    report = last(done)
    found = {finding["name"]: finding for finding in report["findings"]}
    assert report["problems"] == 0
    assert found["resolve"]["level"] == "ok"
    assert "DaVinci Resolve Studio 21.0.4" in found["resolve"]["text"]
    assert found["resolve preference"]["level"] == "ok"
    assert found["script FlowAnchor Edit"]["level"] == "warning"
    world.scripting = False
    report = last(run("doctor", "--json", code=0 if not_running_here() else 4))
    assert next(one for one in report["findings"] if one["name"] == "resolve")["action"]


def not_running_here() -> bool:
    """Whether this machine has no Resolve of its own running, which the doctor would then ask to start."""
    from flowanchor_resolve.running import resolve_runs

    return resolve_runs() is False


def test_a_recorded_edit_is_replayed(run: Run, world: World, demo: DemoClip, tmp_path: Path) -> None:
    path = tmp_path / "edit.jsonl"
    run("record", "-o", path, "edit", "--track", 1, "--feather", 2)
    text = path.read_text()
    for secret in (demo.source_prompt, "two-things", "Reel 1", str(tmp_path)):
        assert secret not in text
    done = subprocess.run(
        [sys.executable, "-m", "flowanchor_resolve.replay", str(path)],
        env={**os.environ, "PYTHONPATH": str(menu_files.PACKAGE.parent)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "calls are as recorded" in done.stdout
    assert "record-place" in run("record", "-o", path, "edit", code=2).stderr or path.read_text() == text
    assert "Nothing says what to record" in run("record", "-o", tmp_path / "x", "jobs", code=2).stderr


def test_a_look_can_be_recorded_and_changes_nothing(run: Run, world: World, tmp_path: Path) -> None:
    before = state_of(world)
    done = run("record", "-o", tmp_path / "look.jsonl", "doctor")
    assert "0 results are on the timeline." in done.stdout
    assert state_of(world) == before
    report = replay.replay(tmp_path / "look.jsonl")
    assert (report.difference, report.calls > 10) == ("", True)


# The menu scripts, inside Resolve.


def menu(world: World, folders: dict[str, str], action: str, folder: Path) -> str:
    """Run a menu script as Resolve does; what it printed."""
    script = folder / f"{action}.py"
    script.write_text(menu_files.script_of(action))
    done = subprocess.run(
        [sys.executable, "-m", "tests.resolve.standin.inside", str(script)],
        env=environment_of(world, folders),
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_menu_starts_a_sidecar_which_edits_and_places(
    world: World, folders: dict[str, str], tmp_path: Path
) -> None:
    launcher = Path(folders["XDG_DATA_HOME"]) / "flowanchor" / "launcher.json"
    launcher.parent.mkdir(parents=True, exist_ok=True)
    # The stand-in is found through PYTHONPATH, which menu scripts do not hand on.
    python = tmp_path / "python"
    path = environment_of(world, folders)["PYTHONPATH"]
    python.write_text(f"#!/bin/sh\nPYTHONPATH='{path}' exec '{sys.executable}' \"$@\"\n")
    python.chmod(0o700)
    meeting.write(launcher, {"argv": [str(python), "-m", "flowanchor_daemon.serve"]})
    assert world.project is not None
    assert world.project.current is not None
    # The free edition's way to say which clip, as the mask lies above it.
    world.project.current.tracks["video"][0].items[0].selected = True
    place = Path(folders["FLOWANCHOR_STATE"]) / "resolve"
    try:
        assert "FlowAnchor Edit begins." in menu(world, folders, "edit", tmp_path)
        until(lambda: "on the timeline" in (sidecar.status(place) or ""), "it is placed", 120)
        assert len(world.project.current.tracks["video"]) == 3
        assert "FlowAnchor Undo begins." in menu(world, folders, "undo", tmp_path)
        until(lambda: "off the timeline" in (sidecar.status(place) or ""), "it is taken off", 60)
        assert len(world.project.current.tracks["video"]) == 2
    finally:
        launcher.unlink()
        status = meeting.read(place / meeting.STATUS)
        if status is not None and meeting.sidecar_lives(place):
            os.kill(int(status["pid"]), signal.SIGTERM)
            until(lambda: not meeting.sidecar_lives(place), "the sidecar ends")


@pytest.mark.parametrize("version", ["18.6", "19.1", "20", "21.0.4"])
def test_the_free_editions_way(
    demo: DemoClip, folders: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    monkeypatch.setenv("FLOWANCHOR_RESULTS", folders["FLOWANCHOR_RESULTS"])
    with World(version, "free", "hostile", "in-app", volumes=[volume]) as world:
        timeline = fill(world, demo)
        # Before 21.0.4 it tells the clip under the playhead alone, the uppermost: the mask goes below.
        timeline.tracks["video"].reverse()
        own_settings(world, volume)
        before = state_of(world)
        said = menu(world, folders, "edit", tmp_path)
        assert "Now run `flowanchor resolve edit --handoff`" in said, said
        assert {key: value for key, value in state_of(world).items() if key != "bin"} == {
            key: value for key, value in before.items() if key != "bin"
        }
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "flowanchor_daemon.cli",
                "resolve",
                "edit",
                "--handoff",
                "--feather",
                "2",
                "--json",
            ],
            env=folders,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, done.stderr
        told = last(done)
        assert Path(told["output"]).parent == Path(told["handoff"])
        assert handoff.finished() == [Path(told["handoff"])]
        assert "1 result is on the timeline." in menu(world, folders, "place", tmp_path)
        assert handoff.finished() == []
        items = [item for track in timeline.tracks["video"] for item in track.items]
        assert len(items) == 3
        assert "off the timeline again" in menu(world, folders, "undo", tmp_path)


def test_free_21_1_is_told_in_words(demo: DemoClip, folders: dict[str, str], tmp_path: Path) -> None:
    """Its menu runs no scripts at all; from outside it does not answer either."""
    with World("21.1", "free", "hostile", "external", volumes=[tmp_path]) as world:
        fill(world, demo)
        done = subprocess.run(
            [sys.executable, "-m", "flowanchor_daemon.cli", "resolve", "edit", "--json"],
            env=environment_of(world, folders),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 2
        assert last(done)["error"]["code"] in (
            "resolve-not-running",
            "resolve-silent",
            "resolve-scripting-off",
        )
