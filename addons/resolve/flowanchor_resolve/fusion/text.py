# SPDX-License-Identifier: Apache-2.0
"""The notation of Fusion's compositions: tables as in Lua, with a name before the brace for what they make.

    Polygon1 = PolylineMask { Inputs = { Level = Input { Value = 0.5, }, }, }

Nothing is executed. The text may come from anywhere, so its length, depth and count of values are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from flowanchor_resolve.problems import ResolveProblem

LONGEST = 16 * 1024 * 1024
"""Characters of a composition that is read."""
DEEPEST = 60
"""Tables within tables."""


@dataclass
class Table:
    """`name` is what stands before the brace, such as "Input", "" if nothing does; `listed` are values
    without a key, `named` those with one (numbers as floats)."""

    name: str = ""
    listed: list[float | str | bool | Table | None] = field(default_factory=list)
    named: dict[str | float, float | str | bool | Table | None] = field(default_factory=dict)

    def table(self, key: str | float) -> Table | None:
        """The table under a key, if there is one."""
        value = self.named.get(key)
        return value if isinstance(value, Table) else None

    def number(self, key: str | float) -> float | None:
        """The number under a key, if there is one."""
        value = self.named.get(key)
        return value if isinstance(value, float) else None

    def numbers(self) -> list[float]:
        """The numbers among the values without a key."""
        return [value for value in self.listed if isinstance(value, float)]


_TOKEN = re.compile(
    r"""
    (?P<skip>\s+|--\[\[.*?\]\]|--[^\n]*)
    |(?P<number>[-+]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?:\#\w+)?))
    |(?P<odd>[-+]?(?:nan|inf)\b(?:\(\w*\))?)
    |(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
    |"(?P<double>(?:[^"\\]|\\.)*)"
    |'(?P<single>(?:[^'\\]|\\.)*)'
    |\[\[(?P<long>.*?)\]\]
    |(?P<sign>[{}\[\]()=,;])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(\d{1,3}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "nil": None}


def parse(text: str) -> Table:
    """The table a text holds.

    Raises:
        ResolveProblem: "fusion-too-large" or "fusion-unreadable", with the line.
    """
    if len(text) > LONGEST:
        raise ResolveProblem(
            "fusion-too-large",
            f"The clip's Fusion composition is longer than {LONGEST // 1024 // 1024} MB.",
            "Mark the region on a track named FA MASK.",
        )
    reader = _Reader(text)
    value = reader.value(0)
    kind, said = reader.peek()
    if not isinstance(value, Table) or kind != "end":
        raise reader.unreadable(f'"{said}" after its end' if kind != "end" else "no table")
    return value


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.tokens = self._tokens()
        self.ahead: tuple[str, str] | None = None

    def peek(self) -> tuple[str, str]:
        if self.ahead is None:
            self.ahead = next(self.tokens)
        return self.ahead

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self.ahead = None
        return token

    def unreadable(self, found: str) -> ResolveProblem:
        line = self.text.count("\n", 0, self.place) + 1
        return ResolveProblem(
            "fusion-unreadable",
            f"The clip's Fusion composition cannot be read: {found} in line {line}.",
            "Mark the region on a track named FA MASK.",
        )

    def value(self, depth: int) -> float | str | bool | Table | None:
        if depth > DEEPEST:
            raise self.unreadable(f"more than {DEEPEST} tables within each other")
        kind, said = self.take()
        if kind == "number":
            return self._number(said)
        if kind == "string":
            return said
        if (kind, said) == ("sign", "{"):
            return self._table("", depth)
        if kind == "name" and said in _WORDS:
            return _WORDS[said]
        if kind == "name":
            return self._made(said, depth)
        raise self.unreadable(
            f'"{said}" where a value belongs' if kind != "end" else "its end comes too early"
        )

    def _made(self, name: str, depth: int) -> Table:
        """What a name makes: `Input { ... }`, `ordered() { ... }`, `Call("text")`."""
        made = Table(name)
        if self.peek() == ("sign", "("):
            self.take()
            while self.peek() != ("sign", ")"):
                made.listed.append(self.value(depth + 1))
                if self.peek() == ("sign", ","):
                    self.take()
            self.take()
            if self.peek() != ("sign", "{"):
                return made
        if self.peek() != ("sign", "{"):
            raise self.unreadable(f'the word "{name}"')
        self.take()
        return self._table(name, depth)

    def _table(self, name: str, depth: int) -> Table:
        table = Table(name)
        while self.peek() != ("sign", "}"):
            self._entry(table, depth + 1)
            if self.peek() in (("sign", ","), ("sign", ";")):
                self.take()
            elif self.peek() != ("sign", "}"):
                raise self.unreadable(f'"{self.peek()[1]}" where a comma belongs')
        self.take()
        return table

    def _entry(self, table: Table, depth: int) -> None:
        if depth > DEEPEST:
            raise self.unreadable(f"more than {DEEPEST} tables within each other")
        kind, said = self.peek()
        if (kind, said) == ("sign", "["):
            self.take()
            key = self.value(depth)
            if self.take() != ("sign", "]") or not isinstance(key, (str, float)):
                raise self.unreadable("a key that is neither number nor text")
            if self.take() != ("sign", "="):
                raise self.unreadable("a key without a value")
            table.named[key] = self.value(depth)
            return
        if kind == "name":
            self.take()
            if self.peek() == ("sign", "="):
                self.take()
                table.named[said] = self.value(depth)
            else:
                table.listed.append(_WORDS[said] if said in _WORDS else self._made(said, depth))
            return
        table.listed.append(self.value(depth))

    def _number(self, said: str) -> float:
        plain = said.partition("#")
        if plain[1] or said.lstrip("+-")[:1] in "ni":
            return float("nan")  # how Fusion writes what is no number; whoever uses it refuses it
        sign = -1.0 if said.startswith("-") else 1.0
        bare = said.lstrip("+-")
        return sign * (float(int(bare, 16)) if bare[:2].lower() == "0x" else float(bare))

    def _tokens(self) -> Iterator[tuple[str, str]]:
        text, end = self.text, len(self.text)
        while self.place < end:
            match = _TOKEN.match(text, self.place)
            if match is None:
                raise self.unreadable(f'"{text[self.place]}"')
            kind = str(match.lastgroup)
            if kind != "skip":
                said = str(match.group(kind))
                if kind in ("double", "single"):
                    yield "string", _ESCAPE.sub(_unescaped, said)
                elif kind == "long":
                    yield "string", said
                elif kind == "odd":
                    yield "number", said
                else:
                    yield kind, said
            self.place = match.end()
        while True:
            yield "end", ""


def _unescaped(match: re.Match[str]) -> str:
    said = match.group(1)
    return chr(int(said) % 256) if said.isdigit() else _ESCAPED.get(said, said)
