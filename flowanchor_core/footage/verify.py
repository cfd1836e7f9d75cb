# SPDX-License-Identifier: Apache-2.0
"""Prove a delivery: decode the result and the source again and compare them, frame by frame."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from flowanchor_core.errors import DeliveryError, FlowAnchorError
from flowanchor_core.footage.colour import Picture, convert_frame, frame_to_rgb, to_8bit
from flowanchor_core.footage.composite import outside, touched
from flowanchor_core.footage.decode import read_frames
from flowanchor_core.footage.formats import Format
from flowanchor_core.footage.mask_files import MaskTrack
from flowanchor_core.footage.planes import layout_of, samples
from flowanchor_core.footage.probe import ClipInfo, probe
from flowanchor_core.footage.region import Region
from flowanchor_core.footage.tags import ColourTags


@dataclass(frozen=True)
class Proof:
    """What the decoded result shows.

    `max_abs_diff_outside`: the largest difference between result and source over all samples outside the
    matte, in code values of the delivered format (`bits` deep); for a patch, of the picture it gives over
    the source (8 bit). 0 in lossless formats, or the delivery fails. `max_abs_diff_full`: for a patch, how
    far its alpha-over is from the `full` delivery of the same edit before encoding (8 bit; at most 1); None
    for `full`.
    """

    frames: int
    rate: Fraction
    start_timecode: str | None
    audio: bool
    max_abs_diff_outside: int
    max_abs_diff_full: int | None
    bits: int
    lossless: bool
    bytes: int


@dataclass(frozen=True)
class Expected:
    """What was written: the range, how, and a checksum of each frame as it went to a lossless encoder."""

    clip: ClipInfo
    first: int
    last: int
    form: Format
    pix_fmt: str
    colour: ColourTags
    timecode: str | None
    audio: bool
    region: Region
    track: MaskTrack
    checksums: Sequence[int]
    diff_full: int | None


def verify(result: Path, files: Sequence[Path], expected: Expected) -> Iterator[int | Proof]:
    """Compare the result at `result` (a movie, or the folder of `files`) with the source.

    Yields the number of frames compared after each, and the Proof last.

    Raises:
        DeliveryError: the result cannot be read back, its frames, rate or timecode are not what was
        written, a lossless
            frame differs from what was written, or differs from the source outside the matte.
    """
    clip, form = expected.clip, expected.form
    try:
        made = probe(result, clip.rate if files else None)
        _check_facts(made, expected)
        bits, worst = layout_of(expected.pix_fmt).bits, 0
        pairs = zip(
            read_frames(made, 0, made.frames - 1),
            read_frames(clip, expected.first, expected.last),
            strict=True,
        )
        for index, (written, source) in enumerate(pairs):
            if form.lossless and checksum(written) != expected.checksums[index]:
                raise _failed(f"Frame {index} of the result does not decode to what was written.")
            compare = _outside_of_patch if form.kind == "patch" else _outside_of_full
            worst = max(worst, compare(written, source, expected, index, made))
            if form.lossless and worst:
                raise _failed(
                    f"Frame {index} of the result differs from the source outside the region"
                    " and its soft edge."
                )
            yield index + 1
    except FlowAnchorError as error:
        if isinstance(error, DeliveryError):
            raise
        raise _failed(f"The result could not be read back ({error.message})") from error
    if form.lossless and (expected.diff_full or 0) > 1:
        raise _failed("Over the source, the patch is more than one code value off the whole frame.")
    size = sum(file.stat().st_size for file in files) if files else result.stat().st_size
    yield Proof(
        frames=made.frames,
        rate=made.rate,
        start_timecode=expected.timecode,
        audio=made.audio,
        max_abs_diff_outside=worst,
        max_abs_diff_full=expected.diff_full,
        bits=8 if form.kind == "patch" else bits,
        lossless=form.lossless,
        bytes=size,
    )


def checksum(frame: av.VideoFrame) -> int:
    """CRC of a frame's samples, whatever its rows are padded to."""
    total = 0
    for part in samples(frame):
        total = zlib.crc32(np.ascontiguousarray(part).data, total)
    return total


def _check_facts(made: ClipInfo, expected: Expected) -> None:
    clip = expected.clip
    count = expected.last - expected.first + 1
    if made.frames != count:
        raise _failed(f"The result has {made.frames} frames instead of {count}.")
    if (made.width, made.height) != (clip.width, clip.height):
        raise _failed(f"The result is {made.width}x{made.height} instead of {clip.width}x{clip.height}.")
    if made.kind == "movie":
        if made.rate != clip.rate and count > 1:
            raise _failed(f"The result runs at {made.rate} fps instead of {clip.rate}.")
        if made.start_timecode != expected.timecode:
            raise _failed(f"The result starts at {made.start_timecode} instead of {expected.timecode}.")
        if made.audio != expected.audio:
            raise _failed("The result lost the clip's sound.")


def _outside_of_full(
    written: av.VideoFrame, source: av.VideoFrame, expected: Expected, index: int, made: ClipInfo
) -> int:
    have = expected.clip.layout
    want = layout_of(expected.pix_fmt)
    reference = convert_frame(source, expected.clip.colour, expected.pix_fmt, expected.colour)
    matte = full_matte(expected.region, expected.track[index])
    worst = 0
    for component, (new, old) in enumerate(zip(samples(written), samples(reference), strict=True)):
        where = outside(matte, have, want, component)
        worst = max(worst, _largest(new, old, where))
    return worst


def _outside_of_patch(
    written: av.VideoFrame, source: av.VideoFrame, expected: Expected, index: int, made: ClipInfo
) -> int:
    layout = layout_of(written.format.name)
    alpha = samples(written)[-1].astype(np.float32) / np.float32(layout.peak)
    below = to_8bit(frame_to_rgb(source, expected.clip.colour)).astype(np.float32)
    above = frame_to_rgb(written, made.colour) * np.float32(255)
    shown = np.rint(below + alpha[..., None] * (above - below))
    where = ~touched(full_matte(expected.region, expected.track[index]), expected.clip.layout)
    return int(np.abs(shown - below)[where].max(initial=0))


def full_matte(region: Region, mask: NDArray[np.bool_]) -> Picture:
    """The composite matte of the whole frame [H, W]."""
    matte = np.zeros((region.frame_height, region.frame_width), dtype=np.float32)
    matte[region.window] = region.matte(mask)
    return matte


def _largest(new: NDArray[np.generic], old: NDArray[np.generic], where: NDArray[np.bool_]) -> int:
    difference = np.abs(new.astype(np.int32) - old.astype(np.int32))
    return int(difference[where].max(initial=0))


def _failed(what: str) -> DeliveryError:
    return DeliveryError("verification-failed", what, "Please report this; no result was kept.")
