# SPDX-License-Identifier: Apache-2.0
"""Whether a caller's version of the API fits this daemon's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
from flowanchor.rendezvous import API, API_KEY, WARNING_KEY, format_api, parse_api

from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.server.handlers import HEALTH, Context, Continuation, Handler, refusal, wrapped


class VersionInterceptor(grpc.aio.ServerInterceptor):
    """Refuses callers of another major version; tells those of a newer minor one that the daemon is older.

    A call that states no version is taken for one of ours.
    """

    async def intercept_service(
        self,
        continuation: Continuation,
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        metadata: Any = handler_call_details.invocation_metadata or ()
        stated = dict(metadata).get(API_KEY)
        if stated is None or handler_call_details.method.startswith(HEALTH):
            return await continuation(handler_call_details)
        version = parse_api(stated if isinstance(stated, str) else "")
        if version is None or version[0] != API[0]:
            shown = format_api(version) if version else "an unreadable version"
            return refusal(
                ServiceError(
                    "api-version",
                    f"The program speaks {shown} of the API, the daemon {format_api()}.",
                    daemon=format_api(),
                )
            )
        handler = await continuation(handler_call_details)
        if handler is None or version[1] <= API[1]:
            return handler
        return wrapped(handler, _warned(format_api(version)))


def _warned(version: str) -> Any:
    @asynccontextmanager
    async def around(context: Context) -> AsyncIterator[None]:
        text = f"The program speaks {version} of the API, the daemon {format_api()}: update the daemon."
        context.set_trailing_metadata(((WARNING_KEY, text),))
        yield

    return around
