# SPDX-License-Identifier: Apache-2.0
"""Which Resolve this is, and what that lets us do.

From Blackmagic's editions: external scripts need Studio; Python scripts inside Resolve work in the free
edition up to 21.0.4 and in no later one. A Studio function called on the free edition opens a dialog that
asks to buy, which blocks every other call; so nothing of that kind is called without `studio`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flowanchor_resolve.calls import Calls
from flowanchor_resolve.problems import ResolveProblem

FREE_WIDTH, FREE_HEIGHT = 3840, 2160
"""The largest picture the free edition renders; more opens the dialog that asks to buy."""
FREE_RATE = 60


@dataclass(frozen=True)
class Edition:
    """A product and its version."""

    product: str
    """As Resolve names itself: "DaVinci Resolve" or "DaVinci Resolve Studio"."""
    version: tuple[int, ...]
    """Major, minor, patch."""

    @property
    def studio(self) -> bool:
        return "studio" in self.product.lower()

    @property
    def external_scripts(self) -> bool:
        """Whether a process outside Resolve can reach it (with the preference "Local")."""
        return self.studio

    @property
    def scripts_inside(self) -> bool:
        """Whether Python scripts run inside it."""
        return self.studio or self.version < (21, 1)

    @property
    def selected_clips(self) -> bool:
        """Whether it tells which clips of the timeline are selected."""
        return self.version >= (21, 0, 4)

    @property
    def marks(self) -> bool:
        """Whether it tells the timeline's in and out marks."""
        return self.version >= (20,)

    def __str__(self) -> str:
        return f"{self.product} {'.'.join(map(str, self.version))}"


def edition_of(product: str, version: str) -> Edition:
    """An edition from what Resolve states, such as "DaVinci Resolve Studio" and "21.0.4.5" or "20.0b2"."""
    numbers = []
    for part in version.split(".")[:3]:
        digits = re.match(r"\d+", part)
        if digits is None:
            break
        numbers.append(int(digits.group()))
    return Edition(product.strip(), (*numbers, 0, 0, 0)[:3])


def read_edition(calls: Calls) -> Edition:
    """The edition of a running Resolve.

    Raises:
        ResolveProblem: "resolve-dialog-open", if it does not answer.
    """
    calls.check_answering()
    product = calls.need("tell its name", calls.resolve, "GetProductName")
    fields = calls.ask_if_there(calls.resolve, "GetVersion")
    if isinstance(fields, (list, tuple)) and fields:
        return edition_of(str(product), ".".join(str(field) for field in fields[:3]))
    return edition_of(str(product), str(calls.need("tell its version", calls.resolve, "GetVersionString")))


def check_usable(edition: Edition) -> None:
    """Raise "resolve-free" for an edition that cannot be scripted at all."""
    if not (edition.external_scripts or edition.scripts_inside):
        raise ResolveProblem(
            "resolve-free",
            f"{edition} runs no scripts: one-click editing needs DaVinci Resolve Studio.",
            "Export the timeline as OTIO and use `flowanchor timeline edit`.",
        )


def check_renderable(edition: Edition, width: int, height: int, rate: float) -> None:
    """Raise "resolve-studio-needed" before a render that the free edition would answer with its dialog."""
    if edition.studio or (width <= FREE_WIDTH and height <= FREE_HEIGHT and rate <= FREE_RATE):
        return
    raise ResolveProblem(
        "resolve-studio-needed",
        f"The free edition renders up to {FREE_WIDTH} x {FREE_HEIGHT} at {FREE_RATE} frames a second;"
        f" this timeline is {width} x {height} at {rate:g}.",
        "Use DaVinci Resolve Studio, or lower the timeline's resolution.",
    )
