# SPDX-License-Identifier: Apache-2.0
"""A daemon of a few lines for tests of the client: the real meeting place, the real wire, made-up answers.

`python fake_daemon.py`, told by the words of $FAKE_DAEMON how to behave: `refuse` (say why and end),
`hang` (never serve), `wait` (serve once there is a file `go-on` in its folder), `api=2` (another API),
`drain` (refuse the first submit and go away).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from flowanchor import rendezvous
from flowanchor.rendezvous import DaemonLock, Discovery
from flowanchor.v1 import (
    jobs_pb2,
    jobs_pb2_grpc,
    media_pb2,
    media_pb2_grpc,
    models_pb2,
    models_pb2_grpc,
    system_pb2,
    system_pb2_grpc,
    types_pb2,
)

BEHAVIOUR = set(os.environ.get("FAKE_DAEMON", "").split())
STEPS = 5
CONTENT = bytes(range(256)) * 20
ended = threading.Event()


def refuse(context: grpc.ServicerContext, status: grpc.StatusCode, code: str, message: str) -> None:
    """End a call as the daemon does: google.rpc details with our Failure in them."""
    failure = types_pb2.Failure(code=code, message=message, action="Do something.")
    packed = types_pb2.PackedDetail(
        type_url="type.googleapis.com/flowanchor.v1.Failure", value=failure.SerializeToString()
    )
    details = types_pb2.StatusDetails(code=status.value[0], message=message, details=[packed])
    context.set_trailing_metadata((("grpc-status-details-bin", details.SerializeToString()),))
    context.abort(status, message)


class Token(grpc.ServerInterceptor):
    def __init__(self, token: str) -> None:
        self._wanted = rendezvous.bearer(token)

    def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        given = dict(details.invocation_metadata or ())
        if given.get(rendezvous.TOKEN_KEY) == self._wanted and rendezvous.API_KEY in given:
            return continuation(details)
        return grpc.unary_unary_rpc_method_handler(
            lambda _, context: refuse(
                context, grpc.StatusCode.UNAUTHENTICATED, "unauthenticated", "No valid token."
            )
        )


class System(system_pb2_grpc.SystemServicer):
    def GetInfo(self, request: Any, context: Any) -> system_pb2.GetInfoResponse:
        limits = system_pb2.Limits(max_chunk_bytes=1000)
        return system_pb2.GetInfoResponse(version=str(os.getpid()), api_major=1, limits=limits)

    def Diagnose(self, request: Any, context: Any) -> system_pb2.DiagnoseResponse:
        return system_pb2.DiagnoseResponse(pid=os.getpid())

    def Shutdown(self, request: Any, context: Any) -> system_pb2.ShutdownResponse:
        ended.set()
        return system_pb2.ShutdownResponse()


class Jobs(jobs_pb2_grpc.JobsServicer):
    """Each look at a job is a step further; the fifth sees it succeed."""

    def __init__(self) -> None:
        self._step = 0

    def SubmitJob(self, request: Any, context: Any) -> jobs_pb2.SubmitJobResponse:
        if "drain" in BEHAVIOUR and not os.path.exists("drained"):
            Path("drained").touch()
            ended.set()
            refuse(context, grpc.StatusCode.UNAVAILABLE, "draining", "The daemon is ending.")
        return jobs_pb2.SubmitJobResponse(job=jobs_pb2.Job(id="one", request_id=request.request_id))

    def GetJob(self, request: Any, context: Any) -> jobs_pb2.GetJobResponse:
        if request.id != "one":
            refuse(context, grpc.StatusCode.NOT_FOUND, "job-unknown", f"There is no job {request.id}.")
        step = request.since + 1
        state = jobs_pb2.JOB_STATE_SUCCEEDED if step >= STEPS else jobs_pb2.JOB_STATE_RUNNING
        job = jobs_pb2.Job(id="one", state=state, revision=step, label=str(os.getpid()))
        return jobs_pb2.GetJobResponse(changed=True, job=job, preview_jpeg=b"jpeg")

    def ListJobs(self, request: Any, context: Any) -> jobs_pb2.ListJobsResponse:
        """250 jobs, by pages."""
        begin = int(request.page_token or 0)
        end = min(begin + request.page_size, 250)
        jobs = [jobs_pb2.Job(id=str(index)) for index in range(begin, end)]
        return jobs_pb2.ListJobsResponse(jobs=jobs, next_page_token=str(end) if end < 250 else "")

    def WatchJob(self, request: Any, context: Any) -> Iterator[jobs_pb2.WatchJobResponse]:
        raise AssertionError("the client never streams")

    def CancelJob(self, request: Any, context: Any) -> jobs_pb2.CancelJobResponse:
        return jobs_pb2.CancelJobResponse(job=jobs_pb2.Job(id=request.id))

    def RetryJob(self, request: Any, context: Any) -> jobs_pb2.RetryJobResponse:
        return jobs_pb2.RetryJobResponse(job=jobs_pb2.Job(id="two"))

    def VaryJob(self, request: Any, context: Any) -> jobs_pb2.VaryJobResponse:
        return jobs_pb2.VaryJobResponse(job=jobs_pb2.Job(id="three"))

    def EstimateEdit(self, request: Any, context: Any) -> jobs_pb2.EstimateEditResponse:
        return jobs_pb2.EstimateEditResponse(forwards=request.frames)

    def MoveJob(self, request: Any, context: Any) -> jobs_pb2.MoveJobResponse:
        return jobs_pb2.MoveJobResponse(job=jobs_pb2.Job(id=request.id, priority=request.priority))

    def DeleteJob(self, request: Any, context: Any) -> jobs_pb2.DeleteJobResponse:
        return jobs_pb2.DeleteJobResponse()


class Media(media_pb2_grpc.MediaServicer):
    def StatMedia(self, request: Any, context: Any) -> media_pb2.StatMediaResponse:
        return media_pb2.StatMediaResponse(media=[media_pb2.MediaState(sha256=one) for one in request.sha256])

    def UploadChunk(self, request: Any, context: Any) -> media_pb2.UploadChunkResponse:
        header = request.header
        received = header.offset + len(request.data)
        state = media_pb2.MediaState(
            sha256=header.sha256, complete=received == header.total_bytes, received_bytes=received
        )
        return media_pb2.UploadChunkResponse(media=state)

    def DownloadChunk(self, request: Any, context: Any) -> media_pb2.DownloadChunkResponse:
        return media_pb2.DownloadChunkResponse(data=CONTENT[request.offset : request.offset + 1000])

    def UploadMedia(self, request_iterator: Any, context: Any) -> media_pb2.UploadMediaResponse:
        raise AssertionError("the client never streams")

    def DownloadArtifact(self, request: Any, context: Any) -> Iterator[media_pb2.DownloadArtifactResponse]:
        raise AssertionError("the client never streams")


class Models(models_pb2_grpc.ModelsServicer):
    def ListModels(self, request: Any, context: Any) -> models_pb2.ListModelsResponse:
        return models_pb2.ListModelsResponse(models=[models_pb2.Model(name="shapes")])

    def PullModel(self, request: Any, context: Any) -> models_pb2.PullModelResponse:
        running = models_pb2.MODEL_TASK_STATE_RUNNING
        return models_pb2.PullModelResponse(task=models_pb2.ModelTask(id="t", state=running, revision=1))

    def VerifyModel(self, request: Any, context: Any) -> models_pb2.VerifyModelResponse:
        running = models_pb2.MODEL_TASK_STATE_RUNNING
        return models_pb2.VerifyModelResponse(task=models_pb2.ModelTask(id="v", state=running, revision=1))

    def CancelModelTask(self, request: Any, context: Any) -> models_pb2.CancelModelTaskResponse:
        cancelled = models_pb2.MODEL_TASK_STATE_CANCELLED
        return models_pb2.CancelModelTaskResponse(task=models_pb2.ModelTask(id=request.id, state=cancelled))

    def GetModelTask(self, request: Any, context: Any) -> models_pb2.GetModelTaskResponse:
        done = models_pb2.MODEL_TASK_STATE_SUCCEEDED
        return models_pb2.GetModelTaskResponse(task=models_pb2.ModelTask(id="t", state=done, revision=2))

    def LoadModel(self, request: Any, context: Any) -> models_pb2.LoadModelResponse:
        return models_pb2.LoadModelResponse(model=models_pb2.Model(name=request.name))

    def UnloadModel(self, request: Any, context: Any) -> models_pb2.UnloadModelResponse:
        return models_pb2.UnloadModelResponse(was_loaded=True)


def main() -> int:
    folder = rendezvous.private_folder(rendezvous.runtime_folder())
    with (folder / "starts").open("a") as starts:
        starts.write(f"{os.getpid()}\n")
    if "refuse" in BEHAVIOUR:
        print("reading the queue", "flowanchor: The queue's file is damaged.", sep="\n", file=sys.stderr)
        return 7
    if "hang" in BEHAVIOUR:
        signal.pause()
    while "wait" in BEHAVIOUR and not (folder / "go-on").exists():
        ended.wait(0.02)
    with DaemonLock(folder) as lock:
        if not lock.acquire(60.0):
            return 5
        token = rendezvous.new_token()
        server = grpc.server(futures.ThreadPoolExecutor(8), interceptors=[Token(token)])
        system_pb2_grpc.add_SystemServicer_to_server(System(), server)
        jobs_pb2_grpc.add_JobsServicer_to_server(Jobs(), server)
        media_pb2_grpc.add_MediaServicer_to_server(Media(), server)
        models_pb2_grpc.add_ModelsServicer_to_server(Models(), server)
        path = folder / rendezvous.SOCKET_FILE
        path.unlink(missing_ok=True)
        address = f"unix:{path}"
        server.add_insecure_port(address)
        server.start()
        api = (2, 0) if "api=2" in BEHAVIOUR else rendezvous.API
        Discovery(os.getpid(), address, api, "9.9", token, 0).write(folder)
        signal.signal(signal.SIGTERM, lambda *_: ended.set())
        while not ended.wait(0.05):
            pass
        Discovery.remove(folder, os.getpid())
        server.stop(0.2).wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
