# SPDX-License-Identifier: Apache-2.0
"""Tiny clips made on the spot. Every frame carries its number as a row of black and white blocks, so that a
wrong frame is seen whatever the codec did to the picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from flowanchor_core.footage import MaskTrack, Region, model_size, plan_region
from flowanchor_core.footage.planes import blank, layout_of, samples

WIDTH, HEIGHT = 64, 48
BITS = 8
BLOCK = WIDTH // BITS
AUDIO_RATE = 44100


@dataclass(frozen=True)
class Recipe:
    """How a test clip is coded."""

    name: str
    codec: str
    pix_fmt: str
    options: dict[str, str] = field(default_factory=dict)


H264 = Recipe("h264.mp4", "libx264", "yuv420p", {"crf": "18", "bf": "3", "g": "12", "preset": "ultrafast"})
MPEG4 = Recipe("mpeg4.avi", "mpeg4", "yuv420p", {"bf": "0", "g": "10", "qscale": "3"})
FFV1 = Recipe("ffv1.mkv", "ffv1", "yuv420p", {"g": "1"})
PRORES = Recipe("prores.mov", "prores_ks", "yuv422p10le", {"profile": "hq"})
H264_TS = Recipe("h264.ts", "libx264", "yuv420p", H264.options)
H264_AVI = Recipe("h264.avi", "libx264", "yuv420p", H264.options)
VP8 = Recipe(
    "vp8.webm", "libvpx", "yuv420p", {"auto-alt-ref": "1", "lag-in-frames": "16", "crf": "10", "b": "1M"}
)
RECIPES = (H264, MPEG4, FFV1, PRORES, H264_TS, H264_AVI, VP8)


def picture(number: int, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """Gray texture [height, width] with the frame's number on top."""
    rows, columns = np.mgrid[0:height, 0:width]
    gray = 90 + 40 * np.sin(rows / 5 + number) + 30 * np.cos(columns / 7 - number / 3)
    for bit in range(BITS):
        gray[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 220 if number >> bit & 1 else 30
    coded: NDArray[np.uint8] = gray.astype(np.uint8)
    return coded


def numbered_frame(number: int, pix_fmt: str, height: int = HEIGHT, width: int = WIDTH) -> av.VideoFrame:
    """A frame of any handled pixel format; the other components follow the gray one, a little shifted."""
    layout = layout_of(pix_fmt)
    frame = blank(width, height, pix_fmt)
    gray = picture(number, height, width).astype(np.uint16) * (layout.peak // 255)
    for index, view in enumerate(samples(frame)):
        if layout.subsampled(index):
            small = gray[:: 1 << layout.chroma[1], :: 1 << layout.chroma[0]]
            view[...] = (small // 2 + 64 * (layout.peak // 255)).astype(layout.dtype)
        elif layout.family == "yuv" and index in (1, 2):
            view[...] = (gray // 2 + 64 * (layout.peak // 255)).astype(layout.dtype)
        else:
            view[...] = gray.astype(layout.dtype)
    return frame


def noisy_frame(
    pix_fmt: str, height: int, width: int, generator: np.random.Generator, low: int = 0
) -> av.VideoFrame:
    """A frame of random samples over the whole code range."""
    layout = layout_of(pix_fmt)
    frame = blank(width, height, pix_fmt)
    for view in samples(frame):
        view[...] = generator.integers(low, layout.peak + 1, view.shape).astype(layout.dtype)
    return frame


def number_of(frame: av.VideoFrame) -> int:
    """The number a frame carries."""
    top = samples(frame)[0][:BLOCK].astype(np.float64)
    middle = layout_of(frame.format.name).peak / 2
    blocks = [top[2:-2, bit * BLOCK + 2 : (bit + 1) * BLOCK - 2].mean() > middle for bit in range(BITS)]
    return sum(1 << bit for bit, white in enumerate(blocks) if white)


def write_movie(
    path: Path,
    recipe: Recipe,
    frames: int = 30,
    rate: Fraction = Fraction(25),
    *,
    sound: str | None = None,
    timecode: str | None = None,
    first_pts: int = 0,
    times: Iterable[int] | None = None,
    size: tuple[int, int] = (HEIGHT, WIDTH),
    tags: tuple[int, int, int, int] | None = None,
) -> Path:
    """Encode a clip. `sound` names an audio codec; `tags` are matrix, range, transfer, primaries."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream(recipe.codec, rate=rate, options=dict(recipe.options))
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = size
        stream.pix_fmt = recipe.pix_fmt
        stream.codec_context.time_base = 1 / rate
        if tags is not None:
            context = stream.codec_context
            context.colorspace, context.color_range, context.color_trc, context.color_primaries = tags
        if timecode is not None:
            stream.metadata["timecode"] = timecode
        voice = output.add_stream(sound, rate=AUDIO_RATE) if sound else None
        stamps = list(times) if times is not None else [first_pts + number for number in range(frames)]
        if voice is not None:
            assert isinstance(voice, av.AudioStream)
            _write_sound(output, voice, frames / rate)
        for number, stamp in enumerate(stamps):
            frame = numbered_frame(number, recipe.pix_fmt, *size)
            frame.pts, frame.time_base = stamp, 1 / rate
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def _write_sound(output: av.container.OutputContainer, voice: av.AudioStream, seconds: Fraction) -> None:
    voice.codec_context.layout = "stereo"
    voice.codec_context.open()
    sample_format = voice.codec_context.format.name
    chunk = voice.codec_context.frame_size or 1024
    for start in range(0, int(seconds * AUDIO_RATE), chunk):
        time = np.arange(start, start + chunk) / AUDIO_RATE
        tone = (
            np.stack([np.sin(2 * np.pi * 440 * time), np.sin(2 * np.pi * 660 * time)]).astype(np.float32)
            * 0.3
        )
        if sample_format == "s16":
            packed = (tone.T.reshape(1, -1) * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(packed, format="s16", layout="stereo")
        else:
            frame = av.AudioFrame.from_ndarray(tone, format=sample_format, layout="stereo")
        frame.sample_rate, frame.pts = AUDIO_RATE, start
        output.mux(voice.encode(frame))
    output.mux(voice.encode(None))


def write_png(path: Path, gray: NDArray[np.uint8], pix_fmt: str = "rgb24") -> Path:
    """One PNG from a gray picture [h, w] (or from all four components [h, w, 4] for rgba)."""
    context = av.CodecContext.create("png", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.height, context.width = gray.shape[:2]
    context.pix_fmt, context.time_base = pix_fmt, Fraction(1, 25)
    frame = blank(gray.shape[1], gray.shape[0], pix_fmt)
    for index, view in enumerate(samples(frame)):
        view[...] = gray if gray.ndim == 2 else gray[..., index]
    path.write_bytes(b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)]))
    return path


def write_sequence(folder: Path, frames: int = 30, start: int = 1, digits: int = 4) -> Path:
    """A folder of shot.0001.png and so on."""
    folder.mkdir()
    for number in range(frames):
        write_png(folder / f"shot.{start + number:0{digits}d}.png", picture(number))
    return folder


def marked(frames: int, height: int = HEIGHT, width: int = WIDTH) -> MaskTrack:
    """A rectangle that moves one pixel a frame."""
    masks = np.zeros((frames, height, width), dtype=np.bool_)
    for index in range(frames):
        masks[index, 18:30, 20 + index % 8 : 36 + index % 8] = True
    return MaskTrack.of(masks, height, width)


def region_of(track: MaskTrack, grow: int = 1, feather: int = 3) -> Region:
    """A region at native scale."""
    return plan_region(
        track,
        margin=0.1,
        grow=grow,
        feather=feather,
        size_of=lambda crop: model_size(crop, crop.width * crop.height),
    )


def packets_of(path: Path) -> list[bytes]:
    """The payloads of the first audio stream."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(container.streams.audio[0]) if packet.size]
