# SPDX-License-Identifier: Apache-2.0
"""Deliver an edit: composite each edited frame, encode, prove, and only then give the result its name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np

from flowanchor_core.footage import formats, preflight, writers
from flowanchor_core.footage.colour import (
    Picture,
    convert_frame,
    rgb_to_frame,
    tags_for,
    to_8bit,
)
from flowanchor_core.footage.composite import composite, over, solve_patch, window_rgb8
from flowanchor_core.footage.decode import check_range, read_frames
from flowanchor_core.footage.mask_files import MaskTrack
from flowanchor_core.footage.planes import blank, layout_of, samples
from flowanchor_core.footage.probe import ClipInfo
from flowanchor_core.footage.region import Region
from flowanchor_core.footage.tags import SRGB
from flowanchor_core.footage.timecode import advance
from flowanchor_core.footage.verify import Expected, Proof, checksum, verify


@dataclass(frozen=True)
class Delivery:
    """What is written where.

    kind "full": whole frames. format "h264" (.mp4, .mov, .mkv; yuv420p), "prores" (.mov, .mkv; 422 HQ),
    "ffv1" (.mkv; the source's own pixel format, lossless), "png" (a new folder, or a pattern
    `name.%04d.png`; RGB or gray). kind "patch": the edited region with straight alpha, for a host to lay
    over the source. format "prores4444" (.mov) or "png".
    """

    kind: str
    format: str
    out: Path

    @property
    def form(self) -> formats.Format:
        """Raises InputError for a kind or format there is not."""
        return formats.find_format(self.kind, self.format)

    def preflight(
        self, clip: ClipInfo, first: int, last: int, room: preflight.Room = preflight.ANY_ROOM
    ) -> None:
        """Raise InputError for everything about this delivery that is wrong already (see
        `preflight.check`).
        """
        preflight.check(self.form, self.out, clip, first, last, room)

    def files(self, clip: ClipInfo, first: int, last: int) -> tuple[Path, ...]:
        """All files that a delivery of this range will have written."""
        if self.form.suffixes:
            return (self.out,)
        folder, names = preflight.image_names(self.out, clip, first, last)
        return tuple(folder / name for name in names)

    def open(self, clip: ClipInfo, first: int, last: int, region: Region, track: MaskTrack) -> DeliveryWriter:
        """Start writing frames `first` to `last` of `clip`; use it in a `with` block."""
        return DeliveryWriter(self, clip, first, last, region, track)


class DeliveryWriter:
    """Takes the edited frames of a range in order and writes them composited over the source.

    A context manager. Until it is left without an exception the result lies under a temporary name beside
    its own; left by any exception, nothing remains. `proof` is there once `verify` has run to its end.
    """

    def __init__(
        self, delivery: Delivery, clip: ClipInfo, first: int, last: int, region: Region, track: MaskTrack
    ) -> None:
        check_range(clip, first, last)
        if len(track) != last - first + 1:
            raise ValueError(f"{len(track)} masks for {last - first + 1} frames")
        self.delivery, self.clip, self.first, self.last = delivery, clip, first, last
        self.region, self.track = region, track
        self.proof: Proof | None = None
        self._form = delivery.form
        source = clip.layout
        self._pix_fmt = formats.delivered_format(self._form, source, source_full_range=clip.colour.full_range)
        if self._form.kind == "patch" and self._form.codec == "png":
            self._colour = SRGB
        else:
            rgb = self._form.kind == "patch"  # a patch is made in RGB, whatever the source is
            self._colour = tags_for(
                SRGB if rgb else clip.colour,
                layout_of("rgb24") if rgb else source,
                self._pix_fmt,
                clip.height,
                limited=self._form.limited_range,
            )
        movie = bool(self._form.suffixes)
        self._timecode = advance(clip.start_timecode, clip.rate, first) if movie else None
        self._sound = movie and self._form.kind == "full" and clip.audio
        self._written = 0
        self._finished = False
        self._checksums: list[int] = []
        self._diff_full: int | None = None
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        # explained is outermost: what goes wrong in cleaning up is told as plainly
        with writers.explained(self.delivery.out.parent), ExitStack() as stack:
            out = self.delivery.out
            self._names: list[str] = []
            if self._form.suffixes:
                self._folder = out.parent
                self._temporary = preflight.temporary_beside(out.parent, out.suffix)
                stack.callback(self._temporary.unlink, missing_ok=True)
            else:
                self._folder, self._names = preflight.image_names(out, self.clip, self.first, self.last)
                # in the target's own folder if there is one, so that images are renamed, never copied
                beside = self._folder if self._folder.is_dir() else self._folder.parent
                self._temporary = preflight.temporary_beside(beside)
                stack.callback(shutil.rmtree, self._temporary, ignore_errors=True)
                self._temporary.mkdir()
            self._writer = self._open_writer()
            stack.callback(self._writer.abort)
            frames = read_frames(self.clip, self.first, self.last)
            self._source = stack.enter_context(closing(frames))  # type: ignore[type-var]  # it is a generator
            self._cleanup = stack.pop_all()
        return self

    def _open_writer(self) -> writers.FrameWriter:
        encoded = formats.encoder_format(self._form, self._pix_fmt)
        if not self._form.suffixes:
            return writers.ImageWriter(self._temporary, self._names, self.clip, encoded, self._colour)
        sound = (self.first, self.last) if self._sound else None
        return writers.MovieWriter(
            self._temporary, self.clip, self._form, encoded, self._colour, self._timecode, sound
        )

    def write(self, edited: Picture) -> None:
        """Composite and encode the next frame.

        Args:
            edited: [model_height, model_width, 3] float32 R'G'B' 0..1, the region's picture after the edit.
        """
        if self._written == len(self.track):
            raise ValueError(f"the range has only {self._written} frames")
        source = next(self._source)
        placed = self.region.place(edited)
        matte = self.region.matte(self.track[self._written])
        full = composite(source, placed, matte, self.region.window, self.clip.colour)
        if self._form.kind == "patch":
            frame = self._patch(source, full, placed, matte)
        else:
            frame = convert_frame(full, self.clip.colour, self._pix_fmt, self._colour)
        if self._form.lossless:
            self._checksums.append(checksum(frame))
        with writers.explained(self._folder):
            self._writer.write(frame)
        self._written += 1

    def _patch(
        self, source: av.VideoFrame, full: av.VideoFrame, placed: Picture, matte: Picture
    ) -> av.VideoFrame:
        window, colour = self.region.window, self.clip.colour
        below = window_rgb8(source, window, colour)
        target = window_rgb8(full, window, colour)
        rgba = solve_patch(below, target, to_8bit(placed), matte)
        off = int(np.abs(over(below, rgba).astype(np.int32) - target).max(initial=0))
        self._diff_full = max(self._diff_full or 0, off)
        canvas = np.zeros((self.clip.height, self.clip.width, 4), dtype=np.uint8)
        if self._pix_fmt != "rgba":
            # a lossy codec blurs: where nothing shows, the source's colour keeps the matte's edge from
            # bleeding; the window's own edges lie on the codec's 16-pixel blocks
            rgba[..., :3] = np.where(rgba[..., 3:] == 0, below, rgba[..., :3])
        canvas[window] = rgba
        if self._pix_fmt == "rgba":
            frame = blank(self.clip.width, self.clip.height, "rgba")
            for part, view in enumerate(samples(frame)):
                view[...] = canvas[..., part]
            return frame
        frame = rgb_to_frame(
            canvas[..., :3].astype(np.float32) / np.float32(255), self._pix_fmt, self._colour
        )
        layout = layout_of(self._pix_fmt)
        alpha = np.rint(canvas[..., 3].astype(np.float32) * np.float32(layout.peak / 255))
        samples(frame)[-1][...] = alpha.astype(layout.dtype)
        return frame

    def verify(self) -> Iterator[int]:
        """Finish encoding, decode result and source again and compare them; yields the frames compared so
        far.

        Sets `proof`. Raises DeliveryError if the result is not what was promised.
        """
        self._finish()
        expected = Expected(
            self.clip,
            self.first,
            self.last,
            self._form,
            self._pix_fmt,
            self._colour,
            self._timecode,
            self._sound,
            self.region,
            self.track,
            self._checksums,
            self._diff_full,
        )
        files = [self._temporary / name for name in self._names]
        for news in verify(self._temporary, files, expected):
            if isinstance(news, Proof):
                self.proof = news
            else:
                yield news

    def _finish(self) -> None:
        if self._finished:
            return
        if self._written != len(self.track):
            raise ValueError(f"{self._written} of {len(self.track)} frames were written")
        with writers.explained(self._folder):
            self._writer.finish()
        self._finished = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with writers.explained(self._folder), self._cleanup:
            if error is None:
                self._finish()
                self._commit()

    def _commit(self) -> None:
        if self._form.suffixes:
            os.replace(self._temporary, self.delivery.out)
        elif self._folder.is_dir():
            with ExitStack() as undo:
                for name in self._names:
                    os.rename(self._temporary / name, self._folder / name)
                    undo.callback((self._folder / name).unlink, missing_ok=True)
                undo.pop_all()
        else:
            os.rename(self._temporary, self._folder)
        writers.sync_folder(self._folder if self._folder.is_dir() else self._folder.parent)
