# SPDX-License-Identifier: Apache-2.0
"""The render queue writes the frames it is asked for, from the files that lie on the timeline."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flowanchor_core.footage.probe import probe
from tests.blender.host import numbered
from tests.resolve.standin.model.item import Look
from tests.resolve.standin.world import Clip, World
from tests.resolve.standin_tests.conftest import FRAMES, project_of
from tests.resolve.standin_tests.renders import finished, frames_of, order, rendered

Make = Callable[..., World]
RATES = [
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
    Fraction(50),
    Fraction(60000, 1001),
    Fraction(60),
]


@pytest.mark.parametrize("start", ["00:00:00:00", "01:00:00:00", "10:00:00:00"])
@pytest.mark.parametrize("rate", RATES, ids=str)
def test_marks_are_absolute_and_the_out_mark_is_part_of_it(
    make: Make, footage: Callable[..., Path], tmp_path: Path, rate: Fraction, start: str
) -> None:
    world = make()
    timeline = world.add_timeline(rate, start, clips=[Clip(footage(rate), at=7, first=4, frames=30)])
    project = project_of(world)
    first = timeline.start + 10
    job = order(project, tmp_path, MarkIn=first, MarkOut=first + 11)
    listed = project.GetRenderJobList()[0]
    assert (listed["MarkIn"], listed["MarkOut"]) == (first, first + 11)
    assert finished(project, job)["JobStatus"] == "Complete"
    assert rendered(tmp_path / "out.mov") == list(range(7, 19))
    info = probe(tmp_path / "out.mov")
    assert (info.rate, info.frames, info.start_timecode) == (rate, 12, timeline.label(first))


def test_drop_frame_timecode_is_kept(make: Make, footage: Callable[..., Path], tmp_path: Path) -> None:
    rate = Fraction(30000, 1001)
    world = make()
    timeline = world.add_timeline(rate, "01:00:00;00", clips=[Clip(footage(rate))], drop=True)
    assert timeline.start == 107892
    project = project_of(world)
    assert project.GetCurrentTimeline().GetStartTimecode() == "01:00:00;00"
    assert finished(project, order(project, tmp_path))["JobStatus"] == "Complete"
    assert probe(tmp_path / "out.mov").start_timecode == "01:00:00;00"


def test_relative_marks_render_the_whole_timeline_which_the_queue_tells(
    make: Make, movie: Path, tmp_path: Path
) -> None:
    world = make()
    timeline = world.add_timeline(clips=[Clip(movie)])
    project = project_of(world)
    order(project, tmp_path, MarkIn=3, MarkOut=9)
    listed = project.GetRenderJobList()[0]
    assert (listed["MarkIn"], listed["MarkOut"]) == (timeline.start, timeline.end - 1)


def test_gaps_are_black_and_tracks_lie_over_each_other(make: Make, movie: Path, tmp_path: Path) -> None:
    world = make()
    world.add_timeline(clips=[Clip(movie, at=2, frames=10), Clip(movie, at=4, track=2, first=20, frames=3)])
    project = project_of(world)
    assert finished(project, order(project, tmp_path))["JobStatus"] == "Complete"
    assert rendered(tmp_path / "out.mov")[2:] == [0, 1, 20, 21, 22, 5, 6, 7, 8, 9]
    assert max(int(frame.max()) for frame in frames_of(tmp_path / "out.mov")[:2]) <= 1
    assert project.GetCurrentTimeline().SetTrackEnable("video", 2, False)
    assert finished(project, order(project, tmp_path, "below"))["JobStatus"] == "Complete"
    assert rendered(tmp_path / "below.mov")[2:] == list(range(10))


def test_a_patch_lies_over_what_is_below(make: Make, movie: Path, tmp_path: Path) -> None:
    patch = numbered.write_patch(tmp_path / "patch.mov", Fraction(24), 10)
    world = make()
    world.add_timeline(clips=[Clip(movie, first=5, frames=10), Clip(patch, track=2, frames=10)])
    project = project_of(world)
    assert finished(project, order(project, tmp_path))["JobStatus"] == "Complete"
    middle = numbered.WIDTH // 2
    for index, frame in enumerate(frames_of(tmp_path / "out.mov")):
        left, right = numbered.picture(5 + index)[:, : middle - 8], numbered.patch(index)[:, middle + 8 :, :3]
        assert np.abs(frame[:, : middle - 8].astype(int) - left).mean() < 2
        assert np.abs(frame[:, middle + 8 :].astype(int) - right).mean() < 2


def test_alpha_is_written_where_it_is_asked_for_and_the_codec_has_it(
    make: Make, movie: Path, tmp_path: Path
) -> None:
    world = make()
    world.add_timeline(clips=[Clip(movie, frames=3, look=Look(alpha=(16, 32, 48, 40)))])
    project = project_of(world)
    jobs = [
        order(project, tmp_path, "alpha", "ProRes4444", ExportAlpha=True),
        order(project, tmp_path, "none", "ProRes4444", ExportAlpha=False),
        order(project, tmp_path, "cannot", "ProRes422HQ", ExportAlpha=True),
    ]
    assert finished(project, *jobs)["JobStatus"] == "Complete"
    matte = frames_of(tmp_path / "alpha.mov", "rgba")[1][..., 3]
    assert matte[40, 40] == 255
    assert matte[40, 100] == matte[10, 40] == 0
    assert (matte > 127).sum() == 48 * 40
    for name in ("none", "cannot"):
        assert not probe(tmp_path / f"{name}.mov").layout.alpha


def test_grade_fusion_and_transform_are_in_the_pictures(make: Make, movie: Path, tmp_path: Path) -> None:
    world = make()
    world.add_timeline(
        clips=[
            Clip(movie, at=0, first=0, frames=2, look=Look(gain=0.5)),
            Clip(movie, at=2, first=2, frames=2, fusion_shows="invert"),
            Clip(movie, at=4, first=4, frames=2, properties={"ZoomX": 0.5, "ZoomY": 0.5, "Pan": 20.0}),
            Clip(movie, at=6, first=6, frames=2, properties={"FlipX": True, "Tilt": 10.0}),
            Clip(movie, at=8, first=8, frames=2, properties={"Pan": 12.0}),
        ]
    )
    project = project_of(world)
    assert finished(project, order(project, tmp_path))["JobStatus"] == "Complete"
    frames = frames_of(tmp_path / "out.mov")
    grey = slice(20, 30)
    assert abs(int(frames[0][grey, grey].mean()) - numbered.GREY / 2) <= 2
    assert abs(int(frames[2][grey, grey].mean()) - (255 - numbered.GREY)) <= 2
    assert numbered.number_of(frames[4], scale=0.5, right=20) == 4
    assert numbered.number_of(frames[6], flipped=True, down=-10) == 6
    assert numbered.number_of(frames[8], right=12) == 8


def test_a_retimed_clip_shows_every_second_frame(make: Make, movie: Path, tmp_path: Path) -> None:
    world = make("21.1")
    world.add_timeline(clips=[Clip(movie, first=3, frames=8, speed=Fraction(2))])
    project = project_of(world)
    assert finished(project, order(project, tmp_path))["JobStatus"] == "Complete"
    assert rendered(tmp_path / "out.mov") == list(range(3, 19, 2))
    (item,) = project.GetCurrentTimeline().GetItemListInTrack("video", 1)
    assert item.GetSpeed()["Percentage"] == 200
    assert item.GetProperty("Speed") is None


def test_other_rates_are_met_frame_by_frame(make: Make, footage: Callable[..., Path], tmp_path: Path) -> None:
    world = make()
    world.add_timeline(Fraction(24), clips=[Clip(footage(Fraction(48)))])
    project = project_of(world)
    assert finished(project, order(project, tmp_path))["JobStatus"] == "Complete"
    assert rendered(tmp_path / "out.mov") == list(range(0, FRAMES, 2))


@pytest.mark.parametrize(
    ("codec", "pix_fmt"),
    [("ProRes422", "yuv422p10le"), ("ProRes422HQ", "yuv422p10le"), ("H264", "yuv420p")],
)
def test_codecs_are_written_as_named(
    make: Make, movie: Path, tmp_path: Path, codec: str, pix_fmt: str
) -> None:
    world = make()
    world.add_timeline(clips=[Clip(movie, frames=4)])
    project = project_of(world)
    assert codec in project.GetRenderCodecs("mov").values()
    assert finished(project, order(project, tmp_path, codec=codec))["JobStatus"] == "Complete"
    assert probe(tmp_path / "out.mov").pix_fmt == pix_fmt


def test_codecs_go_by_id_and_some_systems_have_no_prores(make: Make) -> None:
    project = project_of(make())
    assert project.GetRenderFormats()["QuickTime"] == "mov"
    assert project.GetRenderCodecs("mov")["Apple ProRes 422 HQ"] == "ProRes422HQ"
    assert not project.SetCurrentRenderFormatAndCodec("mov", "Apple ProRes 422 HQ")
    assert project.SetCurrentRenderFormatAndCodec("mov", "ProRes422HQ")
    assert project.GetCurrentRenderFormatAndCodec() == {"format": "mov", "codec": "ProRes422HQ"}
    without = project_of(make(prores=False))
    assert not without.SetCurrentRenderFormatAndCodec("mov", "ProRes422HQ")
    assert without.SetCurrentRenderFormatAndCodec("mov", "DNxHRHQX_10")


def test_sound_is_written_when_asked_for(make: Make, movie: Path, tmp_path: Path) -> None:
    world = make()
    world.add_timeline(clips=[Clip(movie)])
    project = project_of(world)
    assert finished(project, order(project, tmp_path, ExportAudio=True))["JobStatus"] == "Complete"
    assert probe(tmp_path / "out.mov").audio


@pytest.mark.parametrize(
    ("fate", "phase", "frames"),
    [("complete", "Complete", FRAMES), ("short", "Complete", FRAMES - 1), ("fail", "Failed", None)],
)
def test_renders_end_as_they_are_told_to(
    make: Make, movie: Path, tmp_path: Path, fate: Any, phase: str, frames: int | None
) -> None:
    world = make()
    world.add_timeline(clips=[Clip(movie)])
    world.render_fate = fate
    project = project_of(world)
    status = finished(project, order(project, tmp_path))
    assert status["JobStatus"] == phase
    assert ("Error" in status) == (phase == "Failed")
    assert status["CompletionPercentage"] == (100 if phase == "Complete" else 0)
    if frames is None:
        assert not (tmp_path / "out.mov").exists()
    else:
        assert len(rendered(tmp_path / "out.mov")) == frames


def test_a_user_can_cancel_and_a_script_can_stop(make: Make, movie: Path, tmp_path: Path) -> None:
    world = make()
    world.add_timeline(clips=[Clip(movie)])
    project = project_of(world)
    world.render_fate = "cancel"
    assert finished(project, order(project, tmp_path))["JobStatus"] == "Cancelled"
    world.render_fate = "hang"
    job = order(project, tmp_path, "hung")
    assert project.StartRendering([job])
    until = time.monotonic() + 120
    while project.GetRenderJobStatus(job)["CompletionPercentage"] < 40:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert project.IsRenderingInProgress()
    assert project.GetRenderJobStatus(job)["JobStatus"] == "Rendering"
    assert not project.DeleteRenderJob(job)
    assert not project.StartRendering([job])
    project.StopRendering()
    while project.IsRenderingInProgress():
        assert time.monotonic() < until
        time.sleep(0.01)
    assert project.GetRenderJobStatus(job)["JobStatus"] == "Cancelled"
    assert project.DeleteRenderJob(job)


def test_what_cannot_be_shown_fails_the_job_and_says_why(make: Make, movie: Path, tmp_path: Path) -> None:
    world = make()
    world.add_timeline(clips=[Clip(movie, properties={"CompositeMode": 3})])
    project = project_of(world)
    status = finished(project, order(project, tmp_path))
    assert status["JobStatus"] == "Failed"
    assert "CompositeMode" in status["Error"]


def test_presets_keep_what_the_page_holds(make: Make, movie: Path, tmp_path: Path) -> None:
    world = make()
    world.add_timeline(clips=[Clip(movie)])
    project = project_of(world)
    assert project.SetCurrentRenderFormatAndCodec("mov", "ProRes4444")
    assert project.SetRenderSettings({"ExportAlpha": True})
    assert project.SaveAsNewRenderPreset("mine")
    assert not project.SaveAsNewRenderPreset("mine")
    assert project.SetCurrentRenderFormatAndCodec("mov", "H264")  # after saving: not the preset's
    assert project.LoadRenderPreset("YouTube - 1080p")
    assert project.GetCurrentRenderFormatAndCodec() == {"format": "mp4", "codec": "H264"}
    assert project.LoadRenderPreset("mine")
    assert project.GetCurrentRenderFormatAndCodec() == {"format": "mov", "codec": "ProRes4444"}
    assert project.SetRenderSettings({"ExportAlpha": False})
    assert project.SetCurrentRenderFormatAndCodec("mov", "H264")
    assert project.LoadRenderPreset("mine")  # what was changed since is not the preset's
    assert world.project is not None
    assert world.project.render.state.settings["ExportAlpha"] is True
    assert project.GetCurrentRenderFormatAndCodec()["codec"] == "ProRes4444"
    assert project.DeleteRenderPreset("mine")
    assert "mine" not in project.GetRenderPresetList()
    assert not project.DeleteRenderPreset("H.264 Master")


def test_presets_travel_as_files(make: Make, tmp_path: Path) -> None:
    world = make()
    resolve, project = world.scriptapp("Resolve"), project_of(world)
    assert project.SetCurrentRenderFormatAndCodec("mov", "ProRes4444")
    assert project.SaveAsNewRenderPreset("mine")
    assert resolve.ExportRenderPreset("mine", str(tmp_path / "again.xml"))
    assert not resolve.ExportRenderPreset("none", str(tmp_path / "none.xml"))
    assert project.LoadRenderPreset("H.264 Master")
    assert resolve.ImportRenderPreset(str(tmp_path / "again.xml"))
    assert "again" in project.GetRenderPresetList()
    assert project.GetCurrentRenderFormatAndCodec()["codec"] == "ProRes4444"
    assert not resolve.ImportRenderPreset(str(tmp_path / "none.xml"))


def test_only_what_can_be_is_queued(make: Make, movie: Path, tmp_path: Path) -> None:
    world = make()
    project = project_of(world)
    assert project.AddRenderJob() == ""  # no timeline
    world.add_timeline()
    assert project.SetRenderSettings({"TargetDir": str(tmp_path)})
    assert project.AddRenderJob() == ""  # nothing on it
    world.add_timeline(clips=[Clip(movie)], name="Timeline 2")
    assert not project.SetRenderSettings({"TargetDir": str(tmp_path / "none")})
    assert not project.SetRenderSettings({"FrameRate": 25.0})
    assert project.SetRenderSettings({"FrameRate": 24.0})
    job = project.AddRenderJob()
    assert [one["JobId"] for one in project.GetRenderJobList()] == [job]
    assert not project.StartRendering(["none"])
    assert not project.DeleteRenderJob("none")
    assert project.DeleteAllRenderJobs()
    assert project.GetRenderJobList() == []
    assert not project.StartRendering()


def test_jobs_keep_what_the_page_held_when_they_were_added(make: Make, movie: Path, tmp_path: Path) -> None:
    world = make()
    timeline = world.add_timeline(clips=[Clip(movie)])
    project = project_of(world)
    first = order(project, tmp_path, "first", MarkIn=timeline.start, MarkOut=timeline.start + 2)
    second = order(project, tmp_path, "second", MarkIn=timeline.start + 5, MarkOut=timeline.start + 6)
    assert finished(project, first, second)["JobStatus"] == "Complete"
    assert (rendered(tmp_path / "first.mov"), rendered(tmp_path / "second.mov")) == ([0, 1, 2], [5, 6])


def test_individual_clips_are_not_rendered_which_the_job_says(
    make: Make, movie: Path, tmp_path: Path
) -> None:
    world = make()
    world.add_timeline(clips=[Clip(movie)])
    project = project_of(world)
    assert project.SetCurrentRenderMode(0)
    status = finished(project, order(project, tmp_path))
    assert status["JobStatus"] == "Failed"
    assert project.GetRenderJobList()[0]["RenderMode"] == "Individual clips"
