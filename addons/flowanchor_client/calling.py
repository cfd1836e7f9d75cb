# SPDX-License-Identifier: Apache-2.0
"""How a client reaches its daemon and makes its calls: again on a new connection, where one was lost."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

import grpc
from flowanchor.v1 import system_pb2

from flowanchor_client.channel import CALL_SECONDS, Connection
from flowanchor_client.connect import Start, reach
from flowanchor_client.errors import DaemonUnreachable

Request = TypeVar("Request")
Response = TypeVar("Response")
Method = Callable[[Connection], "grpc.UnaryUnaryMultiCallable[Request, Response]"]

_TRIES = 4
_FINAL = frozenset({"api-version", "daemon-silent"})
"""Codes of DaemonUnreachable that another try does not change."""


class Calling:
    """A connection that is made anew when it is lost. Use it in a `with` block or `close` it."""

    def __init__(
        self,
        connection: Connection,
        info: system_pb2.GetInfoResponse,
        client: str,
        start: Start | None,
        timeout: float,
        on_start: Callable[[], None] | None = None,
    ) -> None:
        """See `connect`. `start` is None for a daemon with a fixed address."""
        self._on_start = on_start
        self._connection = connection
        self._info = info
        self._client = client
        self._follower = uuid.uuid4().hex
        self._start = start
        self._timeout = timeout

    @classmethod
    def connect(
        cls,
        start: bool = True,
        client: str = "cli",
        timeout: float = 20.0,
        *,
        on_start: Callable[[], None] | None = None,
        address: str | None = None,
        token: str = "",
        root_certificates: bytes | None = None,
    ) -> Self:
        """Connect to the user's daemon, started if there is none and `start` allows it.

        Args:
            start: whether a daemon may be started, now and whenever it is found gone.
            client: name of the program for lists of jobs, at most 40 characters.
            timeout: seconds to wait for a daemon that starts or goes away.
            on_start: called before a daemon is started, now and later.
            address, token, root_certificates: of a daemon elsewhere (see `Connection`), never started.

        Raises:
            DaemonUnreachable: with the cause; its `log` has what a daemon that failed to start wrote last.
        """
        if address is not None:
            connection = Connection(address, token, root_certificates)
            try:
                info = connection.call(connection.system.GetInfo, system_pb2.GetInfoRequest(), timeout)
            except BaseException:
                connection.close()
                raise
            return cls(connection, info, client, None, timeout)
        mode = Start.ON_DEMAND if start else Start.NEVER
        connection, info = reach(mode, timeout, on_start=on_start)
        return cls(connection, info, client, mode, timeout, on_start)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection; the daemon stays."""
        self._connection.close()

    def info(self) -> system_pb2.GetInfoResponse:
        """Version, capabilities and limits, as read when the connection was made: no call."""
        return self._info

    @property
    def address(self) -> str:
        return self._connection.address

    @property
    def warning(self) -> str | None:
        """What the daemon says about a client that is newer than itself."""
        return self._connection.warning

    def _call(
        self,
        method: Method[Request, Response],
        request: Request,
        timeout: float = CALL_SECONDS,
        start: Start | None = None,
    ) -> Response:
        """Make a call; where the daemon cannot be reached, connect anew and make it again."""
        for tries in range(1, _TRIES + 1):
            try:
                return self._connection.call(method(self._connection), request, timeout)
            except DaemonUnreachable as failure:
                if failure.code in _FINAL or tries == _TRIES:
                    raise
                leaving = self._connection.token if failure.code == "draining" else ""
            self._reconnect(start or self._start, tries, leaving)
        raise AssertionError("a call neither succeeded nor failed")

    def _reconnect(self, start: Start | None, tries: int, leaving: str) -> None:
        if start is None:  # a fixed address: the channel finds its way back by itself, if there is one
            time.sleep(0.2 * 2**tries)
            return
        if tries > 1:
            time.sleep(0.1 * 2**tries)
        connection, self._info = reach(start, self._timeout, leaving, self._on_start)
        self._connection.close()
        self._connection = connection
