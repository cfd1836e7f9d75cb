# SPDX-License-Identifier: Apache-2.0
"""Open one local media file, and only that file.

A "clip" may be a playlist in disguise that names other files or addresses. FFmpeg decides a format by
content, so the formats are limited to those that stand alone, the protocol to plain files, and the frame
size to `limits.MAX_PIXELS` before anything is decoded.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from flowanchor_core.errors import InputError
from flowanchor_core.footage import limits
from flowanchor_core.footage.declared import check_declared

_PNG_CODECS = frozenset(("png", "apng"))
_REFERENCES = (
    b"#extm3u",
    b"ffconcat",
    b"<?xml",
    b"<mpd",
    b"<smil",
    b"<asx",
    b"[playlist]",
    b"[reference]",
    b"v=0",
    b"rtsptext",
    b"rtsp://",
    b"http://",
    b"https://",
)


def open_media(path: Path, formats: Sequence[str] = limits.MOVIE_FORMATS) -> InputContainer:
    """Open `path` for reading.

    Raises:
        InputError: it is missing, no plain file, empty, refers to other files, declares more than it can
        hold, or is no media of these formats.
    """
    refuse_unreadable(path)
    if not check_declared(path):
        formats = [name for name in formats if name != "mov"]
    options = {
        "protocol_whitelist": limits.PROTOCOLS,
        "format_whitelist": ",".join(formats),
        "max_pixels": str(limits.MAX_PIXELS),
    }
    if not set(formats) & set(limits.IMAGE_FORMATS):
        options["codec_whitelist"] = _movie_codecs()  # opening a movie decodes its first frames, covers too
    try:
        # "file:" keeps a name such as "concat:a|b" or "x%04d.png" from being read as anything but a name
        return av.open(f"file:{path.resolve()}", mode="r", options=options, metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise InputError(
            "clip-unreadable",
            f"{path.name} could not be read as video.",
            "Check that it plays in a video player, or convert it to MP4, MOV or MKV.",
        ) from error


@functools.cache
def _movie_codecs() -> str:
    """All codecs that a movie may have. FFmpeg unpacks texts and profiles of a PNG to any size, and those in
    the packets of a movie cannot be looked at before."""
    return ",".join(sorted(av.codec.codecs_available - _PNG_CODECS))


def refuse_unreachable(path: Path) -> None:
    """Raise InputError if the system cannot even look for `path`: its name is too long, its folder locked.

    A file that is only missing passes.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        name = path.name if len(path.name) <= 60 else f"{path.name[:57]}..."
        raise InputError(
            "path-unusable", f"{name} cannot be looked up ({reason}).", "Check the path."
        ) from error


def refuse_unreadable(path: Path) -> None:
    """Raise InputError unless `path` is a file that can be read, holds something and is no playlist."""
    refuse_unreachable(path)
    if path.is_dir():
        raise InputError("clip-missing", f"{path} is a folder.", "Name a file.")
    if not path.is_file():
        raise InputError("clip-missing", f"There is no file {path}.", "Check the path.")
    try:
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError as error:
        raise InputError(
            "clip-unreadable", f"{path.name} cannot be opened.", "Check the file's permissions."
        ) from error
    if not head:
        raise InputError("clip-unreadable", f"{path.name} is empty.", "Export the clip again.")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(_REFERENCES):
        raise InputError(
            "clip-refers-elsewhere",
            f"{path.name} is a playlist or script that refers to other files.",
            "Give the clip itself.",
        )


def video_stream(container: InputContainer, path: Path) -> VideoStream:
    """The file's picture: its first video stream that is no cover image.

    Raises:
        InputError: there is none, or it cannot be decoded.
    """
    for stream in container.streams.video:
        if stream.disposition & Disposition.attached_pic:
            continue
        if getattr(stream, "codec_context", None) is None:  # a codec that this FFmpeg does not have
            raise InputError(
                "codec-unknown",
                f"The video codec of {path.name} is not known.",
                "Convert it to H.264 or ProRes.",
            )
        if stream.codec_context.name in _PNG_CODECS and container.format.name not in limits.IMAGE_FORMATS:
            raise InputError(
                "codec-unknown",
                f"{path.name} is a movie of PNG pictures, which is not read.",
                "Export them as a PNG sequence, or the movie as ProRes or FFV1.",
            )
        stream.codec_context.thread_type = "AUTO"
        return stream
    raise InputError(
        "no-video", f"{path.name} has no video stream.", "Give a clip with a picture, not only sound."
    )


def check_size(width: int, height: int, name: str) -> None:
    """Raise InputError unless a frame of this size can be edited."""
    if width < limits.MIN_SIDE or height < limits.MIN_SIDE:
        raise InputError(
            "too-small",
            f"{name} is {width}x{height} pixels.",
            f"Use footage of at least {limits.MIN_SIDE}x{limits.MIN_SIDE}.",
        )
    if max(width, height) > limits.MAX_SIDE or width * height > limits.MAX_PIXELS:
        raise InputError(
            "too-large",
            f"{name} is {width}x{height} pixels, more than this version handles.",
            "Scale it to at most 8192x4320.",
        )
