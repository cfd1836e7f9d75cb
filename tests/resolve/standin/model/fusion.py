# SPDX-License-Identifier: Apache-2.0
"""Fusion, as far as our client meets it: compositions are text that can be exported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.resolve.standin.model.thing import Thing

if TYPE_CHECKING:
    from tests.resolve.standin.world import World

EMPTY = "Composition {\n\tTools = ordered() {\n\t},\n}\n"


class Fusion(Thing):
    contract_name = "Fusion"

    def GetResolve(self) -> Thing:
        return self.world.app


class FusionComp(Thing):
    """`shows` is what the composition does to the pictures when they are rendered: "" (nothing) or
    "invert"."""

    contract_name = "FusionComp"

    def __init__(self, world: World, name: str, text: str = EMPTY, shows: str = "") -> None:
        super().__init__(world)
        self.name, self.text, self.shows = name, text, shows
