# SPDX-License-Identifier: Apache-2.0
"""Run one edit in this process and show its progress."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from flowanchor_daemon.cli.progress import Reporter, follow

if TYPE_CHECKING:
    from flowanchor_core.backbone import Backbone
    from flowanchor_core.memory import MemoryPlan
    from flowanchor_core.progress import EditResult
    from flowanchor_core.request import EditRequest


class Session:
    """Keeps the model of the last edit, so that several edits in one command load it once."""

    def __init__(self, device: str = "auto") -> None:
        self._device = device
        self._loaded: tuple[str, Backbone] | None = None

    def run(self, request: EditRequest, show: Reporter) -> EditResult:
        """Check the request, load its model if need be, edit. Failures are FlowAnchorErrors."""
        from flowanchor_core.edit_plan import plan_edit
        from flowanchor_core.memory import MemoryPlan

        plan = plan_edit(request)
        memory = MemoryPlan.choose(self._device)
        started = time.monotonic()
        backbone = self._backbone(str(plan.card.folder), memory, show)
        from flowanchor_core.edit import run_edit

        load_seconds = time.monotonic() - started
        with closing(run_edit(plan, backbone)) as events:
            result = follow(events, show)
        return replace(result, seconds={"load": load_seconds, **result.seconds})

    def _backbone(self, folder: str, memory: MemoryPlan, show: Reporter) -> Backbone:
        if self._loaded is None or self._loaded[0] != folder:
            self._loaded = None  # the old model goes before the new one comes: there may be room for one only
            show.phase("load", 1)
            # Takes seconds, so only now: a slip in the call has been answered by here.
            from flowanchor_core.backbone import Backbone

            self._loaded = (folder, Backbone.load(folder, memory))
            show.step("load", 1, 1, 0.0)
        return self._loaded[1]
