# SPDX-License-Identifier: Apache-2.0
"""The token on every call. Only grpc.health.v1 is open: whether something serves is no secret."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import grpc
import grpc.aio
from flowanchor.rendezvous import TOKEN_KEY, bearer

from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.server.handlers import HEALTH, Continuation, Handler, refusal


class TokenInterceptor(grpc.aio.ServerInterceptor):
    """Refuses calls without this daemon's token, unknown methods too, before a message of theirs is read."""

    def __init__(self, token: str) -> None:
        self._digest = _digest(bearer(token))
        self._refusal = refusal(ServiceError("unauthenticated"))

    async def intercept_service(
        self,
        continuation: Continuation,
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        method = handler_call_details.method
        if method.startswith(HEALTH) or self._accepts(handler_call_details.invocation_metadata):
            return await continuation(handler_call_details)
        return self._refusal

    def _accepts(self, metadata: Any) -> bool:
        given = [value for key, value in metadata or () if key == TOKEN_KEY]
        # One comparison of equal length in every case, so that time tells neither length nor content.
        same = hmac.compare_digest(_digest(given[0] if given else ""), self._digest)
        return same and len(given) == 1


def _digest(value: str | bytes) -> bytes:
    return hashlib.sha256(value.encode() if isinstance(value, str) else value).digest()
