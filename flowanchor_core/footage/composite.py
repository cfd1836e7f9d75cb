# SPDX-License-Identifier: Apache-2.0
"""Lay the edit over the source, as whole frames (`composite`) and as a patch that a host lays over
(`solve_patch`).

Whole frames are composited on the source's own samples: a sample whose matte is 0 is not touched, so it
stays what the decoder gave. A subsampled chroma sample has the mean matte of its block.

The patch is then derived from the whole frame, not made beside it: its straight-alpha colour is solved so
that alpha-over on the source gives the whole frame's picture, and its alpha is raised where the matte alone
could not reach that picture (colours cannot leave 0..255). That is why both deliveries agree to within one
8-bit code value although one is composited in subsampled YUV and the other in RGB.
"""

from __future__ import annotations

import av
import numpy as np
from numpy.typing import NDArray

from flowanchor_core.footage.colour import Picture, block_mean, from_rgb, quantised, spread, to_8bit, to_rgb
from flowanchor_core.footage.planes import Layout, Samples, clone, layout_of, samples
from flowanchor_core.footage.region import component_window
from flowanchor_core.footage.tags import ColourTags

Window = tuple[slice, slice]


def composite(
    frame: av.VideoFrame, edited: Picture, matte: Picture, window: Window, colour: ColourTags
) -> av.VideoFrame:
    """The source frame with the edit blended in by the matte, in the source's pixel format.

    Args:
        frame: decoded source; it is not changed.
        edited: [h, w, 3] R'G'B' 0..1, the window's picture after the edit.
        matte: [h, w] 0..1; outside the window the matte is 0.
        window: rows and columns, starting on whole chroma blocks.
        colour: the source's.

    Returns:
        A new frame. Every sample whose matte is 0, and any alpha component, is bit-identical to `frame`.
    """
    result = clone(frame)
    layout = layout_of(frame.format.name)
    for component, (view, values) in enumerate(
        zip(samples(result), from_rgb(edited, layout, colour), strict=False)
    ):
        chroma = layout.chroma if layout.subsampled(component) else (0, 0)
        weight = block_mean(matte, chroma)
        target = view[component_window(window, chroma)]
        source = target.astype(np.float32)
        blended = quantised((1 - weight) * source + weight * values, layout)  # exact at 1
        np.copyto(target, blended, where=weight > 0)
    return result


def window_rgb8(frame: av.VideoFrame, window: Window, colour: ColourTags) -> NDArray[np.uint8]:
    """A window of a frame as 8-bit R'G'B' [h, w, 3]."""
    layout = layout_of(frame.format.name)
    return to_8bit(to_rgb(windowed(samples(frame), layout, window), layout, colour))


def windowed(parts: tuple[Samples, ...], layout: Layout, window: Window) -> list[Samples]:
    """A window of all components of a frame."""
    return [
        view[component_window(window, layout.chroma if layout.subsampled(index) else (0, 0))]
        for index, view in enumerate(parts)
    ]


def solve_patch(
    source: NDArray[np.uint8], full: NDArray[np.uint8], edited: NDArray[np.uint8], matte: Picture
) -> NDArray[np.uint8]:
    """Straight-alpha RGBA [h, w, 4] whose alpha-over on `source` is `full` to within one code value.

    Args:
        source, full: [h, w, 3] 8-bit R'G'B' of the source and of the composite.
        edited: the edit's own picture; its colour is kept wherever it meets the promise, since a colour
            solved at a small alpha amplifies rounding.
        matte: [h, w] 0..1. Where it is 1 the patch is opaque and shows `full`.

    Alpha is 0 where `full` equals `source` and the matte rounds to 0. It can be above 0 up to one chroma
    block beyond the matte, where the composite changed a chroma sample that is shared across the matte's
    edge.
    """
    alpha = np.maximum(np.rint(matte * 255), np.ceil(_least_alpha(source, full) * 255)).astype(np.int32)
    weight = np.maximum(alpha, 1)[..., None].astype(np.float32)
    change = full.astype(np.float32) - source
    solved = np.clip(np.rint(source + change * 255 / weight), 0, 255).astype(np.uint8)
    rgba = np.empty((*alpha.shape, 4), dtype=np.uint8)
    rgba[..., 3] = alpha
    rgba[..., :3] = edited
    off = np.abs(over(source, rgba).astype(np.int32) - full).max(axis=-1) > 1
    rgba[..., :3] = np.where((off | (alpha == 255))[..., None], solved, rgba[..., :3])
    rgba[alpha == 0] = 0
    return rgba


def over(source: NDArray[np.uint8], rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Straight alpha-over, 8 bit: [h, w, 3] of `rgba` [h, w, 4] laid over `source` [h, w, 3]."""
    alpha = rgba[..., 3:].astype(np.int32)
    total = rgba[..., :3].astype(np.int32) * alpha + source.astype(np.int32) * (255 - alpha)
    return ((total + 127) // 255).astype(np.uint8)


def _least_alpha(source: NDArray[np.uint8], full: NDArray[np.uint8]) -> Picture:
    """Smallest alpha 0..1 with which some colour in 0..255, laid over `source`, gives `full`."""
    change = full.astype(np.float32) - source
    room = np.where(change > 0, np.float32(255) - source, source.astype(np.float32))
    least: Picture = (np.abs(change) / np.maximum(room, 1)).max(axis=-1)
    return least


def touched(matte: Picture, layout: Layout) -> NDArray[np.bool_]:
    """Pixels [h, w] of which the composite may change a sample: the matte's, and those that share its
    chroma.
    """
    pixels = matte > 0
    if layout.family == "yuv" and layout.chroma != (0, 0):
        pixels = pixels | (spread(block_mean(matte, layout.chroma), layout.chroma, *matte.shape) > 0)
    return pixels


def outside(matte: Picture, have: Layout, want: Layout, component: int) -> NDArray[np.bool_]:
    """Samples of one component of layout `want`, at its own size, which an edit of layout `have` must not
    change.

    In the source's own format these are the samples whose matte is 0. In a delivery that mixes components
    (RGB) or chroma samples (another subsampling) they are those that no touched sample went into.
    """
    chroma = want.chroma if want.subsampled(component) else (0, 0)
    mixes = want.family != have.family or (want.subsampled(component) and want.chroma != have.chroma)
    if mixes or (component in (1, 2) and want.chroma != have.chroma):
        matte = touched(matte, have).astype(np.float32)
    free: NDArray[np.bool_] = block_mean(matte, chroma) == 0
    return free
