# SPDX-License-Identifier: Apache-2.0
"""What a clip is: size, exact rate, exact frame count, colour, timecode, sound."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from flowanchor_core.errors import InputError
from flowanchor_core.footage import limits, media, planes, sequences, tags, timeline
from flowanchor_core.footage.timecode import Timecode

DEFAULT_SEQUENCE_RATE = Fraction(24)
_LOOSE = 0.05  # frames by which times may leave a constant rate without a note
_CUT_SHORT = 2  # frames: durations are rounded, so one frame less than stated says nothing


@dataclass(frozen=True)
class ClipInfo:
    """A clip as it is handled. Frames are numbered from 0.

    `kind` is "movie" or "images"; `pix_fmt` the format in which frames are decoded; `rate` frames a second,
    exact. `start_timecode` is that of frame 0. `sample_aspect` is a pixel's width by its height, `rotation`
    what players turn. `notes` are sentences the user should see. `files` are a sequence's images,
    `first_number` the number in the first one's name; `start` is frame 0's time in seconds on the file's
    clock; `stated_frames` what a movie's own header promises; `timeline` its frame times if its packets tell
    them.
    """

    path: Path
    kind: Literal["movie", "images"]
    width: int
    height: int
    rate: Fraction
    frames: int
    pix_fmt: str
    start_timecode: str | None
    audio: bool
    colour: tags.ColourTags
    notes: tuple[str, ...] = ()
    sample_aspect: Fraction = Fraction(1)
    rotation: int = 0
    start: Fraction = Fraction(0)
    files: tuple[Path, ...] = field(default=(), repr=False)
    first_number: int = 0
    stated_frames: int | None = None
    timeline: timeline.Timeline | None = field(default=None, repr=False, compare=False)

    @property
    def layout(self) -> planes.Layout:
        return planes.layout_of(self.pix_fmt)


def probe(path: Path | str, rate: Fraction | None = None) -> ClipInfo:
    """Look at a movie or a numbered image sequence (a folder, a pattern such as `name.%04d.png`, or one of
    its files).

    Args:
        path: the clip; it must stand alone (playlists and scripts are refused).
        rate: frames a second of an image sequence (24 if not given); a movie states its own.

    Raises:
        InputError: missing, unreadable, without video, without frames, too small or large, in colour or a
        pixel
            format that cannot be edited, at a varying rate, or a sequence with holes.
    """
    path = Path(path)
    media.refuse_unreachable(path)
    if path.is_dir() or sequences.is_image(path) or sequences.is_pattern(path):
        return probe_sequence(sequences.find_sequence(path), path, rate)
    return _probe_movie(path)


def probe_sequence(sequence: sequences.ImageSequence, path: Path, rate: Fraction | None = None) -> ClipInfo:
    """`probe` for images already found."""
    if rate is not None and rate <= 0:
        raise InputError("bad-rate", f"{rate} frames a second is no rate.", "Give a positive rate.")
    file = sequence.files[0]
    with media.open_media(file, limits.IMAGE_FORMATS) as container:
        stream = media.video_stream(container, file)
        frame = _first_frame(container, stream, file)
    colour = _colour(file, frame, stream, container)
    note = (
        (f"An image sequence has no frame rate; {DEFAULT_SEQUENCE_RATE} is assumed.",) if rate is None else ()
    )
    return ClipInfo(
        path=path,
        kind="images",
        width=frame.width,
        height=frame.height,
        rate=rate or DEFAULT_SEQUENCE_RATE,
        frames=len(sequence.files),
        pix_fmt=planes.repacked(frame.format.name),
        start_timecode=None,
        audio=False,
        colour=colour,
        notes=note,
        files=sequence.files,
        first_number=sequence.start,
    )


def _probe_movie(path: Path) -> ClipInfo:
    with media.open_media(path) as container:
        stream = media.video_stream(container, path)
        found = timeline.scan(container, stream)
    with media.open_media(path) as container:
        stream = media.video_stream(container, path)
        frame = _first_frame(container, stream, path)
        found = _drop_undecodable_start(found, frame)
        frames = len(found.pts) if found is not None else 1 + _count_rest(container, stream, path)
        rates = (stream.average_rate, stream.guessed_rate, stream.base_rate)
        stated = [Fraction(value) for value in rates if value]
        begin = Fraction(frame.pts or 0) * Fraction(stream.time_base or 0)
        rate, drift = timeline.choose_rate(stated, found)
        stated_count = None if rate is None else timeline.stated_frames(container, stream, rate, begin)
        if found is not None and drift > _LOOSE and stated_count is not None and stated_count > frames:
            found = timeline.before_gap(found)
            frames = len(found.pts)
            rate, drift = timeline.choose_rate(stated, found)
        colour = _colour(path, frame, stream, container)
        start, timecode_note = _start_timecode(container, rate)
        audio = len(container.streams.audio) > 0
        aspect = stream.sample_aspect_ratio
    if rate is None:
        raise InputError("no-rate", f"{path.name} does not tell its frame rate.", "Convert it to MP4 or MOV.")
    if drift > 0.5:
        raise InputError(
            "varying-rate",
            f"The frame rate of {path.name} varies: its frames leave {rate} fps by up to {drift:.1f} frames.",
            "Convert it to a constant frame rate first.",
        )
    notes = [timecode_note, colour.assumed]
    if drift > _LOOSE:
        notes.append(f"Frame times vary slightly; the result has a constant {rate} fps.")
    if stated_count is not None and stated_count - frames >= _CUT_SHORT:
        notes.append(
            f"The clip states {stated_count} frames, {frames} can be read: it seems to be cut short."
        )
    if frame.interlaced_frame:
        notes.append("The clip is interlaced; its frames are edited whole, not field by field.")
    if frame.rotation:
        notes.append("The clip is marked to be shown rotated; masks and results use the stored orientation.")
    return ClipInfo(
        path=path,
        kind="movie",
        width=frame.width,
        height=frame.height,
        rate=rate,
        frames=frames,
        pix_fmt=planes.repacked(frame.format.name),
        start_timecode=start,
        audio=audio,
        colour=colour,
        notes=tuple(note for note in notes if note),
        sample_aspect=Fraction(aspect) if aspect else Fraction(1),
        rotation=frame.rotation,
        start=begin,
        stated_frames=stated_count,
        timeline=found,
    )


def _first_frame(container: InputContainer, stream: VideoStream, path: Path) -> av.VideoFrame:
    media.check_size(stream.width or limits.MIN_SIDE, stream.height or limits.MIN_SIDE, path.name)
    try:
        frame = next(container.decode(stream), None)
    except av.FFmpegError as error:
        raise InputError(
            "clip-unreadable",
            f"The picture of {path.name} cannot be decoded.",
            "Check that it plays, or convert it to MP4, MOV or a PNG sequence of at most 8192x4320 pixels.",
        ) from error
    if frame is None:
        raise InputError("no-frames", f"{path.name} has no frames.", "Export the clip again.")
    media.check_size(frame.width, frame.height, path.name)
    return frame


def _drop_undecodable_start(
    found: timeline.Timeline | None, frame: av.VideoFrame
) -> timeline.Timeline | None:
    """Frames before the first one that decodes (a clip cut in an open group of pictures) are not counted."""
    if found is None or frame.pts is None or frame.pts not in found.pts:
        return None
    return timeline.Timeline(found.pts[found.pts >= frame.pts], found.keys, found.time_base)


def _count_rest(container: InputContainer, stream: VideoStream, path: Path) -> int:
    count = 0
    try:
        for _ in container.decode(stream):
            count += 1
            if count > limits.MAX_FRAMES:
                raise InputError(
                    "too-long", f"{path.name} has too many frames.", "Cut it to the part you need."
                )
    except av.FFmpegError:
        return count  # what decodes is the clip; a range beyond it is refused by name
    return count


def _colour(
    path: Path, frame: av.VideoFrame, stream: VideoStream, container: InputContainer
) -> tags.ColourTags:
    layout = planes.layout_of(planes.repacked(frame.format.name))
    context = stream.codec_context
    image = container.format.name in limits.IMAGE_FORMATS
    return tags.read_tags(
        path.name,
        # image files follow JFIF (601, full range) where they are YUV at all
        0 if image else frame.height,
        rgb=layout.family == "rgb",
        full_by_format=layout.full_by_format or (image and layout.family == "gray"),
        matrix=int(frame.colorspace),
        colour_range=int(frame.color_range),
        transfer=int(context.color_trc),
        primaries=int(context.color_primaries),
        metadata={**container.metadata, **stream.metadata},
    )


def _start_timecode(container: InputContainer, rate: Fraction | None) -> tuple[str | None, str]:
    """The timecode of frame 0 and a note if there is one that cannot be read."""
    for metadata in (container.metadata, *(stream.metadata for stream in container.streams)):
        for key, text in metadata.items():
            if key.lower() == "timecode" and rate is not None:
                if (start := Timecode.parse(text, rate)) is not None:
                    return str(start), ""
                return None, f"The start timecode {text} does not fit {rate} fps and is left out."
    return None, ""
