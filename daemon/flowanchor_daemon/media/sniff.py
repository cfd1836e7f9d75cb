# SPDX-License-Identifier: Apache-2.0
"""What an upload may be, by its suffix and by its first bytes.

The engine opens media with FFmpeg, limited to formats that stand alone and to plain files. This is the same
rule in front of it, without FFmpeg: playlists, concat scripts, HLS and DASH manifests and session
descriptions name other files or addresses, and all of them are text. No movie or image that is accepted is
text, except for the header of a YUV4MPEG2 stream.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from flowanchor_daemon.errors import ServiceError

MOVIE_SUFFIXES: Final = frozenset(
    {".mov", ".mp4", ".m4v", ".mkv", ".webm", ".avi", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".mxf", ".flv"}
    | {".ogv", ".ogg", ".nut", ".ivf", ".y4m", ".3gp"}
)
IMAGE_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".dpx"})
SUFFIXES: Final = tuple(sorted(MOVIE_SUFFIXES | IMAGE_SUFFIXES))
"""What GetInfo lists."""

_HEAD = 4096
_TEXT_MOVIE = b"YUV4MPEG2 "
_BLANKS = b"\t\n\v\f\r"
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_REFERENCES = (
    *(b"#extm3u", b"ffconcat", b"<?xml", b"<mpd", b"<smil", b"<asx", b"[playlist]", b"[reference]", b"v=0"),
    *(b"rtsptext", b"rtsp://", b"http://", b"https://"),
)


def check_suffix(suffix: str, image: bool) -> None:
    """Raise ServiceError "media-kind" unless footage of this suffix is read here."""
    if suffix not in (IMAGE_SUFFIXES if image else MOVIE_SUFFIXES):
        kind = "images" if image else "movies"
        known = ", ".join(sorted(IMAGE_SUFFIXES if image else MOVIE_SUFFIXES))
        raise ServiceError("media-kind", f"{suffix[:16]!r} is not a suffix of {kind}.", f"Known are {known}.")


def check_content(path: Path, shown: str) -> None:
    """Raise ServiceError "media-kind" if a file is text: a playlist, a script, or no media at all.

    `shown` is the name that people know the file by.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if refers_elsewhere(head):
        raise ServiceError(
            "media-kind",
            f"{shown[:80] or 'The file'} is a playlist, a script or other text, not footage.",
            "Give the clip itself.",
        )


def refers_elsewhere(head: bytes) -> bool:
    """Whether a file that begins with `head` is text, or starts like something that names other files."""
    if head.startswith(_TEXT_MOVIE):
        return False
    for mark in _BYTE_ORDER_MARKS:
        head = head.removeprefix(mark)
    start = head.lstrip().lower()
    if start.startswith(_REFERENCES):
        return True
    return all(byte >= 0x20 or byte in _BLANKS for byte in head)
