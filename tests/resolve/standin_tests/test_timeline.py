# SPDX-License-Identifier: Apache-2.0
"""Tracks, items, frames, takes, markers, bins: as scripts see them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowanchor_core.footage.timecode import Timecode
from tests.blender.host import numbered
from tests.core.footage import clips
from tests.resolve.standin.model.item import Look
from tests.resolve.standin.model.track import Track
from tests.resolve.standin.world import Clip, World
from tests.resolve.standin_tests.conftest import FRAMES, project_of

Make = Callable[..., World]
START = 86400


def laid(make: Make, *clips: Clip, **more: Any) -> tuple[World, Any]:
    """A world with clips on a timeline, and that timeline as a script gets it."""
    world = make(**more)
    return world, world.remote(world.add_timeline(clips=clips))


def info(clip: Any, **more: Any) -> dict[str, Any]:
    """A clipInfo of a whole clip on the first track."""
    whole = {"mediaPoolItem": clip, "startFrame": 0, "endFrame": FRAMES, "trackIndex": 1}
    return {**whole, "recordFrame": START, "mediaType": 1, **more}


def test_frames_of_an_item(make: Make, movie: Path) -> None:
    _, timeline = laid(make, Clip(movie, at=10, first=5, frames=20, name="shot"))
    (item,) = timeline.GetItemListInTrack("video", 1)
    assert (item.GetStart(), item.GetEnd(), item.GetDuration()) == (START + 10, START + 30, 20)
    assert (item.GetLeftOffset(), item.GetRightOffset()) == (5, FRAMES - 25)
    assert (item.GetSourceStartFrame(), item.GetSourceEndFrame()) == (5, 25)
    assert item.GetDuration(True) == 20.0
    assert item.GetName() == "shot"
    assert item.GetTrackTypeAndIndex() == ["video", 1]
    assert (timeline.GetStartFrame(), timeline.GetEndFrame()) == (START, START + 30)
    assert item.GetMediaPoolItem().GetClipProperty("File Path") == str(movie)


def test_source_end_is_inclusive_where_rates_differ(make: Make, footage: Callable[..., Path]) -> None:
    _, timeline = laid(make, Clip(footage(Fraction(48)), frames=10))
    (item,) = timeline.GetItemListInTrack("video", 1)
    assert (item.GetSourceStartFrame(), item.GetSourceEndFrame()) == (0, 19)


def test_properties_of_a_clip_are_texts_but_for_its_rate(make: Make, footage: Callable[..., Path]) -> None:
    world = make()
    rate = Fraction(24000, 1001)
    world.add_timeline(rate)
    properties = world.remote(world.add_media(footage(rate))).GetClipProperty()
    assert properties["FPS"] == 23.976
    assert all(isinstance(value, str) for key, value in properties.items() if key != "FPS")
    assert (properties["Frames"], properties["Resolution"]) == (str(FRAMES), "192x96")
    assert world.remote(world.add_media(footage(rate))).GetClipProperty("Nonsense") == ""


@pytest.mark.parametrize(
    ("rate", "drop", "told", "dropped"),
    [
        (Fraction(24), False, 24.0, "0"),
        (Fraction(24000, 1001), False, 23.976, "0"),
        (Fraction(30000, 1001), True, 29.97, "1"),
        (Fraction(60000, 1001), False, 59.94, "0"),
    ],
)
def test_settings_tell_the_rate_rounded(
    make: Make, rate: Fraction, drop: bool, told: float, dropped: str
) -> None:
    world = make()
    timeline = world.remote(world.add_timeline(rate, drop=drop, size=(640, 360)))
    assert timeline.GetSetting("timelineFrameRate") == told
    assert timeline.GetSetting("timelineDropFrameTimecode") == dropped
    assert timeline.GetSetting("timelineResolutionWidth") == "640"
    assert timeline.GetSetting("nonsense") == ""


def test_append_goes_where_the_clip_info_says(make: Make, movie: Path) -> None:
    _, timeline = laid(make)
    project = timeline._line.world.remote(timeline._line.world.project)
    pool = project.GetMediaPool()
    (clip,) = pool.ImportMedia([str(movie)])
    assert timeline.AddTrack("video")
    (item,) = pool.AppendToTimeline(
        [info(clip, startFrame=5, endFrame=15, trackIndex=2, recordFrame=START + 100)]
    )
    assert (item.GetStart(), item.GetDuration(), item.GetLeftOffset()) == (START + 100, 10, 5)
    assert item.GetTrackTypeAndIndex() == ["video", 2]
    (last,) = pool.AppendToTimeline([clip])
    assert (last.GetStart(), last.GetDuration()) == (START, FRAMES)
    assert pool.AppendToTimeline([info(clip, trackIndex=9)]) == []
    assert pool.AppendToTimeline([info(clip, endFrame=FRAMES + 1, recordFrame=START + 500)]) == []


def test_sound_comes_along_and_stays_when_the_pictures_go(make: Make, tmp_path: Path) -> None:
    movie = clips.write_movie(tmp_path / "sound.mov", clips.PRORES, sound="pcm_s16le")
    world, timeline = laid(make, Clip(movie))
    (pictures,) = timeline.GetItemListInTrack("video", 1)
    (sound,) = timeline.GetItemListInTrack("audio", 1)
    assert [one.GetUniqueId() for one in pictures.GetLinkedItems()] == [sound.GetUniqueId()]
    world.select(world.thing(pictures))
    assert len(timeline.GetSelectedClips()) == 2
    assert timeline.DeleteClips([pictures])
    assert pictures.GetName() is None  # it is gone
    assert len(timeline.GetItemListInTrack("audio", 1)) == 1


def test_tracks(make: Make, movie: Path) -> None:
    _, timeline = laid(make, Clip(movie))
    assert timeline.AddTrack("video")
    assert timeline.SetTrackName("video", 2, "FlowAnchor")
    assert [timeline.GetTrackName("video", index) for index in (1, 2)] == ["Video 1", "FlowAnchor"]
    assert timeline.GetIsTrackEnabled("video", 2)
    assert timeline.SetTrackEnable("video", 2, False)
    assert not timeline.GetIsTrackEnabled("video", 2)
    assert timeline.AddTrack("video", {"index": 1})
    assert timeline.GetTrackName("video", 3) == "FlowAnchor"
    assert timeline.GetItemListInTrack("video", 1) == []
    assert timeline.GetItemListInTrack("video", 9) is None
    assert timeline.SetTrackLock("video", 3, True)
    assert not timeline.DeleteTrack("video", 3)
    assert timeline.SetTrackLock("video", 3, False)
    assert timeline.DeleteTrack("video", 3)
    assert timeline.GetTrackCount("video") == 2
    assert not timeline.SetTrackName("video", 3, "gone")


def test_markers_count_from_the_start(make: Make, movie: Path) -> None:
    for version, kind in (("21.0.4", float), ("21.1", int)):
        _, timeline = laid(make, Clip(movie), version=version)
        (item,) = timeline.GetItemListInTrack("video", 1)
        for marked in (timeline, item):
            assert marked.AddMarker(3, "Blue", "FlowAnchor", "note", 1, "flowanchor:1")
            assert not marked.AddMarker(3, "Blue", "twice", "", 1)
            assert not marked.AddMarker(START, "Blue", "absolute", "", 1)
            ((frame, told),) = marked.GetMarkers().items()
            assert (frame, type(frame)) == (3, kind)
            assert told["customData"] == "flowanchor:1"
            assert marked.GetMarkerByCustomData("flowanchor:1") == {frame: told}
            assert marked.UpdateMarkerCustomData(3, "flowanchor:2")
            assert marked.GetMarkerCustomData(3) == "flowanchor:2"
            assert not marked.DeleteMarkerByCustomData("flowanchor:1")
            assert marked.DeleteMarkerByCustomData("flowanchor:2")
            assert marked.GetMarkers() == {}


def test_in_and_out_marks_count_from_the_start(make: Make, movie: Path) -> None:
    _, timeline = laid(make, Clip(movie))
    assert timeline.GetMarkInOut() == {}
    assert timeline.SetMarkInOut(2, 9, "video")
    assert timeline.GetMarkInOut() == {"video": {"in": 2, "out": 9}}
    assert not timeline.SetMarkInOut(9, 2)
    assert timeline.ClearMarkInOut()
    assert timeline.GetMarkInOut() == {}


def test_the_playhead_and_what_is_under_it(make: Make, movie: Path) -> None:
    world, timeline = laid(make, Clip(movie, frames=10), Clip(movie, at=5, track=2, frames=10, name="top"))
    assert timeline.GetCurrentTimecode() == "01:00:00:00"
    assert timeline.GetCurrentVideoItem().GetName() == movie.name
    assert timeline.SetCurrentTimecode("01:00:00:07")
    assert timeline.GetCurrentVideoItem().GetName() == "top"
    assert timeline.SetTrackEnable("video", 2, False)
    assert timeline.GetCurrentVideoItem().GetName() == movie.name
    assert not timeline.SetCurrentTimecode("02:00:00:00")
    assert world.scriptapp("Resolve").OpenPage("media")
    assert not timeline.SetCurrentTimecode("01:00:00:01")
    assert timeline.GetCurrentTimecode() == ""


def test_takes(make: Make, movie: Path, footage: Callable[..., Path]) -> None:
    world, timeline = laid(make, Clip(movie, frames=10))
    (item,) = timeline.GetItemListInTrack("video", 1)
    other = world.remote(world.add_media(footage(frames=20)))
    assert (item.GetTakesCount(), item.GetSelectedTakeIndex()) == (0, 0)
    assert item.AddTake(other, 0, 10)
    assert (item.GetTakesCount(), item.GetSelectedTakeIndex(), item.GetDuration()) == (2, 2, 10)
    assert item.GetTakeByIndex(2)["mediaPoolItem"].GetUniqueId() == other.GetUniqueId()
    assert item.SelectTakeByIndex(1)
    assert item.GetMediaPoolItem().GetUniqueId() != other.GetUniqueId()
    assert item.AddTake(other)
    assert item.GetDuration() == 20  # a longer take makes the item longer
    assert item.DeleteTakeByIndex(3)
    assert item.DeleteTakeByIndex(2)
    assert (item.GetTakesCount(), item.GetDuration()) == (0, 10)


def test_bins_and_deleting_what_is_in_them(make: Make, movie: Path) -> None:
    world, timeline = laid(make)
    pool = project_of(world).GetMediaPool()
    outer = pool.AddSubFolder(pool.GetRootFolder(), "FlowAnchor")
    inner = pool.AddSubFolder(outer, "Timeline 1")
    assert pool.AddSubFolder(outer, "Timeline 1") is None
    (clip,) = pool.ImportMedia([str(movie), str(movie.parent / "none.mov")])
    assert [one.GetName() for one in inner.GetClipList()] == [movie.name]
    (item,) = pool.AppendToTimeline([info(clip)])
    assert pool.DeleteClips([clip])
    assert timeline.GetItemListInTrack("video", 1) == []
    assert item.GetName() is None
    assert pool.DeleteFolders([outer])
    assert pool.GetCurrentFolder().GetName() == "Master"
    assert pool.GetRootFolder().GetSubFolderList() == []
    assert inner.GetName() is None


def test_mattes_of_a_clip(make: Make, movie: Path, footage: Callable[..., Path]) -> None:
    matte = footage(frames=8)
    world, timeline = laid(make, Clip(movie, mattes=[matte]))
    (item,) = timeline.GetItemListInTrack("video", 1)
    pool = project_of(world).GetMediaPool()
    assert pool.GetClipMatteList(item.GetMediaPoolItem()) == [str(matte)]


def test_fusion_compositions_are_exported_as_text(make: Make, movie: Path, tmp_path: Path) -> None:
    _, timeline = laid(make, Clip(movie, fusion="Composition { RenderRange = { 0, 39 } }"))
    (item,) = timeline.GetItemListInTrack("video", 1)
    assert (item.GetFusionCompCount(), item.GetFusionCompNameList()) == (1, ["Composition 1"])
    assert item.ExportFusionComp(str(tmp_path / "x.comp"), 1)
    assert "RenderRange" in (tmp_path / "x.comp").read_text()
    assert not item.ExportFusionComp(str(tmp_path / "y.comp"), 2)


def test_properties_of_items_are_clipped_and_refused(make: Make, movie: Path) -> None:
    _, timeline = laid(make, Clip(movie))
    (item,) = timeline.GetItemListInTrack("video", 1)
    assert item.GetProperty("Opacity") == 100
    assert item.SetProperty("Opacity", 250.0)
    assert item.GetProperty("Opacity") == 100
    assert item.SetProperty({"Pan": -10.0, "FlipX": True})
    assert (item.GetProperty("Pan"), item.GetProperty("FlipX")) == (-10, True)
    assert not item.SetProperty("Speed", 50)
    assert not item.SetProperty("FlipX", 1)
    assert not item.SetProperty("CompositeMode", 40)
    assert len(item.GetProperty()) == 26


def test_a_grade_shows_in_the_node_graph(make: Make, movie: Path) -> None:
    _, timeline = laid(make, Clip(movie, frames=5), Clip(movie, at=5, frames=5, look=Look(gain=0.5)))
    plain, graded = timeline.GetItemListInTrack("video", 1)
    assert plain.GetNodeGraph().GetNumNodes() == 1
    assert plain.GetNodeGraph().GetToolsInNode(1) is None
    assert graded.GetNodeGraph().GetToolsInNode(1) == ["Primary"]


def test_timelines_are_found_by_number_and_have_an_entry_in_the_pool(make: Make, movie: Path) -> None:
    world, first = laid(make, Clip(movie))
    project = project_of(world)
    second = project.GetMediaPool().CreateEmptyTimeline("Timeline 2")
    assert project.GetTimelineCount() == 2
    assert project.GetCurrentTimeline().GetName() == "Timeline 2"
    assert project.SetCurrentTimeline(first)
    assert second.GetMediaPoolItem().GetTimeline().GetUniqueId() == second.GetUniqueId()
    assert project.GetTimelineByIndex(3) is None
    assert not second.SetName("Timeline 1")
    copy = first.DuplicateTimeline()
    assert [one.GetStart() for one in copy.GetItemListInTrack("video", 1)] == [START]
    assert project.GetMediaPool().DeleteTimelines([copy])
    assert copy.GetName() is None


def test_media_storage_lists_its_volumes(make: Make, movie: Path, tmp_path: Path) -> None:
    world = make()
    (tmp_path / "sub").mkdir()
    (tmp_path / "file.txt").write_text("")
    storage = world.scriptapp("Resolve").GetMediaStorage()
    assert storage.GetMountedVolumeList() == [str(tmp_path)]
    assert storage.GetSubFolderList(str(tmp_path)) == [str(tmp_path / "sub")]
    assert storage.GetFileList(str(tmp_path)) == [str(tmp_path / "file.txt")]
    assert storage.GetFileList(str(tmp_path / "none")) == []
    (clip,) = storage.AddItemListToMediaPool([str(movie)])
    assert clip.GetName() == movie.name
    assert storage.AddClipMattesToMediaPool(clip, [str(movie)])
    assert not storage.AddClipMattesToMediaPool(clip, [str(tmp_path / "none.mov")])


def test_a_still_is_one_frame_that_lasts(make: Make, tmp_path: Path) -> None:
    (still,) = numbered.write_images(tmp_path / "still", [numbered.picture(3)])
    world = make()
    item = world.remote(world.add_media(still))
    assert item.GetClipProperty("Type") == "Still"


@given(
    frame=st.integers(0, 24 * 3600 * 24 - 1), rate=st.sampled_from([(24, 1), (30000, 1001), (60000, 1001)])
)
def test_timecode_of_frames_comes_back(frame: int, rate: tuple[int, int]) -> None:
    with World() as world:
        exact = Fraction(*rate)
        timeline = world.add_timeline(exact, "00:00:00:00", drop=exact.denominator == 1001)
        assert timeline.frame_at(timeline.label(frame)) == frame
        assert Timecode.parse(timeline.label(frame), exact) is not None


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=8), st.integers(1, 20))
def test_a_shifted_clip_lands_on_the_next_free_place(pairs: list[tuple[int, int]], frames: int) -> None:
    class Item:
        def __init__(self, start: int, length: int) -> None:
            self.start, self.end = start, start + length

    track = Track("V1")
    for start, length in pairs:
        if not track.occupied(start, start + length):
            track.add(Item(start, length))  # type: ignore[arg-type]
    found = track.free_from(0, frames)
    assert not track.occupied(found, found + frames)
    assert all(track.occupied(earlier, earlier + frames) for earlier in range(found))
