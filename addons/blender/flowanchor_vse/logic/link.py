# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection of a session: when to look for the daemon, when to start one, when to leave it be.

Opening a file or looking at a panel starts no daemon; submitting does. One that crashed is started again, one
that the user stopped is not: from then on a look every few seconds finds one that somebody else has started.
"""

from __future__ import annotations

from collections.abc import Callable

from flowanchor.v1 import system_pb2
from flowanchor_client import DaemonUnreachable
from flowanchor_client.connect import Start

from . import problems
from .transport import Transport
from .views import DaemonState, Problem

STEP_SECONDS = 0.05
"""Between two steps towards a daemon that is on its way."""
LOOK_SECONDS = 5.0
"""Between two looks for a daemon that is not there."""
SILENT_SECONDS = 20.0
"""For so long a daemon that does not answer is asked again on the same connection."""


class Link:
    """Knows whether the daemon can be called; `step` works towards it."""

    def __init__(self, transport: Transport, clock: Callable[[], float]) -> None:
        self._transport = transport
        self._clock = clock
        self._start = Start.NEVER
        self._silent_since: float | None = None
        self.online = False
        self.state: DaemonState = "unknown"
        self.problem: Problem | None = None
        self.info: system_pb2.GetInfoResponse | None = None
        self.due = 0.0
        self.tries = 0
        """Attempts that have failed since the daemon was last reached."""

    def want(self, start: Start) -> None:
        """Something needs the daemon: try at once. A wish to start it outlives one that does not."""
        if self.online:
            return
        if self._start is not Start.ON_DEMAND:
            self._start = start
        self.due = self._clock()

    def step(self) -> None:
        """One step towards the daemon, when it is due."""
        try:
            info = self._transport.connect(self._start)
        except DaemonUnreachable as failure:
            self._failed(failure)
            return
        if info is None:
            self.due = self._clock() + STEP_SECONDS
            if self._start is not Start.NEVER:
                self.state = "starting"
            return
        self.online, self.state, self.problem, self.info = True, "running", None, info
        self._start, self._silent_since, self.tries = Start.NEVER, None, 0

    def answered(self) -> None:
        self._silent_since = None

    def lost(self, failure: DaemonUnreachable) -> None:
        """A call was not answered. A silent daemon keeps the connection for a while: it may be busy."""
        now = self._clock()
        if failure.code == "daemon-silent":
            if self._silent_since is None:
                self._silent_since = now
            if now - self._silent_since < SILENT_SECONDS:
                return
        self._silent_since = None
        self.online = False
        self._transport.drop()
        if failure.code == "api-version":
            self._failed(failure)
            return
        self._start = Start.AFTER_A_CRASH
        self.state, self.problem, self.due = "unreachable", problems.problem_of(failure), now

    def stopped(self) -> None:
        """The user stopped the daemon."""
        self._transport.drop()
        self.online, self._start = False, Start.NEVER
        self.state, self.problem = "stopped", None
        self.due = self._clock() + LOOK_SECONDS

    def _failed(self, failure: DaemonUnreachable) -> None:
        self._transport.drop()
        self.problem = problems.problem_of(failure)
        if failure.code == "api-version":
            self.state = "wrong-version"
        else:
            self.state = "stopped" if failure.stopped else "unreachable"
        self._start = Start.NEVER
        self.tries += 1
        self.due = self._clock() + LOOK_SECONDS
