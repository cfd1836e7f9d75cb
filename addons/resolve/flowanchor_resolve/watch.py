# SPDX-License-Identifier: Apache-2.0
"""Follows a render in Resolve until it has ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flowanchor_resolve.calls import Calls
from flowanchor_resolve.held import held
from flowanchor_resolve.host import Say
from flowanchor_resolve.opened import Opened
from flowanchor_resolve.problems import ResolveProblem


@dataclass(frozen=True)
class Watch:
    """How long a render may stand still. The status of a job is written in the language of Resolve's
    windows, so only what it says in English is believed; else its percentage and whether Resolve renders
    at all."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    every: float = 0.25
    """Seconds between two looks."""
    patience: float = 180.0
    """Seconds without progress after which a render is given up."""
    silence: float = 20.0
    """Seconds without any answer after which a dialog is blamed."""
    stopping: float = 15.0
    """Seconds a stopped render is waited for."""
    settling: float = 0.3
    """Seconds between attempts at what Resolve refuses right after a page was opened."""

    def settled(self, calls: Calls, attempt: Callable[[], Any], tries: int = 8) -> Any:
        """The first answer of an attempt that means something, else the last one. It is not tried again while
        Resolve answers nothing at all."""
        answer = attempt()
        for _ in range(tries - 1):
            if answer or not calls.answering():
                break
            self.sleep(self.settling)
            answer = attempt()
        return answer

    def until_done(self, opened: Opened, job: str, say: Say) -> None:
        """Wait for a job; whatever ends the wait early, Ctrl-C too, stops the render.

        Raises:
            ResolveProblem: "resolve-render-failed", "resolve-render-cancelled", "resolve-render-stalled",
                "resolve-dialog-open".
        """
        try:
            self._wait(opened, job, say)
        except BaseException:
            with held():
                self._stop(opened)
            raise

    def _wait(self, opened: Opened, job: str, say: Say) -> None:
        calls, project = opened.calls, opened.project
        moved = heard = self.clock()
        before: tuple[str, float] | None = None
        while True:
            status = calls.ask_if_there(project, "GetRenderJobStatus", job)
            running = calls.ask_if_there(project, "IsRenderingInProgress")
            now = self.clock()
            if isinstance(status, dict) and status:
                heard = now
                state, percent = str(status.get("JobStatus", "")), _percent(status)
                if _ended(state, percent, bool(running), status):
                    return
                if not running and now - moved > self.stopping:
                    raise ResolveProblem(
                        "resolve-render-cancelled",
                        f"The render was stopped in Resolve at {percent:.0f} %.",
                        "Try again when you are ready.",
                    )
                if (state, percent) != before:
                    if before is None or percent != before[1]:
                        say(f"Resolve renders: {percent:.0f} %")
                    before, moved = (state, percent), now
            elif now - heard > self.silence:
                calls.check_answering()
            if now - moved > self.patience:
                raise ResolveProblem(
                    "resolve-render-stalled",
                    f"Resolve's render has not moved for {self.patience:.0f} seconds and was stopped.",
                    "Look at Resolve, then try again.",
                )
            self.sleep(self.every)

    def _stop(self, opened: Opened) -> None:
        calls, project = opened.calls, opened.project
        until = self.clock() + self.stopping
        calls.ask_if_there(project, "StopRendering")
        while calls.ask_if_there(project, "IsRenderingInProgress") and self.clock() < until:
            self.sleep(self.every)


def _percent(status: dict[str, Any]) -> float:
    value = status.get("CompletionPercentage", 0)
    return float(value) if isinstance(value, (int, float)) else 0.0


def _ended(state: str, percent: float, running: bool, status: dict[str, Any]) -> bool:
    """Whether a job has finished well.

    Raises:
        ResolveProblem: if it has ended otherwise.
    """
    known = state.lower()
    if known == "complete" or (percent >= 100 and not running and known not in ("failed", "cancelled")):
        return not running
    if known in ("cancelled", "canceled"):
        raise ResolveProblem(
            "resolve-render-cancelled",
            "The render was cancelled in Resolve.",
            "Try again when you are ready.",
        )
    error = " ".join(str(status.get("Error") or "").split())
    if known == "failed" or error:
        said = f": {error.rstrip('.')}" if error else ""
        raise ResolveProblem(
            "resolve-render-failed", f"Resolve's render failed{said}.", "Look at the Deliver page."
        )
    return False
