# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from flowanchor_core.errors import InputError
from flowanchor_core.footage import check_range, decode, media, probe, read_frames
from flowanchor_core.footage.planes import samples
from tests.core.footage.clips import (
    FFV1,
    H264,
    H264_TS,
    MPEG4,
    RECIPES,
    Recipe,
    number_of,
    picture,
    write_movie,
    write_png,
    write_sequence,
)

RANGES = [(0, 0), (0, 69), (5, 9), (31, 50), (69, 69)]


@pytest.fixture(scope="module")
def movies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("movies")
    return {recipe.name: write_movie(folder / recipe.name, recipe, frames=70) for recipe in RECIPES}


@pytest.mark.parametrize(("first", "last"), RANGES)
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_the_range_is_exact(movies: dict[str, Path], recipe: Recipe, first: int, last: int) -> None:
    clip = probe(movies[recipe.name])
    assert [number_of(frame) for frame in read_frames(clip, first, last)] == list(range(first, last + 1))


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(50)], ids=str)
@pytest.mark.parametrize("recipe", [H264, FFV1, H264_TS], ids=lambda recipe: recipe.name)
def test_exact_at_rates_that_do_not_divide_the_clock(tmp_path: Path, recipe: Recipe, rate: Fraction) -> None:
    clip = probe(write_movie(tmp_path / recipe.name, recipe, frames=60, rate=rate))
    assert [number_of(frame) for frame in read_frames(clip, 29, 58)] == list(range(29, 59))


def test_exact_where_the_movie_does_not_start_at_zero(tmp_path: Path) -> None:
    clip = probe(write_movie(tmp_path / "a.mp4", H264, frames=60, first_pts=33))
    assert [number_of(frame) for frame in read_frames(clip, 30, 40)] == list(range(30, 41))


def test_sequence_frames(tmp_path: Path) -> None:
    clip = probe(write_sequence(tmp_path / "in", frames=6, start=7))
    frames = list(read_frames(clip, 2, 4))
    assert [number_of(frame) for frame in frames] == [2, 3, 4]
    assert np.array_equal(samples(frames[0])[1], picture(2))


def test_a_container_that_seeks_badly_is_read_from_its_start(
    movies: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = probe(movies[FFV1.name])
    opened = media.open_media

    class Late:
        """A container whose seek always lands beyond the target."""

        def __init__(self, container: av.container.InputContainer) -> None:
            self.container = container
            self.streams = container.streams

        def __enter__(self) -> Late:
            return self

        def __exit__(self, *_: object) -> None:
            self.container.close()

        def seek(self, *_: object, **__: object) -> None:
            self.container.seek(2_400_000)

        def decode(self, stream: av.VideoStream) -> object:
            return self.container.decode(stream)

    monkeypatch.setattr(media, "open_media", lambda *given: Late(opened(*given)))
    assert [number_of(frame) for frame in read_frames(clip, 30, 35)] == list(range(30, 36))


@pytest.mark.parametrize("recipe", [H264, FFV1], ids=lambda recipe: recipe.name)
def test_a_late_range_is_reached_by_seeking(
    movies: dict[str, Path], recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = probe(movies[recipe.name])

    def refused(*_: object) -> None:
        raise AssertionError("decoded from the start")

    monkeypatch.setattr(decode, "_from_start", refused)
    assert [number_of(frame) for frame in read_frames(clip, 50, 69)] == list(range(50, 70))


def test_a_range_outside_the_clip_names_the_last_frame(movies: dict[str, Path]) -> None:
    clip = probe(movies[H264.name])
    assert check_range(clip, 3, None) == (3, 69)
    for first, last in ((0, 70), (70, 75), (-1, 4)):
        with pytest.raises(InputError) as caught:
            check_range(clip, first, last)
        assert caught.value.code == "range-outside"
        assert "69" in str(caught.value)
        with pytest.raises(InputError):
            next(read_frames(clip, first, last))
    with pytest.raises(InputError) as caught:
        check_range(clip, 5, 4)
    assert caught.value.code == "range-empty"


def test_damage_inside_the_range_is_named(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "a.mkv", FFV1, 30)
    clip = probe(path)
    data = bytearray(path.read_bytes())
    for place in range(len(data) // 2, len(data) // 2 + 6000):
        data[place] = 0xAA
    path.write_bytes(bytes(data))
    with pytest.raises(InputError) as caught:
        list(read_frames(clip, 0, 29))
    assert caught.value.code == "clip-damaged"


def test_a_sequence_that_changes_size_is_refused(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "in", frames=3)
    write_png(folder / "shot.0003.png", picture(2, 32, 64))
    with pytest.raises(InputError) as caught:
        list(read_frames(probe(folder), 0, 2))
    assert caught.value.code == "clip-changes"


def test_frame_times_follow_the_timeline(tmp_path: Path) -> None:
    clip = probe(write_movie(tmp_path / "a.mp4", H264, frames=30, first_pts=5))
    assert decode.frame_times(clip, 10, 14) == (Fraction(15, 25), Fraction(20, 25))
    avi = probe(write_movie(tmp_path / "a.avi", MPEG4, frames=30))
    assert avi.timeline is None
    assert decode.frame_times(avi, 10, 14) == (Fraction(10, 25), Fraction(15, 25))
