# SPDX-License-Identifier: Apache-2.0
"""Pixel formats, and a frame's samples as numpy arrays that share its memory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import av
import numpy as np
from numpy.typing import NDArray

from flowanchor_core.errors import InputError

Samples = NDArray[np.unsignedinteger[Any]]
"""One component of a frame, [h, w], uint8 or uint16, in code values."""

_SUBSAMPLING: Final = {
    "444": (0, 0),
    "422": (1, 0),
    "420": (1, 1),
    "440": (0, 1),
    "411": (2, 0),
    "410": (2, 2),
}
_YUV: Final = re.compile(r"yuv(?P<alpha>a?)(?P<full>j?)(?P<sub>4\d\d)p(?:(?P<bits>9|10|12|14|16)le)?")
_GRAY: Final = re.compile(r"gray(?:(?P<bits>9|10|12|14|16)le)?")
_GBR: Final = re.compile(r"gbr(?P<alpha>a?)p(?:(?P<bits>9|10|12|14|16)le)?")

# Same samples in another order: repacked after decoding, so that the rest of the code meets few formats.
_REPACKED: Final = {
    "nv12": "yuv420p",
    "nv21": "yuv420p",
    "nv16": "yuv422p",
    "nv24": "yuv444p",
    "p010le": "yuv420p10le",
    "p210le": "yuv422p10le",
    "yuyv422": "yuv422p",
    "uyvy422": "yuv422p",
    "yvyu422": "yuv422p",
    "bgr24": "rgb24",
    "rgb0": "rgb24",
    "bgr0": "rgb24",
    "0rgb": "rgb24",
    "0bgr": "rgb24",
    "bgra": "rgba",
    "argb": "rgba",
    "abgr": "rgba",
    "pal8": "rgba",
    "ya8": "rgba",
    "monob": "gray",
    "monow": "gray",
    "gray16be": "gray16le",
    "rgb48le": "gbrp16le",
    "rgb48be": "gbrp16le",
    "rgba64le": "gbrap16le",
    "rgba64be": "gbrap16le",
}


@dataclass(frozen=True)
class Layout:
    """How a pixel format stores a picture.

    `family` "yuv" has components Y, U, V; "rgb" R, G, B; "gray" Y; each followed by A if `alpha`. `bits` is
    the depth of a sample; `chroma` the base-2 logarithm of the horizontal and vertical chroma subsampling.
    `full_by_format` marks formats that mean full range whatever the tags say.
    """

    name: str
    family: Literal["yuv", "rgb", "gray"]
    bits: int
    chroma: tuple[int, int]
    alpha: bool
    packed: bool
    full_by_format: bool

    @property
    def peak(self) -> int:
        return (1 << self.bits) - 1

    @property
    def dtype(self) -> type[np.uint8] | type[np.uint16]:
        return np.uint8 if self.bits == 8 else np.uint16

    def subsampled(self, component: int) -> bool:
        """Whether this component is stored at the chroma size."""
        return self.family == "yuv" and component in (1, 2) and self.chroma != (0, 0)


def repacked(pix_fmt: str) -> str:
    """The format in which frames of `pix_fmt` are handled: itself, or the same samples reordered."""
    return _REPACKED.get(pix_fmt, pix_fmt)


@lru_cache(maxsize=64)
def layout_of(pix_fmt: str) -> Layout:
    """Layout of a pixel format as `repacked` gives it.

    Raises:
        InputError: the format is none of planar YUV, gray, planar RGB, rgb24, rgba (8 to 16 bit).
    """
    if pix_fmt in ("rgb24", "rgba"):
        return Layout(pix_fmt, "rgb", 8, (0, 0), pix_fmt == "rgba", True, True)
    if match := _YUV.fullmatch(pix_fmt):
        bits = int(match["bits"] or 8)
        chroma = _SUBSAMPLING[match["sub"]]
        return Layout(pix_fmt, "yuv", bits, chroma, bool(match["alpha"]), False, bool(match["full"]))
    if match := _GRAY.fullmatch(pix_fmt):
        return Layout(pix_fmt, "gray", int(match["bits"] or 8), (0, 0), False, False, False)
    if match := _GBR.fullmatch(pix_fmt):
        return Layout(pix_fmt, "rgb", int(match["bits"] or 8), (0, 0), bool(match["alpha"]), False, True)
    raise InputError(
        "pixel-format-unsupported",
        f"The pixel format {pix_fmt} is not supported.",
        "Convert the clip to ProRes, H.264 or a PNG sequence.",
    )


def samples(frame: av.VideoFrame) -> tuple[Samples, ...]:
    """Views of a frame's components in the layout's order; writing to them changes the frame.

    Only for frames that are ours (made by `blank` or `clone`) may they be written: a decoder's frame may
    still be its reference picture.
    """
    layout = layout_of(frame.format.name)
    if layout.packed:
        plane = frame.planes[0]
        count = 4 if layout.alpha else 3
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        pixels = rows[:, : plane.width * count].reshape(plane.height, plane.width, count)
        return tuple(pixels[..., component] for component in range(count))
    views: list[Samples] = []
    for plane in frame.planes:
        flat: Samples = np.frombuffer(memoryview(plane), layout.dtype)
        views.append(flat.reshape(plane.height, -1)[:, : plane.width])
    if layout.family == "rgb":  # stored as G, B, R
        views[:3] = [views[2], views[0], views[1]]
    return tuple(views)


def blank(width: int, height: int, pix_fmt: str) -> av.VideoFrame:
    """A new frame; its samples are not set."""
    return av.VideoFrame(width, height, pix_fmt)


def clone(frame: av.VideoFrame) -> av.VideoFrame:
    """A copy of a frame that may be written to."""
    copy = blank(frame.width, frame.height, frame.format.name)
    for target, source in zip(samples(copy), samples(frame), strict=True):
        target[...] = source
    return copy
