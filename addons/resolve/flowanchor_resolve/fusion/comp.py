# SPDX-License-Identifier: Apache-2.0
"""Tools of a composition and what feeds their inputs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from flowanchor_resolve.fusion.text import Table


class CannotRead(Exception):
    """Something about a mask that we cannot read: what, to go after the mask's name, such as "is animated by
    an expression"."""


@dataclass(frozen=True)
class Tool:
    """A node of a composition, or a modifier such as a spline."""

    name: str
    kind: str
    """What makes it, such as "PolylineMask"."""
    table: Table

    @property
    def inputs(self) -> dict[str, Table]:
        inputs = self.table.table("Inputs")
        return {
            str(name): value
            for name, value in (inputs.named if inputs else {}).items()
            if isinstance(value, Table)
        }

    @property
    def passed_through(self) -> bool:
        """Switched off."""
        return self.table.named.get("PassThrough") is True

    def source(self, name: str) -> str | None:
        """The tool that feeds an input, by its name.

        Raises:
            CannotRead: an expression does.
        """
        given = self.inputs.get(name)
        if given is None:
            return None
        if given.named.get("Expression"):
            raise CannotRead(f'has an expression on its "{name}"')
        source = given.named.get("SourceOp")
        return source if isinstance(source, str) and source else None

    def number(self, name: str, default: float) -> float:
        """A constant number; see `constant` for what is refused."""
        value = self.constant(name)
        if value is None:
            return default
        if not isinstance(value, float) or not math.isfinite(value):
            raise CannotRead(f'has a "{name}" that is no number')
        return value

    def point(self, name: str) -> tuple[float, float]:
        """A constant point, the middle of the picture (0.5, 0.5) if it is not set."""
        value = self.constant(name)
        if value is None:
            return 0.5, 0.5
        numbers = value.numbers() if isinstance(value, Table) else []
        if len(numbers) < 2 or not all(map(math.isfinite, numbers[:2])):
            raise CannotRead(f'has a "{name}" that is no point')
        return numbers[0], numbers[1]

    def word(self, name: str, default: str) -> str:
        """A constant choice, as in `FuID { "Merge" }`."""
        value = self.constant(name)
        if isinstance(value, Table) and value.listed:
            return str(value.listed[0])
        return value if isinstance(value, str) else default

    def constant(self, name: str) -> float | str | bool | Table | None:
        """The value an input is set to, None if it is left at its default.

        Raises:
            CannotRead: it is animated, or an expression gives it.
        """
        source = self.source(name)
        if source is not None:
            raise CannotRead(f'has its "{name}" animated or connected to {source}')
        given = self.inputs.get(name)
        return given.named.get("Value") if given else None


@dataclass(frozen=True)
class Comp:
    """A composition."""

    tools: dict[str, Tool]
    render_range: tuple[float, float] | None
    """Its first and last frame that are rendered."""


def comp_of(table: Table) -> Comp:
    """A composition, with the tools within groups and macros among its own."""
    named = table.table("RenderRange")
    numbers = named.numbers() if named else []
    return Comp(
        {tool.name: tool for tool in _tools(table)},
        (numbers[0], numbers[1]) if len(numbers) == 2 else None,
    )


def _tools(table: Table) -> Iterator[Tool]:
    tools = table.table("Tools")
    for name, value in (tools.named if tools else {}).items():
        if isinstance(value, Table):
            yield Tool(str(name), value.name, value)
            yield from _tools(value)
