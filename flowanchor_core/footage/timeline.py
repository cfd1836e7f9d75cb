# SPDX-License-Identifier: Apache-2.0
"""The times of a clip's frames, found by reading its packets without decoding them.

Containers often lack a frame count or state a wrong one, and edit lists hide frames. The packets know: each
that is shown has a presentation time; sorted, the n-th is frame n's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from flowanchor_core.errors import InputError
from flowanchor_core.footage.limits import MAX_FRAMES

# One packet shown is one frame for these. Others (VP8 hides some) are counted by decoding.
_ONE_PACKET_A_FRAME = frozenset(
    {
        "h264",
        "hevc",
        "av1",
        "vp9",
        "prores",
        "dnxhd",
        "ffv1",
        "mjpeg",
        "png",
        "rawvideo",
        "v210",
        "cfhd",
        "hap",
    }
    | {
        "huffyuv",
        "ffvhuff",
        "utvideo",
        "magicyuv",
        "qtrle",
        "jpeg2000",
        "dvvideo",
        "theora",
        "h263",
        "wmv2",
        "wmv3",
    }
    | {"mpeg1video", "mpeg2video", "mpeg4", "msmpeg4", "msmpeg4v2", "msmpeg4v3"}
)
# AVI has no presentation times: with B-frames the order of its packets says nothing about the order of its
# frames.
_REORDERING = frozenset({"mpeg4", "h264", "hevc", "mpeg2video"})
_REORDER = 16  # frames: how far coding order can be from the order they are shown in
_STANDARD_RATES = (
    *(Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30)),
    *(Fraction(48000, 1001), Fraction(48), Fraction(50), Fraction(60000, 1001), Fraction(60)),
    *(Fraction(96000, 1001), Fraction(96), Fraction(100), Fraction(120000, 1001), Fraction(120)),
    *(Fraction(240000, 1001), Fraction(240)),
)
# How far a rounded form may be off. Matroska's 48000/1001 comes back as 7001/146, 2.9e-7 off; 2997/125, which
# some write for 24000/1001, is 1e-6 off and a rate of its own.
_ROUNDING = {1: Fraction(2, 10**7), 1001: Fraction(5, 10**7)}


@dataclass(frozen=True)
class Timeline:
    """Presentation times of all frames in units of `time_base`, ascending, and the keyframes'."""

    pts: NDArray[np.int64]
    keys: NDArray[np.int64]
    time_base: Fraction


def scan(container: InputContainer, stream: VideoStream) -> Timeline | None:
    """Read all packets of `stream`; None where they do not tell the frames' times.

    Raises:
        InputError: more than `limits.MAX_FRAMES` frames.
    """
    codec = stream.codec_context.name
    unordered = "avi" in container.format.name and codec in _REORDERING
    if codec not in _ONE_PACKET_A_FRAME or unordered or stream.time_base is None:
        return None
    times: list[int] = []
    keys: list[int] = []
    cut_short: set[int] = set()
    try:
        for packet in container.demux(stream):
            if packet.size == 0 or packet.is_discard:
                continue
            if packet.pts is None:
                return None
            times.append(packet.pts)
            if packet.is_corrupt:
                cut_short.add(packet.pts)
            if packet.is_keyframe:
                keys.append(packet.pts)
            if len(times) > MAX_FRAMES:
                raise InputError(
                    "too-long", f"The clip has more than {MAX_FRAMES} frames.", "Cut it to the part you need."
                )
    except av.FFmpegError:
        return None  # damaged somewhere: decoding tells how far it is good
    pts = np.unique(np.array(times, dtype=np.int64))
    if len(pts) != len(times):
        return None
    if cut_short:  # a file that ends inside a frame: what is shown before that frame is whole
        whole = int(np.searchsorted(pts, min(cut_short)))
        pts = pts[:whole] if whole >= len(pts) - _REORDER else pts
    return Timeline(pts, np.unique(np.array(keys, dtype=np.int64)), Fraction(stream.time_base))


def before_gap(timeline: Timeline) -> Timeline:
    """Frames before a gap among the last ones: a file cut short in coding order ends with some missing."""
    steps = np.diff(timeline.pts)
    if not len(steps):
        return timeline
    gaps = np.flatnonzero(steps[-_REORDER:] > 1.5 * float(np.median(steps)))
    if not len(gaps):
        return timeline
    end = max(0, len(steps) - _REORDER) + int(gaps[0]) + 1
    return Timeline(timeline.pts[:end], timeline.keys, timeline.time_base)


def stated_frames(
    container: InputContainer, stream: VideoStream, rate: Fraction, start: Fraction
) -> int | None:
    """How many frames the container's own header says there are, None where it does not.

    `start` is when the first frame is shown, in seconds: Matroska counts its durations from 0.
    """
    if "avi" in container.format.name:
        return stream.frames or None
    seconds: Fraction | None = None
    if "matroska" in container.format.name:
        tags = {name.upper(): text for name, text in stream.metadata.items()}
        seconds = _seconds(tags.get("DURATION", ""))
        if seconds is None and container.duration and not container.streams.audio:
            seconds = Fraction(container.duration, av.time_base)
        seconds = None if seconds is None else seconds - max(start, Fraction(0))
    elif "mov" in container.format.name and stream.duration and stream.time_base:
        seconds = stream.duration * Fraction(stream.time_base)
    return None if seconds is None else max(0, round(seconds * rate))


def _seconds(text: str) -> Fraction | None:
    """Matroska's "00:00:01.200000000" in seconds."""
    found = re.fullmatch(r"\s*(\d+):(\d+):(\d+(?:\.\d+)?)\s*", text)
    return None if found is None else int(found[1]) * 3600 + int(found[2]) * 60 + Fraction(found[3])


def choose_rate(stated: list[Fraction], timeline: Timeline | None) -> tuple[Fraction | None, float]:
    """The exact rate that fits the frame times best, and by how many frames they leave it at most.

    Of the rates that stay within the time base's own rounding, the first stated one wins, then the standard
    ones: Matroska and FLV round times to milliseconds, and what they state may be rounded too.
    """
    rates = [_named(rate) for rate in stated if rate > 0]
    if timeline is None or len(timeline.pts) < 2:
        return (rates[0] if rates else None), 0.0
    best: tuple[Fraction | None, float] = (None, float("inf"))
    for rate in (*rates, *_STANDARD_RATES):
        drift = _drift(timeline, rate)
        if drift * float(1 / rate) <= float(timeline.time_base) * 1.01:
            return rate, drift
        if drift < best[1]:
            best = (rate, drift)
    return best


def _named(rate: Fraction) -> Fraction:
    """The standard rate that `rate` is a rounded form of (Matroska states a frame's time in nanoseconds)."""
    for standard in _STANDARD_RATES:
        if abs(rate / standard - 1) < _ROUNDING[standard.denominator]:
            return standard
    return rate


def _drift(timeline: Timeline, rate: Fraction) -> float:
    elapsed = (timeline.pts - timeline.pts[0]).astype(np.float64) * float(timeline.time_base * rate)
    return float(np.abs(elapsed - np.arange(len(elapsed))).max())
