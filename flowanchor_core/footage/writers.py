# SPDX-License-Identifier: Apache-2.0
"""Encode frames into one movie file or numbered PNG files, and get them safely onto the disk."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, Protocol

import av
from av.video.codeccontext import VideoCodecContext

from flowanchor_core.errors import DeliveryError
from flowanchor_core.footage import formats
from flowanchor_core.footage.audio import AudioCopy
from flowanchor_core.footage.probe import ClipInfo
from flowanchor_core.footage.tags import ColourTags


class FrameWriter(Protocol):
    """Takes frames in order. `finish` leaves everything on the disk; `abort` only lets go of files."""

    def write(self, frame: av.VideoFrame) -> None: ...

    def finish(self) -> None: ...

    def abort(self) -> None: ...


def create_file(path: Path) -> BinaryIO:
    """A new file of our own for a result; never one that exists."""
    return path.open("xb", buffering=1 << 20)


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn the system's write failures into one plain sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DeliveryError(
                "disk-full",
                f"The disk filled up while the result was written to {folder}.",
                "Free some space or choose another output folder; nothing was left behind.",
            ) from error
        reason = error.strerror or type(error).__name__
        raise DeliveryError(
            "write-failed",
            f"The result could not be written to {folder} ({reason}).",
            "Check the folder and its permissions, then run the edit again.",
        ) from error


class MovieWriter:
    """One movie file: the frames at the clip's exact rate, its timecode moved to the first frame, its sound
    copied.
    """

    def __init__(
        self,
        path: Path,
        clip: ClipInfo,
        form: formats.Format,
        pix_fmt: str,
        colour: ColourTags,
        timecode: str | None,
        sound: tuple[int, int] | None,
    ) -> None:
        """`pix_fmt` and `colour` describe the frames as the encoder gets them; `sound` is the frame range
        to copy.
        """
        self._rate = clip.rate
        self._pix_fmt = pix_fmt
        self._colour = colour
        self._count = 0
        self._audio: AudioCopy | None = None
        self._file = create_file(path)
        try:
            # writing through our own file object, a full disk raises here and the data can be flushed to
            # the disk
            self._container = av.open(
                self._file,
                "w",
                format=formats.MUXERS[path.suffix.lower()],
                # no random ids, so that equal edits are equal files
                container_options={"fflags": "+bitexact"},
            )
            stream = self._container.add_stream(form.codec, rate=clip.rate, options=dict(form.options))
            assert isinstance(stream, av.VideoStream)
            self._stream: av.VideoStream = stream
            self._describe(self._stream.codec_context, clip)
            if timecode is not None:
                self._stream.metadata["timecode"] = timecode
            if sound is not None:
                self._audio = AudioCopy(clip, *sound, self._container)
            if clip.rotation:
                self._stream.set_display_rotation(clip.rotation)
            self._container.start_encoding()
        except BaseException:
            self.abort()
            raise

    def _describe(self, context: VideoCodecContext, clip: ClipInfo) -> None:
        context.width, context.height, context.pix_fmt = clip.width, clip.height, self._pix_fmt
        context.time_base = 1 / clip.rate
        context.sample_aspect_ratio = clip.sample_aspect
        context.colorspace = self._colour.tag_matrix
        context.color_range = self._colour.tag_range
        context.color_trc = self._colour.tag_transfer
        context.color_primaries = self._colour.tag_primaries

    def write(self, frame: av.VideoFrame) -> None:
        frame = _prepared(frame, self._pix_fmt, self._colour)
        frame.pts, frame.time_base = self._count, 1 / self._rate
        self._count += 1
        self._container.mux(self._stream.encode(frame))
        self._copy_sound(self._count / self._rate)

    def finish(self) -> None:
        self._container.mux(self._stream.encode(None))
        self._copy_sound(None)
        self._container.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self.abort()

    def abort(self) -> None:
        """Let go of the files without finishing them."""
        if self._audio is not None:
            self._audio.close()
        try:
            self._file.close()
        except OSError:
            self._file.close()  # what could not be flushed is dropped: the file is about to be removed

    def _copy_sound(self, until: Fraction | None) -> None:
        if self._audio is not None:
            for packet in self._audio.until(until):
                self._container.mux(packet)


class ImageWriter:
    """Numbered PNG files in a folder."""

    def __init__(
        self, folder: Path, names: list[str], clip: ClipInfo, pix_fmt: str, colour: ColourTags
    ) -> None:
        self._folder = folder
        self._names = iter(names)
        self._pix_fmt = pix_fmt
        self._colour = colour
        context = av.CodecContext.create("png", "w")
        assert isinstance(context, VideoCodecContext)
        context.width, context.height, context.pix_fmt = clip.width, clip.height, pix_fmt
        context.time_base = 1 / clip.rate
        context.sample_aspect_ratio = clip.sample_aspect
        context.options = {"pred": "up"}
        context.thread_count = 1  # with threads the encoder would hand files back late
        self._context = context
        self._count = 0

    def write(self, frame: av.VideoFrame) -> None:
        frame = _prepared(frame, self._pix_fmt, self._colour)
        frame.pts = self._count
        self._count += 1
        for packet in self._context.encode(frame):
            with create_file(self._folder / next(self._names)) as file:
                file.write(bytes(packet))
                file.flush()
                os.fsync(file.fileno())

    def finish(self) -> None:
        if self._context.encode(None):
            raise RuntimeError("the PNG encoder held a frame back")
        sync_folder(self._folder)

    def abort(self) -> None:
        """Nothing is held open."""


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _prepared(frame: av.VideoFrame, pix_fmt: str, colour: ColourTags) -> av.VideoFrame:
    """The frame under the encoder's name for its format (same samples), with its tags, in no fixed picture
    type.
    """
    if frame.format.name != pix_fmt:
        frame = frame.reformat(format=pix_fmt)
    frame.colorspace = colour.tag_matrix
    frame.color_range = colour.tag_range
    frame.color_trc = colour.tag_transfer
    frame.color_primaries = colour.tag_primaries
    frame.pict_type = av.video.frame.PictureType.NONE
    return frame
