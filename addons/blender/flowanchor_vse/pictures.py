# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures read through Blender and written here: grey ones of masks, and patches with their alpha."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import bpy
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
"""Rows of code values, the upper row first: one a pixel (grey), or RGBA."""
_COLOURS = {1: 0, 4: 6}
"""PNG's colour type by the number of channels."""
_END = b"\0\0\0\0IEND\xaeB`\x82"
"""The last part of every PNG."""


def read_channel(file: Path, channel: int) -> Picture:
    """One channel (0 red .. 3 alpha) of an 8-bit picture, its stored code values."""
    image = bpy.data.images.load(str(file), check_existing=False)
    try:
        image.colorspace_settings.name = "Non-Color"
        image.alpha_mode = "CHANNEL_PACKED"  # or colours come multiplied with alpha
        width, height = image.size
        values = np.empty(width * height * image.channels, np.float32)
        image.pixels.foreach_get(values)
        chosen = values.reshape(height, width, image.channels)[::-1, :, min(channel, image.channels - 1)]
        picture: Picture = np.rint(chosen * 255).astype(np.uint8)
        return picture
    finally:
        bpy.data.images.remove(image)


def write(file: Path, picture: Picture) -> None:
    """Write an 8-bit PNG, grey or RGBA."""
    height, width = picture.shape[:2]
    flat = picture.reshape(height, -1)
    lines = np.zeros((height, flat.shape[1] + 1), np.uint8)  # each begins with its filter, 0: none
    lines[:, 1:] = flat
    colours = _COLOURS[flat.shape[1] // width]
    header = struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 4)), (b"IEND", b""))
    with file.open("wb") as opened:
        opened.write(b"\x89PNG\r\n\x1a\n")
        for kind, data in parts:
            opened.write(
                struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            )


def is_whole(file: Path) -> bool:
    """Whether a PNG is there up to its last part."""
    try:
        with file.open("rb") as opened:
            opened.seek(-len(_END), os.SEEK_END)
            return opened.read() == _END
    except OSError:  # it is not there, or shorter than that
        return False


def share(picture: Picture) -> float:
    """Share of the pixels that are nearer to white than to black."""
    return float((picture >= 128).mean())
