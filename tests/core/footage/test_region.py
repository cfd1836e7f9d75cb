# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowanchor_core.errors import InputError
from flowanchor_core.footage import Crop, MaskTrack, Region, model_size, plan_crop, plan_region
from flowanchor_core.footage.colour import frame_to_rgb
from flowanchor_core.footage.region import component_window, resize
from flowanchor_core.footage.tags import ColourTags
from tests.core.footage.clips import numbered_frame

BT709 = ColourTags("bt709", False)


@st.composite
def bounds_in_frame(draw: st.DrawFn) -> tuple[tuple[int, int, int, int], tuple[int, int]]:
    width, height = draw(st.integers(16, 400)), draw(st.integers(16, 400))
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    return (left, top, draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height))), (
        width,
        height,
    )


def up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


@given(
    bounds_in_frame(),
    st.integers(0, 60),
    st.sampled_from([16, 32]),
    st.sampled_from([(16, 16), (64, 64), (128, 48)]),
    st.sampled_from([None, Fraction(1), Fraction(16, 9), Fraction(1, 2)]),
)
def test_a_crop_holds_its_region_on_the_grid(
    case: tuple[tuple[int, int, int, int], tuple[int, int]],
    margin: int,
    multiple: int,
    minimum: tuple[int, int],
    aspect: Fraction | None,
) -> None:
    (left, top, right, bottom), (width, height) = case
    crop = plan_crop((left, top, right, bottom), (width, height), margin, multiple, minimum, aspect)
    assert all(number % multiple == 0 for number in (crop.x, crop.y, crop.width, crop.height))
    assert crop.x >= 0
    assert crop.y >= 0
    assert crop.width >= minimum[0]
    assert crop.height >= minimum[1]
    # the marked region with its margin, as far as the frame goes
    assert crop.x <= max(0, left - margin)
    assert crop.y <= max(0, top - margin)
    assert crop.x + crop.width >= min(width, right + margin)
    assert crop.y + crop.height >= min(height, bottom + margin)
    # never more padding than the grid or the minimum asks for
    assert crop.x + crop.width <= max(up(width, multiple), up(minimum[0], multiple))
    assert crop.y + crop.height <= max(up(height, multiple), up(minimum[1], multiple))
    if aspect is None:
        assert crop.width <= max(up(minimum[0], multiple), right - left + 2 * margin + 2 * multiple)


def test_a_crop_widens_to_the_aspect_asked_for() -> None:
    crop = plan_crop((300, 100, 340, 300), (1280, 720), 12, aspect=Fraction(1))
    assert crop.width == crop.height == 240


@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.sampled_from([64 * 64, 832 * 480, 16 * 16]),
    st.sampled_from([8, 16]),
    st.sampled_from(["detail", "fast"]),
)
def test_model_size_fits_the_budget(columns: int, rows: int, budget: int, multiple: int, mode: str) -> None:
    crop = Crop(0, 0, columns * 16, rows * 16)
    width, height = model_size(crop, budget, multiple, "detail" if mode == "detail" else "fast")
    assert width % multiple == 0
    assert height % multiple == 0
    assert multiple <= width
    assert multiple <= height
    assert width * height <= budget
    if mode == "fast":
        assert width * height <= crop.width * crop.height


@pytest.mark.parametrize(
    ("crop", "mode", "expected"),
    [
        (Crop(0, 0, 832, 480), "detail", (832, 480)),
        (Crop(0, 0, 1664, 960), "fast", (832, 480)),
        (Crop(0, 0, 416, 240), "detail", (832, 480)),
        (Crop(0, 0, 416, 240), "fast", (416, 240)),
        (Crop(0, 0, 640, 640), "detail", (624, 624)),
    ],
)
def test_model_size_examples(crop: Crop, mode: str, expected: tuple[int, int]) -> None:
    assert model_size(crop, 832 * 480, 16, "detail" if mode == "detail" else "fast") == expected


def test_a_crop_too_long_for_its_aspect_becomes_the_longest_strip_that_fits() -> None:
    assert model_size(Crop(0, 0, 5120, 64), 64 * 64, 8) == (512, 8)
    assert model_size(Crop(0, 0, 64, 5120), 64 * 64, 8) == (8, 512)


def test_longest_side_is_kept() -> None:
    assert max(model_size(Crop(0, 0, 1600, 160), 832 * 480, 16, longest=832)) <= 832


def region(crop: Crop, frame: tuple[int, int], model: tuple[int, int]) -> Region:
    return Region(crop, frame[0], frame[1], *model)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le", "rgb24", "gray"])
def test_cut_and_place_at_native_scale_is_the_source(pix_fmt: str) -> None:
    frame = numbered_frame(5, pix_fmt, 45, 61)
    colour = BT709
    here = region(Crop(16, 16, 48, 32), (61, 45), (48, 32))
    cut = here.cut(frame, colour)
    assert cut.shape == (32, 48, 3)
    whole = frame_to_rgb(frame, colour)
    assert np.array_equal(cut[:29, :45], whole[16:45, 16:61])
    # beyond the frame the last pixel is repeated
    assert np.array_equal(cut[29:, :45], np.repeat(whole[44:45, 16:61], 3, axis=0))
    assert np.array_equal(here.place(cut), whole[16:45, 16:61])


def test_scaling_there_and_back_keeps_a_smooth_picture() -> None:
    rows, columns = np.indices((64, 64), dtype=np.float32)
    picture = (np.stack([rows, columns, rows + columns], axis=-1) / 128).astype(np.float32)
    for size in ((128, 128), (32, 32), (48, 80)):
        back = resize(resize(picture, *size), 64, 64)
        assert np.abs(back - picture)[4:-4, 4:-4].max() < 0.02
    assert resize(picture, 64, 64) is picture


def test_masks_are_scaled_by_area() -> None:
    mask = np.zeros((64, 64), np.bool_)
    mask[16:32, 16:24] = True
    small = region(Crop(0, 0, 64, 64), (64, 64), (16, 16)).cut_mask(mask)
    assert small.dtype == np.float32
    assert np.isclose(small.sum(), mask.sum() / 16)


def test_a_region_has_room_for_the_whole_matte() -> None:
    mask = np.zeros((1, 96, 128), np.bool_)
    mask[0, 40:50, 60:70] = True
    track = MaskTrack.of(mask, 96, 128)
    made = plan_region(track, margin=0, grow=5, feather=20, size_of=lambda crop: (crop.width, crop.height))
    whole = Region(Crop(0, 0, 128, 96), 128, 96, 128, 96, 5, 20)
    full = whole.matte(track[0])
    kept = np.zeros_like(full)
    kept[made.window] = made.matte(track[0])
    assert np.array_equal(kept, full)
    assert made.crop.width < 128


def test_impossible_regions_are_refused() -> None:
    empty = MaskTrack.of(np.zeros((2, 32, 32), np.bool_), 32, 32)
    for track, grow, code in (
        (empty, 0, "mask-empty"),
        (MaskTrack.of(np.ones((1, 32, 32)), 32, 32), -1, "bad-region"),
    ):
        with pytest.raises(InputError) as caught:
            plan_region(track, margin=0.1, grow=grow, size_of=lambda crop: (crop.width, crop.height))
        assert caught.value.code == code


def test_an_edited_picture_of_another_size_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="expected 32 x 48"):
        region(Crop(0, 0, 48, 32), (64, 48), (48, 32)).place(np.zeros((48, 32, 3), np.float32))


def test_component_windows_cover_cut_blocks() -> None:
    assert component_window((slice(16, 45), slice(0, 61)), (1, 1)) == (slice(8, 23), slice(0, 31))
    assert component_window((slice(16, 45), slice(0, 61)), (0, 0)) == (slice(16, 45), slice(0, 61))
