# SPDX-License-Identifier: Apache-2.0
"""The queue's SQLite file: opened with care, written in whole transactions, its failures in plain words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from flowanchor_daemon.errors import ServiceError

SCHEMA_VERSION: Final = 1

_BUSY_MS: Final = 1000  # the daemon's lock file keeps others out; whoever holds the database is a stranger

_SCHEMA: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('epoch', 0);
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of arrival; clocks decide nothing
    id TEXT NOT NULL UNIQUE,
    request_id TEXT NOT NULL UNIQUE,
    digest BLOB NOT NULL,
    state INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    request BLOB NOT NULL,
    client TEXT NOT NULL,
    label TEXT NOT NULL,
    parent TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    started_ms INTEGER NOT NULL DEFAULT 0,
    finished_ms INTEGER NOT NULL DEFAULT 0,
    failure BLOB,
    result BLOB,
    memory_plan TEXT NOT NULL DEFAULT 'full',
    furthest INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,
    ends INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX jobs_queue ON jobs (state, priority DESC, rank, seq);
CREATE TABLE attempts (
    job INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER NOT NULL DEFAULT 0,
    outcome TEXT NOT NULL DEFAULT 'running',
    memory_plan TEXT NOT NULL,
    resumed_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE artifacts (
    job INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    file TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE notices (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    job INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    code TEXT NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (job, code, text)
) STRICT;
CREATE TABLE removals (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;  -- deleted, folder not gone yet
"""


class Database:
    """An open queue file. Not for several threads at once: the store holds a lock around every use."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.connection = connection

    @classmethod
    def open(cls, path: Path) -> Database:
        """Open the file, making it (mode 0600) when there is none.

        Raises:
            ServiceError: "queue-damaged" (the file is left as it is), "queue-locked", "queue-newer" (written
                by a later version), "disk-full", "queue-unusable" (it cannot be opened or written).
        """
        with translated(path):
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            except FileExistsError:
                _check(path)
            except OSError as failure:
                raise _unusable(path, failure.strerror or str(failure)) from failure
            connection = sqlite3.connect(
                path, timeout=_BUSY_MS / 1000, isolation_level=None, check_same_thread=False
            )
            database = cls(path, connection)
            try:
                database._prepare()
            except BaseException:
                connection.close()
                raise
            return database

    def _prepare(self) -> None:
        # FULL: a commit that was answered is on the disk, also after a power cut; fullfsync: on macOS too.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "fullfsync=ON", "foreign_keys=ON"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        if _version(self.connection) == 0:
            self.connection.executescript(
                f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;"
            )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write that happens whole or not at all; on return it is on the disk.

        Raises:
            ServiceError: as `open`; nothing was written and the next transaction can go on.
        """
        with translated(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:  # SQLite may have rolled back by itself
                    self.connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        self.connection.close()


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's failures into the catalogue's."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise  # a constraint is our own mistake, not the file's
    except sqlite3.DatabaseError as failure:
        code = getattr(failure, "sqlite_errorcode", 0) or 0
        primary = code & 0xFF
        if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise ServiceError(
                "queue-locked", f"Another program holds the queue {path}.", "End that program and try again."
            ) from failure
        if primary == sqlite3.SQLITE_FULL or code in (
            sqlite3.SQLITE_IOERR_SHMSIZE,
            sqlite3.SQLITE_IOERR_SHMMAP,
        ):
            raise ServiceError(
                "disk-full", f"The disk that holds {path} is full.", "Free some space and try again."
            ) from failure
        if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise _damaged(path, str(failure)) from failure
        raise _unusable(path, str(failure)) from failure


def _check(path: Path) -> None:
    """Look at an existing file through a connection that cannot write: a damaged one must stay as it is."""
    if path.stat().st_size == 0:
        wal = path.with_name(f"{path.name}-wal")
        if wal.exists() and wal.stat().st_size > 0:
            raise _damaged(path, "it is empty although its journal is not")
        return
    with closing(
        sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_MS / 1000)
    ) as file:
        found = file.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise _damaged(path, found)
        version = _version(file)
        tables = {row[0] for row in file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if version > SCHEMA_VERSION:
        raise ServiceError(
            "queue-newer",
            f"The queue {path} was written by a later version of this program.",
            "Update the program, or move the file away to begin an empty queue.",
        )
    if (version == 0 and tables) or (version and not {"meta", "jobs", "attempts", "artifacts"} <= tables):
        raise _damaged(path, "it is not a queue's")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _damaged(path: Path, reason: str) -> ServiceError:
    return ServiceError(
        "queue-damaged",
        f"The queue {path} is damaged ({reason.strip().partition(chr(10))[0]}); it was left as it is.",
        "Restore the file from a backup, or move it away to begin an empty queue.",
    )


def _unusable(path: Path, reason: str) -> ServiceError:
    return ServiceError(
        "queue-unusable",
        f"The queue {path} cannot be used ({reason}).",
        "Check the folder's permissions and its disk.",
    )
