# SPDX-License-Identifier: Apache-2.0
"""Exceptions of the services become statuses. What nobody expected is logged and told without its insides."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import grpc.aio

from flowanchor_core.errors import FlowAnchorError
from flowanchor_daemon.errors.details import abort
from flowanchor_daemon.errors.failure import failure_error
from flowanchor_daemon.server.handlers import HEALTH, Context, Continuation, Handler, wrapped

log = logging.getLogger(__name__)


class ErrorInterceptor(grpc.aio.ServerInterceptor):
    """Ends calls whose method raised with the failure's status and details."""

    async def intercept_service(
        self,
        continuation: Continuation,
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith(HEALTH):
            return handler

        @asynccontextmanager
        async def around(context: Context) -> AsyncIterator[None]:
            try:
                yield
            except grpc.aio.AbortError:
                raise  # the method has ended the call itself
            except FlowAnchorError as failure:
                log.info("%s: %s", method, failure.code)
                await abort(context, failure)
            except Exception as failure:
                if (stated := getattr(failure, "failure", None)) is not None:  # the engine's, as a message
                    log.info("%s: %s", method, stated.code)
                    await abort(context, failure_error(stated))
                log.exception("%s failed unexpectedly", method)
                await abort(context, failure)

        return wrapped(handler, around)
