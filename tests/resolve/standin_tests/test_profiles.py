# SPDX-License-Identifier: Apache-2.0
"""Editions, versions, and the three manners of taking a call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.resolve.standin.line import ContractBroken, NotModelled
from tests.resolve.standin.profiles import Edition, Place
from tests.resolve.standin.world import Clip, World, build_resolve, world_of
from tests.resolve.standin_tests.conftest import project_of

Make = Callable[..., World]


@pytest.mark.parametrize(
    ("version", "edition", "external", "inside"),
    [
        ("18.6", "studio", True, True),
        ("18.6", "free", False, True),
        ("19.1", "free", False, True),
        ("20", "studio", True, True),
        ("21.0.4", "studio", True, True),
        ("21.0.4", "free", False, True),
        ("21.1", "studio", True, True),
        ("21.1", "free", False, False),
    ],
)
def test_scripts_run_where_the_edition_lets_them(
    version: str, edition: Edition, external: bool, inside: bool
) -> None:
    where: Place
    for where, runs in (("external", external), ("in-app", inside)):
        resolve = build_resolve(version, edition, where=where)
        assert (resolve is not None) == runs
        if resolve is not None:
            assert resolve.GetVersionString().startswith(version)
            assert resolve.GetVersion()[:4] == [int(part) for part in resolve.GetVersionString().split(".")]
            assert resolve.GetProductName().endswith("Studio") == (edition == "studio")


def test_the_preference_shuts_out_scripts_from_outside_only() -> None:
    assert build_resolve(scripting=False) is None
    assert build_resolve(scripting=False, where="in-app") is not None


def test_nothing_answers_when_resolve_is_not_running() -> None:
    assert build_resolve(running=False) is None


@pytest.mark.parametrize(
    ("version", "name", "there"),
    [
        ("21.0.4", "GetSelectedClips", True),
        ("20", "GetSelectedClips", False),
        ("20", "GetMarkInOut", True),
        ("19.1", "GetMarkInOut", False),
    ],
)
def test_dir_lists_what_the_version_has(make: Make, version: str, name: str, there: bool) -> None:
    world = make(version, profile="lenient")
    world.add_timeline()
    assert (name in dir(project_of(world).GetCurrentTimeline())) == there


def test_dir_of_resolve_lists_its_constants(make: Make) -> None:
    resolve = make().scriptapp("Resolve")
    assert {"GetProductName", "EXPORT_AAF", "KEYFRAME_MODE_COLOR"} <= set(dir(resolve))
    assert resolve.KEYFRAME_MODE_COLOR == 1
    assert resolve.EXPORT_AAF == resolve.EXPORT_AAF != resolve.EXPORT_EDL


def test_strict_raises_on_whatever_is_not_in_the_contract(make: Make) -> None:
    world = make()
    project = project_of(world)
    for broken in (
        lambda: project.GetRenderPresets(),
        lambda: project.NoSuchThing(),
        lambda: hasattr(project, "NoSuchThing"),
        lambda: project.SetName(projectName="x"),
        lambda: project.SetName(),
        lambda: project.SetName(1),
        lambda: project.SetRenderSettings({"TargetDirr": "x"}),
        lambda: setattr(project, "name", "x"),
        lambda: project == project_of(world),
    ):
        with pytest.raises(ContractBroken):
            broken()
    world.breaches.clear()


def test_strict_tells_of_what_is_too_new(make: Make) -> None:
    world = make("20")
    timeline = world.remote(world.add_timeline())
    with pytest.raises(ContractBroken, match=r"GetSelectedClips does not exist in 20\.3"):
        timeline.GetSelectedClips()
    with pytest.raises(ContractBroken, match="UseFullExtents"):
        project_of(world).SetRenderSettings({"UseFullExtents": True})
    world.breaches.clear()


def test_a_track_cannot_be_inserted_before_19(make: Make) -> None:
    old = make("18.6")
    with pytest.raises(ContractBroken, match="a dict is no argument"):
        old.remote(old.add_timeline()).AddTrack("video", {"index": 1})
    old.breaches.clear()
    lenient = make("18.6", profile="lenient")
    assert lenient.remote(lenient.add_timeline()).AddTrack("video", {"index": 1}) is False
    new = make("19.1")
    assert new.remote(new.add_timeline()).AddTrack("video", {"index": 1})


def test_a_broken_contract_that_was_swallowed_still_fails_the_test() -> None:
    world = World()
    with pytest.raises(ContractBroken):
        project_of(world).NoSuchThing()
    with pytest.raises(ContractBroken, match="NoSuchThing"):
        world.__exit__(None, None, None)
    assert not issubclass(ContractBroken, Exception)


def test_what_the_model_does_not_know_is_refused_in_every_profile(make: Make) -> None:
    for profile in ("strict", "lenient", "hostile"):
        with pytest.raises(NotModelled, match="GetGallery"):
            project_of(make(profile=profile)).GetGallery()


@pytest.mark.parametrize("profile", ["lenient", "hostile"])
def test_a_forgiving_resolve_answers_mistakes_with_failure(make: Make, profile: str) -> None:
    world = make(profile=profile)
    project = project_of(world)
    assert hasattr(project, "NoSuchThing")
    assert "NoSuchThing" not in dir(project)
    assert project.SetName() is False
    assert project.SetName(1) is False
    assert project.SetName(projectName="x") is False
    assert project.GetTimelineByIndex("1") is None
    assert project.SetRenderSettings({"CustomName": "x", "NoSuchKey": 1})  # unknown keys are ignored
    assert world.project is not None
    assert "NoSuchKey" not in world.project.render.state.settings
    assert not world.breaches


def test_an_unknown_method_is_a_callable_or_nothing(make: Make) -> None:
    assert project_of(make(profile="lenient")).NoSuchThing() is None
    assert project_of(make(profile="hostile")).NoSuchThing is None


def test_something_can_happen_just_before_a_call(make: Make) -> None:
    world = make()
    timeline = world.remote(world.add_timeline())
    world.before("Timeline.AddTrack", lambda: world.open_dialog("Save?"))
    assert timeline.SetTrackName("video", 1, "below")
    assert not timeline.AddTrack("video")
    world.dismiss_dialog()
    assert timeline.AddTrack("video")
    world.before("GetName", world.close_timeline)
    world.before("GetName", lambda: world.open_dialog("Again"))
    assert timeline.GetName() == "Timeline 1"  # a strict Resolve does not let go of it
    assert project_of(world).GetCurrentTimeline() is None
    assert timeline.GetName() is None


def test_something_can_happen_at_the_nth_call(make: Make) -> None:
    world = make(profile="lenient")
    timeline = world.remote(world.add_timeline())
    world.at_call(1, lambda: world.open_dialog("Save?"))
    assert [timeline.AddTrack("video") for _ in range(3)] == [True, False, False]
    assert len(world.calls) == 3


def test_calls_are_kept_in_order(make: Make, movie: Path) -> None:
    world = make()
    item = world.remote(world.add_timeline(clips=[Clip(movie)])).GetItemListInTrack("video", 1)[0]
    assert item.GetStart() == 86400
    assert [str(call) for call in world.calls] == ["Timeline.GetItemListInTrack", "TimelineItem.GetStart"]
    assert world.called("GetItemListInTrack") == [("video", 1)]
    assert world_of(item) is world
    assert world.thing(item).name == movie.name


def test_what_needs_studio_is_refused_on_free_only(make: Make, movie: Path) -> None:
    studio = make()
    item = studio.remote(studio.add_timeline(clips=[Clip(movie)]).items()[0])
    with pytest.raises(NotModelled):  # it would be done, which is another matter
        item.SmartReframe()
    free = make("19.1", "free", where="in-app")
    assert free.remote(free.add_timeline(clips=[Clip(movie)]).items()[0]).SmartReframe() is False


def test_nothing_of_a_closed_project_or_a_resolve_that_has_ended_answers(make: Make, movie: Path) -> None:
    world = make()
    timeline = world.remote(world.add_timeline(clips=[Clip(movie)]))
    project, manager = project_of(world), world.scriptapp("Resolve").GetProjectManager()
    assert manager.SaveProject()
    assert manager.CloseProject(project)
    assert (project.GetName(), timeline.GetName(), manager.GetCurrentProject()) == (None, None, None)
    assert world.scriptapp("Resolve").GetCurrentPage() is None
    assert manager.CreateProject("Second").GetName() == "Second"
    resolve = world.scriptapp("Resolve")
    world.quit()
    assert resolve.GetProductName() is None
    assert world.scriptapp("Resolve") is None
