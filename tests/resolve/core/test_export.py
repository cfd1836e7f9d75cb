# SPDX-License-Identifier: Apache-2.0
"""The exported range is, frame by frame, what the timeline shows, and Resolve is as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from flowanchor_resolve.frames import frame_of_timecode, timecode_of_frame
from flowanchor_resolve.problems import ResolveProblem

from tests.resolve.core.conftest import Hosting, Make
from tests.resolve.core.scene import (
    EDITIONS,
    RATES,
    STARTS,
    Clip,
    World,
    numbers,
    own_settings,
    pictures,
    probe,
    state_of,
)
from tests.resolve.standin.model.item import Look

Footage = Callable[..., Path]
BUILDS = [pytest.param(*one, id="-".join(one[:2])) for one in EDITIONS]


@pytest.mark.parametrize("profile", ["strict", "lenient", "hostile"])
@pytest.mark.parametrize(("version", "edition", "where"), BUILDS)
def test_the_exported_frames_are_those_selected(
    make: Make,
    hosting: Hosting,
    footage: Footage,
    out: Path,
    volume: Path,
    said: list[str],
    version: str,
    edition: str,
    where: str,
    profile: str,
) -> None:
    world = make(version, edition, profile, where)
    world.add_timeline(clips=[Clip(footage(), at=10, first=5, frames=20)])
    own_settings(world, volume)
    playhead(world, 12)
    before = state_of(world)
    host = hosting(world)
    selection = host.select()
    assert (selection.start, selection.end) == (86410, 86430)
    movie = host.export_range(selection, out, said.append)
    assert numbers(movie.path) == list(range(5, 25))
    assert (movie.first, movie.frames, movie.direct) == (0, 20, False)
    assert probe(movie.path).start_timecode == "01:00:00:10"
    assert state_of(world) == before
    assert not [sentence for sentence in said if "put back" in sentence]
    assert list(volume.iterdir()) == []


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("rate", RATES, ids=str)
def test_every_rate_at_every_start(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str], rate: Fraction, start: str
) -> None:
    world = make(profile="hostile")
    world.add_timeline(
        rate=rate, start_timecode=start, clips=[Clip(footage(rate, 12), at=3, first=2, frames=8)]
    )
    host = hosting(world)
    selection = replace(host.select(track=None, clip=footage(rate, 12).name), name="")
    first = frame_of_timecode(start, rate, drop=False)
    assert (selection.rate, selection.timeline_start, selection.start) == (rate, first, first + 3)
    part = replace(selection, start=selection.start + 1, end=selection.end - 2)
    movie = host.export_range(part, out, said.append)
    assert numbers(movie.path) == [3, 4, 5, 6, 7]
    assert probe(movie.path).rate == rate


@pytest.mark.parametrize("rate", [Fraction(30000, 1001), Fraction(60000, 1001)], ids=str)
def test_drop_frame(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str], rate: Fraction
) -> None:
    world = make()
    world.add_timeline(
        rate=rate, start_timecode="01:00:00;00", drop=True, clips=[Clip(footage(rate), at=5, frames=10)]
    )
    playhead(world, 6)
    host = hosting(world)
    selection = host.select()
    assert selection.drop_frame
    assert selection.timeline_start == {30: 107892, 60: 215784}[round(rate)]
    movie = host.export_range(selection, out, said.append)
    assert numbers(movie.path) == list(range(10))
    expected = timecode_of_frame(selection.start, rate, True)
    assert (probe(movie.path).start_timecode or "").replace(";", ":") == expected.replace(";", ":")


@pytest.mark.parametrize("drop", [False, True], ids=["24", "29.97 DF"])
def test_a_timeline_that_runs_past_midnight(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str], drop: bool
) -> None:
    world = make(profile="hostile")
    rate, start = (Fraction(30000, 1001), "23:59:59;10") if drop else (Fraction(24), "23:59:59:10")
    timeline = world.add_timeline(
        rate=rate, start_timecode=start, drop=drop, clips=[Clip(footage(rate), at=0, frames=40)]
    )
    timeline.playhead += 30
    host = hosting(world)
    selection = host.select(track=1)
    assert (selection.start, selection.frames) == (timeline.start, 40)
    late = replace(selection, start=selection.start + 30)
    movie = host.export_range(late, out, said.append)
    assert numbers(movie.path) == list(range(30, 40))
    assert (probe(movie.path).start_timecode or "").startswith("00:00:00")
    assert timeline.playhead == timeline.start + 30


def test_tracks_above_are_off_and_tracks_below_are_seen(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make(profile="hostile")
    bright = Clip(footage(), frames=10, track=1, name="below")
    small = Clip(
        footage(), first=20, frames=10, track=2, name="ours", properties={"ZoomX": 0.5, "ZoomY": 0.5}
    )
    title = Clip(footage(), first=30, frames=10, track=3, name="title")
    timeline = world.add_timeline(clips=[bright, small, title])
    host = hosting(world)
    with_below = host.export_range(host.select(clip="ours"), out, said.append)
    timeline.tracks["video"][0].enabled = False
    alone = host.export_range(host.select(clip="ours"), out, said.append)
    assert not timeline.tracks["video"][0].enabled
    assert timeline.tracks["video"][2].enabled
    corner = (slice(2, 10), slice(2, 10))
    assert pictures(with_below.path)[0][corner].mean() > 40
    assert pictures(alone.path)[0][corner].mean() < 20


def test_the_grade_is_in_the_picture(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make()
    world.add_timeline(
        clips=[
            Clip(footage(), frames=4, name="plain"),
            Clip(footage(), at=10, frames=4, name="dark", look=Look(gain=0.5)),
        ]
    )
    host = hosting(world)
    plain, dark = (
        pictures(host.export_range(host.select(clip=name), out, said.append).path)[0]
        for name in ("plain", "dark")
    )
    assert dark.mean() == pytest.approx(plain.mean() / 2, abs=3)


def test_the_mask_track_is_no_part_of_the_picture(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make()
    timeline = world.add_timeline(
        clips=[
            Clip(footage(), frames=4, track=1, name="mask"),
            Clip(
                footage(),
                first=8,
                frames=4,
                track=2,
                name="ours",
                properties={"ZoomX": 0.5, "ZoomY": 0.5},
            ),
        ]
    )
    timeline.tracks["video"][0].name = "fa  mask"
    host = hosting(world)
    movie = host.export_range(host.select(clip="ours"), out, said.append)
    assert pictures(movie.path)[0][2:10, 2:10].mean() < 20


def test_a_disabled_track_is_on_for_the_export_and_off_again(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make()
    timeline = world.add_timeline(clips=[Clip(footage(), frames=4, name="ours")])
    timeline.tracks["video"][0].enabled = False
    host = hosting(world)
    movie = host.export_range(host.select(clip="ours"), out, said.append)
    assert numbers(movie.path) == [0, 1, 2, 3]
    assert not timeline.tracks["video"][0].enabled


def test_another_timeline_is_opened_for_the_export_and_left_again(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make(profile="hostile")
    world.add_timeline(clips=[Clip(footage(), first=3, frames=4, name="ours")])
    host = hosting(world)
    selection = host.select(clip="ours")
    other = world.add_timeline(name="Another", clips=[Clip(footage(), first=9, frames=4)])
    movie = host.export_range(selection, out, said.append)
    assert numbers(movie.path) == [3, 4, 5, 6]
    assert world.project is not None
    assert world.project.current is other


def test_without_prores_another_codec_serves(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make(prores=False)
    world.add_timeline(size=(256, 128), clips=[Clip(footage(), frames=4, name="ours")])
    host = hosting(world)
    selection = host.select(clip="ours")
    movie = host.export_range(selection, out, said.append)
    assert probe(movie.path).frames == 4


def test_the_free_edition_is_not_asked_for_what_only_studio_renders(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make("19.1", "free", "hostile", "in-app")
    world.add_timeline(size=(4096, 2160), clips=[Clip(footage(), frames=4, name="ours")])
    host = hosting(world)
    selection = host.select(clip="ours")
    world.calls.clear()
    with pytest.raises(ResolveProblem) as problem:
        host.export_range(selection, out, said.append)
    assert problem.value.code == "resolve-studio-needed"
    assert not world.called("AddRenderJob")
    assert world.dialog is None


def test_a_timeline_that_has_changed_since_is_refused(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make()
    timeline = world.add_timeline(clips=[Clip(footage(), frames=4, name="ours")])
    host = hosting(world)
    selection = host.select(clip="ours")
    timeline.SetStartTimecode("02:00:00:00")
    with pytest.raises(ResolveProblem) as problem:
        host.export_range(selection, out, said.append)
    assert problem.value.code == "resolve-timeline-changed"


def playhead(world: World, frame: int) -> None:
    """Move the playhead of the current timeline, frames from its start."""
    assert world.project is not None
    timeline = world.project.current
    assert timeline is not None
    timeline.playhead = timeline.start + frame


def test_a_clip_whose_file_is_gone_is_told_before_it_is_rendered(
    make: Make, hosting: Hosting, footage: Footage, out: Path, tmp_path: Path, said: list[str]
) -> None:
    """Resolve renders "Media Offline" for it, or its proxy; which, it does not tell."""
    own = tmp_path / "card.mkv"
    own.write_bytes(footage().read_bytes())
    world = make()
    world.add_timeline(clips=[Clip(own, frames=6)])
    host = hosting(world)
    selection = host.select()
    own.rename(tmp_path / "elsewhere.mkv")
    with pytest.raises(ResolveProblem) as problem:
        host.export_range(selection, out, said.append)
    assert problem.value.code == "resolve-render-failed"
    assert said[0] == '"card.mkv" is not where Resolve has it: the clip may be rendered as offline.'
    (tmp_path / "elsewhere.mkv").rename(own)
    said.clear()
    host.export_range(selection, out, said.append)
    assert not [text for text in said if "offline" in text]


def test_a_clip_that_is_gone_is_told_before_anything_is_rendered(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make()
    timeline = world.add_timeline(clips=[Clip(footage(), frames=6)])
    host = hosting(world)
    selection = host.select()
    assert timeline.DeleteClips(list(timeline.items()))
    with pytest.raises(ResolveProblem) as problem:
        host.export_range(selection, out, said.append)
    assert problem.value.code == "resolve-clip-gone"
    assert world.called("AddRenderJob") == []
