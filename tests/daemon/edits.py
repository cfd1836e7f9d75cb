# SPDX-License-Identifier: Apache-2.0
"""Edits for tests of whole daemons: a small clip, sent and submitted over the wire."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import Any

from flowanchor.v1 import jobs_pb2, media_pb2, types_pb2

from tests.daemon.engine.helpers import write_clip
from tests.daemon.processes import Caller, RunningDaemon, until

ENDED = (
    jobs_pb2.JOB_STATE_SUCCEEDED,
    jobs_pb2.JOB_STATE_FAILED,
    jobs_pb2.JOB_STATE_CANCELLED,
)


def upload(caller: Caller, path: Path) -> types_pb2.MediaRef:
    """Send a small file in one piece."""
    data = path.read_bytes()
    request = media_pb2.UploadChunkRequest(data=data)
    request.header.sha256 = hashlib.sha256(data).hexdigest()
    request.header.total_bytes = len(data)
    answer = caller.media.UploadChunk(request, timeout=120, metadata=caller.metadata)
    assert answer.media.complete
    return types_pb2.MediaRef(sha256=answer.media.sha256, name=path.name, suffix=path.suffix)


def small_edit(caller: Caller, folder: Path, steps: int = 4, **changes: Any) -> types_pb2.EditRequest:
    """An edit of a 64x48 clip of 9 frames by the shipped model, its clip uploaded; `steps` make it slow."""
    path = folder / "clip.mkv"
    clip = upload(caller, path if path.exists() else write_clip(path, 64, 48, 9))
    edit = types_pb2.EditRequest(
        clip=types_pb2.Clip(movie=clip),
        geometry=[types_pb2.Geometry(box=types_pb2.Box(x=16, y=8, width=32, height=32))],
        source_prompt="a red circle",
        target_prompt="a blue circle",
        sampling=types_pb2.Sampling(steps=steps),
        delivery=types_pb2.DeliverySettings(kind="full", format="ffv1"),
        device="cpu",
        seed=7,
    )
    edit.MergeFrom(types_pb2.EditRequest(**changes))
    return edit


def submit(caller: Caller, edit: types_pb2.EditRequest) -> jobs_pb2.Job:
    request = jobs_pb2.SubmitJobRequest(request_id=str(uuid.uuid4()), edit=edit, client="test")
    return caller.jobs.SubmitJob(request, timeout=120, metadata=caller.metadata).job


def get(caller: Caller, job: str) -> jobs_pb2.Job:
    request = jobs_pb2.GetJobRequest(id=job, preview_since=-1)
    return caller.jobs.GetJob(request, timeout=120, metadata=caller.metadata).job


def wait_for_step(running: RunningDaemon, caller: Caller, job: str, step: int) -> None:
    """Return once the job's sampling has done `step` steps."""

    def look() -> bool:
        found = get(caller, job)
        assert found.state not in ENDED, f"it ended early: {found.failure} {running.log}"
        return found.progress.phase == "edit" and found.progress.step >= step

    until(look, f"job {job} reaches step {step}", 200)


def wait_for_end(caller: Caller, job: str) -> jobs_pb2.Job:
    """The job once it has ended."""

    def look() -> jobs_pb2.Job | None:
        found = get(caller, job)
        return found if found.state in ENDED else None

    return until(look, f"job {job} ends", 200)
