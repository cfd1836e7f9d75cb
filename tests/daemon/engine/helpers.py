# SPDX-License-Identifier: Apache-2.0
"""Clips, runs and their events for the engine's tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import types_pb2
from flowanchor_daemon.engine.local import LocalEngine
from numpy.typing import NDArray

from tests.daemon import processes


def write_clip(path: Path, width: int, height: int, frames: int) -> Path:
    """A lossless clip of moving ramps at 24 frames a second."""
    y, x = np.mgrid[:height, :width]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=Fraction(24))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv444p"
        for index in range(frames):
            rgb = np.stack([x * 4 + index, y * 5, (x + y + 3 * index) * 2], axis=-1) % 256
            picture = av.VideoFrame.from_ndarray(rgb.astype(np.uint8), format="rgb24")
            container.mux(stream.encode(picture.reformat(format="yuv444p")))
        container.mux(stream.encode(None))
    return path


def samples(path: Path) -> NDArray[np.uint8]:
    """All frames in their own planes, [T, 3, H, W]."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray() for frame in container.decode(video=0)])


def make_run(
    job: str, model: Path, clip: Path, out: Path, /, side: int = 32, **changes: object
) -> engine_pb2.Run:
    """An edit of a square of `side` pixels in the middle of a clip, delivered as ffv1; `changes` go into its
    request."""
    out.mkdir(parents=True, exist_ok=True)
    with av.open(str(clip)) as container:
        width, height = container.streams.video[0].width, container.streams.video[0].height
    box = types_pb2.Box(x=(width - side) / 2, y=(height - side) / 2, width=side, height=side)
    edit = types_pb2.EditRequest(
        clip=types_pb2.Clip(movie=types_pb2.MediaRef(sha256="0" * 64, name="clip.mkv", suffix=".mkv")),
        geometry=[types_pb2.Geometry(box=box)],
        source_prompt="a red circle",
        target_prompt="a blue circle",
        model=str(model),
        delivery=types_pb2.DeliverySettings(kind="full", format="ffv1"),
        region=types_pb2.RegionSettings(margin=0.25, feather=2),
    )
    edit.MergeFrom(types_pb2.EditRequest(**changes))  # type: ignore[arg-type]
    return engine_pb2.Run(
        job=job,
        attempt=1,
        edit=edit,
        clip=engine_pb2.ClipFiles(path=str(clip)),
        output_folder=str(out),
        checkpoint=str(out.parent / "checkpoint"),
        checkpoint_every=2,
        memory_plan="full",
    )


async def follow(
    engine: LocalEngine,
    run: engine_pb2.Run,
    on_event: Callable[[engine_pb2.Event], Awaitable[None]] | None = None,
) -> list[engine_pb2.Event]:
    """All events of a run on the CPU."""
    events: list[engine_pb2.Event] = []
    stream: AsyncGenerator[engine_pb2.Event, None] = engine.run(run, "cpu")
    async with aclosing(stream):
        async for event in stream:
            events.append(event)
            if on_event is not None:
                await on_event(event)
    return events


def ended(events: list[engine_pb2.Event]) -> str | None:
    """Which event came last."""
    return events[-1].WhichOneof("event")


def steps(events: list[engine_pb2.Event], phase: str) -> list[int]:
    return [
        event.progress.step
        for event in events
        if event.HasField("progress") and event.progress.phase == phase and event.progress.step
    ]


async def gone(pid: int) -> bool:
    """Wait for the end of a process, which may be a zombie then."""
    async with asyncio.timeout(120):
        while not processes.gone(pid):
            await asyncio.sleep(0.02)
    return True
