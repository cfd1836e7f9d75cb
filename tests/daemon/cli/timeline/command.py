# SPDX-License-Identifier: Apache-2.0
"""Calls of `flowanchor timeline`, and an editor that marks the frames it is given and leaves their numbers
alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from flowanchor_daemon.cli.main import app
from typer.testing import CliRunner

from flowanchor_core.edit_plan import EditPlan
from flowanchor_core.footage.decode import read_frames
from flowanchor_core.footage.timecode import advance
from flowanchor_core.progress import EditResult
from tests.blender.host.numbered import HEIGHT, WIDTH
from tests.interchange.scene import EDITED, Scene, seen

PROMPTS = ["--source", "a red circle", "--target", "a blue circle", "--box", "20,20,32,32"]
NTSC = Fraction(24000, 1001)


@dataclass
class Editor:
    """Takes the place of the daemon's editor. `plans` are those it was given; `frames_less` makes it lose
    some."""

    plans: list[EditPlan] = field(default_factory=list)
    frames_less: int = 0

    def run(
        self, client: Any, plan: EditPlan, device: str, priority: int, show: Any, named: bool = True
    ) -> EditResult:
        self.plans.append(plan)
        request, clip = plan.request, plan.clip
        out = request.delivery.out
        label = advance(clip.start_timecode, clip.rate, plan.first)
        with av.open(str(out), "w") as container:
            if label is not None:
                container.metadata["timecode"] = label
            lossless = request.delivery.format == "ffv1"
            stream: Any = container.add_stream("ffv1" if lossless else "prores_ks", rate=clip.rate)
            stream.width, stream.height = WIDTH, HEIGHT
            stream.pix_fmt = "bgr0" if lossless else "yuv422p10le"
            count = plan.last - plan.first + 1 - self.frames_less
            for index, frame in zip(range(count), read_frames(clip, plan.first, plan.last), strict=False):
                pixels = frame.to_ndarray(format="rgb24")
                pixels[:16, WIDTH // 2 - 12 : WIDTH // 2 + 12] = 255
                made = av.VideoFrame.from_ndarray(pixels, "rgb24")
                made.pts, made.time_base = index, 1 / clip.rate
                container.mux(stream.encode(made))
            container.mux(stream.encode())
        return EditResult(
            job="00112233",
            editor=request.editor,
            model=request.model,
            preset=request.preset,
            seed=request.seed,
            frames=count,
            rate=clip.rate,
            start_timecode=label,
            output=out,
            deliver=request.delivery.kind,
            format=request.delivery.format,
            max_abs_diff_outside=0,
            forwards=1,
            seconds={},
            settings={},
            sampling={"steps": 1, "skip": 0},
            crop=(0, 0, 1, 1),
            model_size=(1, 1),
            windows=1,
            target_words=("blue",),
            audio=False,
            sheet=None,
            notices=("one of the edit's own",),
        )


Make = Callable[..., tuple[Path, Scene]]


def call(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["timeline", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done.exit_code, done.stdout, done.stderr


def edit(path: Path, out: Path, *more: object) -> tuple[int, dict[str, Any], str]:
    """Edit frames 5 to 14 of the clip "two"; the JSON answer."""
    arguments = ["--track", 1, "--clip", 2, "--frames", f"{EDITED.start}-{EDITED.end - 1}"]
    code, stdout, stderr = call(
        "edit", path, *arguments, *PROMPTS, "--format", "ffv1", "-o", out, "--json", *more
    )
    return code, json.loads(stdout.splitlines()[-1]), stderr


def shown_in(path: Path) -> list[tuple[int | None, bool]]:
    with av.open(str(path)) as container:
        return [seen(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
