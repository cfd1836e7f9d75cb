# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user wants of the daemon itself: look, start, stop, unload, read models, pull one. One call a
step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from flowanchor.v1 import jobs_pb2, models_pb2, system_pb2
from flowanchor_client import DaemonUnreachable, ServiceFailure
from flowanchor_client.connect import Start

from . import problems
from .link import Link
from .transport import Transport
from .views import DaemonView, Problem

DaemonWish = Literal["connect", "start", "stop", "refresh", "diagnose", "unload"]

PULL_SECONDS: Final = 0.5
_RUNNING = models_pb2.MODEL_TASK_STATE_RUNNING


class DaemonDesk:
    """Wishes in order, and what came of them."""

    def __init__(self, transport: Transport, link: Link) -> None:
        self._transport = transport
        self._link = link
        self._wishes: list[str] = []
        self._asked: tuple[str, ...] = ()
        self._model = ""
        self._models: tuple[models_pb2.Model, ...] | None = None
        self._diagnosis: system_pb2.DiagnoseResponse | None = None
        self._question: jobs_pb2.EstimateEditRequest | None = None
        self._estimate: tuple[jobs_pb2.EstimateEditRequest, jobs_pb2.EstimateEditResponse] | None = None
        self._pull: models_pb2.ModelTask | None = None
        self._pull_due = 0.0
        self._problem: Problem | None = None
        self._looking = False

    def view(self) -> DaemonView:
        return DaemonView(
            state=self._link.state,
            problem=self._link.problem or self._problem,
            warning=self._transport.warning,
            info=self._link.info,
            models=self._models,
            diagnosis=self._diagnosis,
            pull=self._pull,
            estimate=self._estimate,
            waiting=tuple(self._wishes),
        )

    def wish(self, wish: DaemonWish) -> None:
        self._problem = None
        if wish in ("connect", "start"):
            self._looking = not self._link.online
            self._link.want(Start.ON_DEMAND if wish == "start" else Start.NEVER)
            return
        for one in ("models", "diagnose") if wish == "refresh" else (wish,):
            if one not in self._wishes:
                self._wishes.append(one)
        self._link.want(Start.NEVER)

    def estimate(self, request: jobs_pb2.EstimateEditRequest) -> None:
        """Ask what an edit would take; only the newest question is answered."""
        self._problem, self._question = None, request
        if "estimate" not in self._wishes:
            self._wishes.append("estimate")
        self._link.want(Start.NEVER)

    def pull(self, model: str) -> None:
        self._problem, self._model = None, model
        self._wishes = [*(one for one in self._wishes if one != "pull"), "pull"]
        self._link.want(Start.ON_DEMAND)

    def cancel_pull(self) -> None:
        if "pull" in self._wishes:
            self._wishes.remove("pull")
        elif self._pulling and "cancel-pull" not in self._wishes:
            self._wishes.append("cancel-pull")

    @property
    def _pulling(self) -> bool:
        return self._pull is not None and self._pull.state == _RUNNING

    @property
    def busy(self) -> bool:
        """Whether anything here needs the daemon."""
        return bool(self._wishes) or self._pulling or (self._looking and not self._link.online)

    @property
    def dues(self) -> list[float]:
        return [*([0.0] if self._wishes else []), *([self._pull_due] if self._pulling else [])]

    def has_next(self, now: float) -> bool:
        return bool(self._wishes) or (self._pulling and self._pull_due <= now)

    def reached(self) -> None:
        """The daemon has answered: read its models, which may be another daemon's than before."""
        self._looking = False
        if "models" not in self._wishes:
            self._wishes.append("models")

    def give_up(self) -> None:
        """There is no daemon to be had; its problem is told by the link."""
        self._wishes.clear()
        self._looking = False
        self._diagnosis = None
        if self._pulling:
            self._pull = None  # what has arrived stays for the next one

    def unanswered(self, failure: DaemonUnreachable) -> None:
        self._problem = problems.problem_of(failure)
        self._drop_first()

    def refused(self, problem: Problem) -> None:
        self._problem = problem
        self._drop_first()

    def _drop_first(self) -> None:
        if self._wishes:
            self._wishes.pop(0)
        else:
            self._pull = None

    def step(self, now: float) -> None:
        """One call: the oldest wish, or a look at the pull. ServiceFailure."""
        if not self._wishes:
            if self._pulling:
                self._look_at_pull(now)
            return
        calls: dict[str, Callable[[], None]] = {
            "models": self._read_models,
            "diagnose": self._diagnose,
            "estimate": self._ask,
            "unload": self._unload,
            "stop": self._stop,
            "pull": lambda: self._begin_pull(now),
            "cancel-pull": self._end_pull,
        }
        calls[self._wishes[0]]()
        self._wishes.pop(0)

    def _read_models(self) -> None:
        self._models = tuple(self._transport.models())

    def _diagnose(self) -> None:
        self._diagnosis = self._transport.diagnose()

    def _ask(self) -> None:
        info = self._link.info
        if self._question is not None and info is not None and "estimate" in info.capabilities:
            self._estimate = (self._question, self._transport.estimate(self._question))

    def _unload(self) -> None:
        self._transport.unload()
        self._wishes[1:1] = ["diagnose"]

    def _stop(self) -> None:
        self._transport.shutdown()
        self._link.stopped()
        self._diagnosis = None
        self._wishes[1:] = []

    def _begin_pull(self, now: float) -> None:
        self._pull = self._transport.pull(self._model)
        self._pull_due = now + PULL_SECONDS

    def _look_at_pull(self, now: float) -> None:
        assert self._pull is not None
        self._pull_due = now + PULL_SECONDS
        self._pull = self._transport.task(self._pull.id)
        if self._pull.state == _RUNNING:
            return
        self._wishes.append("models")
        if self._pull.state == models_pb2.MODEL_TASK_STATE_FAILED:
            self._problem = problems.problem_of(ServiceFailure.of(self._pull.failure))

    def _end_pull(self) -> None:
        assert self._pull is not None
        self._pull = self._transport.cancel_task(self._pull.id)
