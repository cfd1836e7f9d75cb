# SPDX-License-Identifier: Apache-2.0
"""The command line's small notations, and what an output's name says about its format."""

from __future__ import annotations

import itertools
import json
import os
import re
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import typer

from flowanchor_core.errors import InputError
from flowanchor_core.geometry import Box

# What a name ending says about the format, by delivery; the first one of each is the default.
FULL_FORMATS = {".mp4": "h264", ".mov": "prores", ".mkv": "ffv1", ".png": "png"}
PATCH_FORMATS = {".mov": "prores4444", ".png": "png"}


def parse_frames(text: str | None) -> tuple[int, int | None]:
    """ "24-64" -> (24, 64); "24-" -> (24, None); "24" -> (24, 24); None -> (0, None)."""
    if text is None:
        return 0, None
    found = re.fullmatch(r"(\d{1,9})(-(\d{0,9}))?", text.strip())
    if found is None:
        raise InputError(
            "frames-syntax", f"'{text[:40]}' is no range of frames.", "Write it as 24-64, counted from 0."
        )
    first = int(found[1])
    if found[2] is None:
        return first, first
    return first, int(found[3]) if found[3] else None


def whole_number(given: str | int) -> int:
    """ "12" -> 12, and a default as it is; typer.BadParameter in plain words for anything else."""
    text = str(given)
    if re.fullmatch(r"\s*[-+]?\d{1,19}\s*", text) is None:
        raise typer.BadParameter(f"'{text[:40]}' is no whole number.")
    return int(text)


def number(given: str | float) -> float:
    """ "0.25" -> 0.25, and a default as it is; typer.BadParameter in plain words for anything else."""
    try:
        return float(given)
    except ValueError:
        raise typer.BadParameter(f"'{str(given)[:40]}' is no number.") from None


def parse_rate(text: str | None) -> Fraction | None:
    """ "24", "23.976" or "24000/1001", exactly as written."""
    if text is None:
        return None
    # Not whatever Fraction takes: "1e999999999" would keep it busy for hours.
    found = re.fullmatch(r"\d{1,9}(\.\d{1,9})?|\d{1,9}/0*[1-9]\d{0,8}", text.strip())
    if found is None:
        raise InputError("rate-syntax", f"'{text[:40]}' is no rate.", "Write it as 24 or 24000/1001.")
    return Fraction(found[0])


def parse_box(text: str) -> Box:
    """ "x,y,w,h" in whole pixels."""
    found = re.fullmatch(r"(-?\d{1,9}),(-?\d{1,9}),(\d{1,9}),(\d{1,9})", text.replace(" ", ""))
    if found is None:
        raise InputError(
            "box-syntax", f"'{text[:40]}' is no box.", "Write it as x,y,width,height in pixels: 40,30,120,90."
        )
    x, y, width, height = map(int, found.groups())
    return Box(x, y, width, height)


def parse_words(text: str | None) -> tuple[str, ...] | None:
    """ "red, ball" -> ("red", "ball"); None when the difference of the prompts decides."""
    if text is None:
        return None
    found = tuple(word.strip() for word in text.split(",") if word.strip())
    if not found:
        raise InputError(
            "words-empty", "--words is empty.", "Name words of the target prompt or leave it out."
        )
    return found


def parse_param(text: str) -> tuple[str, Any]:
    """ "tau=0.5" -> ("tau", 0.5); numbers, true and false by their looks, anything else is text."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise InputError("param-syntax", f"'{text}' is no parameter.", "Write it as name=value: tau=0.6.")
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        parsed = value
    return name.strip(), parsed if isinstance(parsed, int | float) else value


def output_for(
    clip: Path, deliver: Literal["full", "patch"], out_format: str | None, out: Path | None
) -> tuple[str, Path]:
    """Format and path of the output; where --format is silent the name's ending decides.

    Without `out` it is a name beside the clip that nothing has yet.
    """
    formats = FULL_FORMATS if deliver == "full" else PATCH_FORMATS
    known = tuple(formats.values())
    if out_format is not None and out_format not in known:
        raise InputError(
            "unknown-format",
            f"'{out_format}' is no format for the delivery '{deliver}'.",
            f"Use {', '.join(known)}.",
        )
    if out is None:
        chosen = out_format or known[0]
        ending = {value: key for key, value in formats.items()}[chosen]
        stem = re.sub(r"[._-]?%0?\d*d$", "", clip.stem) or "clip"
        name = f"{stem}-{deliver}.%04d.png" if chosen == "png" else f"{stem}-{deliver}{ending}"
        return chosen, free(clip.parent / name)
    chosen = out_format or formats.get(out.suffix.lower(), "")
    if not chosen and out.is_dir():
        raise InputError(
            "output-name", f"{out} is a folder.", "Name a file in it, or say --format png for images."
        )
    if not chosen:
        raise InputError(
            "unknown-format",
            f"The ending of {out.name} does not name a format for the delivery '{deliver}'.",
            f"Use {', '.join(formats)} or say --format.",
        )
    return chosen, out


def free(path: Path) -> Path:
    """`path` if nothing is called so, else the first of `name-2`, `name-3` … that is free.

    A name with a place for numbers (`name.%04d.png`) is free where no file fits it.
    """
    stem, place, ending = path.stem, "", path.suffix
    if (numbered := re.fullmatch(r"(.*?)([._-]?(?:%0?\d*d|#+))", stem)) is not None:
        stem, place = numbered[1], numbered[2]
    for number in itertools.count(2):
        if not _taken(path):
            return path
        path = path.parent / f"{stem}-{number}{place}{ending}"
    raise AssertionError("a count has ended")


def _taken(path: Path) -> bool:
    place = re.search(r"%0?\d*d|#+", path.name)
    if place is None:
        return os.path.lexists(path)
    before, after = re.escape(path.name[: place.start()]), re.escape(path.name[place.end() :])
    fits = re.compile(rf"{before}\d+{after}")
    return path.parent.is_dir() and any(fits.fullmatch(name) for name in os.listdir(path.parent))
