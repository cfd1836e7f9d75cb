# SPDX-License-Identifier: Apache-2.0
"""The daemon's end: once asked for, calls that would begin new work are refused."""

from __future__ import annotations

import asyncio
from typing import Final

import grpc
import grpc.aio

from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.server.handlers import Continuation, Handler, refusal

_NEW_WORK: Final = frozenset(
    {
        "/flowanchor.v1.Jobs/SubmitJob",
        "/flowanchor.v1.Jobs/RetryJob",
        "/flowanchor.v1.Jobs/VaryJob",
        "/flowanchor.v1.Media/UploadMedia",
        "/flowanchor.v1.Media/UploadChunk",
        "/flowanchor.v1.Models/PullModel",
        "/flowanchor.v1.Models/VerifyModel",
        "/flowanchor.v1.Models/LoadModel",
    }
)


class Ending:
    """Asked for once, by a signal, a Shutdown call or idleness. `now`: calls in flight are not waited for.

    `comes_back`: who waits for a job is to start the daemon anew, as after a crash.
    """

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self.now = False
        self.by_signal = False
        self.comes_back = False
        self.reason = ""

    def ask(self, reason: str, now: bool = False, comes_back: bool = False) -> None:
        """Begin the end; a later call can only make it hurry."""
        self.comes_back = comes_back if not self.asked else self.comes_back and comes_back
        self.reason = self.reason or reason
        self.now = self.now or now
        self._asked.set()

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    async def wait(self) -> None:
        """Return when the end has been asked for."""
        await self._asked.wait()


class DrainInterceptor(grpc.aio.ServerInterceptor):
    """Refuses new work with "draining" once the end has been asked for; jobs can still be looked at."""

    def __init__(self, ending: Ending) -> None:
        self._ending = ending

    async def intercept_service(
        self,
        continuation: Continuation,
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        if self._ending.asked and handler_call_details.method in _NEW_WORK:
            return refusal(ServiceError("draining"))
        return await continuation(handler_call_details)
