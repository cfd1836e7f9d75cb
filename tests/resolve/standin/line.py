# SPDX-License-Identifier: Apache-2.0
"""Objects of the stand-in as a script gets them, in the stand-in's process or in another one.

Standard library alone, so that any Python can be the script's.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol


class ContractBroken(BaseException):
    """A call that the published interface does not allow. No Exception: nothing may swallow it."""


class NotModelled(BaseException):
    """A call that the interface allows and the stand-in cannot answer."""


class Ref(NamedTuple):
    """Which object: its published class, its number, and how often it had been closed when it was given
    out."""

    kind: str
    number: int
    epoch: int


@dataclass(frozen=True)
class Named:
    """A constant of the interface, such as `resolve.EXPORT_AAF`."""

    name: str


class Line(Protocol):
    """The way from a script to the stand-in."""

    strict: bool
    unknown_is_none: bool

    def names(self, kind: str) -> list[str]:
        """What `dir` lists for a class."""

    def constants(self) -> dict[str, Any]:
        """Of the Resolve object."""

    def call(self, ref: Ref, name: str, arguments: list[Any], keywords: list[str]) -> Any:
        """Call a method. Arguments and the answer are plain data with Refs in it. Raises ContractBroken or
        NotModelled."""


class Remote:
    """What a script holds. Two of them are never equal: what they stand for has a unique id."""

    def __init__(self, line: Line, ref: Ref) -> None:
        self.__dict__["_line"], self.__dict__["_ref"] = line, ref

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # Python's own; Resolve has no such names
            raise AttributeError(name)
        line, ref = self.__dict__["_line"], self.__dict__["_ref"]
        if ref.kind == "Resolve" and name in (constants := line.constants()):
            return constants[name]
        if name not in line.names(ref.kind):
            if line.strict:
                line.call(ref, name, [], ["(only looked up)"])
            if line.unknown_is_none and not ref.kind.startswith("Fusion"):  # whose calls are not published
                return None
        return _method(line, ref, name)

    def __setattr__(self, name: str, value: Any) -> None:
        raise ContractBroken(f"{self._ref.kind}.{name} was set: objects of Resolve have methods only")

    def __dir__(self) -> list[str]:
        line, ref = self.__dict__["_line"], self.__dict__["_ref"]
        names = line.names(ref.kind)
        return sorted([*names, *line.constants()]) if ref.kind == "Resolve" else names

    def __repr__(self) -> str:
        return f"{self._ref.kind} (stand-in {self._ref.number})"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Remote) and other is not self and self._line.strict:
            raise ContractBroken(f"{self!r} == {other!r}: compare GetUniqueId instead")
        return self is other

    __hash__ = object.__hash__


def _method(line: Line, ref: Ref, name: str) -> Callable[..., Any]:
    def call(*arguments: Any, **keywords: Any) -> Any:
        sent = [lowered(one) for one in arguments]
        return raised(line, line.call(ref, name, sent, sorted(keywords)))

    call.__name__ = name
    return call


def lowered(value: Any) -> Any:
    """A script's value with Refs for objects."""
    if isinstance(value, Remote):
        return value._ref
    if isinstance(value, dict):
        return {lowered(key): lowered(one) for key, one in value.items()}
    if isinstance(value, list):
        return [lowered(one) for one in value]
    return value


def raised(line: Line, value: Any) -> Any:
    """An answer with objects for Refs."""
    if isinstance(value, Ref):
        return Remote(line, value)
    if isinstance(value, dict):
        return {key: raised(line, one) for key, one in value.items()}
    if isinstance(value, list):
        return [raised(line, one) for one in value]
    return value


def packed(value: Any) -> Any:
    """Plain data with Refs as JSON can carry it."""
    if isinstance(value, Ref):
        return {"ref": list(value)}
    if isinstance(value, Named):
        return {"constant": value.name}
    if isinstance(value, dict):
        return {"dict": [[packed(key), packed(one)] for key, one in value.items()]}
    if isinstance(value, list | tuple):
        return [packed(one) for one in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return {"foreign": type(value).__name__}


def unpacked(value: Any) -> Any:
    if isinstance(value, list):
        return [unpacked(one) for one in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"ref": [kind, number, epoch]}:
            return Ref(kind, number, epoch)
        case {"constant": name}:
            return Named(name)
        case {"dict": items}:
            return {unpacked(key): unpacked(one) for key, one in items}
        case {"foreign": name}:
            return Foreign(name)
    raise ValueError(f"not understood: {value}")


@dataclass(frozen=True)
class Foreign:
    """A value that no call takes: only its type's name came over."""

    contract_name: str


class SocketLine:
    """The way over a loopback socket, for scripts in processes of their own."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port))
        self._file = self._socket.makefile("rwb")
        self._lock = threading.Lock()
        hello = self._ask({"ask": "hello"})
        self.strict: bool = hello["strict"]
        self.unknown_is_none: bool = hello["unknown_is_none"]
        self.root: Ref | None = Ref(*hello["root"]) if hello["root"] else None
        self._names: dict[str, list[str]] = hello["names"]
        self._constants: dict[str, Any] = {
            name: unpacked(value) for name, value in hello["constants"].items()
        }

    def names(self, kind: str) -> list[str]:
        return self._names.get(kind, [])

    def constants(self) -> dict[str, Any]:
        return self._constants

    def call(self, ref: Ref, name: str, arguments: list[Any], keywords: list[str]) -> Any:
        answer = self._ask(
            {
                "ask": "call",
                "ref": list(ref),
                "name": name,
                "arguments": packed(arguments),
                "keywords": keywords,
            }
        )
        return unpacked(answer["value"])

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._file.write(json.dumps(question).encode() + b"\n")
            self._file.flush()
            line = self._file.readline()
        if not line:
            raise ConnectionError("the stand-in is gone")
        answer: dict[str, Any] = json.loads(line)
        if "broken" in answer:
            raise ContractBroken(answer["broken"])
        if "not_modelled" in answer:
            raise NotModelled(answer["not_modelled"])
        return answer
