# SPDX-License-Identifier: Apache-2.0
"""What the user wrote into a clip's marker: a marker named "FlowAnchor" whose note holds lines such as

    shows: a red car on a street
    should show: a green car on a street
    words: green car

or the first two on one line: "a red car on a street -> a green car on a street".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flowanchor_resolve.calls import in_order
from flowanchor_resolve.names import TRACK

_KEYS = {"shows": "source", "should show": "target", "words": "words"}
_ARROW = re.compile(r"\s*(?:->|=>|\N{RIGHTWARDS ARROW})\s*")


def read_wish(note: str) -> dict[str, str]:
    """The wish in a note: "source", "target", "words", as far as they are there. A later line of a kind
    replaces an earlier one; other lines are the user's own."""
    wish: dict[str, str] = {}
    for line in note.splitlines():
        key, colon, text = line.partition(":")
        known = _KEYS.get(" ".join(key.split()).lower()) if colon else None
        if known is not None:
            if text.strip():
                wish[known] = text.strip()
            continue
        parts = _ARROW.split(line.strip())
        if len(parts) == 2 and all(parts):
            wish["source"], wish["target"] = parts
    return wish


def write_wish(source: str, target: str, words: str | None = None) -> str:
    """A note that `read_wish` reads back."""

    def flat(text: str) -> str:
        return " ".join(text.split())

    lines = [f"shows: {flat(source)}", f"should show: {flat(target)}"]
    return "\n".join([*lines, f"words: {flat(words)}"] if words and flat(words) else lines)


def wish_of_markers(markers: Mapping[Any, Any] | None) -> dict[str, str]:
    """The wish of the first marker of ours among a clip's markers, as Resolve lists them (frame ->
    properties)."""
    for _, marker in in_order(markers or {}):
        if str(marker.get("name", "")).strip().lower() == TRACK.lower():
            return read_wish(str(marker.get("note", "")))
    return {}
