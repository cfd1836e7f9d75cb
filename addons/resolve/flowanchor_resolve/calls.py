# SPDX-License-Identifier: Apache-2.0
"""The careful way to call Resolve.

Resolve's objects answer any attribute, raise nothing and say None, False or "" for every kind of failure.
So a method is looked for with `dir`, arguments go by position, and an answer that means failure becomes a
problem that says what was tried. While a dialog is open in Resolve even the simplest calls fail; that is
told apart, since the user can end it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowanchor_resolve.problems import ResolveProblem


def has(thing: Any, name: str) -> bool:
    """Whether an object of Resolve has a method. (`hasattr` is true for every name.)"""
    return name in dir(thing)


class Calls:
    """Calls to one running Resolve."""

    def __init__(self, resolve: Any) -> None:
        self.resolve = resolve

    def ask(self, thing: Any, name: str, *arguments: Any) -> Any:
        """The answer of a method that may well be None, False or empty.

        Raises:
            ResolveProblem: "resolve-too-old", if this Resolve lacks the method; "resolve-dialog-open".
        """
        method = getattr(thing, name, None) if thing is not None and has(thing, name) else None
        if not callable(method):
            self.check_answering()
            raise ResolveProblem(
                "resolve-too-old",
                f"This version of Resolve has no {name}.",
                "Update Resolve, or edit the timeline's file with `flowanchor timeline edit`.",
            )
        return method(*arguments)

    def ask_if_there(self, thing: Any, name: str, *arguments: Any) -> Any:
        """The answer of a method that older versions lack; None from those."""
        method = getattr(thing, name, None) if thing is not None and has(thing, name) else None
        return method(*arguments) if callable(method) else None

    def many(self, thing: Any, name: str, *arguments: Any) -> list[Any]:
        """The answer of a method that gives a list; empty for None, False and "".

        Raises:
            ResolveProblem: "resolve-refused", if it is no list; what `ask` raises.
        """
        answer = self.ask(thing, name, *arguments)
        if not answer:
            return []
        if isinstance(answer, dict):  # a list with gaps
            return list(answer.values())
        if not isinstance(answer, (list, tuple)):
            raise _odd(name, answer)
        return list(answer)

    def table(self, thing: Any, name: str, *arguments: Any) -> dict[Any, Any]:
        """The answer of a method that gives a dict; empty for None, False, "" and an empty list.

        Raises:
            ResolveProblem: "resolve-refused", if it is no dict; what `ask` raises.
        """
        answer = self.ask(thing, name, *arguments)
        if not answer:
            return {}
        if not isinstance(answer, dict):
            raise _odd(name, answer)
        return answer

    def tables(self, thing: Any, name: str, *arguments: Any) -> list[dict[Any, Any]]:
        """The dicts among what `many` gives."""
        return [one for one in self.many(thing, name, *arguments) if isinstance(one, dict)]

    def need(self, tried: str, thing: Any, name: str, *arguments: Any) -> Any:
        """The answer of a method that must succeed: anything but None, False and "".

        Args:
            tried: what the call is to do, to go after "Resolve did not", such as "add a track".

        Raises:
            ResolveProblem: "resolve-refused" with what was tried; "resolve-dialog-open", "resolve-too-old".
        """
        answer = self.ask(thing, name, *arguments)
        if answer is None or answer is False or answer == "":
            self.check_answering()
            raise ResolveProblem(
                "resolve-refused", f"Resolve did not {tried}.", "Look at Resolve, then try again."
            )
        return answer

    def answering(self) -> bool:
        """Whether Resolve answers a call that cannot fail by itself."""
        return has(self.resolve, "GetProductName") and bool(self.resolve.GetProductName())

    def check_answering(self) -> None:
        """Raise "resolve-dialog-open" if Resolve answers nothing at all."""
        if not self.answering():
            raise ResolveProblem(
                "resolve-dialog-open",
                "A dialog is open in Resolve, or Resolve was closed, and it answers nothing.",
                "Close the dialog and try again.",
            )


def in_order(markers: Mapping[Any, Any]) -> list[tuple[float, Mapping[str, Any]]]:
    """Markers as Resolve lists them (frame -> properties), in the order of their frames; what has no frame or
    no properties is left out."""
    found = []
    for key, marker in markers.items():
        try:
            frame = float(key)
        except (TypeError, ValueError):
            continue
        if isinstance(marker, Mapping):
            found.append((frame, marker))
    return sorted(found, key=lambda pair: pair[0])


def _odd(name: str, answer: Any) -> ResolveProblem:
    return ResolveProblem(
        "resolve-refused",
        f"Resolve answered {name} in a way that is not understood ({type(answer).__name__}).",
        "Look at Resolve, then try again.",
    )
