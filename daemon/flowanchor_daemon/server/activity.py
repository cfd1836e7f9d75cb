# SPDX-License-Identifier: Apache-2.0
"""Whether anybody needs the daemon: calls in flight and the time since the last one."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import grpc
import grpc.aio

from flowanchor_daemon.server.handlers import HEALTH, Context, Continuation, Handler, wrapped


class Activity:
    """Counts calls. `clock` gives seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._calls = 0
        self._last = clock()

    @asynccontextmanager
    async def call(self, context: Context | None = None) -> AsyncIterator[None]:
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1
            self.touch()

    def touch(self) -> None:
        """Something happened that makes the daemon needed."""
        self._last = self._clock()

    @property
    def calls(self) -> int:
        """Calls in flight."""
        return self._calls

    @property
    def idle_seconds(self) -> float:
        """Time since the last call ended; 0 while one is in flight."""
        return 0.0 if self._calls else self._clock() - self._last


class ActivityInterceptor(grpc.aio.ServerInterceptor):
    """Counts every call but those of grpc.health.v1: being looked at does not keep the daemon alive."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    async def intercept_service(
        self,
        continuation: Continuation,
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        handler = await continuation(handler_call_details)
        if handler is None or handler_call_details.method.startswith(HEALTH):
            return handler
        return wrapped(handler, self._activity.call)
