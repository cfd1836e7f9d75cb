# SPDX-License-Identifier: Apache-2.0
"""The one model the engine holds."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from flowanchor_core.backbone import Backbone
from flowanchor_core.memory import MemoryPlan
from flowanchor_daemon.engine.child_memory import give_back

LOAD_STEPS = 3
"""The check of the files, the VAE, the transformer."""

SMALL = "small"


def plan_for(name: str, device: str) -> MemoryPlan:
    """The plan called "full" or "small" on a device; InputError when the device is not there."""
    plan = MemoryPlan.choose(device or "auto")
    return plan.smaller() if name == SMALL else plan


class HeldModel:
    """Keeps the last model that was asked for, so that edits after one another load it once."""

    def __init__(self) -> None:
        self._backbone: Backbone | None = None
        self._fingerprint = ""

    @property
    def backbone(self) -> Backbone:
        if self._backbone is None:
            raise RuntimeError("no model is loaded")
        return self._backbone

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def holds(self, folder: Path, plan: MemoryPlan) -> bool:
        held = self._backbone
        return held is not None and (held.folder, held.plan) == (folder, plan)

    def load(self, folder: Path, plan: MemoryPlan) -> Generator[int, None, None]:
        """Let go of the model held and read another; yields the steps done, of `LOAD_STEPS`.

        Raises:
            ModelError, ModelRunError: it cannot be loaded; none is held then.
        """
        self.drop()  # first: there may be room for one only
        try:
            self._backbone = Backbone.load(folder, plan)
            self._fingerprint = self._backbone.fingerprint()
            for done, _ in enumerate(self._backbone.read_weights(), 1):
                yield done
        except BaseException:
            self.drop()
            raise
        yield LOAD_STEPS

    def drop(self) -> None:
        self._backbone = None
        self._fingerprint = ""
        give_back()
