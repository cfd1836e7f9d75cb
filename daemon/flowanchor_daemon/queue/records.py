# SPDX-License-Identifier: Apache-2.0
"""What every part of the store does: changing the queue in whole transactions, and reading jobs out of it."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from flowanchor.v1 import jobs_pb2, types_pb2

from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.queue.database import Database, translated
from flowanchor_daemon.queue.jobs import QUEUED, TRANSITIONS, StoredArtifact

COLUMNS = (
    "seq, id, request_id, state, priority, rank, client, label, parent, created_ms, started_ms, finished_ms, "
    "failure, result"
)


@dataclass
class Change:
    """What a transaction does to the outside view: jobs that look different now, and whether places in the
    queue moved, which every waiting job shows."""

    jobs: set[str] = field(default_factory=set)
    places: bool = False


def wall_clock_ms() -> int:
    """Milliseconds since 1970. Only shown to people; nothing is ordered by it."""
    return time.time_ns() // 1_000_000


class Records:
    """An open queue. Its methods block (a commit waits for the disk) and may be called from any thread.

    `on_commit` is called, on the thread that wrote, with the ids of jobs that look different after each
    commit.
    """

    def __init__(self, database: Database, now_ms: Callable[[], int] = wall_clock_ms) -> None:
        self.on_commit: Callable[[frozenset[str]], None] = lambda jobs: None
        self._database = database
        self._now_ms = now_ms
        self._lock = threading.RLock()

    @contextmanager
    def _change(self) -> Iterator[tuple[sqlite3.Connection, Change]]:
        change = Change()
        with self._lock, self._database.transaction() as sql:
            yield sql, change
            if change.places:
                change.jobs.update(
                    row[0] for row in sql.execute("SELECT id FROM jobs WHERE state = ?", (QUEUED,))
                )
        if change.jobs:
            self.on_commit(frozenset(change.jobs))

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, translated(self._database.path):
            yield self._database.connection

    def get(self, job: str) -> jobs_pb2.Job:
        """A job as it is recorded: all but what only a running one has (progress, preview) and its revision.

        Raises:
            ServiceError: "job-unknown".
        """
        with self._reading() as sql:
            found = sql.execute(f"SELECT {COLUMNS}, request FROM jobs WHERE id = ?", (job,)).fetchone()
            if found is None:
                raise ServiceError("job-unknown")
            message = message_of(found, _place(sql, found))
            message.request.MergeFromString(found[-1])
            add_details(sql, found[0], message)
            return message

    def _seq(self, sql: sqlite3.Connection, job: str) -> tuple[int, int]:
        """(sequence number, state) of a job."""
        found = sql.execute("SELECT seq, state FROM jobs WHERE id = ?", (job,)).fetchone()
        if found is None:
            raise ServiceError("job-unknown")
        return found[0], found[1]

    def _move_to(self, sql: sqlite3.Connection, seq: int, before: int, after: int) -> None:
        """Set a job's state; another state than `before`, or no way from it, is a mistake of ours."""
        if after not in TRANSITIONS[before]:
            raise AssertionError(f"no job goes from state {before} to {after}")
        done = sql.execute("UPDATE jobs SET state = ? WHERE seq = ? AND state = ?", (after, seq, before))
        if done.rowcount != 1:
            raise AssertionError(f"job {seq} is not in state {before}")

    def _finish(
        self,
        sql: sqlite3.Connection,
        seq: int,
        before: int,
        after: int,
        failure: types_pb2.Failure | None = None,
        result: types_pb2.EditResult | None = None,
    ) -> None:
        """Bring a job to one of its ends. A clock that was set back never makes it end before it began."""
        self._move_to(sql, seq, before, after)
        sql.execute(
            "UPDATE jobs SET finished_ms = max(?, created_ms, started_ms), failure = ?, result = ? "
            "WHERE seq = ?",
            (self._now_ms(), _packed(failure), _packed(result), seq),
        )


def message_of(row: tuple[object, ...], place: int) -> jobs_pb2.Job:
    """The job of a row of COLUMNS, without request, attempts, notices and artifacts."""
    (_, job, request_id, state, priority, _, client, label, parent, created, started, finished) = row[:12]
    message = jobs_pb2.Job(
        id=job,  # type: ignore[arg-type]
        request_id=request_id,  # type: ignore[arg-type]
        state=state,  # type: ignore[arg-type]
        priority=priority,  # type: ignore[arg-type]
        queue_position=place,
        client=client,  # type: ignore[arg-type]
        label=label,  # type: ignore[arg-type]
        parent=parent,  # type: ignore[arg-type]
        created_ms=created,  # type: ignore[arg-type]
        started_ms=started,  # type: ignore[arg-type]
        finished_ms=finished,  # type: ignore[arg-type]
    )
    failure, result = row[12], row[13]
    if isinstance(failure, bytes):
        message.failure.MergeFromString(failure)
    if isinstance(result, bytes):
        message.result.MergeFromString(result)
    return message


def add_details(sql: sqlite3.Connection, seq: int, message: jobs_pb2.Job) -> None:
    """Add attempts, notices and artifacts of the job with that sequence number."""
    for number, started, ended, outcome, plan, resumed in sql.execute(
        "SELECT number, started_ms, ended_ms, outcome, memory_plan, resumed_at FROM attempts WHERE job = ? "
        "ORDER BY number",
        (seq,),
    ):
        message.attempts.add(
            number=number,
            started_ms=started,
            ended_ms=ended,
            outcome=outcome,
            memory_plan=plan,
            resumed_at=resumed,
        )
    for code, text in sql.execute("SELECT code, text FROM notices WHERE job = ? ORDER BY number", (seq,)):
        message.notices.add(code=code, text=text)
    message.artifacts.extend(artifact.message() for artifact in artifacts_of(sql, seq))


def artifacts_of(sql: sqlite3.Connection, seq: int) -> list[StoredArtifact]:
    rows = sql.execute(
        "SELECT number, kind, name, file, bytes, sha256 FROM artifacts WHERE job = ? ORDER BY number", (seq,)
    )
    return [StoredArtifact(*row) for row in rows]


def _place(sql: sqlite3.Connection, row: tuple[int, ...]) -> int:
    """1 for the job that is next, 0 for one that does not wait."""
    seq, state, priority, rank = row[0], row[3], row[4], row[5]
    if state != QUEUED:
        return 0
    before = sql.execute(
        "SELECT count(*) FROM jobs WHERE state = ?1 AND "
        "(priority > ?2 OR (priority = ?2 AND (rank, seq) < (?3, ?4)))",
        (QUEUED, priority, rank, seq),
    )
    return int(before.fetchone()[0]) + 1


def _packed(message: types_pb2.Failure | types_pb2.EditResult | None) -> bytes | None:
    return None if message is None else message.SerializeToString(deterministic=True)
