# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from flowanchor_core.errors import InputError
from flowanchor_core.footage import ClipInfo, MaskTrack, open_mask, probe, read_mask
from tests.core.footage.clips import FFV1, H264, HEIGHT, WIDTH, write_movie, write_png

BOX = np.zeros((HEIGHT, WIDTH), np.uint8)
BOX[10:20, 30:50] = 255


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> ClipInfo:
    return probe(write_movie(tmp_path_factory.mktemp("clip") / "clip.mkv", FFV1, 12))


def sequence(folder: Path, frames: int) -> Path:
    """Masks whose left edge is the frame's number."""
    folder.mkdir()
    for number in range(frames):
        gray = np.zeros((HEIGHT, WIDTH), np.uint8)
        gray[5:40, number : number + 10] = 255
        write_png(folder / f"m{number:03d}.png", gray)
    return folder


def left_edges(track: MaskTrack) -> list[int]:
    return [int(np.flatnonzero(mask.any(axis=0))[0]) for mask in track]


def test_one_image_holds_for_every_frame(tmp_path: Path, clip: ClipInfo) -> None:
    track = open_mask(write_png(tmp_path / "mask1.png", BOX), clip, 3, 7)
    assert len(track) == 5
    assert all(np.array_equal(mask, BOX > 0) for mask in track)
    values = read_mask(tmp_path / "mask1.png", clip, 3, 7)
    assert values.shape == (5, HEIGHT, WIDTH)
    assert values.dtype == np.float32
    assert np.array_equal(values[2], BOX / 255)


def test_a_mask_of_the_clip_is_cut_and_one_of_the_range_is_whole(tmp_path: Path, clip: ClipInfo) -> None:
    assert left_edges(open_mask(sequence(tmp_path / "whole", 12), clip, 3, 7)) == [3, 4, 5, 6, 7]
    assert left_edges(open_mask(sequence(tmp_path / "part", 5), clip, 3, 7)) == [0, 1, 2, 3, 4]
    assert left_edges(open_mask(tmp_path / "part" / "m%03d.png", clip, 3, 7)) == [0, 1, 2, 3, 4]
    # one file of it, named outright, is one image
    assert left_edges(open_mask(tmp_path / "part" / "m004.png", clip, 3, 7)) == [4] * 5


def test_a_movie_as_mask(tmp_path: Path, clip: ClipInfo) -> None:
    # the numbers' white blocks are brighter than half, all else is darker or about half
    track = open_mask(write_movie(tmp_path / "mask.mp4", H264, 12), clip, 1, 3)
    assert [bool(track[index][4, 4]) for index in range(3)] == [True, False, True]
    assert [bool(track[index][4, 12]) for index in range(3)] == [False, True, True]


def test_alpha_takes_away(tmp_path: Path, clip: ClipInfo) -> None:
    rgba = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
    rgba[..., 3] = BOX
    track = open_mask(write_png(tmp_path / "a.png", rgba, "rgba"), clip, 0, 0)
    assert np.array_equal(track[0], BOX > 0)


def test_the_threshold_is_half(tmp_path: Path, clip: ClipInfo) -> None:
    gray = np.full((HEIGHT, WIDTH), 127, np.uint8)
    gray[0, 0] = 128
    track = open_mask(write_png(tmp_path / "a.png", gray), clip, 0, 0)
    assert track[0].sum() == 1


def test_unusable_masks(tmp_path: Path, clip: ClipInfo) -> None:
    cases = {
        "mask-size": write_png(tmp_path / "small.png", np.full((32, WIDTH), 255, np.uint8)),
        "mask-length": sequence(tmp_path / "seven", 7),
        "mask-empty": write_png(tmp_path / "black.png", np.zeros((HEIGHT, WIDTH), np.uint8)),
        "clip-missing": tmp_path / "nowhere.png",
    }
    for code, path in cases.items():
        with pytest.raises(InputError) as caught:
            open_mask(path, clip, 3, 7)
        assert caught.value.code == code


def test_a_mask_empty_in_the_range_only(tmp_path: Path, clip: ClipInfo) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    for number in range(12):
        write_png(folder / f"{number:02d}.png", BOX if number < 3 else np.zeros_like(BOX))
    assert len(open_mask(folder, clip, 2, 7)) == 6
    with pytest.raises(InputError) as caught:
        open_mask(folder, clip, 3, 7)
    assert caught.value.code == "mask-empty"


@given(arrays(np.bool_, st.tuples(st.integers(1, 4), st.just(7), st.just(13))), st.data())
def test_a_track_holds_what_it_was_given(masks: NDArray[np.bool_], data: st.DataObject) -> None:
    track = MaskTrack.of(masks, 7, 13)
    assert np.array_equal(np.stack(list(track)), masks)
    other = data.draw(arrays(np.bool_, masks.shape))
    both = track | MaskTrack.of(other, 7, 13)
    assert np.array_equal(np.stack(list(both)), masks | other)
    bounds = track.bounds()
    if bounds is None:
        assert not masks.any()
    else:
        left, top, right, bottom = bounds
        union: NDArray[np.bool_] = np.logical_or.reduce(masks, axis=0)
        assert union[top:bottom, left:right].sum() == union.sum()
        assert union[top].any()
        assert union[bottom - 1].any()
        assert union[:, left].any()
        assert union[:, right - 1].any()
