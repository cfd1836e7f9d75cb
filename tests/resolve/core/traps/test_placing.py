# SPDX-License-Identifier: Apache-2.0
"""Traps of timelines and of the media pool; see test_rendering.py."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from flowanchor_resolve.problems import ResolveProblem

from tests.resolve.core.conftest import Hosting, Make
from tests.resolve.core.scene import Clip, bins, result_of, write_result
from tests.resolve.core.traps.conftest import Footage, raw, timeline_of


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
