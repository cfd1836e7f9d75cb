# SPDX-License-Identifier: Apache-2.0
"""Between code values and R'G'B' in 0..1, with the matrix and the range spelt out (ITU-R BT.601, BT.709).

R'G'B' is display-referred and stays in the clip's own transfer curve: nothing is linearised.

A subsampled chroma sample stands for the block of pixels it covers: it is repeated to all of them on the
way to RGB and is their mean on the way back. The two are exact inverses, so whatever siting the source's
chroma has, an edit's chroma returns to the very grid it came from, and a changed chroma sample shows in its
own block only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

from flowanchor_core.footage.planes import Layout, Samples, blank, layout_of, samples
from flowanchor_core.footage.tags import SRGB, UNSPECIFIED, ColourTags

Picture = NDArray[np.float32]
"""[H, W, 3] R'G'B' 0..1, or one component or matte [H, W]."""

_LUMA: Final = {"bt709": (0.2126, 0.0722), "bt601": (0.299, 0.114)}  # weights of red and blue


def frame_to_rgb(frame: av.VideoFrame, colour: ColourTags) -> Picture:
    """A decoded frame as [H, W, 3] float32 R'G'B', clipped to 0..1. Alpha is left out."""
    return to_rgb(samples(frame), layout_of(frame.format.name), colour)


def rgb_to_frame(rgb: Picture, pix_fmt: str, colour: ColourTags) -> av.VideoFrame:
    """[H, W, 3] R'G'B' 0..1 as a frame of `pix_fmt`, rounded to code values; an alpha component is opaque."""
    layout = layout_of(pix_fmt)
    frame = blank(rgb.shape[1], rgb.shape[0], pix_fmt)
    views = samples(frame)
    for view, values in zip(views, from_rgb(rgb, layout, colour), strict=False):
        view[...] = quantised(values, layout)
    if layout.alpha:
        views[-1][...] = layout.peak
    return frame


def to_rgb(components: Sequence[NDArray[Any]], layout: Layout, colour: ColourTags) -> Picture:
    """Components in code values (chroma at its own size) as [H, W, 3] float32 R'G'B', clipped to 0..1."""
    height, width = components[0].shape
    luma_zero, luma_span, chroma_zero, chroma_span = _scale(layout, colour)
    if layout.family == "rgb":
        rgb = np.stack([part.astype(np.float32) for part in components[:3]], axis=-1)
        return rgb / np.float32(layout.peak)
    y = (components[0].astype(np.float32) - luma_zero) / luma_span
    if layout.family == "gray":
        return np.clip(np.repeat(y[..., None], 3, axis=-1), 0, 1)
    cb, cr = (
        (spread(part, layout.chroma, height, width).astype(np.float32) - chroma_zero) / chroma_span
        for part in components[1:3]
    )
    red, blue = _weights(colour)
    green = 1 - red - blue
    rgb = np.empty((height, width, 3), dtype=np.float32)
    rgb[..., 0] = y + np.float32(2 * (1 - red)) * cr
    rgb[..., 2] = y + np.float32(2 * (1 - blue)) * cb
    rgb[..., 1] = (
        y - np.float32(2 * blue * (1 - blue) / green) * cb - np.float32(2 * red * (1 - red) / green) * cr
    )
    return np.clip(rgb, 0, 1, out=rgb)


def from_rgb(rgb: Picture, layout: Layout, colour: ColourTags) -> list[Picture]:
    """[H, W, 3] R'G'B' as unrounded code values of the layout's colour components, chroma at its own size."""
    luma_zero, luma_span, chroma_zero, chroma_span = _scale(layout, colour)
    if layout.family == "rgb":
        return [rgb[..., part] * np.float32(layout.peak) for part in range(3)]
    red, blue = _weights(colour)
    y = (
        np.float32(red) * rgb[..., 0]
        + np.float32(1 - red - blue) * rgb[..., 1]
        + np.float32(blue) * rgb[..., 2]
    )
    values = [y * luma_span + luma_zero]
    if layout.family == "yuv":
        cb = (rgb[..., 2] - y) / np.float32(2 * (1 - blue))
        cr = (rgb[..., 0] - y) / np.float32(2 * (1 - red))
        values += [block_mean(part, layout.chroma) * chroma_span + chroma_zero for part in (cb, cr)]
    return values


def quantised(values: Picture, layout: Layout) -> Samples:
    """Unrounded code values rounded and clipped to what the layout can store."""
    codes: Samples = np.clip(np.rint(values), 0, layout.peak).astype(layout.dtype)
    return codes


def to_8bit(rgb: Picture) -> NDArray[np.uint8]:
    """R'G'B' 0..1 as 8-bit code values."""
    codes: NDArray[np.uint8] = np.rint(rgb * np.float32(255)).astype(np.uint8)
    return codes


def block_mean(plane: Picture, chroma: tuple[int, int]) -> Picture:
    """Mean of each chroma block of a [H, W] plane; cut blocks repeat their last sample."""
    for axis, shift in ((1, chroma[0]), (0, chroma[1])):
        step = 1 << shift
        if step == 1:
            continue
        short = -plane.shape[axis] % step
        if short:
            plane = np.pad(
                plane, [(0, short if axis == 0 else 0), (0, short if axis == 1 else 0)], mode="edge"
            )
        parts = [plane[offset::step] if axis == 0 else plane[:, offset::step] for offset in range(step)]
        total = parts[0].astype(np.float32)
        for part in parts[1:]:
            total = total + part
        plane = total / np.float32(step)
    return plane


def spread(plane: NDArray[Any], chroma: tuple[int, int], height: int, width: int) -> NDArray[Any]:
    """Repeat each sample of a chroma plane over its block, cut to [height, width]."""
    if chroma[1]:
        plane = np.repeat(plane, 1 << chroma[1], axis=0)
    if chroma[0]:
        plane = np.repeat(plane, 1 << chroma[0], axis=1)
    return plane[:height, :width]


def convert_frame(
    frame: av.VideoFrame, source: ColourTags, pix_fmt: str, target: ColourTags
) -> av.VideoFrame:
    """A frame in another pixel format; itself where the samples are the same already.

    Between YUV formats of one matrix only depth, range and chroma size change; else the way is through
    R'G'B'. An alpha component is carried over where both formats have one, and is opaque in a format that
    gains one.
    """
    have, want = layout_of(frame.format.name), layout_of(pix_fmt)
    if have == want and source.full_range == target.full_range and source.matrix == target.matrix:
        return frame
    parts = samples(frame)
    result = blank(frame.width, frame.height, pix_fmt)
    views = samples(result)
    same_matrix = have.family == "gray" or (have.family == "yuv" and source.matrix == target.matrix)
    if same_matrix and want.family in ("gray", "yuv"):
        values = _rescaled(parts, have, source, want, target)
    else:
        values = from_rgb(to_rgb(parts, have, source), want, target)
    for view, value in zip(views, values, strict=False):
        view[...] = quantised(value, want)
    if want.alpha:
        opaque = np.float32(want.peak)
        alpha = parts[-1].astype(np.float32) * (opaque / have.peak) if have.alpha else opaque
        views[-1][...] = np.rint(alpha).astype(want.dtype)
    return result


def tags_for(source: ColourTags, have: Layout, pix_fmt: str, height: int, *, limited: bool) -> ColourTags:
    """Tags of a delivery in `pix_fmt` of footage with tags `source` and layout `have`.

    YUV stays in its matrix and states what the source stated; RGB and gray become 709 from 576 lines up,
    else 601. `limited`: the format must have limited range (ProRes), else the source's range is kept.
    """
    want = layout_of(pix_fmt)
    if want.family == "rgb":
        return replace(source, matrix="rgb", full_range=True, tag_matrix=0, tag_range=2, assumed="")
    if have.family == "yuv":
        full = source.full_range and not limited
        stated = 1 if limited else (2 if full else source.tag_range)
        return replace(source, full_range=full, tag_range=stated, assumed="")
    if have.family == "gray" and want.family == "gray":
        return replace(source, tag_range=2 if source.full_range else 1, assumed="")
    hd = height >= 576
    transfer = source.tag_transfer if source.tag_transfer != UNSPECIFIED else 1
    return ColourTags("bt709" if hd else "bt601", False, 1 if hd else 6, 1, transfer, 1 if hd else 6)


def _rescaled(
    parts: Sequence[Samples], have: Layout, source: ColourTags, want: Layout, target: ColourTags
) -> list[Picture]:
    height, width = parts[0].shape
    old, new = _scale(have, source), _scale(want, target)
    values = [(parts[0].astype(np.float32) - old[0]) * (new[1] / old[1]) + new[0]]
    if want.family == "yuv" and have.family == "gray":
        small = block_mean(values[0], want.chroma)
        values += [np.full_like(small, new[2])] * 2
    elif want.family == "yuv":
        for part in parts[1:3]:
            chroma = part.astype(np.float32)
            if have.chroma != want.chroma:
                chroma = block_mean(spread(chroma, have.chroma, height, width), want.chroma)
            values.append((chroma - old[2]) * (new[3] / old[3]) + new[2])
    return values


def _weights(colour: ColourTags) -> tuple[float, float]:
    return _LUMA["bt601" if colour.matrix == "bt601" else "bt709"]


def _scale(layout: Layout, colour: ColourTags) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Code value of black, from black to white, of neutral chroma, and of the chroma's full swing."""
    if colour.full_range or layout.full_by_format:
        numbers = (0, layout.peak, 1 << (layout.bits - 1), layout.peak)
    else:
        step = 1 << (layout.bits - 8)
        numbers = (16 * step, 219 * step, 128 * step, 224 * step)
    return tuple(np.float32(number) for number in numbers)  # type: ignore[return-value]  # four of four


__all__ = [
    "SRGB",
    "Picture",
    "block_mean",
    "convert_frame",
    "frame_to_rgb",
    "from_rgb",
    "quantised",
    "rgb_to_frame",
    "spread",
    "tags_for",
    "to_8bit",
    "to_rgb",
]
