# SPDX-License-Identifier: GPL-3.0-or-later
"""A strip's frames as the timeline shows them, one image a scene frame, or the strip's own file where that is
provably the same (`direct.py`)."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy

from . import compat, settings_guard, strips
from .direct import OwnFiles, own_files
from .logic.frames import FrameRange
from .logic.naming import frame_file
from .logic.request import Footage
from .strips import Refused


@dataclass(frozen=True)
class ExportResult:
    """What an export gave.

    Attributes:
        files: one movie, or one image a frame in order.
        first_number: number of the first image; None for a movie.
        first, last: the edited frames, counted in what `files` hold (0 and count - 1 unless a movie is sent
            whole).
        rate: frames a second of the scene.
        width, height: pixels.
        direct: `files` are the strip's own.
        colour_space: of the written pixels, as Blender calls it; a result has the same.
        stack: all channels up to the strip's were exported, not the strip alone.
    """

    files: tuple[Path, ...]
    first_number: int | None
    first: int
    last: int
    rate: Fraction
    width: int
    height: int
    direct: bool
    colour_space: str = "sRGB"
    stack: bool = False

    @property
    def footage(self) -> Footage:
        return Footage(self.files, self.first_number, self.rate)


def export_frames(
    context: Any,
    strip: Any,
    part: FrameRange,
    folder: Path,
    *,
    stack: bool = False,
    depth: int = 8,
    direct: bool = True,
    without: str = "",
) -> Generator[int, None, ExportResult]:
    """Write `part` into `folder`, which is made; yields the number of frames written so far, returns the
    result (`StopIteration.value`). Nothing of the .blend differs between two steps, so that the user may go
    on, save and undo. Closing it early, or a failure, removes the files as well.

    Args:
        stack: everything up to the strip's channel instead of the strip alone.
        depth: 8 or 16 bits a channel.
        direct: hand out the strip's own file where that is the same; then nothing is yielded.
        without: name of a modifier of the strip to leave out, such as the mask modifier that marks the
            region, which would cut away the surroundings the model looks at.

    Raises:
        Refused: the strip cannot be edited, has gone or was changed meanwhile, media are missing, or a frame
            could not be written.
    """
    scene = compat.sequencer_scene(context)
    if (found := strips.problem(scene, strip)) is not None:
        raise found
    if not stack and strips.visible_range(strip).common(part) != part:
        raise Refused(
            "range-empty",
            f"“{strip.name}” is not seen on all frames from {part.first} to {part.last}.",
            "Choose frames within the strip.",
        )
    _check_media(strip)
    size = scene.render.resolution_x, scene.render.resolution_y
    rate = strips.scene_rate(scene)
    if direct and not stack:
        own = own_files(scene, strip, part, without)
        if isinstance(own, OwnFiles):
            return ExportResult(own.files, own.first_number, own.first, own.last, rate, *size, direct=True)
    name, channel = strip.name, strip.channel

    def show(scratch: Any) -> None:
        if stack:
            settings_guard.show_up_to(scratch, channel)
        else:
            alone = settings_guard.show_alone(scratch, name)
            if without in alone.modifiers:
                alone.modifiers[without].mute = True

    files = yield from write_frames(Source(scene, strip), part, folder, show, "RGB", depth)
    return ExportResult(files, 0, 0, part.count - 1, rate, *size, direct=False, stack=stack)


class Source:
    """A scene and a strip that are found again at each step: an undo makes pointers invalid, and the user may
    change or delete either."""

    def __init__(self, scene: Any, strip: Any) -> None:
        self._scene = scene.name
        self._strip = strip.name
        self._seen = _fingerprint(scene, strip)

    def scene(self) -> Any:
        """The scene. Refused if what is exported is no longer what it was."""
        scene = bpy.data.scenes.get(self._scene)
        editor = scene.sequence_editor if scene is not None else None
        strip = compat.strips(editor).get(self._strip) if editor is not None else None
        if strip is None:
            raise Refused("export-gone", f"“{self._strip}” is no longer there.", "Export again.")
        if _fingerprint(scene, strip) != self._seen:
            raise Refused(
                "export-changed",
                f"“{self._strip}” was changed while its frames were exported.",
                "Export again, and change it afterwards.",
            )
        return scene


def write_frames(
    source: Source, part: FrameRange, folder: Path, show: Any, colours: str, depth: int = 8
) -> Generator[int, None, tuple[Path, ...]]:
    """Render `part` into `folder` as numbered PNG; `show(scratch)` says what is to be seen in a scratch
    scene. Yields the number of frames so far, returns the files. Unless it comes to its end, its files are
    removed."""
    folder.mkdir(parents=True, exist_ok=True)
    pace = Pace()
    written: list[Path] = []
    whole = False
    try:
        while len(written) < part.count:
            first = part.frame(len(written))
            last = min(first + pace.frames - 1, part.last)
            begun = time.perf_counter()
            with settings_guard.scratch_scene(source.scene()) as scratch:
                show(scratch)
                rendered = settings_guard.render(scratch, first, last, folder, colours, depth)
            pace.took(last - first + 1, time.perf_counter() - begun)
            for file in rendered:
                target = folder / frame_file(len(written))
                written.append(target)
                file.replace(target)
            for index in range(part.index(first), part.index(last) + 1):
                yield index + 1
        whole = True
        return tuple(written)
    finally:
        if not whole:
            for file in written:
                file.unlink(missing_ok=True)


@dataclass
class Pace:
    """How many frames one step renders. Blender opens and seeks a movie anew at each, which may take longer
    than the frame; so a step takes more frames while that makes a frame cheaper, or costs next to nothing."""

    frames: int = 1
    _cost: float = field(default=float("inf"), repr=False)
    _settled: bool = field(default=False, repr=False)

    SHORT = 0.1
    """Seconds within which a step may always grow."""
    LONG = 0.6
    """Seconds above which a step of several frames shrinks again, unless these are cheap for it."""
    MOST = 16

    def took(self, frames: int, seconds: float) -> None:
        """Learn from a step."""
        if frames != self.frames:
            return
        cost = seconds / frames
        cheaper = cost < 0.7 * self._cost
        if frames > 1 and seconds > self.LONG and not cheaper:
            self.frames = frames // 2
            self._settled = True
        elif not self._settled and frames < self.MOST and (cheaper or seconds < self.SHORT):
            self.frames = frames * 2
        self._cost = cost


def _fingerprint(scene: Any, strip: Any) -> tuple[Any, ...]:
    return (
        strip.type,
        strip.channel,
        compat.start(strip),
        compat.end(strip),
        compat.content_start(strip),
        scene.render.resolution_x,
        scene.render.resolution_y,
        scene.render.fps,
        scene.render.fps_base,
    )


def _check_media(strip: Any) -> None:
    """Refused if a file of the strip is missing, which Blender would render as black or pink."""
    missing = [file for file in strips.media_files(strip) if not file.is_file()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise Refused(
            "media-missing",
            f"“{strip.name}” shows {missing[0].name}{more}, which is not there.",
            "Find it again with File > External Data > Find Missing Files.",
        )
