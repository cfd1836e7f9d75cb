# SPDX-License-Identifier: Apache-2.0
"""The scheduler's side of the store: attempts begin, are cut short, and end."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from flowanchor.v1 import types_pb2

from flowanchor_daemon.errors import ServiceError, to_failure
from flowanchor_daemon.queue.jobs import (
    CANCELLED,
    CANCELLING,
    FAILED,
    MAX_CRASHES,
    MAX_ENDS,
    QUEUED,
    RUNNING,
    SUCCEEDED,
    StoredArtifact,
    Taken,
)
from flowanchor_daemon.queue.records import Records

# Outcomes of an attempt, as jobs.proto lists them.
SUCCESS = "succeeded"
FAILURE = "failed"
CANCEL = "cancelled"
CRASH = "engine-crashed"
DAEMON_ENDED = "daemon-ended"
OUT_OF_MEMORY = "out-of-memory"


class Runs(Records):
    """See `Records`. Every way out of a running job returns the state the job has then, and first looks
    whether it was cancelled meanwhile: then that is how it ends."""

    def take(self) -> Taken | None:
        """Make the next waiting job a running one with a new attempt; None when none waits."""
        with self._change() as (sql, change):
            row = sql.execute(
                "SELECT seq, id, request, memory_plan, furthest FROM jobs WHERE state = ? "
                "ORDER BY priority DESC, rank, seq LIMIT 1",
                (QUEUED,),
            ).fetchone()
            if row is None:
                return None
            seq, job, request, plan, furthest = row
            now = self._now_ms()
            self._move_to(sql, seq, QUEUED, RUNNING)
            sql.execute("UPDATE jobs SET started_ms = ? WHERE seq = ? AND started_ms = 0", (now, seq))
            number = sql.execute("SELECT count(*) FROM attempts WHERE job = ?", (seq,)).fetchone()[0] + 1
            sql.execute(
                "INSERT INTO attempts (job, number, started_ms, memory_plan) VALUES (?, ?, ?, ?)",
                (seq, number, now, plan),
            )
            change.jobs.add(job)
            change.places = True
        return Taken(job, types_pb2.EditRequest.FromString(request), number, plan, furthest)

    def resumed(self, job: str, step: int) -> None:
        """The running attempt goes on from a sampling step. That a step was kept which was not known before
        is progress, and progress forgives the crashes and ends before it."""
        with self._change() as (sql, change):
            seq, _ = self._seq(sql, job)
            sql.execute(
                "UPDATE attempts SET resumed_at = ? WHERE job = ? AND outcome = 'running'", (step, seq)
            )
            _credit(sql, seq, step)
            change.jobs.add(job)

    def add_notice(self, job: str, notice: types_pb2.Notice) -> None:
        """Keep a notice; the same one again, of a later attempt, is kept once."""
        with self._change() as (sql, change):
            seq, _ = self._seq(sql, job)
            _notice(sql, seq, notice)
            change.jobs.add(job)

    def succeed(self, job: str, result: types_pb2.EditResult, artifacts: Sequence[StoredArtifact]) -> int:
        """End a job with its results, which are on the disk by now. They are not recorded if it was
        cancelled."""
        with self._change() as (sql, change):
            seq, state = self._seq(sql, job)
            change.jobs.add(job)
            if state == CANCELLING:
                return self._end_cancelled(sql, seq)
            self._finish(sql, seq, RUNNING, SUCCEEDED, result=result)
            sql.executemany(
                "INSERT INTO artifacts (job, number, kind, name, file, bytes, sha256) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(seq, one.index, one.kind, one.name, one.file, one.bytes, one.sha256) for one in artifacts],
            )
            self._close_attempt(sql, seq, SUCCESS)
            return SUCCEEDED

    def fail(self, job: str, failure: types_pb2.Failure, outcome: str = FAILURE) -> int:
        """End a running job as failed."""
        with self._change() as (sql, change):
            seq, state = self._seq(sql, job)
            change.jobs.add(job)
            if state == CANCELLING:
                return self._end_cancelled(sql, seq)
            self._finish(sql, seq, RUNNING, FAILED, failure=failure)
            self._close_attempt(sql, seq, outcome)
            return FAILED

    def end_cancelled(self, job: str) -> int:
        """End a job that the engine has stopped."""
        with self._change() as (sql, change):
            seq, state = self._seq(sql, job)
            if state == RUNNING:  # stopped by the engine's own account
                self._move_to(sql, seq, RUNNING, CANCELLING)
            change.jobs.add(job)
            return self._end_cancelled(sql, seq)

    def put_back(
        self, job: str, outcome: str, plan: str | None = None, notice: types_pb2.Notice | None = None
    ) -> int:
        """Let a running job wait again, ahead of its priority's others; nothing counts against it.

        Args:
            outcome: of the attempt that ends here: "daemon-ended" or "out-of-memory".
            plan: memory plan of the next attempts; None: as before.
            notice: what the user should know of it.
        """
        with self._change() as (sql, change):
            seq, state = self._seq(sql, job)
            change.jobs.add(job)
            if state == CANCELLING:
                return self._end_cancelled(sql, seq)
            change.places = True
            if plan is not None:
                sql.execute("UPDATE jobs SET memory_plan = ? WHERE seq = ?", (plan, seq))
            if notice is not None:
                _notice(sql, seq, notice)
            return self._requeue(sql, seq, outcome)

    def crashed(self, job: str, reached: int, reason: str) -> int:
        """The engine ended under a running job that had kept sampling step `reached`: it waits again, or, if
        this was the last crash allowed, has failed with "engine-crashed"."""
        with self._change() as (sql, change):
            seq, state = self._seq(sql, job)
            change.jobs.add(job)
            if state == CANCELLING:
                return self._end_cancelled(sql, seq)
            _credit(sql, seq, reached)
            sql.execute("UPDATE jobs SET crashes = crashes + 1 WHERE seq = ?", (seq,))
            crashes = sql.execute("SELECT crashes FROM jobs WHERE seq = ?", (seq,)).fetchone()[0]
            if crashes < MAX_CRASHES:
                change.places = True
                return self._requeue(sql, seq, CRASH)
            failure = ServiceError(
                "engine-crashed",
                f"The engine ended {crashes} times at the same place of this edit, last with {reason}.",
                "Try a smaller region or fewer frames, and look into the engine's log.",
            )
            self._finish(sql, seq, RUNNING, FAILED, failure=to_failure(failure))
            self._close_attempt(sql, seq, CRASH)
            return FAILED

    def recover(self) -> list[str]:
        """After a violent end of the daemon: running jobs wait again, cancelling ones are cancelled.

        Returns:
            Ids of the jobs that were touched.
        """
        with self._change() as (sql, change):
            for seq, job, state, ends in sql.execute(
                "SELECT seq, id, state, ends FROM jobs WHERE state IN (?, ?) ORDER BY seq DESC",
                (RUNNING, CANCELLING),
            ).fetchall():
                change.jobs.add(job)
                change.places = True
                if state == CANCELLING:
                    self._end_cancelled(sql, seq)
                elif ends + 1 < MAX_ENDS:
                    self._requeue(sql, seq, DAEMON_ENDED)
                    sql.execute("UPDATE jobs SET ends = ends + 1 WHERE seq = ?", (seq,))
                else:
                    failure = to_failure(ServiceError("attempts-exhausted"))
                    self._finish(sql, seq, RUNNING, FAILED, failure=failure)
                    self._close_attempt(sql, seq, DAEMON_ENDED)
            return sorted(change.jobs)

    def _requeue(self, sql: sqlite3.Connection, seq: int, outcome: str) -> int:
        """Running to waiting, ahead of the others of its priority: what has begun is finished first."""
        self._move_to(sql, seq, RUNNING, QUEUED)
        self._close_attempt(sql, seq, outcome)
        sql.execute(
            "UPDATE jobs SET rank = (SELECT min(other.rank) - 1 FROM jobs AS other WHERE other.state = ?1 "
            "AND other.priority = jobs.priority) WHERE seq = ?2",
            (QUEUED, seq),
        )
        return QUEUED

    def _end_cancelled(self, sql: sqlite3.Connection, seq: int) -> int:
        self._finish(sql, seq, CANCELLING, CANCELLED)
        self._close_attempt(sql, seq, CANCEL)
        return CANCELLED

    def _close_attempt(self, sql: sqlite3.Connection, seq: int, outcome: str) -> None:
        sql.execute(
            "UPDATE attempts SET outcome = ?, ended_ms = max(?, started_ms, 1) "
            "WHERE job = ? AND outcome = 'running'",
            (outcome, self._now_ms(), seq),
        )


def _credit(sql: sqlite3.Connection, seq: int, step: int) -> None:
    sql.execute(
        "UPDATE jobs SET furthest = ?1, crashes = 0, ends = 0 WHERE seq = ?2 AND furthest < ?1", (step, seq)
    )


def _notice(sql: sqlite3.Connection, seq: int, notice: types_pb2.Notice) -> None:
    sql.execute(
        "INSERT OR IGNORE INTO notices (job, code, text) VALUES (?, ?, ?)", (seq, notice.code, notice.text)
    )
