# SPDX-License-Identifier: Apache-2.0
"""Check the files an edit refers to. Only hash and suffix ever reach a file system, and both have a fixed
form."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from flowanchor.v1 import system_pb2, types_pb2

from flowanchor_daemon.media.sniff import check_suffix
from flowanchor_daemon.queue.fields import invalid, too_large, whole

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MAX_NAME: Final = 255
_LARGEST_NUMBER: Final = 999_999_999
_LOWEST_RATE, _HIGHEST_RATE = Fraction(1, 1000), Fraction(1000)
_LARGEST_TERM: Final = 10**9
_LARGEST_DENOMINATOR: Final = 100_000


def check_clip(field: str, clip: types_pb2.Clip, limits: system_pb2.Limits) -> None:
    """Refuse a clip that cannot be one, and bring its rate to lowest terms."""
    content = clip.WhichOneof("content")
    if content == "movie":
        _check_media(f"{field}.movie", clip.movie, image=False)
        if clip.HasField("rate"):
            raise invalid(f"{field}.rate", "is given for a movie, which states its own")
        return
    if content is None:
        raise invalid(field, "has neither a movie nor images")
    frames = clip.images.frames
    if not frames:
        raise invalid(f"{field}.images", "has no frames")
    if len(frames) > limits.max_frames:
        raise too_large(f"{field}.images", limits.max_frames, "frames")
    whole(f"{field}.images.first_number", clip.images.first_number, 0, _LARGEST_NUMBER - len(frames))
    for index, frame in enumerate(frames):
        _check_media(f"{field}.images.frames[{index}]", frame, image=True)
        if frame.suffix != frames[0].suffix:
            raise invalid(f"{field}.images", "has frames of several suffixes", "Export them in one format.")
    if clip.HasField("rate"):
        _check_rate(f"{field}.rate", clip.rate)


def _check_media(field: str, media: types_pb2.MediaRef, image: bool) -> None:
    if not _SHA256.fullmatch(media.sha256):
        raise invalid(f"{field}.sha256", "is not 64 lower-case hexadecimal digits")
    if len(media.name) > _MAX_NAME:
        raise too_large(f"{field}.name", _MAX_NAME, "characters")
    check_suffix(media.suffix, image)


def _check_rate(field: str, rate: types_pb2.Rational) -> None:
    if not (0 < rate.denominator <= _LARGEST_TERM and 0 < rate.numerator <= _LARGEST_TERM):
        raise invalid(field, "is not a positive fraction of numbers up to a milliard")
    exact = Fraction(rate.numerator, rate.denominator)
    if not _LOWEST_RATE <= exact <= _HIGHEST_RATE or exact.denominator > _LARGEST_DENOMINATOR:
        raise invalid(field, f"is {exact}; it goes from {_LOWEST_RATE} to {_HIGHEST_RATE} frames a second")
    rate.numerator, rate.denominator = exact.numerator, exact.denominator
