# SPDX-License-Identifier: GPL-3.0-or-later
"""The edits of one .blend, moved on by short ticks of the host's timer.

A tick does one bounded step: one unary call, or a few MiB of a file. It never waits, starts no thread and
knows no Blender; the clock is given. The daemon may be missing, go away and come back at any moment.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from flowanchor.v1 import jobs_pb2
from flowanchor_client import DaemonUnreachable, ServiceFailure, new_request_id
from flowanchor_client.connect import Start

from . import problems
from .desk import DaemonDesk, DaemonWish
from .edits import Edits
from .job import JobRun
from .ledger import Ledger
from .link import Link
from .runs import Runs
from .saving import Saving
from .transport import Transport
from .views import Changes, DaemonView, Problem

__all__ = ["DaemonWish", "Session"]

log = logging.getLogger("flowanchor")

MOVING_SECONDS = 0.01
"""Between two ticks that move bytes."""
LONG_STEP_SECONDS = 0.1
REST = 9.0
"""A step that held the host for long, as calls to a daemon on a busy machine do, is followed by a rest of so
many times its length: the host keeps nine tenths of its time whatever happens."""
SILENCE_SECONDS = 0.5
"""Before a call that was not answered is made again."""


class Session(Edits):
    """All methods but `tick` and `close` return at once and make no call; what they wish for is done by
    later ticks."""

    def __init__(
        self,
        transport: Transport,
        clock: Callable[[], float],
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        new_id: Callable[[], str] = new_request_id,
    ) -> None:
        """`clock` is monotonic, in seconds (time.monotonic)."""
        link, runs = Link(transport, clock), Runs()
        super().__init__(runs, link, clock, now_ms, new_id)
        self._transport = transport
        self._desk = DaemonDesk(transport, link)
        self._saving = Saving(runs, new_id)
        self._rest_until = 0.0
        self._seen_daemon = self.daemon

    # The file

    @property
    def ledger(self) -> Ledger:
        """What to write to the file."""
        return self._runs.ledger

    def open(self, ledger: Ledger) -> None:
        """Another file was loaded (`ledger.file`): forget the jobs of the last one, which go on in the
        daemon, and look after these. No daemon is started for them."""
        self._runs.open(ledger, self._clock())
        if self._runs.dues:
            self._link.want(Start.NEVER)

    def merge(self, stored: Ledger) -> bool:
        """After undo or redo: whether the file has to be written, since it holds less than is known here."""
        lacks = self._runs.merge(stored, self._clock())
        if self._runs.dues:
            self._link.want(Start.NEVER)
        return lacks

    def save_to(self, path: str) -> Ledger:
        """The file is about to be saved at a path: what to write into it."""
        return self._saving.begin(path)

    def saved(self, path: str) -> None:
        """The file was saved, and the open one lies at this path (empty: it has none)."""
        self._saving.end(path)

    def not_saved(self) -> None:
        """Saving failed."""
        self._saving.failed()

    # The daemon

    @property
    def daemon(self) -> DaemonView:
        return self._desk.view()

    def wish(self, wish: DaemonWish) -> None:
        """Something about the daemon itself. "connect" looks for it, "start" starts it as well; "stop" ends
        it; "refresh" reads models and diagnosis; "unload" frees the engine's memory."""
        self._desk.wish(wish)

    def estimate(self, request: jobs_pb2.EstimateEditRequest) -> None:
        """Ask what an edit would take; `daemon.estimate` has the answer. No daemon is started for it."""
        self._desk.estimate(request)

    def pull(self, model: str) -> None:
        """Download a model; `daemon.pull` tells how far it is."""
        self._desk.pull(model)

    def cancel_pull(self) -> None:
        self._desk.cancel_pull()

    @property
    def _piece_bytes(self) -> int:
        info = self._link.info
        return info.limits.max_chunk_bytes if info is not None else 0

    # The tick

    def tick(self, may_place: bool = True) -> Changes:
        """Do one step. Never raises for anything a user can meet. Results that have become whole are told to
        a host that `may_place` them, to another one by a later tick."""
        begun = self._clock()
        if begun >= self._rest_until:
            self._step(begun)
            took = self._clock() - begun
            if took > LONG_STEP_SECONDS:
                self._rest_until = begun + took * (1 + REST)
        return self._changes(may_place)

    def _step(self, now: float) -> None:
        if not self._link.online:
            if self._needs_daemon() and self._link.due <= now:
                self._reach()
            return
        wished = self._desk.has_next(now)
        run = None if wished else self._runs.next(now)
        if run is None and not wished:
            return
        try:
            if run is None:
                self._desk.step(now)
            else:
                run.step(self._transport, now, self._piece_bytes)
            self._link.answered()
        except DaemonUnreachable as failure:
            self._unanswered(run, failure, now)
        except ServiceFailure as failure:
            self._refused(run, problems.problem_of(failure))
        except Exception as error:
            log.exception("A step of the add-on failed.")
            self._refused(run, problems.unexpected(error))
        if run is not None:
            self._runs.pace(run, now)
            self._runs.keep(run)

    def _reach(self) -> None:
        tries = self._link.tries
        self._link.step()
        if self._link.online:
            for run in self._runs:
                run.reconnected()
            self._desk.reached()
        elif self._link.tries > tries:
            # Without a daemon there is nothing to ask; what it was to forget stays until it is told again.
            self._desk.give_up()
            self._runs.leaving.clear()

    def _unanswered(self, run: JobRun | None, failure: DaemonUnreachable, now: float) -> None:
        self._link.lost(failure)
        if run is not None:
            run.due = now + SILENCE_SECONDS
        else:
            self._desk.unanswered(failure)

    def _refused(self, run: JobRun | None, problem: Problem) -> None:
        if run is None:
            self._desk.refused(problem)
        elif run.forgetting:
            run.due = None
        else:
            run.fail(problem)

    def _needs_daemon(self) -> bool:
        return self._desk.busy or bool(self._runs.dues)

    def _changes(self, may_place: bool) -> Changes:
        self._runs.link_has(self._link.problem)
        news, daemon = self._runs.news(may_place), self.daemon
        changes = Changes(
            jobs=news.jobs,
            to_place=news.ready,
            daemon=daemon != self._seen_daemon,
            ledger=news.ledger,
            next_seconds=self._next_seconds(),
            problems=news.failed,
        )
        self._seen_daemon = daemon
        return changes

    def _next_seconds(self) -> float | None:
        if not self._needs_daemon():
            return None
        due = min([*self._runs.dues, *self._desk.dues]) if self._link.online else self._link.due
        return max(MOVING_SECONDS, max(due, self._rest_until) - self._clock())

    def close(self) -> None:
        """Let go of the connection. Jobs go on in the daemon."""
        self._runs.release()
        self._transport.close()
