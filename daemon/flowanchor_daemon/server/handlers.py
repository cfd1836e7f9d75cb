# SPDX-License-Identifier: Apache-2.0
"""What interceptors share: running something around a method, and refusing a call before anything is read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from flowanchor_core.errors import FlowAnchorError
from flowanchor_daemon.errors.details import abort

if TYPE_CHECKING:  # generic in the type stubs alone
    Context = grpc.aio.ServicerContext[Any, Any]
    Handler = grpc.RpcMethodHandler[Any, Any]
    Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]]
else:
    Context, Handler, Continuation = grpc.aio.ServicerContext, grpc.RpcMethodHandler, Callable
Around = Callable[[Context], AbstractAsyncContextManager[None]]

HEALTH = "/grpc.health.v1.Health/"
"""Start of the names of the only methods that anybody may call."""


def wrapped(handler: Handler, around: Around) -> Handler:
    """The method with `around` entered before it and left after it, whatever kind of method it is."""
    codec = {
        "request_deserializer": handler.request_deserializer,
        "response_serializer": handler.response_serializer,
    }
    if handler.response_streaming:
        streaming: Any = handler.stream_stream if handler.request_streaming else handler.unary_stream

        async def stream(request: Any, context: Context) -> AsyncIterator[Any]:
            # Closed, not left to the collector: a client that hangs up must free what its stream holds.
            async with around(context), aclosing(streaming(request, context)) as responses:
                async for response in responses:
                    yield response

        if handler.request_streaming:
            return grpc.stream_stream_rpc_method_handler(stream, **codec)
        return grpc.unary_stream_rpc_method_handler(stream, **codec)

    single: Any = handler.stream_unary if handler.request_streaming else handler.unary_unary

    async def answer(request: Any, context: Context) -> Any:
        async with around(context):
            return await single(request, context)

    if handler.request_streaming:
        return grpc.stream_unary_rpc_method_handler(answer, **codec)
    return grpc.unary_unary_rpc_method_handler(answer, **codec)


def refusal(failure: FlowAnchorError) -> Handler:
    """A method that fails without reading what the client sends.

    Declared to stream requests, whatever the real one does: only then does gRPC call it before it takes in
    (and holds in memory) a message.
    """

    async def refuse(_: AsyncIterator[Any], context: Context) -> Any:
        await abort(context, failure)

    return grpc.stream_unary_rpc_method_handler(refuse)
