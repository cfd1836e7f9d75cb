# SPDX-License-Identifier: Apache-2.0
"""Lists of jobs by pages. A page begins after the last job of the page before, wherever that stands by then,
so jobs that come and go between two pages shift nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from dataclasses import dataclass, field
from typing import Any, Final

from flowanchor.v1 import jobs_pb2

from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.queue.jobs import ACTIVE, QUEUED
from flowanchor_daemon.queue.records import COLUMNS, add_details, message_of

DEFAULT_PAGE: Final = 50
LARGEST_PAGE: Final = 500

_MOST_TOKEN_CHARS: Final = 200
_PAGE_BYTES: Final = 1 << 20  # a page ends early rather than outgrow a message

# Running jobs come before waiting ones, and those in the order in which they will run.
_QUEUE_ORDER: Final = f"state = {QUEUED}, -priority, rank, seq"


@dataclass(frozen=True)
class Query:
    """What is asked for; `size` 1 to 500. An empty `states`, `client` or `request_id` filters nothing."""

    order: jobs_pb2.JobOrder.ValueType = jobs_pb2.JOB_ORDER_NEWEST
    states: frozenset[int] = frozenset()
    client: str = ""
    size: int = DEFAULT_PAGE
    token: str = ""
    request_id: str = ""


@dataclass(frozen=True)
class Page:
    """At most the jobs asked for and at least one if any match, without their requests; the token of the next
    page ("" on the last); and how many match on all pages."""

    jobs: list[jobs_pb2.Job] = field(default_factory=list)
    token: str = ""
    total: int = 0


def read_page(sql: sqlite3.Connection, query: Query) -> Page:
    """One page; ServiceError "request-invalid" for a token that is not of this query."""
    by_queue = query.order == jobs_pb2.JOB_ORDER_QUEUE
    key = f"({_QUEUE_ORDER})" if by_queue else "(-seq)"
    states: set[int] = set(query.states)
    if by_queue:
        live: set[int] = {QUEUED, *ACTIVE}
        states = states & live if states else live
    # Only whole numbers of our own are put into the text; everything from outside is bound.
    where: list[str] = []
    values: list[str | int] = []
    if states or by_queue:
        where.append(f"state IN ({','.join(str(int(state)) for state in sorted(states))})")
    if query.client:
        where.append("client = ?")
        values.append(query.client)
    if query.request_id:
        where.append("request_id = ?")
        values.append(query.request_id)
    matching = " AND ".join(where) or "1"
    total = sql.execute(f"SELECT count(*) FROM jobs WHERE {matching}", values).fetchone()[0]
    if query.token:
        cursor = _read_token(query)
        matching += f" AND {key} > ({','.join('?' * len(cursor))})"
        values.extend(cursor)
    rows = sql.execute(
        f"SELECT {COLUMNS} FROM jobs WHERE {matching} ORDER BY {key[1:-1]} LIMIT ?", (*values, query.size + 1)
    ).fetchall()
    places = _places(sql) if any(row[3] == QUEUED for row in rows) else {}
    jobs: list[jobs_pb2.Job] = []
    room = _PAGE_BYTES
    for row in rows[: query.size]:
        job = message_of(row, places.get(row[0], 0))
        add_details(sql, row[0], job)
        room -= job.ByteSize()
        if jobs and room < 0:
            break
        jobs.append(job)
    more = len(jobs) < len(rows)
    return Page(jobs, _token(query, rows[len(jobs) - 1], by_queue) if more else "", total)


def _places(sql: sqlite3.Connection) -> dict[int, int]:
    """Place in the queue by sequence number."""
    rows = sql.execute("SELECT seq FROM jobs WHERE state = ? ORDER BY priority DESC, rank, seq", (QUEUED,))
    return {seq: place for place, (seq,) in enumerate(rows, 1)}


def _token(query: Query, last: tuple[Any, ...], by_queue: bool) -> str:
    seq, state, priority, rank = last[0], last[3], last[4], last[5]
    cursor = [int(state == QUEUED), -priority, rank, seq] if by_queue else [-seq]
    return base64.urlsafe_b64encode(json.dumps([_fingerprint(query), cursor]).encode()).decode()


def _read_token(query: Query) -> list[int]:
    length = 4 if query.order == jobs_pb2.JOB_ORDER_QUEUE else 1
    try:
        if len(query.token) > _MOST_TOKEN_CHARS:
            raise ValueError
        fingerprint, cursor = json.loads(base64.b64decode(query.token, altchars=b"-_", validate=True))
        if fingerprint != _fingerprint(query) or not isinstance(cursor, list) or len(cursor) != length:
            raise ValueError
        if not all(type(value) is int and abs(value) < 2**62 for value in cursor):
            raise ValueError
    except (ValueError, TypeError, RecursionError):
        raise ServiceError(
            "request-invalid",
            "The page token is not one of this list.",
            "Ask for the first page, or repeat order, states, client and request_id of the page before.",
        ) from None
    return cursor


def _fingerprint(query: Query) -> str:
    """Of everything but size and token: a page goes on with the list it belongs to."""
    order = int(query.order == jobs_pb2.JOB_ORDER_QUEUE)
    return hashlib.sha256(
        repr((order, sorted(query.states), query.client, query.request_id)).encode()
    ).hexdigest()[:16]
