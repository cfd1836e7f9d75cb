# SPDX-License-Identifier: Apache-2.0
"""Selections, regions and results as JSON, for what goes from one process to another, and back.

What is read may have been written by anybody: every value's type and range is checked, and names of files
are names, never paths.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, cast, get_args

from flowanchor_resolve.host import Footage, MaskSource, Placed, Polygon, Region, Result, Selection
from flowanchor_resolve.problems import ResolveProblem

LONGEST_TEXT = 10_000  # characters of a name or a prompt
LARGEST_FRAME = 2**40
LARGEST_SIDE = 65_536  # pixels
MOST_POINTS = 100_000  # of all outlines together
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_WISHES = ("source", "target", "words")


def selection_as_plain(selection: Selection) -> dict[str, Any]:
    """A selection as a JSON object."""
    return {
        "project": selection.project,
        "timeline": selection.timeline,
        "timeline_id": selection.timeline_id,
        "item_id": selection.item_id,
        "name": selection.name,
        "track": selection.track,
        "start": selection.start,
        "end": selection.end,
        "timeline_start": selection.timeline_start,
        "rate": str(selection.rate),
        "drop_frame": selection.drop_frame,
        "width": selection.width,
        "height": selection.height,
        "wish": dict(selection.wish),
        "clip_start": selection.clip_start,
        "clip_offset": selection.clip_offset,
    }


def read_selection(raw: object) -> Selection:
    """The selection in a JSON object. ResolveProblem("resolve-note-broken") if it is none."""
    fields = _object(raw)
    start = _number(fields, "start", 0, LARGEST_FRAME)
    told = fields.get("clip_start") is not None
    clip_start = _number(fields, "clip_start", 0, LARGEST_FRAME) if told else None
    wish = _object(fields.get("wish", {}))
    return Selection(
        project=_text(fields, "project"),
        timeline=_text(fields, "timeline"),
        timeline_id=_text(fields, "timeline_id"),
        item_id=_text(fields, "item_id"),
        name=_text(fields, "name"),
        track=_number(fields, "track", 1, 10_000),
        start=start,
        end=_number(fields, "end", start + 1, LARGEST_FRAME),
        timeline_start=_number(fields, "timeline_start", 0, LARGEST_FRAME),
        rate=_rate(fields.get("rate")),
        drop_frame=_flag(fields, "drop_frame"),
        width=_number(fields, "width", 1, LARGEST_SIDE),
        height=_number(fields, "height", 1, LARGEST_SIDE),
        wish={name: _text(wish, name) for name in _WISHES if name in wish},
        clip_start=clip_start,
        clip_offset=_offset(fields.get("clip_offset")),
    )


def footage_as_plain(footage: Footage) -> dict[str, Any]:
    """Footage as a JSON object that names its file without the folder."""
    return {
        "file": footage.path.name,
        "first": footage.first,
        "frames": footage.frames,
        "in_alpha": footage.in_alpha,
    }


def read_footage(raw: object, place: Callable[[str], Path], frames: int, still: bool = False) -> Footage:
    """Footage of `frames` frames, with `still` also of one; `place` gives a name's path, and refuses what has
    none."""
    fields = _object(raw)
    count = _number(fields, "frames", 1, frames)
    if count != frames and not (still and count == 1):
        raise _broken(f"a movie of it has {count} frames, its clip {frames}")
    return Footage(
        path=place(file_name(fields.get("file"))),
        first=_number(fields, "first", 0, LARGEST_FRAME),
        frames=count,
        direct=False,
        in_alpha=_flag(fields, "in_alpha"),
    )


def region_as_plain(region: Region) -> dict[str, Any]:
    """A region as a JSON object."""
    return {
        "source": region.source,
        "movies": [footage_as_plain(movie) for movie in region.movies],
        "polygons": [
            {
                "keyframes": [
                    [frame, [list(point) for point in points]] for frame, points in polygon.keyframes
                ],
                "invert": polygon.invert,
            }
            for polygon in region.polygons
        ],
        "notes": list(region.notes),
    }


def read_region(raw: object, place: Callable[[str], Path], frames: int) -> Region:
    """The region in a JSON object, for `frames` frames."""
    fields = _object(raw)
    source = _text(fields, "source")
    if source not in get_args(MaskSource):
        raise _broken(f'it names a region "{source[:40]}"')
    budget = [MOST_POINTS]
    return Region(
        source=cast(MaskSource, source),
        movies=tuple(
            read_footage(movie, place, frames, still=True) for movie in _list(fields.get("movies", []), 16)
        ),
        polygons=tuple(_polygon(polygon, budget) for polygon in _list(fields.get("polygons", []), 1000)),
        notes=tuple(_a_text(note, "notes") for note in _list(fields.get("notes", []), 100)),
    )


def result_as_plain(result: Result) -> dict[str, Any]:
    """A result as a JSON object that names its file without the folder."""
    return {
        "file": result.path.name,
        "frames": result.frames,
        "deliver": result.deliver,
        "job": result.job,
        "seed": result.seed,
        "source_prompt": result.source_prompt,
        "target_prompt": result.target_prompt,
        "settings": dict(result.settings),
    }


def read_result(raw: object, place: Callable[[str], Path]) -> Result:
    """The result in a JSON object."""
    fields = _object(raw)
    deliver = _text(fields, "deliver")
    if deliver not in ("patch", "full"):
        raise _broken(f'it names a delivery "{deliver[:40]}"')
    return Result(
        path=place(file_name(fields.get("file"))),
        frames=_number(fields, "frames", 1, LARGEST_FRAME),
        deliver="patch" if deliver == "patch" else "full",
        job=_text(fields, "job"),
        seed=_number(fields, "seed", -(2**63), 2**64),
        source_prompt=_text(fields, "source_prompt"),
        target_prompt=_text(fields, "target_prompt"),
        settings=_object(fields.get("settings", {})),
    )


def placed_as_plain(placed: Placed) -> dict[str, Any]:
    """A placed result as a JSON object: where it is, for `--json` and a hand-off's last note."""
    return {
        "timeline_id": placed.timeline_id,
        "item_id": placed.item_id,
        "track": placed.track,
        "start": placed.start,
        "end": placed.end,
        "made_track": placed.made_track,
        "media_id": placed.media_id,
        "take": placed.take,
    }


def read_placed(raw: object) -> Placed:
    """What `placed_as_plain` has written, without its marker."""
    fields = _object(raw)
    start = _number(fields, "start", 0, LARGEST_FRAME)
    return Placed(
        timeline_id=_text(fields, "timeline_id"),
        item_id=_text(fields, "item_id"),
        track=_number(fields, "track", 1, 10_000),
        start=start,
        end=_number(fields, "end", start + 1, LARGEST_FRAME),
        made_track=_flag(fields, "made_track"),
        media_id=_text(fields, "media_id"),
        marker="",
        take=_number(fields, "take", 0, 10_000),
    )


def file_name(raw: object) -> str:
    """A plain file name: letters, digits, ".", "_" and "-", so never a path. ResolveProblem otherwise."""
    if not isinstance(raw, str) or _NAME.fullmatch(raw) is None:
        raise _broken("it names a file that is no plain name")
    return raw


def _polygon(raw: object, budget: list[int]) -> Polygon:
    fields = _object(raw)
    keyframes = []
    for key in _list(fields.get("keyframes"), 100_000):
        pair = _list(key, 2)
        if len(pair) != 2 or isinstance(pair[0], bool) or not isinstance(pair[0], int):
            raise _broken("an outline's keyframe is none")
        points = _list(pair[1], MOST_POINTS)
        budget[0] -= len(points)
        if budget[0] < 0:
            raise _broken(f"its outlines have more than {MOST_POINTS} points")
        keyframes.append((pair[0], tuple(_point(point) for point in points)))
    return Polygon(tuple(keyframes), _flag(fields, "invert"))


def _point(raw: object) -> tuple[float, float]:
    pair = _list(raw, 2)
    if len(pair) != 2 or not all(
        isinstance(part, (int, float)) and not isinstance(part, bool) and abs(part) < 1e9 for part in pair
    ):
        raise _broken("an outline has a point that is none")
    x, y = float(pair[0]), float(pair[1])
    if not (math.isfinite(x) and math.isfinite(y)):
        raise _broken("an outline has a point that is none")
    return x, y


def _rate(raw: object) -> Fraction:
    if not isinstance(raw, str) or re.fullmatch(r"[1-9]\d{0,8}(/[1-9]\d{0,8})?", raw) is None:
        raise _broken("its rate is none")
    return Fraction(raw)


def _offset(raw: object) -> float | None:
    if raw is None:
        return None
    if isinstance(raw, bool) or not isinstance(raw, (int, float)) or not abs(raw) <= LARGEST_FRAME:
        raise _broken("its clip_offset is no number")
    return float(raw)


def _object(raw: object) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise _broken("a part of it is no object")
    return raw


def _list(raw: object, longest: int) -> Sequence[Any]:
    if not isinstance(raw, list) or len(raw) > longest:
        raise _broken(f"a part of it is no list, or one of more than {longest}")
    return raw


def _text(fields: Mapping[str, Any], name: str) -> str:
    return _a_text(fields.get(name), name)


def _a_text(raw: object, name: str) -> str:
    if not isinstance(raw, str) or len(raw) > LONGEST_TEXT:
        raise _broken(f"its {name} is no text of at most {LONGEST_TEXT} characters")
    return raw


def _number(fields: Mapping[str, Any], name: str, least: int, most: int) -> int:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise _broken(f"its {name} is no whole number from {least} to {most}")
    return value


def _flag(fields: Mapping[str, Any], name: str) -> bool:
    value = fields.get(name)
    if not isinstance(value, bool):
        raise _broken(f"its {name} is neither true nor false")
    return value


def _broken(why: str) -> ResolveProblem:
    return ResolveProblem(
        "resolve-note-broken",
        f"What was left about a clip cannot be used: {why}.",
        "Begin the edit again from the clip on the timeline.",
    )
