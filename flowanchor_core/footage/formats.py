# SPDX-License-Identifier: Apache-2.0
"""The formats in which a result is delivered, and which of them fits a clip and a file name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import av

from flowanchor_core.errors import InputError
from flowanchor_core.footage import sequences
from flowanchor_core.footage.planes import Layout

Kind = Literal["full", "patch"]

MUXERS: Final[Mapping[str, str]] = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}


@dataclass(frozen=True)
class Format:
    """One way to write a result.

    `pix_fmt` None means the source's own. `suffixes` are the file names it goes by, () for image sequences.
    `bits` is what a pixel takes at most, on the safe side, for the check of free disk space.
    """

    name: str
    kind: Kind
    codec: str
    pix_fmt: str | None
    suffixes: tuple[str, ...]
    lossless: bool
    bits: float
    limited_range: bool = False
    options: Mapping[str, str] = field(default_factory=dict)


_FORMATS: Final = (
    Format(
        "h264",
        "full",
        "libx264",
        "yuv420p",
        (".mp4", ".mov", ".mkv"),
        False,
        2.0,
        options={"crf": "16", "preset": "medium"},
    ),
    Format(
        "prores",
        "full",
        "prores_ks",
        "yuv422p10le",
        (".mov", ".mkv"),
        False,
        5.0,
        limited_range=True,
        options={"profile": "hq", "vendor": "apl0"},
    ),
    # level 3 with slice checksums, every frame a keyframe: a damaged file loses slices, not the rest of the
    # clip
    Format(
        "ffv1", "full", "ffv1", None, (".mkv",), True, 0.0, options={"level": "3", "slicecrc": "1", "g": "1"}
    ),
    Format("png", "full", "png", None, (), True, 0.0, options={"pred": "up"}),
    Format(
        "prores4444",
        "patch",
        "prores_ks",
        "yuva444p10le",
        (".mov",),
        False,
        8.0,
        limited_range=True,
        options={"profile": "4444", "vendor": "apl0", "alpha_bits": "16"},
    ),
    Format("png", "patch", "png", "rgba", (), True, 8.0, options={"pred": "up"}),
)

# What FFV1 calls the formats that are handled under other names here: same samples, other order.
FFV1_NAMES: Final[Mapping[str, str]] = {
    "rgb24": "bgr0",
    "rgba": "bgra",
    "yuvj420p": "yuv420p",
    "yuvj422p": "yuv422p",
    "yuvj444p": "yuv444p",
    "yuvj440p": "yuv440p",
    "yuvj411p": "yuv411p",
}

# PNG stores 16-bit samples big-endian and packed.
PNG_NAMES: Final[Mapping[str, str]] = {"gbrp16le": "rgb48be", "gbrap16le": "rgba64be", "gray16le": "gray16be"}


def find_format(kind: str, name: str) -> Format:
    """The format of that name for that kind of delivery, or InputError listing those there are."""
    for known in _FORMATS:
        if (known.kind, known.name) == (kind, name):
            return known
    kinds = sorted({known.kind for known in _FORMATS})
    if kind not in kinds:
        raise InputError("kind-unknown", f"There is no delivery {kind!r}.", f"Use {' or '.join(kinds)}.")
    names = ", ".join(known.name for known in _FORMATS if known.kind == kind)
    raise InputError(
        "format-unknown", f"{name!r} is no format for a {kind} delivery.", f"Use one of: {names}."
    )


def check_name(form: Format, out: Path) -> None:
    """Raise InputError if the output's name does not go with the format."""
    suffix = out.suffix.lower()
    if form.suffixes and suffix not in form.suffixes:
        raise InputError(
            "output-name",
            f"{form.name} cannot be written as {out.name}.",
            f"Name the output with {' or '.join(form.suffixes)}.",
        )
    if not form.suffixes and (
        suffix in MUXERS or (sequences.is_image(out) and not sequences.is_pattern(out))
    ):
        raise InputError(
            "output-name",
            f"A PNG delivery is a sequence, {out.name} is the name of one file.",
            "Name a folder, or a pattern such as name.%04d.png.",
        )


def check_size(form: Format, width: int, height: int) -> None:
    """Raise InputError if the codec cannot hold a picture of this size."""
    if form.name == "h264" and (width % 2 or height % 2):
        raise InputError(
            "odd-size",
            f"H.264 cannot hold an odd size ({width}x{height}).",
            "Deliver as ffv1, prores or png.",
        )


def delivered_format(form: Format, source: Layout, *, source_full_range: bool) -> str:
    """Pixel format in which the composite is handed to the encoder's side of things (see `encoder_format`).

    Raises:
        InputError: FFV1 has no such format.
    """
    if form.pix_fmt is not None:
        return form.pix_fmt
    if form.name == "ffv1":
        name = FFV1_NAMES.get(source.name, source.name)
        if name not in {known.name for known in av.Codec("ffv1", "w").video_formats or ()}:
            raise InputError(
                "pixel-format-unsupported", f"FFV1 cannot hold {source.name}.", "Deliver as prores or png."
            )
        return source.name if source.packed else name
    deep = source.bits > 8
    if source.family == "gray" and source_full_range:
        return "gray16le" if deep else "gray"
    if source.alpha:
        return "gbrap16le" if deep else "rgba"
    return "gbrp16le" if deep else "rgb24"


def encoder_format(form: Format, pix_fmt: str) -> str:
    """What the encoder calls a delivered pixel format."""
    if form.codec == "ffv1":
        return FFV1_NAMES.get(pix_fmt, pix_fmt)
    return PNG_NAMES.get(pix_fmt, pix_fmt) if form.codec == "png" else pix_fmt


def estimate_bytes(form: Format, source: Layout, width: int, height: int, frames: int, sound: int) -> int:
    """Bytes a delivery takes, on the safe side. `sound` is what the sound takes at most."""
    bits = form.bits
    if not bits:
        components = {"gray": 1.0, "rgb": 3.0, "yuv": 1 + 2 / (1 << sum(source.chroma))}[source.family]
        bits = (components if form.name == "ffv1" else 3.0) * (8 if source.bits == 8 else 16) * 0.8
    return int(width * height * frames * bits / 8) + sound + (1 << 20)
