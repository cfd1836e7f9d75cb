# SPDX-License-Identifier: Apache-2.0
"""The known traps of Resolve's scripting interface, a test each; tests/resolve/README.md has the table.

Each test runs on a hostile Resolve, in which the trap is set, and most show as well that the trap bites
whoever does not know it.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import flowanchor_resolve
import pytest
from flowanchor_resolve.problems import ResolveProblem

from tests.resolve.core.conftest import Hosting, Make
from tests.resolve.core.scene import Clip, World, bins, numbers, probe, result_of, state_of, write_result
from tests.resolve.standin.names import names_used

Footage = Callable[..., Path]
PACKAGE = Path(flowanchor_resolve.__file__).parent


@pytest.fixture
def movie(tmp_path: Path) -> Path:
    return write_result(tmp_path / "edit.mov", Fraction(24), 20)


def timeline_of(world: World, footage: Footage, **more: Any) -> Any:
    clips = [Clip(footage(), at=10, first=5, frames=20, name="ours"), Clip(footage(), at=30, frames=10)]
    return world.add_timeline(**{"clips": clips, **more})


def raw(world: World) -> Any:
    """The project, as a script that knows no traps would use it."""
    return world.scriptapp("Resolve").GetProjectManager().GetCurrentProject()


def test_end_frame_is_exclusive_and_record_frame_absolute(
    make: Make, hosting: Hosting, footage: Footage, movie: Path
) -> None:
    world = make(profile="hostile")
    timeline = timeline_of(world, footage)
    host = hosting(world)
    selection = host.select(clip="ours")
    host.place(selection, result_of(movie, selection))
    ((info,),) = [call[0] for call in world.called("AppendToTimeline")]
    assert (info["startFrame"], info["endFrame"]) == (0, 20)
    assert (info["recordFrame"], info["trackIndex"]) == (86410, 2)
    (item,) = timeline.tracks["video"][1].items
    assert item.duration == 20
    pool = raw(world).GetMediaPool()
    clip = world.remote(world.add_media(footage()))
    believed = {"mediaPoolItem": clip, "startFrame": 0, "endFrame": 9, "trackIndex": 2, "recordFrame": 86500}
    (short,) = pool.AppendToTimeline([believed])
    assert short.GetDuration() == 9


def test_render_marks_are_absolute_and_the_last_is_included(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make(profile="hostile")
    timeline_of(world, footage)
    host = hosting(world)
    movie = host.export_range(host.select(clip="ours"), out, said.append)
    (marks,) = [
        (settings["MarkIn"], settings["MarkOut"])
        for (settings,) in world.called("SetRenderSettings")
        if "SelectAllFrames" in settings
    ]
    assert marks == (86410, 86429)
    assert numbers(movie.path) == list(range(5, 25))


def test_the_queue_is_read_before_a_render_starts(
    make: Make,
    hosting: Hosting,
    footage: Footage,
    out: Path,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Marks that Resolve did not take are seen in the job; nothing is rendered then."""
    world = make(profile="hostile")
    timeline_of(world, footage)
    project = type(world.project)
    plain = project.SetRenderSettings  # type: ignore[union-attr]

    def forgetful(self: Any, settings: dict[str, Any]) -> bool:
        kept = {key: value for key, value in settings.items() if key not in ("MarkIn", "MarkOut")}
        return bool(plain(self, kept))

    monkeypatch.setattr(project, "SetRenderSettings", forgetful)
    host = hosting(world)
    before = state_of(world)
    with pytest.raises(ResolveProblem) as problem:
        host.export_range(host.select(clip="ours"), out, said.append)
    assert problem.value.code == "resolve-job-differs"
    assert not world.called("StartRendering")
    assert state_of(world)["queue"] == before["queue"]


@pytest.mark.parametrize("blocked", ["occupied", "locked"])
def test_an_append_that_is_dropped_or_shifted_is_avoided_and_would_be_seen(
    make: Make, hosting: Hosting, footage: Footage, movie: Path, blocked: str
) -> None:
    world = make(profile="hostile")
    timeline = timeline_of(world, footage)
    timeline.AddTrack("video")
    timeline.tracks["video"][1].name = "FlowAnchor"
    if blocked == "locked":
        timeline.tracks["video"][1].locked = True
    else:
        world.add_clip(timeline, Clip(footage(), at=12, frames=2, track=2))
    clip = world.add_media(movie)
    believed = {"mediaPoolItem": world.remote(clip), "startFrame": 0, "endFrame": 20, "trackIndex": 2}
    answer = raw(world).GetMediaPool().AppendToTimeline([{**believed, "recordFrame": 86410}])
    assert answer, "Resolve says that it is there"
    assert clip not in [item.media for item in timeline.items()]
    host = hosting(world)
    selection = host.select(clip="ours")
    placed = host.place(selection, result_of(movie, selection))
    assert (placed.track, placed.made_track) == (3, True)


def test_render_settings_lie_on_the_loaded_preset(
    make: Make, hosting: Hosting, footage: Footage, out: Path, volume: Path, said: list[str]
) -> None:
    world = make(profile="hostile")
    timeline_of(world, footage)
    project = raw(world)
    assert project.LoadRenderPreset("Audio Only")
    believed = {"TargetDir": str(volume), "CustomName": "x", "ExportVideo": True, "SelectAllFrames": False}
    assert project.SetRenderSettings({**believed, "MarkIn": 86410, "MarkOut": 86429})
    job = project.AddRenderJob()
    assert project.StartRendering([job], False)
    while project.IsRenderingInProgress():
        time.sleep(0.01)
    with pytest.raises(ResolveProblem):
        probe(volume / "x.mov")  # no pictures, whatever was set
    assert project.DeleteRenderJob(job)
    before = state_of(world)
    host = hosting(world)
    movie = host.export_range(host.select(clip="ours"), out, said.append)
    assert numbers(movie.path) == list(range(5, 25))
    assert state_of(world) == before
    assert before["unseen"] == {"no_video": True}


def test_format_and_codec_are_chosen_by_id_and_the_file_is_looked_into(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make(profile="hostile")
    timeline_of(world, footage)
    host = hosting(world)
    host.export_range(host.select(clip="ours"), out, said.append)
    assert ("mov", "ProRes422HQ") in world.called("SetCurrentRenderFormatAndCodec")
    with pytest.raises(ResolveProblem) as problem:
        hosting(world, probe=lambda path: replace(probe(path), frames=19)).export_range(
            host.select(clip="ours"), out, said.append
        )
    assert problem.value.code == "resolve-render-differs"
    with pytest.raises(ResolveProblem) as problem:
        hosting(world, probe=lambda path: replace(probe(path), alpha=False)).export_mask(
            host.select(clip="ours"), "alpha", out, said.append
        )
    assert problem.value.code == "resolve-no-alpha"


def test_without_the_codecs_it_is_said(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make(profile="hostile", prores=False)
    timeline_of(world, footage)
    host = hosting(world)
    with pytest.raises(ResolveProblem) as problem:
        host.export_mask(host.select(clip="ours"), "alpha", out, said.append)
    assert problem.value.code == "resolve-codec-missing"
    assert "ProRes4444" in problem.value.message


def test_renders_go_to_media_storage_and_are_moved_from_there(
    make: Make, hosting: Hosting, footage: Footage, out: Path, volume: Path, said: list[str]
) -> None:
    world = make("21.1", "studio", "hostile")
    timeline_of(world, footage)
    assert not raw(world).SetRenderSettings({"TargetDir": str(out)})
    assert world.dialog
    world.dismiss_dialog()
    host = hosting(world)
    movie = host.export_range(host.select(clip="ours"), out, said.append)
    assert not world.dialog
    assert movie.path.parent == out
    named = [settings.get("TargetDir") for (settings,) in world.called("SetRenderSettings")][1:]
    targets = [target for target in named if target]
    assert targets
    assert all(Path(target).is_relative_to(volume) for target in targets)


def test_without_a_volume_to_write_to_it_is_said(
    make: Make, hosting: Hosting, footage: Footage, out: Path, tmp_path: Path, said: list[str]
) -> None:
    world = make("21.1", "studio", "hostile", volumes=[tmp_path / "unmounted"])
    timeline_of(world, footage)
    host = hosting(world)
    with pytest.raises(ResolveProblem) as problem:
        host.export_range(host.select(clip="ours"), out, said.append)
    assert problem.value.code == "resolve-no-volume"
    assert world.dialog is None


def test_a_still_is_never_appended(make: Make, hosting: Hosting, footage: Footage, tmp_path: Path) -> None:
    world = make(profile="hostile")
    timeline_of(world, footage)
    host = hosting(world)
    selection = host.select(clip="ours")
    (tmp_path / "edit.png").write_bytes(b"x")
    with pytest.raises(ResolveProblem) as problem:
        host.place(selection, result_of(tmp_path / "edit.png", selection))
    assert problem.value.code == "resolve-still"
    assert not world.called("ImportMedia")
    assert world.dialog is None


def test_a_result_of_another_rate_is_refused_before_it_is_one_frame_short(
    make: Make, hosting: Hosting, footage: Footage, tmp_path: Path
) -> None:
    world = make(profile="hostile")
    timeline_of(world, footage, rate=Fraction(24000, 1001))
    clip = world.add_media(footage(Fraction(24), 20, ".mov"))
    info = {"mediaPoolItem": world.remote(clip), "startFrame": 0, "endFrame": 20, "trackIndex": 1}
    (short,) = raw(world).GetMediaPool().AppendToTimeline([{**info, "recordFrame": 86500}])
    assert short.GetDuration() == 19
    host = hosting(world)
    selection = host.select(clip="ours")
    with pytest.raises(ResolveProblem) as problem:
        host.place(selection, result_of(footage(Fraction(24), selection.frames, ".mov"), selection))
    assert problem.value.code == "resolve-result-differs"
    exact = write_result(tmp_path / "exact.mov", Fraction(24000, 1001), selection.frames)
    placed = host.place(selection, result_of(exact, selection))
    assert placed.end - placed.start == selection.frames


def test_clips_are_deleted_on_the_edit_page_and_the_page_comes_back(
    make: Make, hosting: Hosting, footage: Footage, movie: Path
) -> None:
    world = make(profile="hostile")
    timeline = timeline_of(world, footage)
    host = hosting(world)
    selection = host.select(clip="ours")
    placed = host.place(selection, result_of(movie, selection))
    world.app.page = "color"
    item = world.remote(timeline.tracks["video"][1].items[0])
    assert not raw(world).GetCurrentTimeline().DeleteClips([item], False)
    host.undo(placed)
    assert len(timeline.tracks["video"]) == 1
    assert world.app.page == "color"


def test_imports_land_in_our_bin_and_the_users_bin_comes_back(
    make: Make, hosting: Hosting, footage: Footage, movie: Path
) -> None:
    world = make(profile="hostile")
    timeline_of(world, footage)
    pool = world.project.pool  # type: ignore[union-attr]
    theirs = pool.AddSubFolder(pool.root, "Rushes")
    assert pool.current is theirs
    host = hosting(world)
    selection = host.select(clip="ours")
    host.place(selection, result_of(movie, selection))
    assert pool.current is theirs
    assert bins(world)["/FlowAnchor/Timeline 1"] == ["edit.mov"]
    assert bins(world)["/Rushes"] == []


def test_fusion_is_rendered_through_deliver_and_never_with_a_saver(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make("21.1", "studio", "hostile")
    clips = [Clip(footage(), frames=4, name="ours", fusion_shows="invert")]
    timeline_of(world, footage, clips=clips)
    host = hosting(world)
    movie = host.export_range(host.select(clip="ours"), out, said.append)
    assert probe(movie.path).frames == 4
    assert numbers(movie.path) != [0, 1, 2, 3], "the composition is in the picture"
    assert world.dialog is None
    assert not {"Render", "AddTool", "Saver"} & {use.name for use in names_used(PACKAGE)}


@pytest.mark.parametrize("start", ["00:00:00:00", "01:00:00:00", "10:00:00:00"])
def test_markers_and_marks_are_relative_and_items_absolute(
    make: Make, hosting: Hosting, footage: Footage, movie: Path, start: str
) -> None:
    world = make("20", "studio", "hostile")
    timeline = timeline_of(world, footage, start_timecode=start)
    timeline.SetMarkInOut(10, 29, "all")
    host = hosting(world)
    selection = host.select(clip="ours")
    assert (selection.start - timeline.start, selection.frames) == (10, 20)
    placed = host.place(selection, result_of(movie, selection))
    assert list(timeline.markers) == [10]
    assert placed.start == timeline.start + 10


def test_versions_before_20_are_not_asked_for_marks(make: Make, hosting: Hosting, footage: Footage) -> None:
    world = make("19.1", "studio", "strict")
    timeline_of(world, footage)
    assert hosting(world).select(clip="ours").frames == 20
    assert not world.called("GetMarkInOut")


@pytest.mark.parametrize("version", ["18.6", "19.1"])
def test_no_studio_only_call_is_made_on_the_free_edition(
    make: Make, hosting: Hosting, footage: Footage, movie: Path, out: Path, said: list[str], version: str
) -> None:
    world = make(version, "free", "hostile", "in-app")
    timeline_of(world, footage)
    host = hosting(world)
    selection = host.select(clip="ours")
    host.export_range(selection, out, said.append)
    with pytest.raises(ResolveProblem):
        host.export_mask(selection, "auto", out, said.append)
    host.undo(host.place(selection, result_of(movie, selection)))
    host.undo(host.place(selection, result_of(movie, selection), as_take=True))
    assert host.placed() == []
    assert world.dialog is None


def test_names_with_forbidden_characters_are_made_safe(
    make: Make, hosting: Hosting, footage: Footage, movie: Path
) -> None:
    world = make("21.1", "studio", "hostile")
    timeline_of(world, footage, name='A/B: "cut" <2>?')
    pool = world.project.pool  # type: ignore[union-attr]
    assert pool.AddSubFolder(pool.root, "A/B") is None
    host = hosting(world)
    selection = host.select(clip="ours")
    host.place(selection, result_of(movie, selection))
    assert bins(world)["/FlowAnchor/A-B- -cut- -2-"] == ["edit.mov"]


def test_nothing_that_runs_inside_resolve_stays_there() -> None:
    """Of what a script inside Resolve can reach, endless loops are those of readers and of the wait for a
    render, which ends; nothing starts threads, timers or servers."""
    inside = _reachable({"inapp", "poke", "resolve_host"})
    assert {"resolve_host", "deliver", "watch", "place"} <= inside
    endless, banned = set(), set()
    for name in inside:
        tree = ast.parse(PACKAGE.joinpath(*name.split(".")).with_suffix(".py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.While) and isinstance(node.test, ast.Constant):
                endless.add(name)
            if isinstance(node, ast.Import | ast.ImportFrom):
                modules = {alias.name for alias in node.names} | {getattr(node, "module", "")}
                banned |= modules & {"threading", "asyncio", "socketserver", "sched", "multiprocessing"}
    assert endless <= {"watch", "fusion.text"}
    assert not banned


def test_a_dialog_is_told_as_what_it_is(
    make: Make, hosting: Hosting, footage: Footage, movie: Path, out: Path, said: list[str]
) -> None:
    world = make(profile="hostile")
    timeline_of(world, footage)
    host = hosting(world)
    selection = host.select(clip="ours")
    before = state_of(world)
    world.open_dialog("Media offline")
    attempts: list[Callable[[], object]] = [
        lambda: host.select(),
        lambda: host.export_range(selection, out, said.append),
        lambda: host.export_mask(selection, "auto", out, said.append),
        lambda: host.place(selection, result_of(movie, selection)),
        lambda: host.placed(),
        lambda: hosting(world),
    ]
    for attempt in attempts:
        with pytest.raises(ResolveProblem) as problem:
            attempt()
        assert problem.value.code == "resolve-dialog-open"
        assert "A dialog is open in Resolve" in problem.value.message
    world.dismiss_dialog()
    assert state_of(world) == before


def _reachable(names: set[str]) -> set[str]:
    """Modules of the package that these import, themselves included."""
    found: set[str] = set()
    pending = set(names)
    while pending:
        name = pending.pop()
        path = PACKAGE.joinpath(*name.split(".")).with_suffix(".py")
        if name in found or not path.is_file():
            continue
        found.add(name)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("flowanchor_resolve"):
                inner = (node.module or "").removeprefix("flowanchor_resolve").lstrip(".")
                pending |= {inner} if inner else {alias.name for alias in node.names}
                pending |= {f"{inner}.{alias.name}" for alias in node.names if inner}
    return found
