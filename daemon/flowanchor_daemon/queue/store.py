# SPDX-License-Identifier: Apache-2.0
"""The durable queue on SQLite: what a client may do to it. The scheduler's side is in runs.py."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from flowanchor.v1 import jobs_pb2, types_pb2

from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.queue import listing
from flowanchor_daemon.queue.database import Database
from flowanchor_daemon.queue.jobs import (
    ACTIVE,
    CANCELLED,
    CANCELLING,
    ENDED,
    QUEUED,
    RUNNING,
    SUCCEEDED,
    NewJob,
    StoredArtifact,
    label_of,
    new_id,
)
from flowanchor_daemon.queue.records import artifacts_of, wall_clock_ms
from flowanchor_daemon.queue.runs import Runs

P = ParamSpec("P")
R = TypeVar("R")


class JobStore(Runs):
    """All jobs of a user. Methods block and may be called from any thread; `db` runs one off the event loop.

    `epoch` counts the times the queue was opened, this one included.
    """

    def __init__(self, database: Database, now_ms: Callable[[], int] = wall_clock_ms) -> None:
        super().__init__(database, now_ms)
        self._executor = ThreadPoolExecutor(1, "queue")
        with self._change() as (sql, _):
            sql.execute("UPDATE meta SET value = value + 1 WHERE key = 'epoch'")
            self.epoch = int(sql.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()[0])

    @classmethod
    def open(cls, path: Path, now_ms: Callable[[], int] = wall_clock_ms) -> JobStore:
        """Open the queue's file, making it when there is none; raises what `Database.open` does."""
        database = Database.open(path)
        try:
            return cls(database, now_ms)
        except BaseException:
            database.close()
            raise

    async def db(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """`await store.db(store.get, job)`: on the store's one thread, so that the event loop never waits for
        the disk. What was begun is carried through also if the caller goes away."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: call(*args, **kwargs))

    def close(self) -> None:
        """Finish what is at work and close the file."""
        self._executor.shutdown()
        with self._lock:
            self._database.close()

    def submit(self, new: NewJob) -> tuple[jobs_pb2.Job, bool]:
        """Queue a job: (it, True), or (the one made before, False) when its request id is known.

        Raises:
            ServiceError: "request-id-reused", "disk-full", "queue-locked".
        """
        with self._change() as (sql, change):
            known = self._find(sql, new.request_id, new.digest)
            if known is None:
                job = new_id()
                rank = sql.execute("SELECT coalesce(max(rank), 0) + 1 FROM jobs").fetchone()[0]
                edit = new.edit.SerializeToString(deterministic=True)
                sql.execute(
                    "INSERT INTO jobs (id, request_id, digest, state, priority, rank, request, client, "
                    "label, parent, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        *(job, new.request_id, new.digest, QUEUED, new.priority, rank, edit, new.client),
                        *(label_of(new.edit), new.parent, self._now_ms()),
                    ),
                )
                change.jobs.add(job)
                # Whoever waits with a lower priority falls back by one.
                lower = sql.execute(
                    "SELECT 1 FROM jobs WHERE state = ? AND priority < ? LIMIT 1", (QUEUED, new.priority)
                )
                change.places = lower.fetchone() is not None
            return self.get(known or job), known is None

    def find_request(self, request_id: str, digest: bytes) -> jobs_pb2.Job | None:
        """The job a request id has made; None when it is new. ServiceError "request-id-reused"."""
        with self._reading() as sql:
            known = self._find(sql, request_id, digest)
            return None if known is None else self.get(known)

    def _find(self, sql: sqlite3.Connection, request_id: str, digest: bytes) -> str | None:
        row = sql.execute("SELECT id, digest FROM jobs WHERE request_id = ?", (request_id,)).fetchone()
        if row is None:
            return None
        if row[1] != digest:
            raise ServiceError("request-id-reused", job=row[0])
        return str(row[0])

    def page(self, query: listing.Query) -> listing.Page:
        """A page of jobs without their requests; ServiceError "request-invalid" for a token of another
        list."""
        with self._reading() as sql:
            return listing.read_page(sql, query)

    def cancel(self, job: str) -> jobs_pb2.Job:
        """Cancel a waiting job at once, mark a running one; nothing happens to one that has ended."""
        with self._change() as (sql, change):
            seq, state = self._seq(sql, job)
            if state == QUEUED:
                self._finish(sql, seq, QUEUED, CANCELLED)
                change.places = True
            elif state == RUNNING:
                self._move_to(sql, seq, RUNNING, CANCELLING)
            if state in (QUEUED, RUNNING):
                change.jobs.add(job)
            return self.get(job)

    def move(self, job: str, priority: int | None = None, before: str = "") -> jobs_pb2.Job:
        """Give a waiting job another place: right before another waiting one, whose priority it takes, or
        last among its own (or the given) priority.

        Raises:
            ServiceError: "job-unknown", "job-not-waiting" (either of the two), "request-invalid" (before
            itself).
        """
        with self._change() as (sql, change):
            seq, state = self._seq(sql, job)
            if state != QUEUED:
                raise ServiceError("job-not-waiting")
            if before == job:
                raise ServiceError("request-invalid", "A job cannot be moved before itself.")
            if before:
                target, other = self._seq(sql, before)
                if other != QUEUED:
                    raise ServiceError("job-not-waiting", "The job to move it before is not waiting.")
                priority = self._open_gap(sql, target)
                rank = sql.execute("SELECT rank - 1 FROM jobs WHERE seq = ?", (target,)).fetchone()[0]
            else:
                rank = sql.execute("SELECT max(rank) + 1 FROM jobs").fetchone()[0]
            sql.execute(
                "UPDATE jobs SET priority = coalesce(?, priority), rank = ? WHERE seq = ?",
                (priority, rank, seq),
            )
            change.jobs.add(job)
            change.places = True
            return self.get(job)

    def _open_gap(self, sql: sqlite3.Connection, target: int) -> int:
        """Move a waiting job and those after it back by one rank; its priority."""
        priority = int(sql.execute("SELECT priority FROM jobs WHERE seq = ?", (target,)).fetchone()[0])
        sql.execute(
            "UPDATE jobs SET rank = rank + 1 WHERE state = ?1 AND priority = ?2 AND "
            "(rank, seq) >= (SELECT rank, seq FROM jobs WHERE seq = ?3)",
            (QUEUED, priority, target),
        )
        return priority

    def delete(self, job: str) -> None:
        """Forget a job that has ended. Its folder is listed in `removals` until `removed` says that it is
        gone.

        Raises:
            ServiceError: "job-unknown", "job-not-finished".
        """
        with self._change() as (sql, change):
            seq, state = self._seq(sql, job)
            if state not in ENDED:
                raise ServiceError("job-not-finished")
            sql.execute("DELETE FROM jobs WHERE seq = ?", (seq,))
            sql.execute("INSERT OR IGNORE INTO removals VALUES (?)", (job,))
            change.jobs.add(job)

    def removals(self) -> list[str]:
        """Deleted jobs whose folder may still be there."""
        with self._reading() as sql:
            return [row[0] for row in sql.execute("SELECT id FROM removals")]

    def removed(self, job: str) -> None:
        with self._change() as (sql, _):
            sql.execute("DELETE FROM removals WHERE id = ?", (job,))

    def past_results(self, model: str, most: int) -> list[types_pb2.EditResult]:
        """Results of the newest edits by a model that ran in one go, the newest first, `most` at the most."""
        found = []
        with self._reading() as sql:
            rows = sql.execute(
                "SELECT result FROM jobs WHERE state = ? AND result IS NOT NULL AND "
                "(SELECT count(*) FROM attempts WHERE job = seq) = 1 ORDER BY seq DESC LIMIT 200",
                (SUCCEEDED,),
            )
            for (packed,) in rows:
                result = types_pb2.EditResult.FromString(packed)
                if result.model == model:
                    found.append(result)
                if len(found) == most:
                    break
        return found

    def states(self) -> dict[str, int]:
        """State of every job by id."""
        with self._reading() as sql:
            return dict(sql.execute("SELECT id, state FROM jobs"))

    def artifact(self, job: str, index: int) -> StoredArtifact:
        """A result; ServiceError "job-unknown" or "artifact-unknown"."""
        with self._reading() as sql:
            seq, _ = self._seq(sql, job)
            for artifact in artifacts_of(sql, seq):
                if artifact.index == index:
                    return artifact
        raise ServiceError("artifact-unknown")

    def artifact_bytes(self) -> int:
        """Bytes of all results."""
        with self._reading() as sql:
            return int(sql.execute("SELECT coalesce(sum(bytes), 0) FROM artifacts").fetchone()[0])

    def media_in_use(self) -> set[str]:
        """Hashes of the media of all jobs that wait or run: these must stay."""
        with self._reading() as sql:
            states = (QUEUED, *sorted(ACTIVE))
            rows = sql.execute("SELECT request FROM jobs WHERE state IN (?, ?, ?)", states).fetchall()
        return {
            media.sha256
            for (request,) in rows
            for media in media_of(types_pb2.EditRequest.FromString(request))
        }

    def counts(self) -> dict[str, int]:
        """Number of jobs by state, such as {"queued": 2}; states without any are left out."""
        with self._reading() as sql:
            rows = sql.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall()
        return {
            jobs_pb2.JobState.Name(state).removeprefix("JOB_STATE_").lower(): count for state, count in rows
        }

    def last_failures(self, most: int = 10) -> list[types_pb2.Failure]:
        """Of failed jobs, the newest job first."""
        with self._reading() as sql:
            rows = sql.execute(
                "SELECT failure FROM jobs WHERE failure IS NOT NULL ORDER BY seq DESC LIMIT ?", (most,)
            ).fetchall()
        return [types_pb2.Failure.FromString(row[0]) for row in rows]


def media_of(edit: types_pb2.EditRequest) -> list[types_pb2.MediaRef]:
    """Every file a request refers to: the clip's, then the masks', in order."""
    found: list[types_pb2.MediaRef] = []
    for clip in (edit.clip, *edit.masks):
        if clip.WhichOneof("content") == "movie":
            found.append(clip.movie)
        else:
            found.extend(clip.images.frames)
    return found
