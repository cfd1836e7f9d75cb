# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowanchor_core.footage.colour import block_mean, convert_frame, frame_to_rgb, rgb_to_frame, to_8bit
from flowanchor_core.footage.composite import (
    composite,
    outside,
    over,
    solve_patch,
    touched,
    window_rgb8,
)
from flowanchor_core.footage.planes import layout_of, samples
from flowanchor_core.footage.tags import SRGB, ColourTags
from flowanchor_core.footage.verify import full_matte
from tests.core.footage.clips import marked, noisy_frame, region_of

FORMATS = [
    "yuv420p",
    "yuv422p10le",
    "yuv444p",
    "rgb24",
    "gray",
    "yuvj420p",
    "yuva420p",
    "gbrp16le",
    "yuv411p",
]


def colour_of(pix_fmt: str, matrix: str = "bt709") -> ColourTags:
    if layout_of(pix_fmt).family == "rgb":
        return SRGB
    return ColourTags("bt709" if matrix == "bt709" else "bt601", pix_fmt.startswith("yuvj"))


@settings(max_examples=60)
@given(
    st.sampled_from(FORMATS),
    st.integers(40, 61),
    st.integers(48, 77),
    st.integers(0, 4),
    st.integers(0, 5),
    st.integers(0, 2**32 - 1),
)
def test_samples_outside_the_matte_are_the_source_bit_for_bit(
    pix_fmt: str, height: int, width: int, grow: int, feather: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    colour, layout = colour_of(pix_fmt), layout_of(pix_fmt)
    frame = noisy_frame(pix_fmt, height, width, generator)
    before = [view.copy() for view in samples(frame)]
    track = marked(1, height, width)
    region = region_of(track, grow, feather)
    rows, columns = region.window
    edited = generator.random((rows.stop - rows.start, columns.stop - columns.start, 3)).astype(np.float32)
    result = composite(frame, edited, region.matte(track[0]), region.window, colour)
    matte = full_matte(region, track[0])
    inside = rgb_to_frame(edited, pix_fmt, colour)
    changed = 0
    for index, (old, new) in enumerate(zip(before, samples(result), strict=True)):
        chroma = layout.chroma if layout.subsampled(index) else (0, 0)
        weight = block_mean(matte, chroma)
        assert np.array_equal(old[weight == 0], new[weight == 0])
        if layout.alpha and index == len(before) - 1:
            assert np.array_equal(old, new)
        changed += int((old != new).sum())
        assert np.array_equal(samples(frame)[index], old)  # the source itself is not written to
    assert changed > 0
    opaque = full_matte(region, track[0])[region.window] == 1
    assert np.array_equal(samples(result)[0][region.window][opaque], samples(inside)[0][opaque])


@settings(max_examples=80)
@given(
    st.sampled_from(FORMATS),
    st.sampled_from(["bt709", "bt601"]),
    st.integers(0, 4),
    st.integers(0, 6),
    st.integers(0, 2**32 - 1),
)
def test_patch_over_source_is_full_to_one_code_value(
    pix_fmt: str, matrix: str, grow: int, feather: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    colour, layout = colour_of(pix_fmt, matrix), layout_of(pix_fmt)
    frame = noisy_frame(pix_fmt, 48, 64, generator)  # noise over all codes: the hardest chroma there is
    track = marked(1)
    region = region_of(track, grow, feather)
    rows, columns = region.window
    edited = generator.random((rows.stop - rows.start, columns.stop - columns.start, 3)).astype(np.float32)
    matte = region.matte(track[0])
    full = composite(frame, edited, matte, region.window, colour)
    source8 = window_rgb8(frame, region.window, colour)
    full8 = window_rgb8(full, region.window, colour)
    rgba = solve_patch(source8, full8, to_8bit(edited), matte)
    assert np.abs(over(source8, rgba).astype(int) - full8).max() <= 1
    # outside the window nothing changed, so the same holds for the whole frame
    whole = to_8bit(frame_to_rgb(full, colour))
    patched = to_8bit(frame_to_rgb(frame, colour))
    patched[region.window] = over(source8, rgba)
    assert np.abs(patched.astype(int) - whole).max() <= 1
    alpha = rgba[..., 3]
    assert (alpha[matte == 1] == 255).all()
    assert (alpha[~touched(matte, layout)] == 0).all()
    assert np.array_equal(rgba[alpha == 255][:, :3], full8[alpha == 255])


def test_a_patch_keeps_the_edits_colour_where_it_can() -> None:
    source = np.full((1, 16, 3), 100, np.uint8)
    edited = np.full((1, 16, 3), (250, 10, 120), np.uint8)
    matte = np.linspace(0, 1, 16, dtype=np.float32)[None]
    blend = np.rint(source + matte[..., None] * (edited.astype(np.float32) - source)).astype(np.uint8)
    rgba = solve_patch(source, blend, edited, matte)
    assert np.array_equal(rgba[0, 1:, :3], edited[0, 1:])
    assert np.array_equal(rgba[..., 3], np.rint(matte * 255).astype(np.uint8))
    assert (rgba[0, 0] == 0).all()


def test_alpha_rises_where_the_matte_could_not_reach_the_picture() -> None:
    source = np.full((1, 1, 3), 200, np.uint8)
    full = np.full((1, 1, 3), 228, np.uint8)
    rgba = solve_patch(source, full, full, np.zeros((1, 1), np.float32))
    assert rgba[0, 0, 3] >= 255 * 28 / 55
    assert abs(int(over(source, rgba)[0, 0, 0]) - 228) <= 1


@pytest.mark.parametrize("source", ["yuv420p", "yuv422p", "yuv444p", "gray"])
@pytest.mark.parametrize("target", ["yuv420p", "yuv422p10le", "rgb24", "yuv444p"])
def test_outside_holds_in_every_delivered_format(source: str, target: str) -> None:
    generator = np.random.default_rng(4)
    colour = colour_of(source)
    want = SRGB if target == "rgb24" else colour
    frame = noisy_frame(source, 48, 64, generator)
    track = marked(1)
    region = region_of(track, 0, 2)
    edited = np.ones((*full_matte(region, track[0])[region.window].shape, 3), np.float32)
    full = composite(frame, edited, region.matte(track[0]), region.window, colour)
    old = samples(convert_frame(frame, colour, target, want))
    new = samples(convert_frame(full, colour, target, want))
    matte = full_matte(region, track[0])
    for component, (before, after) in enumerate(zip(old, new, strict=True)):
        free = outside(matte, layout_of(source), layout_of(target), component)
        assert free.shape == before.shape
        assert np.array_equal(before[free], after[free])
        # and not by leaving out more than the matte and the chroma blocks it cuts
        assert free.sum() > 0.5 * free.size
