# SPDX-License-Identifier: Apache-2.0
"""The types of the published interface, and whether a value is of one.

A type says of a value None (it is of the type) or what is wrong with it, in a few words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Constant:
    """A named constant of the interface (`resolve.EXPORT_AAF`) whose number is not published."""

    name: str


class Type(Protocol):
    def complaint(self, value: Any) -> str | None: ...


def kind_of(value: Any) -> str:
    """The published class of an object of the stand-in, or the name of the Python type."""
    return getattr(value, "contract_name", None) or type(value).__name__


@dataclass(frozen=True)
class Anything:
    def complaint(self, value: Any) -> str | None:
        return None


@dataclass(frozen=True)
class Plain:
    """str, int, float, bool, None, dict or list. An int counts as a float; a bool is no number."""

    name: str

    def complaint(self, value: Any) -> str | None:
        accepted: dict[str, tuple[type, ...]] = {
            "str": (str,),
            "int": (int,),
            "float": (int, float),
            "bool": (bool,),
            "None": (type(None),),
            "dict": (dict,),
            "list": (list,),
            "tuple": (tuple, list),
        }
        fits = isinstance(value, accepted[self.name])
        if fits and isinstance(value, bool) and self.name in ("int", "float"):
            fits = False
        return None if fits else f"{self.name} expected, {kind_of(value)} given"


@dataclass(frozen=True)
class Object:
    """An object of a published class."""

    name: str

    def complaint(self, value: Any) -> str | None:
        return None if kind_of(value) == self.name else f"{self.name} expected, {kind_of(value)} given"


@dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[Any, ...]

    def complaint(self, value: Any) -> str | None:
        for allowed in self.values:
            if type(allowed) is type(value) and allowed == value:
                return None
        return f"{value!r} is none of {', '.join(map(repr, self.values))}"


@dataclass(frozen=True)
class Either:
    options: tuple[Type, ...]

    def complaint(self, value: Any) -> str | None:
        complaints = [option.complaint(value) for option in self.options]
        return None if None in complaints else " or ".join(sorted({str(one) for one in complaints}))


@dataclass(frozen=True)
class Listing:
    """A list of one type."""

    of: Type

    def complaint(self, value: Any) -> str | None:
        if not isinstance(value, list):
            return f"list expected, {kind_of(value)} given"
        for index, one in enumerate(value):
            if wrong := self.of.complaint(one):
                return f"[{index}]: {wrong}"
        return None


@dataclass(frozen=True)
class Tuple:
    """A sequence of fixed types."""

    of: tuple[Type, ...]

    def complaint(self, value: Any) -> str | None:
        if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != len(self.of):
            return f"{len(self.of)} values expected"
        for kind, one in zip(self.of, value, strict=True):
            if wrong := kind.complaint(one):
                return wrong
        return None


@dataclass(frozen=True)
class Table:
    """A dict from one type to another."""

    key: Type
    value: Type

    def complaint(self, value: Any) -> str | None:
        if not isinstance(value, dict):
            return f"dict expected, {kind_of(value)} given"
        for key, one in value.items():
            if wrong := self.key.complaint(key) or self.value.complaint(one):
                return f"{key!r}: {wrong}"
        return None


@dataclass(frozen=True)
class Record:
    """A dict with named keys. `open` ones are undocumented: any key goes."""

    name: str
    keys: Mapping[Any, Type]
    required: frozenset[Any]
    open: bool = False

    def complaint(self, value: Any) -> str | None:
        if not isinstance(value, dict):
            return f"dict expected, {kind_of(value)} given"
        if self.open:
            return None
        for key, one in value.items():
            if key not in self.keys:
                return f"{self.name} has no key {key!r}"
            if wrong := self.keys[key].complaint(one):
                return f"{key!r}: {wrong}"
        missing = self.required - value.keys()
        return f"{self.name} lacks {', '.join(sorted(map(str, missing)))}" if missing else None
