# SPDX-License-Identifier: Apache-2.0
"""What is not placed exactly is taken back, and what does not fit is refused before anything changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from flowanchor_daemon.cli.resolve.timecode import stamp
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.session import narrowed

from tests.resolve.core.conftest import Hosting, Make
from tests.resolve.core.scene import (
    HOSTILE,
    Clip,
    bins,
    placing,
    result_of,
    state_of,
)

Footage = Callable[..., Path]


def test_with_a_marker_on_every_frame_all_is_taken_back(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make(profile="hostile")
    host, selection = placing(world, footage, hosting)
    timeline = world.project.current  # type: ignore[union-attr]
    assert timeline is not None
    for frame in range(10, 30):
        timeline.AddMarker(frame, "Red", "Mine", "", 1)
    before = state_of(world)
    with pytest.raises(ResolveProblem) as problem:
        host.place(selection, result_of(movie(), selection))
    assert problem.value.code == "resolve-marker"
    assert state_of(world) == before
    assert bins(world)["/FlowAnchor/Timeline 1"] == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"path": Path("edit.png")}, "resolve-still"),
        ({"path": Path("frames.%04d.png")}, "resolve-still"),
        ({"path": Path("nowhere.mov")}, "resolve-result-gone"),
    ],
)
def test_results_that_are_no_movie_change_nothing(
    make: Make, hosting: Hosting, footage: Footage, tmp_path: Path, changes: dict[str, Any], code: str
) -> None:
    world = make()
    host, selection = placing(world, footage, hosting)
    (tmp_path / "edit.png").write_bytes(b"x")
    world.calls.clear()
    result = result_of(tmp_path / changes["path"], selection)
    with pytest.raises(ResolveProblem) as problem:
        host.place(selection, result)
    assert problem.value.code == code
    assert not world.calls


@pytest.mark.parametrize(
    ("frames", "rate"),
    [(19, Fraction(24)), (21, Fraction(24)), (20, Fraction(24000, 1001)), (20, Fraction(25))],
)
def test_results_of_another_length_or_rate_change_nothing(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path], frames: int, rate: Fraction
) -> None:
    world = make()
    host, selection = placing(world, footage, hosting)
    world.calls.clear()
    with pytest.raises(ResolveProblem) as problem:
        host.place(selection, result_of(movie(frames, rate), selection))
    assert problem.value.code == "resolve-result-differs"
    assert not world.calls


@pytest.mark.parametrize("timecode", [None, "01:00:00:11"])
def test_a_result_of_another_place_changes_nothing(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path], timecode: str | None
) -> None:
    world = make()
    host, selection = placing(world, footage, hosting)
    before = state_of(world)
    result = result_of(movie(), selection)
    result.path.unlink()
    movie()
    if timecode is not None:
        stamp(result.path, timecode)
    with pytest.raises(ResolveProblem, match="at 01:00:00:10") as problem:
        host.place(selection, result)
    assert problem.value.code == "resolve-result-differs"
    assert state_of(world) == before


def test_a_patch_without_alpha_changes_nothing(make: Make, hosting: Hosting, footage: Footage) -> None:
    world = make()
    host, selection = placing(world, footage, hosting)
    with pytest.raises(ResolveProblem) as problem:
        host.place(selection, result_of(footage(Fraction(24), 20, ".mov"), selection, deliver="patch"))
    assert problem.value.code == "resolve-result-differs"


def test_a_clip_that_has_moved_is_told(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    world = make()
    host, selection = placing(world, footage, hosting)
    world.project.current.tracks["video"][0].items[1].start += 1  # type: ignore[union-attr]
    before = state_of(world)
    with pytest.raises(ResolveProblem) as problem:
        host.place(selection, result_of(movie(), selection))
    assert problem.value.code == "resolve-clip-moved"
    assert state_of(world) == before


def _slip(item: Any) -> None:
    item.first += 2


def _move(item: Any) -> None:
    item.start += 2


def _trim(item: Any) -> None:
    item.start, item.first, item.duration = item.start + 2, item.first + 2, item.duration - 2


@pytest.mark.parametrize(("change", "fits"), [(_slip, False), (_move, False), (_trim, True)])
@pytest.mark.parametrize("profile", ["strict", "hostile"])
def test_a_clip_that_shows_other_frames_than_were_exported_is_told(
    make: Make,
    hosting: Hosting,
    footage: Footage,
    movie: Callable[..., Path],
    profile: str,
    change: Callable[[Any], None],
    fits: bool,
) -> None:
    """Its span may still hold the frames that were edited: a part of it was."""
    world = make(profile=profile)
    world.add_timeline(clips=[Clip(footage(), at=10, first=5, frames=20, name="ours")])
    host = hosting(world)
    selection = narrowed(host.select(clip="ours"), 5, 9)
    change(world.project.current.tracks["video"][0].items[0])  # type: ignore[union-attr]
    result = result_of(movie(5), selection)
    before = state_of(world)
    if fits:
        assert host.place(selection, result).start == selection.start
        return
    with pytest.raises(ResolveProblem) as problem:
        host.place(selection, result)
    assert problem.value.code == "resolve-clip-moved"
    assert state_of(world) == before


def test_a_clip_one_frame_too_long_is_taken_back(
    make: Make, hosting: Hosting, footage: Footage, movie: Callable[..., Path]
) -> None:
    """A Resolve that includes endFrame would take a longer movie one frame too long; ours has no such frame,
    so it refuses, and that is told as well."""
    world = make("18.6", "studio", "hostile", traps=replace(HOSTILE, inclusive_end=True))
    host, selection = placing(world, footage, hosting)
    before = state_of(world)
    with pytest.raises(ResolveProblem) as problem:
        host.place(selection, result_of(movie(), selection))
    assert problem.value.code == "resolve-place-differs"
    assert state_of(world) == before


@pytest.mark.parametrize("change", ["longer", "later", "shift", "extra", "gone"])
def test_any_difference_is_taken_back_and_said(
    make: Make,
    hosting: Hosting,
    footage: Footage,
    movie: Callable[..., Path],
    change: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = make(profile="lenient")
    host, selection = placing(world, footage, hosting)
    timeline = world.project.current  # type: ignore[union-attr]
    pool = type(world.project.pool)  # type: ignore[union-attr]
    assert timeline is not None
    plain = pool.AppendToTimeline

    def append(self: Any, *clips: Any) -> Any:
        made = plain(self, *clips)
        if change == "longer":
            made[0].duration += 1
        elif change == "later":
            made[0].start += 1
        elif change == "shift":
            timeline.tracks["video"][0].items[2].start += 4
        elif change == "extra":
            world.add_clip(timeline, Clip(footage(), at=60, frames=3))
        else:
            timeline.tracks["video"][0].items.pop()
        return made

    monkeypatch.setattr(pool, "AppendToTimeline", append)
    before = state_of(world)
    with pytest.raises(ResolveProblem) as problem:
        host.place(selection, result_of(movie(), selection))
    assert problem.value.code == "resolve-place-differs"
    after = state_of(world)
    assert len(after["timelines"][timeline.uid]["tracks"]["video"]) == 1
    assert not after["timelines"][timeline.uid]["markers"]
    if change in ("longer", "later", "extra"):
        assert after == before
    else:
        assert "Ctrl Z" in problem.value.action
        assert "after" in problem.value.message


def test_an_interruption_takes_all_back(
    make: Make,
    hosting: Hosting,
    footage: Footage,
    movie: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = make(profile="hostile")
    host, selection = placing(world, footage, hosting)
    before = state_of(world)

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("flowanchor_resolve.place.add_marker", interrupted)
    with pytest.raises(KeyboardInterrupt):
        host.place(selection, result_of(movie(), selection))
    assert state_of(world) == before
    assert bins(world)["/FlowAnchor/Timeline 1"] == []


def test_what_cannot_be_taken_back_is_said(
    make: Make,
    hosting: Hosting,
    footage: Footage,
    movie: Callable[..., Path],
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = make(profile="hostile")
    host, selection = placing(world, footage, hosting)

    def dialog(*arguments: object) -> None:
        world.open_dialog("Media offline")
        raise ResolveProblem("resolve-marker", "No marker.", "Look.")

    monkeypatch.setattr("flowanchor_resolve.place.add_marker", dialog)
    with pytest.raises(ResolveProblem) as problem:
        host.place(selection, result_of(movie(), selection))
    assert "Not all of it could be taken back" in problem.value.action
    assert any("could not be opened again" in sentence for sentence in said)
