# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flowanchor_core.errors import InputError
from flowanchor_core.footage.colour import (
    block_mean,
    convert_frame,
    frame_to_rgb,
    rgb_to_frame,
    spread,
    tags_for,
)
from flowanchor_core.footage.planes import layout_of, repacked, samples
from flowanchor_core.footage.tags import SRGB, ColourTags
from tests.core.footage.clips import noisy_frame, numbered_frame

BT709 = ColourTags("bt709", False)
BT601 = ColourTags("bt601", False)
BT601_FULL = ColourTags("bt601", True)
FORMATS = [
    "yuv420p",
    "yuv422p10le",
    "yuv444p",
    "yuv440p",
    "yuv411p",
    "yuva420p",
    "gray",
    "gray16le",
    "rgb24",
    "gbrp16le",
]


def flat(red: float, green: float, blue: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.broadcast_to(np.array([red, green, blue], np.float32), (16, 16, 3)).copy()


@pytest.mark.parametrize(
    ("pix_fmt", "colour", "rgb", "codes"),
    [
        # ITU-R BT.709 and BT.601 colour bars, from the standards' own equations
        ("yuv444p", BT709, (1, 1, 1), (235, 128, 128)),
        ("yuv444p", BT709, (0, 0, 0), (16, 128, 128)),
        ("yuv444p", BT709, (1, 0, 0), (63, 102, 240)),
        ("yuv444p", BT709, (0, 1, 0), (173, 42, 26)),
        ("yuv444p", BT709, (0, 0, 1), (32, 240, 118)),
        ("yuv444p", BT601, (1, 0, 0), (81, 90, 240)),
        ("yuv444p", BT601, (0, 1, 0), (145, 54, 34)),
        ("yuv444p", BT601, (0, 0, 1), (41, 240, 110)),
        ("yuv444p", BT601_FULL, (1, 0, 0), (76, 85, 255)),
        ("yuv422p10le", BT709, (1, 1, 1), (940, 512, 512)),
        ("yuv422p10le", BT709, (1, 0, 0), (250, 409, 960)),
        ("yuv420p", BT709, (0, 1, 0), (173, 42, 26)),
        ("gray", BT709, (1, 1, 1), (235,)),
        ("rgb24", SRGB, (1, 0.5, 0), (255, 128, 0)),
        ("gbrp16le", SRGB, (1, 0, 0), (65535, 0, 0)),
    ],
)
def test_known_codes(
    pix_fmt: str, colour: ColourTags, rgb: tuple[float, float, float], codes: tuple[int, ...]
) -> None:
    frame = rgb_to_frame(flat(*rgb), pix_fmt, colour)
    found = [np.unique(view).tolist() for view in samples(frame)]
    assert found == [[code] for code in codes]
    if layout_of(pix_fmt).family != "gray":
        assert np.abs(frame_to_rgb(frame, colour) - flat(*rgb)).max() < 0.01


@pytest.mark.parametrize("colour", [BT709, BT601, BT601_FULL])
@pytest.mark.parametrize("pix_fmt", FORMATS)
@pytest.mark.parametrize("size", [(48, 64), (17, 19)])
def test_there_and_back_is_exact(pix_fmt: str, colour: ColourTags, size: tuple[int, int]) -> None:
    layout = layout_of(pix_fmt)
    colour = SRGB if layout.family == "rgb" else colour
    generator = np.random.default_rng(0)
    # muted colours, so that none is outside of RGB
    soft = rgb_to_frame((0.4 + 0.2 * generator.random((*size, 3))).astype(np.float32), pix_fmt, colour)
    again = rgb_to_frame(frame_to_rgb(soft, colour), pix_fmt, colour)
    for old, new in zip(samples(soft), samples(again), strict=True):
        assert np.array_equal(old, new)


@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.sampled_from([(0, 0), (1, 0), (1, 1), (0, 1), (2, 0), (2, 2)]),
    st.data(),
)
def test_block_mean_undoes_spread(
    height: int, width: int, chroma: tuple[int, int], data: st.DataObject
) -> None:
    small = (-(-height >> chroma[1]), -(-width >> chroma[0]))
    plane = data.draw(arrays(np.float32, small, elements=st.integers(0, 255).map(np.float32)))
    whole = spread(plane, chroma, height, width)
    assert whole.shape == (height, width)
    assert np.array_equal(block_mean(whole, chroma), plane)


@pytest.mark.parametrize("source", FORMATS)
def test_samples_are_views_of_the_right_components(source: str) -> None:
    layout = layout_of(source)
    frame = noisy_frame(source, 16, 24, np.random.default_rng(1))
    for index, view in enumerate(samples(frame)):
        view[...] = index + 1
    for index, view in enumerate(samples(frame)):
        assert (view == index + 1).all()
    if layout.family == "rgb":
        red = frame_to_rgb(frame, SRGB)[0, 0] * layout.peak
        assert np.allclose(red, [1, 2, 3])


def test_rgb_is_what_ffmpeg_says_it_is() -> None:
    frame = rgb_to_frame(flat(0.9, 0.4, 0.1), "gbrp16le", SRGB)
    assert np.abs(frame.reformat(format="rgb24").to_ndarray()[0, 0] - np.array([229.5, 102, 25.5])).max() <= 1


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le"])
def test_deeper_and_back_is_the_same(pix_fmt: str) -> None:
    frame = numbered_frame(3, pix_fmt)
    deep = convert_frame(frame, BT709, "yuv444p16le", BT709)
    back = convert_frame(deep, BT709, pix_fmt, BT709)
    for old, new in zip(samples(frame), samples(back), strict=True):
        assert np.array_equal(old, new)


def test_eight_bit_limited_to_ten_is_times_four() -> None:
    frame = noisy_frame("yuv422p", 16, 16, np.random.default_rng(2))
    deep = convert_frame(frame, BT709, "yuv422p10le", BT709)
    for old, new in zip(samples(frame), samples(deep), strict=True):
        assert np.array_equal(old.astype(np.uint16) * 4, new)


def test_same_format_is_the_same_frame() -> None:
    frame = numbered_frame(1, "yuv420p")
    assert convert_frame(frame, BT709, "yuv420p", BT709) is frame


def test_alpha_is_carried_or_opaque() -> None:
    frame = noisy_frame("yuva420p", 16, 16, np.random.default_rng(3))
    kept = convert_frame(frame, BT709, "rgba", SRGB)
    assert np.array_equal(samples(kept)[-1], samples(frame)[-1])
    gained = convert_frame(numbered_frame(1, "yuv420p"), BT709, "yuva444p10le", BT709)
    assert (samples(gained)[-1] == 1023).all()


def test_delivery_tags() -> None:
    stated = ColourTags("bt601", True, 5, 2, 6, 5)
    kept = tags_for(stated, layout_of("yuv420p"), "yuv420p", 480, limited=False)
    assert (kept.matrix, kept.full_range, kept.tag_matrix, kept.tag_range) == ("bt601", True, 5, 2)
    studio = tags_for(stated, layout_of("yuv420p"), "yuv422p10le", 480, limited=True)
    assert (studio.matrix, studio.full_range, studio.tag_range) == ("bt601", False, 1)
    made = tags_for(SRGB, layout_of("rgb24"), "yuv420p", 720, limited=False)
    assert (made.matrix, made.full_range, made.tag_matrix, made.tag_range) == ("bt709", False, 1, 1)
    image = tags_for(stated, layout_of("yuv420p"), "rgb24", 480, limited=False)
    assert (image.matrix, image.full_range, image.tag_transfer) == ("rgb", True, 6)


def test_repacked_formats_are_handled_and_others_refused() -> None:
    for name in ("nv12", "pal8", "bgra", "rgb48be", "p010le", "yuyv422"):
        layout_of(repacked(name))
    with pytest.raises(InputError) as caught:
        layout_of("xyz12le")
    assert caught.value.code == "pixel-format-unsupported"
