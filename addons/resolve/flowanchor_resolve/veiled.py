# SPDX-License-Identifier: Apache-2.0
"""Strings of a recording: what is the user's own is veiled, what belongs to the interface stays.

A string is taken apart at path separators, line ends, "name: text", "this -> that", a file's ending and a
name's last word of eight hexadecimal digits. Each part that is a number, a timecode, a word that stands in
our own source or one of Resolve's own stays; any other becomes "~" and ten digits, the same for the same
part.
The key is drawn for each recording and kept nowhere, so parts cannot be guessed from it.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

CUSTOM_DATA = "flowanchor:"
"""How our markers' customData begins; JSON follows, of which only the texts are veiled."""

_VEILED = r"~[0-9a-f]{10}"
_RANDOM = rf"(?:[0-9a-f]{{8}}|{_VEILED})(?=[/\\.\n]|$)"
_SUFFIX = rf"(?:[A-Za-z][A-Za-z0-9]{{1,3}}|{_VEILED})$"
SEPARATORS = re.compile(rf"([/\\\n]|: | -> |\.(?={_SUFFIX})| (?={_RANDOM}))")
TOKEN = re.compile(_VEILED)
# A long row of digits may be somebody's number, or a random name that happens to have no letters.
_NUMBER = re.compile(
    r"[+-]?\d{1,7}([.,:;]\d{1,7})*( ?(DF|NDF|fps))?|\d{1,7}x\d{1,7}|\d{1,7}(\.\d{1,7})+b\d{1,7}|[A-Za-z]:|"
)
_ENDING = re.compile(
    r"mov|mp4|mkv|mxf|avi|png|tiff?|exr|dpx|jpe?g|wav|comp|drx|otio|xml|braw|r3d|ari", re.IGNORECASE
)
# What Resolve answers and our source does not name: worth reading in a recording, and nobody's own.
_RESOLVES = [
    "DaVinci Resolve",
    "DaVinci Resolve Studio",
    "media",
    "cut",
    "edit",
    "fusion",
    "color",
    "fairlight",
    "deliver",
    "photo",
    "Ready",
    "Rendering",
    "Complete",
    "Failed",
    "Cancelled",
    "QuickTime",
    "MP4",
    "MXF OP1A",
    "AVI",
    "TIFF",
    "H.264",
    "H.265",
    "Apple ProRes 422 HQ",
    "Apple ProRes 4444",
    "Apple ProRes 4444 XQ",
    "Video",
    "Audio",
    "Video + Audio",
    "Timeline",
    "Still",
    "Compound",
    "Matte",
    "All",
    "Square",
    "Auto",
    "None",
    "Off",
    "On",
    "True",
    "False",
    "Blue",
    "Cyan",
    "Green",
    "Yellow",
    "Red",
    "Pink",
    "Purple",
    "Fuchsia",
    "Rose",
    "Lavender",
    "Sky",
    "Mint",
    "Lemon",
    "Sand",
    "Cocoa",
    "Cream",
    "stereo",
    "mono",
    "5.1",
    "7.1",
    "Master",
    "Rec.709 (Scene)",
    "Rec.709 Gamma 2.4",
    "davinciYRGB",
    "Progressive",
]


class Veil:
    """Veils the strings of one recording."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = secrets.token_bytes(32) if key is None else key

    def part(self, text: str) -> str:
        """One part of a string."""
        if text.strip().lower() in public_words() or _NUMBER.fullmatch(text) or _ENDING.fullmatch(text):
            return text
        if TOKEN.fullmatch(text):
            return text  # a veiled one, in a recording of a replay
        return (
            "~" + hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:10]
        )

    def text(self, text: str) -> str:
        """A whole string."""
        return changed(text, self.part)


def parts(text: str) -> list[str]:
    """A string taken apart: parts at even places, separators at odd ones."""
    return SEPARATORS.split(text)


def changed(text: str, change: Callable[[str], str]) -> str:
    """A string with each of its parts changed; of our own customData, each of the texts in it."""
    content = custom_data(text)
    if content is not None:
        return CUSTOM_DATA + dumped(strings_changed(content, lambda inner: changed(inner, change)))
    return "".join(part if place % 2 else change(part) for place, part in enumerate(parts(text)))


def custom_data(text: str) -> Any:
    """The JSON in our own customData; None if it is none."""
    if not text.startswith(CUSTOM_DATA):
        return None
    try:
        return json.loads(text[len(CUSTOM_DATA) :])
    except ValueError:
        return None


def dumped(content: Any) -> str:
    """JSON as our markers have it."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def strings_changed(value: Any, change: Callable[[str], str]) -> Any:
    """A value with every string in it changed, but the keys of objects."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [strings_changed(part, change) for part in value]
    if isinstance(value, dict):
        return {key: strings_changed(part, change) for key, part in value.items()}
    return value


@functools.lru_cache(maxsize=1)
def public_words() -> frozenset[str]:
    """Words that are nobody's own, in lower case: every string in this package's source, and Resolve's."""
    found = {word.lower() for word in _RESOLVES}
    for path in sorted(Path(__file__).resolve().parent.rglob("*.py")):
        for text in _constants(path):
            found.update(part.strip().lower() for part in parts(text))
    return frozenset(found)


def _constants(path: Path) -> Iterator[str]:
    """The strings of a source file, but its docstrings, whose examples are texts like a user's."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value
