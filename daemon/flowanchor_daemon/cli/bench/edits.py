# SPDX-License-Identifier: Apache-2.0
"""Edits that are measured: the demo's, in-process and through the daemon, and ones of noise."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_client import Client, failure_of_job

from flowanchor_daemon.cli.edit_upload import message, ship, uploaded

if TYPE_CHECKING:
    from flowanchor_core.backbone import Backbone
    from flowanchor_core.edit_plan import EditPlan
    from flowanchor_core.request import EditRequest

LAST = 16
"""Last frame of an edit: the model's native 17 frames."""


def demo_request(folder: Path, out: str) -> EditRequest:
    """The demo's first edit, its clip in `folder`."""
    from flowanchor_core.request import DeliverySettings, EditRequest, RegionSettings
    from flowanchor_core.shapes.demo import demo_clip

    folder.mkdir(exist_ok=True)
    clip = demo_clip(folder)
    edit = clip.edits[0]
    return EditRequest(
        clip=clip.clip,
        delivery=DeliverySettings(folder / out, "full", "ffv1"),
        source_prompt=clip.source_prompt,
        target_prompt=edit.target_prompt,
        words=edit.words,
        masks=(edit.mask,),
        region=RegionSettings(feather=2),
    )


def edit_in_process(request: EditRequest, backbone: Backbone) -> float:
    """Seconds of an edit here."""
    from flowanchor_core.edit import plan_edit, run_edit

    begun = time.perf_counter()
    for _ in run_edit(plan_edit(request), backbone):
        pass
    return time.perf_counter() - begun


def edit_through(client: Client, request: EditRequest) -> float:
    """Seconds of the same edit as `flowanchor edit` makes it: checked, sent, watched and fetched."""
    from flowanchor_core.edit_plan import plan_edit

    begun = time.perf_counter()
    plan = plan_edit(request)
    job = finished(client, client.submit(as_message(client, plan)))
    client.download(job.id, job.artifacts[0], request.delivery.out)
    return time.perf_counter() - begun


def as_message(client: Client, plan: EditPlan) -> types_pb2.EditRequest:
    """An edit for the daemon, its files sent."""
    shipment = ship(plan)
    sent = uploaded(client.upload_all, shipment)
    suffixes = client.info().limits.media_suffixes
    return message(plan, shipment, sent, suffixes, plan.request.model, "cpu", {})


def finished(client: Client, job: jobs_pb2.Job) -> jobs_pb2.Job:
    """The job when it has succeeded; raises what it failed with."""
    for update in client.watch(job.id):
        job = update.job
    if job.state != jobs_pb2.JOB_STATE_SUCCEEDED:
        raise failure_of_job(job)
    return job


def write_clip(path: Path, width: int, height: int, frames: int) -> None:
    """A lossless clip of noise: large, and drawn without a model."""
    import av
    import numpy as np

    random = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=Fraction(24), options={"slices": "4"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for _ in range(frames):
            planes = random.integers(16, 236, (height * 3 // 2, width), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))


def edit_of(sha256: str, last: int, steps: int) -> types_pb2.EditRequest:
    """An edit of a small box in an uploaded clip."""
    return types_pb2.EditRequest(
        clip=types_pb2.Clip(movie=types_pb2.MediaRef(sha256=sha256, name="clip.mkv", suffix=".mkv")),
        last=last,
        geometry=[types_pb2.Geometry(box=types_pb2.Box(x=16, y=16, width=32, height=32))],
        source_prompt="a red circle on grey stripes",
        target_prompt="a green circle on grey stripes",
        words=["green circle"],
        model="shapes",
        sampling=types_pb2.Sampling(steps=steps, skip=0),
        delivery=types_pb2.DeliverySettings(format="ffv1"),
        device="cpu",
    )
