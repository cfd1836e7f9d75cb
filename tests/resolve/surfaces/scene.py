# SPDX-License-Identifier: Apache-2.0
"""A stand-in with a clip to edit on it, and edits of it without a daemon."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from flowanchor_resolve.host import Result, Selection
from flowanchor_resolve.session import Task

from tests.resolve.core.scene import result_of, write_result
from tests.resolve.standin.world import Clip, World

SECRETS = ("Geheimer Film", "Kunde Mueller.mkv", "Rolle 7", "a secret car", "a hidden bus", "Projekt X")
"""What a recording must not show: project, clip, timeline, prompts, a bin."""


def secret_world(folder: Path, movie: Path, mask: Path | None = None, **more: Any) -> World:
    """A world in which everything that can have a name has a telling one."""
    project, clip, timeline, source, target, _ = SECRETS
    own = folder / clip
    own.write_bytes(movie.read_bytes())
    volume = folder / "Projekt X"
    volume.mkdir()
    world = World(**{"project": project, "volumes": [volume], **more})
    clips = [Clip(own, at=3, first=2, frames=12)]
    if mask is not None:
        clips.append(Clip(mask, at=0, frames=30, track=2))
    made = world.add_timeline(Fraction(24), clips=clips, name=timeline)
    if mask is not None:
        made.tracks["video"][1].name = "FA MASK"
    item = made.tracks["video"][0].items[0]
    assert item.AddMarker(2.0, "Purple", "FlowAnchor", f"{source} -> {target}", 1.0)
    made.SetCurrentTimecode("01:00:00:05")
    return world


@dataclass
class PatchEditing:
    """Gives a patch with numbered frames as the result."""

    out: Path
    tasks: list[Task] = field(default_factory=list)

    def check(self, selection: Selection) -> None:
        assert selection.wish

    def edit(self, task: Task) -> Result | None:
        self.tasks.append(task)
        chosen = task.selection
        write_result(self.out, chosen.rate, chosen.frames)
        words = {"source_prompt": chosen.wish["source"], "target_prompt": chosen.wish["target"]}
        settings = {"at": 1.5, "options": {"box": ["1,2,3,4"]}, "words": chosen.wish.get("words", "")}
        return result_of(self.out, chosen, deliver="patch", settings=settings, **words)

    def discard(self, result: Result) -> None:
        result.path.unlink(missing_ok=True)


def until(look: Callable[[], object], what: str, seconds: float = 120.0) -> None:
    """Wait until something is so; fails the test, with `what`, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.02)
