# SPDX-License-Identifier: Apache-2.0
"""What all objects of the model share."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from tests.resolve.standin.world import World


class Thing:
    """An object that scripts get hold of. Methods written in capitals are the published ones; they take and
    give things of the model, and answer refusals as Resolve does."""

    contract_name: ClassVar[str]

    def __init__(self, world: World) -> None:
        self.world = world
        self.uid = str(uuid.uuid4())
        self.number = -1
        """Its place among all things; `register` gives it."""
        self.epoch = 0
        """How often what was given out of it has become worthless."""
        self.stale = False
        """It is gone: everything asked of it is answered with None."""
        world.register(self)

    def named_well(self, name: str) -> bool:
        """Whether a new name is taken."""
        return bool(name.strip()) and not self.world.refuses_name(name)
