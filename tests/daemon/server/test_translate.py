# SPDX-License-Identifier: Apache-2.0
"""Interceptors around methods of every kind, in a server of the test's own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest
from flowanchor.v1 import types_pb2
from flowanchor_daemon.engine.api import EngineFailed
from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.server.activity import Activity, ActivityInterceptor
from flowanchor_daemon.server.draining import DrainInterceptor, Ending
from flowanchor_daemon.server.translate import ErrorInterceptor

from flowanchor_core.errors import DeliveryError, InputError
from tests.daemon.processes import failure_of

KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
SECRET = "/home/anna/secret"


def methods(act: Callable[[], bytes]) -> grpc.GenericRpcHandler:
    """A service "t.T" with a method of each kind; each answers with what `act` gives."""

    async def single(request: Any, context: Any) -> bytes:
        return act()

    async def stream(request: Any, context: Any) -> AsyncIterator[bytes]:
        yield b"first"
        yield act()

    made: dict[str, Any] = {
        kind: getattr(grpc, f"{kind}_rpc_method_handler")(
            stream if kind.endswith("stream") else single,
            request_deserializer=bytes,
            response_serializer=bytes,
        )
        for kind in KINDS
    }
    return grpc.method_handlers_generic_handler("t.T", made)


@asynccontextmanager
async def served(act: Callable[[], bytes], *interceptors: grpc.aio.ServerInterceptor) -> AsyncIterator[Any]:
    server = grpc.aio.server(interceptors=interceptors)
    server.add_generic_rpc_handlers((methods(act),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        await server.stop(0)


async def call(channel: Any, kind: str, path: str = "") -> bytes:
    """The last answer of a method."""
    stub = getattr(channel, kind)(path or f"/t.T/{kind}")
    request = b"x"
    if kind.startswith("stream"):

        async def requests() -> AsyncIterator[bytes]:
            yield request

        answer = stub(requests(), timeout=120)
    else:
        answer = stub(request, timeout=120)
    if not kind.endswith("stream"):
        return bytes(await answer)
    return [bytes(piece) async for piece in answer][-1]


def raising(failure: Exception) -> Callable[[], bytes]:
    def act() -> bytes:
        raise failure

    return act


def run(coroutine: Any) -> Any:
    return asyncio.run(coroutine)


@pytest.mark.parametrize("kind", KINDS)
def test_methods_that_succeed_are_left_alone(kind: str) -> None:
    async def scene() -> bytes:
        async with served(lambda: b"fine", ErrorInterceptor(), ActivityInterceptor(Activity())) as channel:
            return await call(channel, kind)

    assert run(scene()) == b"fine"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("failure", "code", "status"),
    [
        (ServiceError("quota-full"), "quota-full", grpc.StatusCode.RESOURCE_EXHAUSTED),
        (InputError("no-video", "No picture.", "Give one."), "no-video", grpc.StatusCode.INVALID_ARGUMENT),
        (DeliveryError("disk-full", "Full.", "Free some."), "disk-full", grpc.StatusCode.RESOURCE_EXHAUSTED),
        (
            EngineFailed(types_pb2.Failure(code="model-load", message="No.", action="Do.")),
            "model-load",
            grpc.StatusCode.FAILED_PRECONDITION,
        ),
    ],
)
def test_failures_become_statuses(kind: str, failure: Exception, code: str, status: grpc.StatusCode) -> None:
    async def scene() -> grpc.aio.AioRpcError:
        async with served(raising(failure), ErrorInterceptor()) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await call(channel, kind)
            return error.value

    error = run(scene())
    assert error.code() == status
    assert failure_of(error).code == code


@pytest.mark.parametrize("kind", KINDS)
def test_what_nobody_expected_is_logged_and_tells_nothing(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> grpc.aio.AioRpcError:
        async with served(raising(RuntimeError(SECRET)), ErrorInterceptor()) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await call(channel, kind)
            return error.value

    with caplog.at_level(logging.INFO):
        error = run(scene())
    assert error.code() == grpc.StatusCode.INTERNAL
    assert failure_of(error).code == "unexpected"
    assert SECRET not in repr(error)
    assert "RuntimeError" not in repr(error)
    assert any(record.exc_info and SECRET in str(record.exc_info[1]) for record in caplog.records)


@pytest.mark.parametrize("kind", KINDS)
def test_activity_counts_calls_until_they_have_ended(kind: str) -> None:
    now = [100.0]
    activity = Activity(lambda: now[0])
    seen: list[tuple[int, float]] = []

    def act() -> bytes:
        seen.append((activity.calls, activity.idle_seconds))
        now[0] += 5
        return b""

    async def scene() -> None:
        async with served(act, ActivityInterceptor(activity)) as channel:
            await call(channel, kind)

    now[0] += 7
    assert activity.idle_seconds == 7
    run(scene())
    assert seen == [(1, 0.0)]
    assert (activity.calls, activity.idle_seconds) == (0, 0.0)
    now[0] += 3
    assert activity.idle_seconds == 3


def test_activity_counts_calls_that_fail() -> None:
    activity = Activity()

    async def scene() -> None:
        async with served(raising(RuntimeError()), ActivityInterceptor(activity)) as channel:
            with pytest.raises(grpc.aio.AioRpcError):
                await call(channel, "unary_unary")

    run(scene())
    assert activity.calls == 0


def test_an_ending_daemon_takes_no_new_work() -> None:
    async def scene() -> tuple[grpc.aio.AioRpcError, bytes]:
        ending = Ending()
        async with served(lambda: b"fine", DrainInterceptor(ending)) as channel:
            ending.ask("the test")
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await call(channel, "unary_unary", "/flowanchor.v1.Jobs/SubmitJob")
            return error.value, await call(channel, "unary_unary")

    error, other = run(scene())
    assert error.code() == grpc.StatusCode.UNAVAILABLE
    assert failure_of(error).code == "draining"
    assert other == b"fine", "what begins nothing is still answered"


def test_a_client_that_hangs_up_frees_its_stream() -> None:
    activity = Activity()
    closed: list[bool] = []

    async def stream(request: Any, context: Any) -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 100_000
        finally:
            closed.append(True)

    handler = grpc.unary_stream_rpc_method_handler(stream, bytes, bytes)

    async def scene() -> None:
        server = grpc.aio.server(interceptors=(ActivityInterceptor(activity), ErrorInterceptor()))
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", {"endless": handler}),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                endless: Any = channel.unary_stream("/t.T/endless")
                answer = endless(b"")
                assert await answer.read()
                assert activity.calls == 1
                answer.cancel()
                async with asyncio.timeout(120):
                    while activity.calls or not closed:
                        await asyncio.sleep(0.01)
        finally:
            await server.stop(0)

    run(scene())
    assert closed == [True]
    assert activity.calls == 0
