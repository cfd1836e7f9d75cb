# SPDX-License-Identifier: Apache-2.0
"""The daemon, its engine and its queue, as they answer. Nothing is started."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from flowanchor.rendezvous import DaemonLock, Discovery, RendezvousError
from flowanchor.v1 import jobs_pb2, system_pb2, types_pb2
from flowanchor_client import Client, DaemonUnreachable, ServiceFailure
from flowanchor_client.launch import FAILURE_FILE

from flowanchor_daemon.doctor.finding import Finding, Level, ok, problem, warning
from flowanchor_daemon.doctor.places import Places, check_folders
from flowanchor_daemon.doctor.versions import version_of

ANSWER_SECONDS: Final = 5.0
RECENT_SECONDS: Final = 24 * 3600.0
"""A start that failed longer ago than this is not worth a word."""
MOST_FAILURES: Final = 20
FAILURE: Final = "failure"
"""First word of the findings about jobs that failed; their texts can quote a prompt."""

_LEVELS: Final[dict[int, Level]] = {
    system_pb2.SEVERITY_OK: "ok",
    system_pb2.SEVERITY_WARNING: "warning",
    system_pb2.SEVERITY_PROBLEM: "problem",
}
_SAID_HERE: Final = frozenset({"models", "failures"})
"""Findings of the daemon's that the doctor makes itself: without a daemon too, and a code at a time."""


def connect(places: Places) -> Client | None:
    """The running daemon; None if none runs. Raises DaemonUnreachable, RendezvousError."""
    if not os.path.lexists(places.runtime) or not DaemonLock(places.runtime).is_held():
        return None
    return Client.connect(start=False, client="doctor", timeout=ANSWER_SECONDS)


def check_daemon(places: Places) -> Iterator[Finding]:
    """Whether a daemon runs and answers, and what it says of itself."""
    try:
        client = connect(places)
    except (DaemonUnreachable, RendezvousError) as failure:
        yield problem("daemon", failure.message, failure.action)
        return
    if client is None:
        yield from _not_running(places)
        return
    with client:
        try:
            answer = client.diagnose()
            failed = list(client.jobs([jobs_pb2.JOB_STATE_FAILED], limit=MOST_FAILURES))
        except ServiceFailure as failure:
            yield problem("daemon", failure.message, failure.action)
            return
        yield _running(client.info(), answer)
    yield from _own_findings(answer)
    yield from _failures(failed)


def _not_running(places: Places) -> Iterator[Finding]:
    if (failed := _failed_start(places)) is not None:
        # What `check_folders` finds wrong now is told there, and is not a second problem.
        if any(found.level == "problem" and found.text in failed.text for found in check_folders(places)):
            yield warning("daemon", "not running: with its folders as they are it cannot", "See the folders.")
        else:
            yield failed
        return
    if os.path.lexists(places.state.root) and (lock := DaemonLock(places.state.root)).is_held():
        yield problem(
            "daemon",
            f"The daemon of {places.state.root} (process {lock.holder()}) meets its clients elsewhere.",
            "Give FLOWANCHOR_RUNTIME the value it was started with, or end that process.",
        )
        return
    left = _discovery(places)
    if left is None:
        yield ok("daemon", "not running; it is started when it is needed")
        return
    yield warning(
        "daemon",
        f"not running: the last one (process {left.pid}) ended without taking its leave",
        f"The next one goes on with its jobs; {places.state.daemon_log} may tell why it ended.",
    )


def _discovery(places: Places) -> Discovery | None:
    try:
        return Discovery.read(places.runtime)
    except RendezvousError:
        return None  # `check_folders` says what is wrong with it


def _failed_start(places: Places) -> Finding | None:
    """What a client noted when it could not start a daemon, unless that is long ago."""
    try:
        record = json.loads((places.runtime / FAILURE_FILE).read_text(encoding="utf-8"))
        age = time.time() - float(record["at"])
        message, action = str(record["message"]), str(record["action"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return problem("daemon", message, action) if 0 <= age < RECENT_SECONDS else None


def _running(info: system_pb2.GetInfoResponse, answer: system_pb2.DiagnoseResponse) -> Finding:
    text = (
        f"version {info.version}, API {info.api_major}.{info.api_minor}, process {answer.pid}, "
        f"up {_duration(answer.uptime_seconds)}"
    )
    ours = version_of("flowanchor")
    if ours is not None and info.version != ours:
        return warning(
            "daemon",
            f"{text}; this program is version {ours}",
            "End it with `flowanchor stop`; the next command starts the new one.",
        )
    return ok("daemon", text)


def _own_findings(answer: system_pb2.DiagnoseResponse) -> Iterator[Finding]:
    for finding in answer.findings:
        if finding.name in _SAID_HERE:
            continue
        level = _LEVELS.get(finding.severity, "warning")
        yield Finding(f"daemon {finding.name}", level, finding.text, finding.action)


def _failures(failed: Sequence[jobs_pb2.Job]) -> Iterator[Finding]:
    """The last failures, newest first, one finding a code. What somebody asked for that could not be done
    says nothing about the installation."""
    failed = [job for job in failed if job.failure.kind != types_pb2.FAILURE_KIND_INPUT]
    counts = Counter(job.failure.code for job in failed)
    newest = {job.failure.code: job for job in reversed(failed)}
    for code, count in counts.items():
        job = newest[code]
        ended = datetime.fromtimestamp(job.finished_ms / 1000).strftime("%Y-%m-%d %H:%M")
        often = f", {count} of the last {len(failed)} failures" if count > 1 else ""
        text = f"{job.failure.message} (job {job.id}, {ended}{often})"
        yield warning(f"{FAILURE} {code}", text, job.failure.action)


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"
