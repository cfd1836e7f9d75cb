# SPDX-License-Identifier: Apache-2.0
"""Folders of a user's, and a stand-in for the daemon: its calls, its lock and its discovery file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import grpc
import pytest
from flowanchor import rendezvous
from flowanchor.rendezvous import DaemonLock, Discovery
from flowanchor.v1 import jobs_pb2, jobs_pb2_grpc, system_pb2, system_pb2_grpc
from flowanchor_daemon.doctor import Places, service


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    for name in ("STATE", "RUNTIME", "CACHE", "MODELS"):
        monkeypatch.setenv(f"FLOWANCHOR_{name}", str(tmp_path / name.lower()))
    return Places.default()


class FakeDaemon(system_pb2_grpc.SystemServicer, jobs_pb2_grpc.JobsServicer):
    """Answers what it was told to, as a daemon whose lock is held by this process."""

    def __init__(self) -> None:
        self.token = rendezvous.new_token()
        self.info = system_pb2.GetInfoResponse(version="0.1.0", api_major=1, api_minor=0)
        self.answer = system_pb2.DiagnoseResponse(
            engine=system_pb2.ENGINE_STATE_STOPPED, pid=os.getpid(), uptime_seconds=30
        )
        self.jobs: list[jobs_pb2.Job] = []

    def GetInfo(
        self, request: system_pb2.GetInfoRequest, context: grpc.ServicerContext
    ) -> system_pb2.GetInfoResponse:
        return self.info

    def Diagnose(
        self, request: system_pb2.DiagnoseRequest, context: grpc.ServicerContext
    ) -> system_pb2.DiagnoseResponse:
        return self.answer

    def ListJobs(
        self, request: jobs_pb2.ListJobsRequest, context: grpc.ServicerContext
    ) -> jobs_pb2.ListJobsResponse:
        listed = []
        for job in self.jobs:
            listed.append(jobs_pb2.Job())
            listed[-1].CopyFrom(job)
            listed[-1].ClearField("request")
        return jobs_pb2.ListJobsResponse(jobs=listed, total=len(listed))

    def GetJob(
        self, request: jobs_pb2.GetJobRequest, context: grpc.ServicerContext
    ) -> jobs_pb2.GetJobResponse:
        job = next(job for job in self.jobs if job.id == request.id)
        return jobs_pb2.GetJobResponse(changed=True, job=job)


@pytest.fixture
def daemon(places: Places, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDaemon]:
    """A stand-in that serves at the places' meeting point until the test ends."""
    monkeypatch.setattr(service, "ANSWER_SECONDS", 120.0)
    fake = FakeDaemon()  # type: ignore[abstract]  # calls it lacks are answered with UNIMPLEMENTED
    server = grpc.server(futures.ThreadPoolExecutor(2))
    system_pb2_grpc.add_SystemServicer_to_server(fake, server)
    jobs_pb2_grpc.add_JobsServicer_to_server(fake, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    folder = rendezvous.private_folder(places.runtime)
    with DaemonLock(folder) as lock:
        assert lock.acquire()
        Discovery(os.getpid(), f"127.0.0.1:{port}", rendezvous.API, "0.1.0", fake.token, 0).write(folder)
        yield fake
    server.stop(None).wait()
