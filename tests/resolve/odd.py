# SPDX-License-Identifier: Apache-2.0
"""A Resolve one of whose replies is another than it gave."""

from __future__ import annotations

from typing import Any

_PLAIN = (str, int, float, bool, type(None))


class Odd:
    """Puts `value` in the place of the reply to the call number `at`; `calls` are the names of all."""

    def __init__(self, at: int | None = None, value: object = None) -> None:
        self.at, self.value = at, value
        self.calls: list[str] = []

    def wrap(self, thing: Any) -> Any:
        if isinstance(thing, _PLAIN):
            return thing
        if isinstance(thing, list):
            return [self.wrap(part) for part in thing]
        if isinstance(thing, dict):
            return {key: self.wrap(part) for key, part in thing.items()}
        return _Wrapped(self, thing)


class _Wrapped:
    def __init__(self, odd: Odd, thing: Any) -> None:
        self._odd, self._thing = odd, thing

    def __dir__(self) -> list[str]:
        return list(dir(self._thing))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = getattr(self._thing, name)
        if not callable(found):
            return found

        def call(*arguments: Any) -> Any:
            number = len(self._odd.calls)
            self._odd.calls.append(name)
            reply = found(*map(_bare, arguments))
            return self._odd.value if number == self._odd.at else self._odd.wrap(reply)

        return call


def _bare(value: Any) -> Any:
    if isinstance(value, _Wrapped):
        return value._thing
    if isinstance(value, list):
        return [_bare(part) for part in value]
    if isinstance(value, dict):
        return {key: _bare(part) for key, part in value.items()}
    return value
