# SPDX-License-Identifier: Apache-2.0
"""Clients that hang up on a real server while they wait: nothing of theirs stays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import grpc.aio
import pytest
from flowanchor.v1 import jobs_pb2, jobs_pb2_grpc
from flowanchor_daemon.media.quota import MediaLimits
from flowanchor_daemon.models.manager import ModelManager
from flowanchor_daemon.queue.jobs_service import JobsService
from flowanchor_daemon.queue.limits import limits_with

from tests.daemon.queue.bench import LIMIT_SECONDS, Bench, bench, play
from tests.daemon.queue.standin_engine import StandInEngine


@asynccontextmanager
async def served(b: Bench) -> AsyncIterator[str]:
    """The bench's jobs over gRPC; the address."""
    server = grpc.aio.server()
    limits = limits_with(MediaLimits())
    service = JobsService(b.store, b.board, b.scheduler, b.media, cast(ModelManager, None), limits)
    jobs_pb2_grpc.add_JobsServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


async def until_watched(b: Bench, by: int) -> None:
    async with asyncio.timeout(LIMIT_SECONDS):
        while b.board.watchers != by:
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("way", ["watch", "poll"])
def test_a_client_that_hangs_up_frees_its_watcher(tmp_path: Path, way: str) -> None:
    async def scene() -> None:
        async with bench(tmp_path, StandInEngine(["hold"])) as b, served(b) as address:
            job = await b.submit()
            await b.until_held()
            seen = b.board.revision(job)
            channel = grpc.aio.insecure_channel(address)
            stub: Any = jobs_pb2_grpc.JobsStub(channel)
            calls: list[Any] = []
            for _ in range(8):
                if way == "watch":
                    call = stub.WatchJob(jobs_pb2.WatchJobRequest(id=job))
                    await call.read()
                else:
                    call = stub.GetJob(jobs_pb2.GetJobRequest(id=job, since=seen, wait_ms=30_000))
                calls.append(call)
            await until_watched(b, 8)
            calls[0].cancel()
            await until_watched(b, 7)
            await channel.close()  # the rest go with their connection
            await until_watched(b, 0)

    play(scene)
