# SPDX-License-Identifier: Apache-2.0
"""Clips whose frames carry their number, so that a wrong frame is seen.

A frame is grey with ten squares in its middle row: nine bits of the number, lowest first, white for 1 and
black for 0, and a tenth that makes the count of white ones even. Corners are red, green, blue, yellow, so
that a flip is seen. Needs numpy; writing needs PyAV as well, which Blender's Python lacks.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT, SQUARE = 192, 96, 16
BITS = 10
LEFT, TOP = (WIDTH - BITS * SQUARE) // 2, (HEIGHT - SQUARE) // 2
GREY = 110
SOFT = (200, 100, 50)
CORNERS = ((200, 40, 40), (40, 180, 40), (40, 40, 200), (190, 190, 40))

Picture = npt.NDArray[np.uint8]
"""Rows of RGB code values, the upper row first."""


def picture(number: int) -> Picture:
    """The frame of a number, 0 to 511."""
    if not 0 <= number < 1 << (BITS - 1):
        raise ValueError(f"{number} does not fit")
    frame = np.full((HEIGHT, WIDTH, 3), GREY, np.uint8)
    edge = SQUARE
    for colour, rows, columns in zip(
        CORNERS,
        (slice(0, edge), slice(0, edge), slice(-edge, None), slice(-edge, None)),
        (slice(0, edge), slice(-edge, None), slice(0, edge), slice(-edge, None)),
        strict=True,
    ):
        frame[rows, columns] = colour
    bits = [number >> bit & 1 for bit in range(BITS - 1)]
    for bit, value in enumerate([*bits, sum(bits) & 1]):
        left = LEFT + bit * SQUARE
        frame[TOP : TOP + SQUARE, left : left + SQUARE] = 255 * value
    return frame


def number_of(
    frame: npt.NDArray[Any], scale: float = 1.0, right: float = 0.0, down: float = 0.0, flipped: bool = False
) -> int | None:
    """The number in a frame, whose content was scaled about its middle and then moved; None if there is
    none."""
    height, width = frame.shape[:2]
    values = []
    for bit in range(BITS):
        x = (LEFT + (bit + 0.5) * SQUARE - WIDTH / 2) * scale * (-1 if flipped else 1) + width / 2 + right
        y = height / 2 + down
        reach = max(int(SQUARE * scale / 4), 1)
        square = frame[int(y) - reach : int(y) + reach, int(x) - reach : int(x) + reach]
        if not square.size:
            return None
        values.append(float(square.mean()))
    if any(70 < value < 185 for value in values):
        return None
    bits = [int(value > 128) for value in values]
    return sum(bit << place for place, bit in enumerate(bits[:-1])) if sum(bits) % 2 == 0 else None


def write_movie(
    path: Path,
    rate: Fraction,
    frames: int,
    *,
    gop: int = 12,
    late: int | None = None,
    scale: int = 1,
    tagged: bool = True,
) -> Path:
    """H.264 with B-frames (.mp4, .mov) or lossless FFV1 (.mkv), frames 0, 1, 2 ... at a constant rate; frames
    from `late` on come half a frame later. H.264 is of Rec.709 and says so, unless it is not `tagged`: then
    it is of Rec.601 and says nothing."""
    import av

    lossless = path.suffix == ".mkv"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("ffv1" if lossless else "libx264", rate=rate)
        stream.width, stream.height = WIDTH * scale, HEIGHT * scale
        if late is not None:
            stream.codec_context.time_base = 1 / rate / 2
        stream.pix_fmt = "bgr0" if lossless else "yuv420p"
        if not lossless:
            stream.options = {"crf": "8", "g": str(gop), "bf": "2", "preset": "veryfast"}
            if tagged:
                context = stream.codec_context
                context.color_range = context.colorspace = context.color_trc = context.color_primaries = 1
        for number in range(frames):
            whole = np.ascontiguousarray(picture(number).repeat(scale, 0).repeat(scale, 1))
            frame = av.VideoFrame.from_ndarray(whole, "rgb24")
            if not lossless:
                matrix = "ITU709" if tagged else "ITU601"
                frame = frame.reformat(format="yuv420p", dst_colorspace=matrix)
            if tagged and not lossless:
                frame.color_range = frame.colorspace = frame.color_trc = frame.color_primaries = 1
            delayed = int(late is not None and number >= late)
            frame.pts, frame.time_base = 2 * number + delayed, 1 / rate / 2
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_patch(path: Path, rate: Fraction, frames: int) -> Path:
    """ProRes 4444 (.mov) as edits deliver it: white, opaque in the right half, transparent in the left."""
    import av

    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("prores_ks", rate=rate)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuva444p10le"
        stream.options = {"profile": "4444"}
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(patch(number), "rgba").reformat(format="yuva444p10le")
            frame.pts, frame.time_base = number, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_soft_patch(path: Path, rate: Fraction, frames: int) -> Path:
    """ProRes 4444 (.mov) as edits deliver it with a soft edge: `SOFT` everywhere, of an alpha that rises from
    the left to the right."""
    import av

    picture = np.empty((HEIGHT, WIDTH, 4), np.uint8)
    picture[..., :3], picture[..., 3] = SOFT, soft_alpha()
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("prores_ks", rate=rate)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuva444p10le"
        stream.options = {"profile": "4444"}
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture, "rgba").reformat(format="yuva444p10le")
            frame.pts, frame.time_base = number, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def soft_alpha() -> npt.NDArray[np.uint8]:
    """Of each column, from 0 to 255."""
    return np.linspace(0, 255, WIDTH).astype(np.uint8)


def patch(number: int) -> Picture:
    """RGBA of a patch: the frame of its number, brighter, opaque in the right half alone."""
    whole = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    whole[..., :3] = picture(number)
    whole[:SQUARE, WIDTH // 2 :, :3] = (255, 255, 255)
    whole[:, WIDTH // 2 :, 3] = 255
    return whole


def write_images(folder: Path, pictures: list[Picture]) -> list[Path]:
    """PNG files 000000.png ... of RGB or RGBA pictures."""
    import av

    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for index, one in enumerate(pictures):
        form = "rgba" if one.shape[2] == 4 else "rgb24"
        context: Any = av.CodecContext.create("png", "w")
        context.width, context.height, context.pix_fmt, context.time_base = (
            WIDTH,
            HEIGHT,
            form,
            Fraction(1, 24),
        )
        packets = context.encode(av.VideoFrame.from_ndarray(one, form)) + context.encode(None)
        file = folder / f"{index:06d}.png"
        file.write_bytes(b"".join(bytes(packet) for packet in packets))
        files.append(file)
    return files
