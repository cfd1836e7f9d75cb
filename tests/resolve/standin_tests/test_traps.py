# SPDX-License-Identifier: Apache-2.0
"""Each trap does what is said of it, and a Resolve without it does not."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.blender.host import numbered
from tests.resolve.standin.model.timeline import Timeline
from tests.resolve.standin.profiles import HONEST, HOSTILE, Traps
from tests.resolve.standin.world import Clip, World
from tests.resolve.standin_tests.conftest import FRAMES, project_of
from tests.resolve.standin_tests.renders import finished, order, rendered

Make = Callable[..., World]


@pytest.fixture(params=[False, True], ids=["honest", "trap"])
def on(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def with_trap(make: Make, name: str, on: bool, version: str = "21.0.4", **more: Any) -> World:
    """A lenient world with one trap set or not."""
    return make(version, profile="lenient", traps=replace(HONEST, **{name: on}), **more)


def append(world: World, movie: Path, **info: Any) -> list[Any]:
    """Append a clip by clipInfo to the current timeline's first track unless told otherwise."""
    pool = project_of(world).GetMediaPool()
    (clip,) = pool.ImportMedia([str(movie)])
    whole = {
        "mediaPoolItem": clip,
        "startFrame": 0,
        "endFrame": FRAMES,
        "trackIndex": 1,
        "recordFrame": 86400,
    }
    answer = pool.AppendToTimeline([{**whole, "mediaType": 1, **info}])
    assert isinstance(answer, list)
    return answer


def spans(timeline: Timeline, track: int = 1) -> list[tuple[int, int]]:
    return [(one.start, one.end) for one in timeline.tracks["video"][track - 1].items]


def test_every_trap_has_a_test() -> None:
    tests = {name for name, _ in inspect.getmembers(sys.modules[__name__], inspect.isfunction)}
    assert {f"test_{one.name}" for one in fields(Traps)} <= tests


def test_a_hostile_resolve_has_the_traps_of_the_table(make: Make) -> None:
    assert make(profile="hostile").manner.traps == HOSTILE
    assert HOSTILE.drops_occupied
    assert HOSTILE.stale_objects
    assert not HOSTILE.inclusive_end  # endFrame is exclusive there


def test_inclusive_end(make: Make, movie: Path, on: bool) -> None:
    world = with_trap(make, "inclusive_end", on)
    timeline = world.add_timeline()
    (item,) = append(world, movie, startFrame=5, endFrame=15)
    assert item.GetDuration() == (11 if on else 10)
    assert spans(timeline) == [(86400, 86411 if on else 86410)]


def test_drops_occupied(make: Make, movie: Path, on: bool) -> None:
    world = with_trap(make, "drops_occupied", on)
    timeline = world.add_timeline(clips=[Clip(movie, at=10)])
    before = spans(timeline)
    answer = append(world, movie)
    assert spans(timeline) == before
    assert len(answer) == int(on)  # said to be there
    timeline.tracks["video"][0].locked = True
    assert len(append(world, movie, recordFrame=90000)) == int(on)
    assert spans(timeline) == before


def test_shifts_occupied(make: Make, movie: Path, on: bool) -> None:
    traps = replace(HONEST, drops_occupied=True, shifts_occupied=on)
    world = make(profile="lenient", traps=traps)
    timeline = world.add_timeline(clips=[Clip(movie, at=10)])
    assert len(append(world, movie)) == 1
    assert spans(timeline)[1:] == ([(86450, 86450 + FRAMES)] if on else [])


def test_null_items(make: Make, movie: Path, on: bool) -> None:
    world = make(profile="lenient", traps=replace(HONEST, drops_occupied=True, null_items=on))
    world.add_timeline(clips=[Clip(movie)])
    (ghost,) = append(world, movie)
    assert (ghost.GetUniqueId() == "") == on
    assert ghost.GetTrackTypeAndIndex() is None


def test_preset_underlay(make: Make, movie: Path, on: bool, tmp_path: Path) -> None:
    world = with_trap(make, "preset_underlay", on)
    world.add_timeline(clips=[Clip(movie)])
    project = project_of(world)
    job = order(project, tmp_path, ExportAudio=True, ExportVideo=True)
    assert finished(project, job)["JobStatus"] == "Complete"
    assert project.GetRenderJobList()[0]["IsExportVideo"] is True  # whatever the file holds
    assert (rendered(tmp_path / "out.mov") == []) == on
    assert project.LoadRenderPreset("H.264 Master")
    again = order(project, tmp_path, "again", ExportVideo=True)
    assert finished(project, again)["JobStatus"] == "Complete"
    assert rendered(tmp_path / "again.mov") == list(range(FRAMES))


@pytest.mark.parametrize(("version", "guarded"), [("20", False), ("21.0.4", True), ("21.1", True)])
def test_storage_only(make: Make, on: bool, version: str, guarded: bool, tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir()
    (tmp_path / "elsewhere").mkdir()
    world = with_trap(make, "storage_only", on, version, volumes=[tmp_path / "volume"])
    project = project_of(world)
    assert project.SetRenderSettings({"TargetDir": str(tmp_path / "volume")})
    refused = on and guarded
    assert project.SetRenderSettings({"TargetDir": str(tmp_path / "elsewhere")}) is not refused
    assert (world.dialog is not None) == refused


def test_still_modal(make: Make, on: bool, tmp_path: Path) -> None:
    (still,) = numbered.write_images(tmp_path / "still", [numbered.picture(3)])
    world = with_trap(make, "still_modal", on)
    world.add_timeline()
    assert len(append(world, still, endFrame=10)) == int(not on)
    assert (world.dialog is not None) == on
    world.dismiss_dialog()
    pool = project_of(world).GetMediaPool()
    (clip,) = pool.ImportMedia([str(still)])
    (whole,) = pool.AppendToTimeline([clip])  # without a range it lasts five seconds
    assert whole.GetDuration() == 5 * 24


def test_rate_floor(make: Make, footage: Callable[..., Path], on: bool) -> None:
    world = with_trap(make, "rate_floor", on)
    world.add_timeline(rate=Fraction(24000, 1001))
    (mixed,) = append(world, footage())
    assert mixed.GetDuration() == (FRAMES - 1 if on else FRAMES)
    (same,) = append(world, footage(Fraction(24000, 1001)), recordFrame=87000)
    assert same.GetDuration() == FRAMES


def test_edit_page_only(make: Make, movie: Path, on: bool) -> None:
    world = with_trap(make, "edit_page_only", on)
    timeline = world.add_timeline(clips=[Clip(movie)])
    resolve, remote = world.scriptapp("Resolve"), world.remote(timeline)
    assert resolve.OpenPage("deliver")
    assert remote.DeleteClips(remote.GetItemListInTrack("video", 1)) is not on
    assert len(timeline.items()) == int(on)
    if on:
        assert resolve.OpenPage("edit")
        assert remote.DeleteClips(remote.GetItemListInTrack("video", 1))
        assert not timeline.items()


def test_flaky_delete(make: Make, movie: Path, on: bool) -> None:
    world = with_trap(make, "flaky_delete", on)
    remote = world.remote(world.add_timeline(clips=[Clip(movie)]))
    items = remote.GetItemListInTrack("video", 1)
    assert remote.DeleteClips(items) is not on
    assert remote.DeleteClips(items) is on


def test_current_bin(make: Make, movie: Path) -> None:
    """It has no other side: imports land in the current bin in every profile."""
    pool = project_of(make()).GetMediaPool()
    root = pool.GetRootFolder()
    folder = pool.AddSubFolder(root, "FlowAnchor")
    assert pool.GetCurrentFolder().GetUniqueId() == folder.GetUniqueId()
    pool.ImportMedia([str(movie)])
    assert len(folder.GetClipList()) == 1
    assert pool.SetCurrentFolder(root)
    pool.ImportMedia([str(movie)])
    assert len(root.GetClipList()) == 1


def test_saver_modal(make: Make, movie: Path, on: bool) -> None:
    world = with_trap(make, "saver_modal", on)
    world.add_timeline(clips=[Clip(movie, fusion="Composition {}")])
    remote = world.remote(world.project.current) if world.project and world.project.current else None
    assert remote is not None
    comp = remote.GetItemListInTrack("video", 1)[0].GetFusionCompByIndex(1)
    assert comp.Render() is None
    assert (world.dialog is not None) == on


@pytest.mark.parametrize("edition", ["free", "studio"])
def test_upsell_modal(make: Make, movie: Path, on: bool, edition: str) -> None:
    world = with_trap(make, "upsell_modal", on, edition=edition, where="in-app")
    item = world.add_timeline(clips=[Clip(movie)]).items()[0]
    if edition == "free":
        assert world.remote(item).SmartReframe() is False
    assert (world.dialog is not None) == (on and edition == "free")


@pytest.mark.parametrize(("version", "guarded"), [("21.0.4", False), ("21.1", True)])
@pytest.mark.parametrize("sign", list('/\\:*?"<>|'))
def test_refused_names(make: Make, on: bool, version: str, guarded: bool, sign: str) -> None:
    world = with_trap(make, "refused_names", on, version)
    world.add_timeline()
    project = project_of(world)
    pool, refused = project.GetMediaPool(), on and guarded
    assert (pool.AddSubFolder(pool.GetRootFolder(), f"a{sign}b") is None) == refused
    assert (pool.CreateEmptyTimeline(f"a{sign}b") is None) == refused
    assert project.SaveAsNewRenderPreset(f"a{sign}b") is not refused
    assert project.SetRenderSettings({"CustomName": f"a{sign}b"}) is not refused


def test_stale_objects(make: Make, movie: Path, on: bool) -> None:
    world = with_trap(make, "stale_objects", on)
    timeline = world.remote(world.add_timeline(clips=[Clip(movie)]))
    (item,) = timeline.GetItemListInTrack("video", 1)
    world.close_timeline()
    assert (timeline.GetName() is None) == on
    assert (item.GetStart() is None) == on
    again = project_of(world).GetTimelineByIndex(1)
    assert again.GetName() == "Timeline 1"


def test_modal_blocks(make: Make, on: bool) -> None:
    world = with_trap(make, "modal_blocks", on)
    timeline = world.remote(world.add_timeline())
    world.open_dialog("Save changes?")
    assert (timeline.AddTrack("video") is False) == on
    assert (world.scriptapp("Resolve").GetProductName() is None) == on
    world.dismiss_modal()
    assert timeline.AddTrack("video")


def test_unknown_is_none(make: Make, on: bool) -> None:
    project = project_of(with_trap(make, "unknown_is_none", on))
    assert (project.NoSuchThing is None) == on


def test_translated_status(make: Make, movie: Path, on: bool, tmp_path: Path) -> None:
    world = with_trap(make, "translated_status", on)
    world.add_timeline(clips=[Clip(movie)])
    project = project_of(world)
    job = order(project, tmp_path)
    assert project.GetRenderJobStatus(job)["JobStatus"] == ("Bereit" if on else "Ready")
    assert finished(project, job)["JobStatus"] == ("Abgeschlossen" if on else "Complete")


def test_source_frames_off(make: Make, movie: Path, on: bool) -> None:
    world = with_trap(make, "source_frames_off", on)
    item = world.remote(world.add_timeline(clips=[Clip(movie, first=5)]).items()[0])
    assert item.GetSourceStartFrame() == (6 if on else 5)
    assert item.GetLeftOffset() == 5


def test_lower_case_types(make: Make, movie: Path, on: bool) -> None:
    world = with_trap(make, "lower_case_types", on)
    item = world.remote(world.add_media(movie))
    assert item.GetClipProperty("Type") == ("video" if on else "Video")
