# SPDX-License-Identifier: Apache-2.0
"""The marker that goes with a result: what it is, in words for people and as data for us.

Markers count from the timeline's first frame. There can be one a frame, so a taken frame is left to its
marker and the next one is used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from flowanchor_resolve.host import Placed, Result
from flowanchor_resolve.names import TRACK
from flowanchor_resolve.opened import Item, Opened
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.wishes import write_wish

PREFIX = "flowanchor:"
"""How our customData begins; JSON follows."""
COLOR = "Purple"
FORM = 1
"""Version of the data."""
LONGEST = 64 * 1024
"""Characters of data that are read."""
CUT = 2000
"""Characters of a prompt that are kept where all of it is too long; JSON takes up to twelve for each."""
TRIES = 200
"""Frames that are tried for a marker."""


def marker_data(placed: Placed, result: Result) -> str:
    """The customData of a result's marker: enough to find it, to undo it and to ask for it again."""
    words: dict[str, Any] = {
        "form": FORM,
        "job": result.job,
        "seed": result.seed,
        "source": result.source_prompt,
        "target": result.target_prompt,
        "prompts": prompt_hash(result.source_prompt, result.target_prompt),
        "deliver": result.deliver,
        "frames": result.frames,
        "path": str(result.path),
        "settings": dict(result.settings),
        "timeline": placed.timeline_id,
        "item": placed.item_id,
        "media": placed.media_id,
        "track": placed.track,
        "start": placed.start,
        "end": placed.end,
        "made_track": placed.made_track,
        "take": placed.take,
    }
    # What is longer is not read again: then the settings are left out, and of the prompts what is too long.
    shorter: dict[str, Any] = {**words, "settings": {}}
    shortest = {**shorter, "source": result.source_prompt[:CUT], "target": result.target_prompt[:CUT]}
    written = (_written(one) for one in (words, shorter, shortest))
    return next((data for data in written if len(data) <= LONGEST), _written(shortest))


def _written(words: Mapping[str, Any]) -> str:
    return PREFIX + json.dumps(words, sort_keys=True, separators=(",", ":"), default=str)


def prompt_hash(source: str, target: str) -> str:
    """Twelve digits that tell edits of other prompts apart."""
    return hashlib.sha256(f"{source}\0{target}".encode()).hexdigest()[:12]


def add_marker(opened: Opened, relative: int, frames: int, result: Result, data: str) -> None:
    """Put the marker on the timeline, at the result's first frame that has none.

    Raises:
        ResolveProblem: "resolve-marker", if Resolve takes it nowhere.
    """
    note = _note(result)
    taken = {int(frame) for frame in opened.markers()}
    free = [frame for frame in range(relative, relative + frames) if frame not in taken]
    for frame in free[:TRIES]:
        length = min(frames - (frame - relative), frames) if frame == relative else 1
        if opened.calls.ask(
            opened.timeline, "AddMarker", frame, COLOR, TRACK, note, length, data
        ) and find_marker(opened, data):
            return
    opened.calls.check_answering()
    raise ResolveProblem(
        "resolve-marker",
        "Resolve did not take a marker for the result.",
        "Remove a marker within the clip, then place the result again.",
    )


def mark_item(opened: Opened, item: Item, result: Result, data: str) -> bool:
    """Put a marker on the placed clip itself, so that selecting it gives the wish again; whether it is
    there."""
    calls = opened.calls
    return bool(calls.ask(item.thing, "AddMarker", 0, COLOR, TRACK, _note(result), 1, data))


def _note(result: Result) -> str:
    words = result.settings.get("words")
    return write_wish(result.source_prompt, result.target_prompt, words if isinstance(words, str) else None)


def find_marker(opened: Opened, data: str) -> bool:
    """Whether the timeline has the marker with this customData."""
    return any(str(marker.get("customData", "")) == data for marker in opened.markers().values())


def delete_marker(opened: Opened, data: str) -> bool:
    """Take the marker with this customData away; whether it is gone."""
    if find_marker(opened, data):
        opened.calls.ask(opened.timeline, "DeleteMarkerByCustomData", data)
    return not find_marker(opened, data)


def read_marker(data: str) -> tuple[Placed, Result] | None:
    """What a marker's customData tells; None if it is not ours or cannot be read. It may have been changed
    by anybody, so every value is checked."""
    if not data.startswith(PREFIX) or len(data) > LONGEST:
        return None
    try:
        words = json.loads(data[len(PREFIX) :])
    except (ValueError, RecursionError):
        return None
    if not isinstance(words, Mapping) or words.get("form") != FORM:
        return None
    try:
        placed = Placed(
            timeline_id=_text(words, "timeline"),
            item_id=_text(words, "item"),
            track=_count(words, "track"),
            start=_count(words, "start"),
            end=_count(words, "end"),
            made_track=words.get("made_track") is True,
            media_id=_text(words, "media"),
            marker=data,
            take=_count(words, "take"),
        )
        settings = words.get("settings")
        result = Result(
            path=_path(words),
            frames=_count(words, "frames"),
            deliver=_deliver(words),
            job=_text(words, "job"),
            seed=_count(words, "seed"),
            source_prompt=_text(words, "source"),
            target_prompt=_text(words, "target"),
            settings=dict(settings) if isinstance(settings, Mapping) else {},
        )
    except (TypeError, ValueError):
        return None
    return placed, result


def _text(words: Mapping[str, Any], key: str) -> str:
    value = words.get(key)
    if not isinstance(value, str):
        raise ValueError(key)
    return value


def _path(words: Mapping[str, Any]) -> Path:
    value = _text(words, "path")
    if "\0" in value:
        raise ValueError("path")
    return Path(value)


def _count(words: Mapping[str, Any], key: str) -> int:
    value = words.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(key)
    return value


def _deliver(words: Mapping[str, Any]) -> Literal["patch", "full"]:
    return "patch" if _text(words, "deliver") == "patch" else "full"
