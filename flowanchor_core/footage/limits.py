# SPDX-License-Identifier: Apache-2.0
"""What footage may be: sizes, counts and the file formats that are opened. Clips come from anywhere."""

from __future__ import annotations

from typing import Final

MIN_SIDE: Final = 16
"""Smallest width or height in pixels: one token of Wan."""

MAX_SIDE: Final = 16384
MAX_PIXELS: Final = 8192 * 4320
"""Largest frame, checked before a decoder allocates it."""

MAX_FRAMES: Final = 4_000_000
"""Longest clip (18 hours at 60 fps), so that an index of frame times stays small."""

MOVIE_FORMATS: Final = (
    "mov",  # and mp4, m4a, 3gp, mj2: FFmpeg's demuxer of that name; external data references stay off
    "matroska",
    "avi",
    "mpegts",
    "mpeg",
    "mxf",
    "flv",
    "ogg",
    "nut",
    "ivf",
    "yuv4mpegpipe",
)
"""FFmpeg demuxers that read one file and nothing else. Playlists, concat scripts, HLS, DASH, SDP are not
here.
"""

IMAGE_FORMATS: Final = ("png_pipe", "jpeg_pipe", "tiff_pipe", "bmp_pipe", "webp_pipe", "dpx_pipe")

IMAGE_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".dpx"})

PROTOCOLS: Final = "file"
