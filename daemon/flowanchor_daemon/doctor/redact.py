# SPDX-License-Identifier: Apache-2.0
"""Take out of a text what must not leave the machine: tokens, home paths, user names, words of the user's."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import re
import socket
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

# What stands in their place has no letter or digit, so that it cannot itself hold a name.
TOKEN: Final = "[****]"
HOME: Final = "~"
NAME: Final = "[**]"
PRIVATE: Final = "[...]"
PLACE: Final = "[.]"

_SECRET_NAME: Final = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|(?:API|ACCESS|PRIVATE)_?KEY", re.IGNORECASE)
_SHORTEST_SECRET: Final = 8
_SHORTEST_PRIVATE: Final = 3
"""Characters from which a word of a prompt tells anything."""

_TOKEN_LIKE: Final = (
    # A daemon's token, of whatever daemon: 32 bytes as URL-safe base64.
    re.compile(r"(?<![\w-])[A-Za-z0-9_-]{43}(?![\w-])"),
    re.compile(r"(?i)(?<=bearer )\S+"),
    re.compile(r"hf_[A-Za-z0-9]{16,}"),
    # "token": "…", token=…, Authorization: Bearer …
    re.compile(
        r"""(?ix) (?<![a-z]) (?: [\w-]* (?:token|secret|password|passwd|api[_-]?key) | authorization )
        (?:\\?["'])? \s* [=:] \s* (?:\\?["'])?
        (?P<value> (?:(?:bearer|basic)\s+)? [^\s"'\\,;&}]{6,} )"""
    ),
)
# Homes of other people, or of this one under another name. The name ends at the next separator.
_ANY_HOME: Final = re.compile(
    r"(?i)(?:[a-z]:)?(?:\\{1,2}|/)(?:home|users|documents and settings)(?:\\{1,2}|/)[^\\/\s\"':;,<>|]+"
)


@dataclass(frozen=True)
class Redactor:
    """What is known to be secret here. `redact` takes it out of a text, `redact_all` out of plain data.

    Whatever the letters' case, and also percent-encoded, JSON-escaped or with doubled backslashes, a token
    becomes [****], a home folder ~, one of the `places` (where the program lies) [.], a user's or a
    computer's name [**], and `private` texts [...]. Names and private texts are taken out where they stand as
    words of their own: a prompt's "star" is no part of "started".
    """

    tokens: tuple[str, ...] = ()
    homes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    _patterns: tuple[tuple[re.Pattern[str], str], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = [name for name in self.names if name]
        patterns = [
            (_any_of(text for text in self.tokens if len(text) >= _SHORTEST_SECRET), TOKEN),
            (_any_of((text for text in self.private if len(text) >= _SHORTEST_PRIVATE), alone=True), PRIVATE),
            (_any_of(place for place in self.places if len(place) > 1), PLACE),
            (_any_of(home for home in self.homes if len(home) > 1), HOME),
            (_any_of(names, alone=True), NAME),
        ]
        known = tuple((pattern, mark) for pattern, mark in patterns if pattern is not None)
        object.__setattr__(self, "_patterns", known)

    def redact(self, text: str) -> str:
        """The text without anything secret. Twice is the same as once."""
        for pattern in _TOKEN_LIKE:
            text = pattern.sub(_hide_value, text)
        for pattern, mark in self._patterns:
            text = pattern.sub(mark.replace("\\", r"\\"), text)
            if mark == HOME:
                text = _ANY_HOME.sub(HOME, text)
        return _ANY_HOME.sub(HOME, text)

    def redact_all(self, value: Any) -> Any:
        """Plain data (as JSON has it) with every text in it redacted; keys are the program's own."""
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, Mapping):
            return {str(key): self.redact_all(entry) for key, entry in value.items()}
        if isinstance(value, list | tuple):
            return [self.redact_all(entry) for entry in value]
        return value

    @classmethod
    def of_this_machine(cls, tokens: Iterable[str] = (), private: Iterable[str] = ()) -> Redactor:
        """One that knows this user, this computer and the secrets in the environment."""
        home = Path(os.path.expanduser("~"))  # "~" itself where there is none
        secrets = [value for name, value in os.environ.items() if _SECRET_NAME.search(name)]
        homes = {
            str(home),
            os.path.realpath(home),
            os.environ.get("HOME", ""),
            os.environ.get("USERPROFILE", ""),
        }
        return cls(
            tokens=(*tokens, *secrets),
            homes=tuple(homes),
            names=tuple(
                {*_user_names(), home.name, socket.gethostname(), socket.gethostname().split(".")[0]}
            ),
            private=tuple(private),
            places=tuple(_places()),
        )


def _places() -> Iterator[str]:
    """Where this program lies: its clone or installation, and the environment it runs in."""
    root = Path(__file__).resolve().parents[2]
    yield str(root.parent if root.name == "daemon" else root)
    if sys.prefix != sys.base_prefix:  # a system's own Python lies where everybody's does
        yield sys.prefix
        yield os.path.realpath(sys.prefix)


def _hide_value(match: re.Match[str]) -> str:
    whole, groups = match.group(), match.groupdict()
    return TOKEN if "value" not in groups else whole[: match.start("value") - match.start()] + TOKEN


def _user_names() -> Iterator[str]:
    with contextlib.suppress(OSError, KeyError, ImportError):  # a user without a name, as in some containers
        yield getpass.getuser()
    for variable in ("USER", "LOGNAME", "USERNAME", "SUDO_USER"):
        yield os.environ.get(variable, "")
    try:
        import pwd

        full = pwd.getpwuid(os.getuid()).pw_gecos.split(",")[0]
    except (ImportError, KeyError):
        return  # not on this system, or not in its list
    yield full
    yield from full.split()


def _any_of(texts: Iterable[str], alone: bool = False) -> re.Pattern[str] | None:
    """A pattern of all spellings of the texts, the longest first; None if there is none."""
    spellings = {spelling for text in texts for spelling in _spellings(text)}
    if not spellings:
        return None
    either = "|".join(re.escape(spelling) for spelling in sorted(spellings, key=len, reverse=True))
    # "\n" and the like in front, as logs and JSON write a line's end, are no part of a word.
    # So are "%2F" and the like of an address.
    before = r"(?:(?<![^\W_])|(?<=\\[abfnrtv0])|(?<=%[0-9A-Fa-f]{2}))"
    around = rf"{before}(?:{either})(?![^\W_])" if alone else either
    return re.compile(around, re.IGNORECASE)


def _spellings(text: str) -> set[str]:
    """How a text is written here and there: composed or decomposed, escaped, percent-encoded, with the other
    slash."""
    composed = {unicodedata.normalize(form, text) for form in ("NFC", "NFD")} | {text}
    slashed = {variant for known in composed for variant in (known, known.replace("\\", "/"))}
    escaped: set[str] = set()
    for known in slashed:
        escaped |= {json.dumps(known)[1:-1], json.dumps(known, ensure_ascii=False)[1:-1], ascii(known)[1:-1]}
        escaped |= {quote(known), quote(known, safe="")}
    return {spelling for spelling in slashed | escaped if spelling}
