# SPDX-License-Identifier: Apache-2.0
"""What the tests of the core set up: movies, worlds, and what must be as it was afterwards."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from flowanchor_daemon.cli.resolve.timecode import record_timecode, stamp
from flowanchor_resolve.host import Probed, Result, Selection
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.resolve_host import ResolveHost
from flowanchor_resolve.watch import Watch

from flowanchor_core.errors import FlowAnchorError
from flowanchor_core.footage.probe import probe as look
from tests.blender.host import numbered
from tests.resolve.standin.profiles import HOSTILE as HOSTILE
from tests.resolve.standin.world import Clip as Clip
from tests.resolve.standin.world import World as World

FRAMES = 40
SIZE = (numbered.WIDTH, numbered.HEIGHT)
QUICK = Watch(every=0.01, patience=120, silence=120, stopping=120, settling=0.01)
RATES = [
    Fraction(16),
    Fraction(18),
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
    Fraction(48000, 1001),
    Fraction(48),
    Fraction(50),
    Fraction(60000, 1001),
    Fraction(60),
    Fraction(72),
    Fraction(96),
    Fraction(100),
    Fraction(120000, 1001),
    Fraction(120),
]
STARTS = ["00:00:00:00", "01:00:00:00", "10:00:00:00"]
EDITIONS: list[tuple[str, str, str]] = [
    ("18.6", "free", "in-app"),
    ("19.1", "free", "in-app"),
    ("20", "studio", "external"),
    ("21.0.4", "studio", "external"),
    ("21.1", "studio", "external"),
]
"""Versions, editions and places in which our scripts run."""


def footage(folder: Path, rate: Fraction = Fraction(24), frames: int = FRAMES, suffix: str = ".mkv") -> Path:
    """A movie of numbered frames, lossless unless another suffix is asked for."""
    path = folder / f"{rate.numerator}-{rate.denominator}-{frames}{suffix}"
    return path if path.exists() else numbered.write_movie(path, rate, frames)


def probe(path: Path) -> Probed:
    """Looks into a movie, and whether anything of it is transparent."""
    try:
        found = look(path)
    except FlowAnchorError as failure:
        raise ResolveProblem("render-unreadable", failure.message, failure.action) from failure
    alpha = found.layout.alpha
    return Probed(
        frames=found.frames,
        rate=found.rate,
        width=found.width,
        height=found.height,
        alpha=alpha,
        start_timecode=found.start_timecode,
        transparent=alpha and any(plane.min() < 255 for plane in alphas(path)),
    )


def host_of(world: World, said: list[str] | None = None, **more: Any) -> ResolveHost:
    """Our host over a world."""
    told = [] if said is None else said
    return ResolveHost(
        world.scriptapp("Resolve"), more.pop("probe", probe), say=told.append, **{"watch": QUICK, **more}
    )


def pictures(path: Path) -> list[numbered.Picture]:
    """All frames of a movie, RGB of 8 bits."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24").astype(np.uint8) for frame in container.decode(video=0)]


def alphas(path: Path) -> list[numbered.Picture]:
    """The alpha of all frames of a movie, 8 bits."""
    with av.open(str(path)) as container:
        return [
            frame.to_ndarray(format="rgba")[..., 3].astype(np.uint8) for frame in container.decode(video=0)
        ]


def numbers(path: Path) -> list[int | None]:
    """The numbers in the frames of a movie."""
    return [numbered.number_of(frame) for frame in pictures(path)]


def result_of(path: Path, selection: Selection, **more: Any) -> Result:
    """A finished edit; its movie gets the timecode of its place, as edits have it."""
    if path.suffix == ".mov" and path.is_file():
        stamp(path, record_timecode(selection))
    return Result(
        **{
            "path": path,
            "frames": selection.frames,
            "deliver": "full",
            "job": "job-1",
            "seed": 7,
            "source_prompt": "a red car",
            "target_prompt": "a green car",
            "settings": {"words": "green", "preset": "draft"},
            **more,
        }
    )


def write_result(path: Path, rate: Fraction, frames: int) -> Path:
    """A movie as edits deliver it: a ProRes patch with alpha."""
    return numbered.write_patch(path, rate, frames)


def state_of(world: World) -> dict[str, Any]:
    """All that a user would see changed in Resolve: page, timeline, tracks and their clips, markers, marks,
    bins, Deliver page, render queue."""
    project = world.project
    assert project is not None
    render = project.render
    deletes = world.overlay.number >= (19, 1)
    """Whether this Resolve lets scripts delete render presets."""
    return {
        "page": world.app.page,
        "dialog": world.dialog,
        "timeline": project.current and project.current.uid,
        "bin": project.pool.current.uid,
        "timelines": {one.uid: _timeline(one) for one in project.timelines},
        "format": (render.state.format, render.state.codec),
        "settings": dict(render.state.settings),
        "unseen": dict(render.state.unseen),
        "mode": render.mode,
        "presets": sorted(name for name in render.presets if deletes or not name.startswith("FlowAnchor")),
        "queue": [job.id for job in project.jobs],
    }


def own_settings(world: World, folder: Path) -> None:
    """Deliver page settings as a user might have left them."""
    assert world.project is not None
    render = world.project.render
    render.state.format, render.state.codec, render.mode = "mp4", "H264", 0
    render.state.settings = {
        "ExportVideo": True,
        "ExportAudio": True,
        "TargetDir": str(folder),
        "CustomName": "mine",
        "SelectAllFrames": False,
        "MarkIn": 86410,
        "MarkOut": 86411,
        "FormatWidth": 64,
        "FormatHeight": 32,
        "VideoQuality": "Low",
    }


def bins(world: World) -> dict[str, list[str]]:
    """Bins with their clips, by name."""
    project = world.project
    assert project is not None

    def walk(folder: Any, path: str) -> dict[str, list[str]]:
        here = {path: sorted(clip.GetName() for clip in folder.clips)}
        for inner in folder.folders:
            here |= walk(inner, f"{path}/{inner.name}")
        return here

    return walk(project.pool.root, "")


def _timeline(timeline: Any) -> dict[str, Any]:
    return {
        "marks": dict(timeline.GetMarkInOut()),
        "playhead": timeline.playhead,
        "markers": {frame: vars(one) for frame, one in timeline.markers.items()},
        "tracks": {
            kind: [
                (
                    track.name,
                    track.enabled,
                    track.locked,
                    [
                        (one.uid, one.start, one.duration, one.first, len(one.takes), one.selected)
                        for one in track.items
                    ],
                )
                for track in tracks
            ]
            for kind, tracks in timeline.tracks.items()
        },
    }


def grey(level: int, size: tuple[int, int] = SIZE) -> numbered.Picture:
    """A picture of one grey."""
    return np.full((size[1], size[0], 3), level, np.uint8)


def placing(
    world: World, footage: Callable[..., Path], hosting: Callable[..., ResolveHost], **more: Any
) -> tuple[ResolveHost, Selection]:
    """A timeline of three clips, our host over it, and the clip in the middle selected."""
    world.add_timeline(
        clips=[
            Clip(footage(), at=0, frames=10, name="before"),
            Clip(footage(), at=10, first=5, frames=20, name="ours"),
            Clip(footage(), at=30, frames=10, name="after"),
        ],
        **more,
    )
    host = hosting(world)
    return host, host.select(clip="ours")
