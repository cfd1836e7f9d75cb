# SPDX-License-Identifier: Apache-2.0
"""Find the user's daemon, or start it: never a second one, never again and again.

The daemon's lock says whether one lives, its discovery file where. A daemon that starts or goes away holds
the lock without answering; it is waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from enum import Enum
from pathlib import Path

from flowanchor import rendezvous
from flowanchor.rendezvous import DaemonLock, Discovery, RendezvousError
from flowanchor.v1 import system_pb2

from flowanchor_client.channel import Connection
from flowanchor_client.errors import DaemonUnreachable
from flowanchor_client.launch import starting

Reached = tuple[Connection, system_pb2.GetInfoResponse]

POLL_SECONDS = 0.02
PROBE_SECONDS = 10.0
STOPPED_SECONDS = 5.0
"""How long `Start.AFTER_A_CRASH` waits for somebody else to start the daemon that was stopped."""


class Start(Enum):
    """Whether a daemon may be started."""

    NEVER = "never"
    ON_DEMAND = "on demand"
    AFTER_A_CRASH = "after a crash"
    """Only in place of one that ended without taking its leave: who stops a daemon wants it stopped."""


def reach(
    start: Start, timeout: float, leaving: str = "", on_start: Callable[[], None] | None = None
) -> Reached:
    """A connection to a daemon that has answered, and what it says of itself.

    Args:
        start: whether to start one if there is none.
        timeout: seconds to wait for a daemon that starts or goes away.
        leaving: token of a daemon that said it is going away, which is not asked again.
        on_start: called once, before a daemon is started.

    Raises:
        DaemonUnreachable: there is none, it could not be started, or it cannot be used by this program.
    """
    steps = reaching(start, timeout, leaving, on_start=on_start)
    while True:
        try:
            next(steps)
        except StopIteration as reached:
            found: Reached = reached.value
            return found
        time.sleep(POLL_SECONDS)


def reaching(
    start: Start,
    timeout: float,
    leaving: str = "",
    patience: float = PROBE_SECONDS,
    on_start: Callable[[], None] | None = None,
) -> Generator[None, None, Reached]:
    """`reach` in short steps, for hosts that must not wait: it yields wherever that one sleeps.

    `patience` is how long a step may wait for a daemon's answer, in seconds.
    """
    begun = time.monotonic()
    cause: DaemonUnreachable | None = None
    try:
        while True:
            folder = rendezvous.meeting_folder()
            left = begun + timeout - time.monotonic()
            found = Discovery.read(folder)
            if DaemonLock(folder).is_held():
                if found is not None and found.token != leaving:
                    _check_api(found)
                    try:
                        return _probe(found, min(patience, max(0.5, left)))
                    except DaemonUnreachable as failure:
                        cause = failure  # it is still opening its door, or already on its way out
                        if failure.code == "api-version":
                            raise
                if left <= 0:
                    raise _silent(folder, timeout, cause)
            elif start is Start.NEVER:
                raise DaemonUnreachable(
                    "daemon-unreachable",
                    "No daemon is running.",
                    "Start one with `flowanchor serve`.",
                    stopped=True,
                )
            elif start is Start.AFTER_A_CRASH and found is None:
                if time.monotonic() - begun > min(timeout, STOPPED_SECONDS):
                    raise DaemonUnreachable(
                        "daemon-unreachable",
                        "The daemon was stopped.",
                        "Its jobs go on when it runs again.",
                        stopped=True,
                    )
            else:
                if on_start is not None:
                    on_start()
                    on_start = None
                yield from starting(folder, max(left, 1.0), stale=found)
                continue
            yield
    except RendezvousError as failure:
        raise DaemonUnreachable(failure.code, failure.message, failure.action) from failure


def _probe(found: Discovery, timeout: float) -> Reached:
    connection = Connection(found.address, found.token)
    try:
        return connection, connection.call(
            connection.system.GetInfo, system_pb2.GetInfoRequest(), timeout=timeout
        )
    except BaseException:
        connection.close()
        raise


def _check_api(found: Discovery) -> None:
    ours = rendezvous.API
    if found.api[0] != ours[0]:
        raise DaemonUnreachable(
            "api-version",
            f"The running daemon (FlowAnchor {found.version}) speaks version {found.api[0]} of the API, "
            f"this program version {ours[0]}.",
            "Update the older of the two, then restart the daemon with `flowanchor stop`.",
        )


def _silent(folder: Path, timeout: float, cause: DaemonUnreachable | None) -> DaemonUnreachable:
    who = DaemonLock(folder).holder()
    name = "The daemon" if who is None else f"The daemon (process {who})"
    reason = "" if cause is None else f" {cause.message}"
    return DaemonUnreachable(
        "daemon-unreachable",
        f"{name} runs, but did not answer within {timeout:.0f} s.{reason}",
        "Wait a moment; if it stays silent, end that process.",
    )
