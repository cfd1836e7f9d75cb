# SPDX-License-Identifier: Apache-2.0
"""Exact frames of a range: frame n is the n-th in presentation order, whatever the container says about time.

A movie is entered at the keyframe before the range and every frame's presentation time is compared with the
clip's timeline; where that fails (a container that seeks badly), the clip is decoded from its start instead.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from fractions import Fraction

import av

from flowanchor_core.errors import InputError
from flowanchor_core.footage import limits, media, planes
from flowanchor_core.footage.probe import ClipInfo
from flowanchor_core.footage.timeline import Timeline

_NEAR = 24  # frames: closer to the start than this, decoding from the start costs less than a seek


def check_range(clip: ClipInfo, first: int, last: int | None) -> tuple[int, int]:
    """The range if it lies in the clip (`last` None: to its end), else InputError naming the last frame."""
    last = clip.frames - 1 if last is None else last
    if last < first:
        raise InputError(
            "range-empty", f"The range {first}-{last} holds no frames.", "Give it as first-last."
        )
    if first >= 0 and clip.frames <= last < (clip.stated_frames or 0):
        raise InputError(
            "clip-truncated",
            f"{clip.path.name} states {clip.stated_frames} frames, but only {clip.frames} can be read.",
            f"Copy the clip again in full, or choose frames from 0 to {clip.frames - 1}.",
        )
    if first < 0 or last >= clip.frames:
        raise InputError(
            "range-outside",
            f"Frames {first}-{last} are not all in {clip.path.name}, which ends at {clip.frames - 1}.",
            f"Choose frames from 0 to {clip.frames - 1}.",
        )
    return first, last


def read_frames(clip: ClipInfo, first: int, last: int) -> Iterator[av.VideoFrame]:
    """Decode frames `first` to `last`, both included, in order; one frame is held at a time.

    Frames come in `clip.pix_fmt` with the decoder's samples unchanged. Do not write to them.

    Raises:
        InputError: the range is not in the clip, or the clip is damaged inside it.
    """
    check_range(clip, first, last)
    if clip.kind == "images":
        yield from _read_images(clip, first, last)
        return
    wanted = first
    if clip.timeline is not None and first >= _NEAR:
        with closing(_after_seek(clip, clip.timeline, first)) as frames:
            for frame in frames:
                yield _as_probed(clip, frame, wanted)
                wanted += 1
                if wanted > last:
                    return
    with closing(_from_start(clip)) as frames:
        for index, frame in enumerate(frames):
            if index >= wanted:
                yield _as_probed(clip, frame, index)
                wanted += 1
            if index == last:
                return
    raise _damaged(clip, wanted)


def _from_start(clip: ClipInfo) -> Generator[av.VideoFrame, None, None]:
    times = None if clip.timeline is None else clip.timeline.pts
    index = 0
    with media.open_media(clip.path) as container:
        try:
            for frame in container.decode(media.video_stream(container, clip.path)):
                if times is not None and (index >= len(times) or frame.pts != times[index]):
                    raise _damaged(clip, index)
                yield frame
                index += 1
        except av.FFmpegError as error:
            raise _damaged(clip, index) from error


def _after_seek(clip: ClipInfo, timeline: Timeline, first: int) -> Generator[av.VideoFrame, None, None]:
    """Frames from `first` on; ends early (perhaps at once) where the times do not match the timeline."""
    times = timeline.pts
    earlier_keys = timeline.keys[timeline.keys <= times[first]]
    if not len(earlier_keys):
        return
    index = first
    with media.open_media(clip.path) as container:
        stream = media.video_stream(container, clip.path)
        try:
            container.seek(int(earlier_keys[-1]), stream=stream, backward=True)
            for frame in container.decode(stream):
                if frame.pts is None or index >= len(times) or frame.pts > times[index]:
                    return
                if frame.pts == times[index]:
                    yield frame
                    index += 1
        except av.FFmpegError:
            return  # decoding from the start meets the same damage and names the frame


def _read_images(clip: ClipInfo, first: int, last: int) -> Iterator[av.VideoFrame]:
    for index in range(first, last + 1):
        file = clip.files[index]
        with media.open_media(file, limits.IMAGE_FORMATS) as container:
            try:
                frame = next(container.decode(media.video_stream(container, file)), None)
            except av.FFmpegError as error:
                raise _damaged(clip, index) from error
        if frame is None:
            raise _damaged(clip, index)
        yield _as_probed(clip, frame, index)


def _as_probed(clip: ClipInfo, frame: av.VideoFrame, index: int) -> av.VideoFrame:
    """The frame in the clip's pixel format; a clip that changes size or format midway is refused."""
    if (frame.width, frame.height) != (clip.width, clip.height) or planes.repacked(
        frame.format.name
    ) != clip.pix_fmt:
        raise InputError(
            "clip-changes",
            f"Frame {index} of {clip.path.name} has another size or pixel format than the first.",
            "Export the clip again with one size and format.",
        )
    if frame.format.name == clip.pix_fmt:
        return frame
    return frame.reformat(format=clip.pix_fmt)


def _damaged(clip: ClipInfo, index: int) -> InputError:
    return InputError(
        "clip-damaged",
        f"Frame {index} of {clip.path.name} cannot be decoded.",
        "Choose a range without it, or export the clip again.",
    )


def frame_times(clip: ClipInfo, first: int, last: int) -> tuple[Fraction, Fraction]:
    """When frame `first` starts and frame `last` ends, in seconds of the clip file's own clock."""
    if clip.timeline is None:
        start = clip.start + first / clip.rate
    else:
        start = int(clip.timeline.pts[first]) * clip.timeline.time_base
    return start, start + (last - first + 1) / clip.rate
