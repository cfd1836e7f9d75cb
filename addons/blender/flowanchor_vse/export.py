# SPDX-License-Identifier: GPL-3.0-or-later
"""A strip's frames as the timeline shows them, one image a scene frame, or the strip's own file where that is
provably the same (`direct.py`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import bpy

from . import compat, fingerprint, settings_guard, strips
from .direct import OwnFiles, own_files
from .fingerprint import Fingerprint
from .logic.frames import FrameRange
from .logic.naming import frame_file
from .logic.plan import Footage
from .strips import Refused

Result = TypeVar("Result")
_MOST_LEAD = 12
"""Enough for footage slowed down to a twelfth."""


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
    on, save and undo; a render of the user's is waited for. Closing it early, or a failure, removes the files
    as well. What can be refused at once is, by the call itself; afterwards `strip` is not looked at any more.

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
    scene = strip.id_data
    if (found := strips.problem(scene, strip)) is not None:
        raise found
    if not stack and strips.visible_range(strip).common(part) != part:
        raise Refused(
            "range-empty",
            f"“{strip.name}” is not seen on all frames from {part.first} to {part.last}.",
            "Choose frames within the strip.",
        )
    below = fingerprint.stacked(scene, strip.channel, part) if stack else [strip]
    for one in below:
        if one == strip or _is_seen(scene, one):
            _check_media(one)
    size = scene.render.resolution_x, scene.render.resolution_y
    rate = strips.scene_rate(scene)
    if direct and not stack:
        own = own_files(scene, strip, part, without)
        if isinstance(own, OwnFiles):
            return at_once(
                ExportResult(own.files, own.first_number, own.first, own.last, rate, *size, direct=True)
            )
    name, channel = strip.name, strip.channel

    def show(scratch: Any) -> None:
        if stack:
            settings_guard.show_up_to(scratch, channel)
        else:
            alone = settings_guard.show_alone(scratch, name)
            if without in alone.modifiers:
                alone.modifiers[without].mute = True

    lead = _lead(scene, below)
    source = Source(scene, strip, part, stack=stack)
    files = write_frames(source, part, folder, show, "RGB", depth, lead)
    return _finished(
        files, lambda done: ExportResult(done, 0, 0, part.count - 1, rate, *size, False, stack=stack)
    )


def _finished(
    files: Generator[int, None, tuple[Path, ...]], result: Callable[[tuple[Path, ...]], ExportResult]
) -> Generator[int, None, ExportResult]:
    return result((yield from files))


def at_once(result: Result) -> Generator[int, None, Result]:
    """Steps of something that takes none."""
    yield from ()
    return result


class Source:
    """A scene and a strip that are found again at each step: an undo makes pointers invalid, and the user may
    change or delete either."""

    def __init__(
        self,
        scene: Any,
        strip: Any,
        part: FrameRange,
        *,
        stack: bool = False,
        strips_too: tuple[str, ...] = (),
        masks_too: tuple[tuple[str, str | None], ...] = (),
    ) -> None:
        """`stack`: all on the channels up to the strip's is exported in `part`; `strips_too`, `masks_too`:
        names of what goes into the pictures besides, of masks with the path of the file they are linked
        from."""
        self._scene = scene.name
        self._strip = strip.name
        self._part = part
        self._stack = stack
        self._strips_too = strips_too
        self._masks_too = masks_too
        self._seen = self._take(scene, strip)

    def scene(self) -> Any:
        """The scene. Refused if what is exported is no longer what it was."""
        scene, strip = strips.named(self._scene, self._strip)
        if self._seen.differs(self._take(scene, strip)):
            raise Refused(
                "export-changed",
                f"“{self._strip}”, or what is exported with it, was changed meanwhile.",
                "Start the edit again, and change it afterwards.",
            )
        return scene

    def settle(self) -> None:
        """What differs now was Blender's own doing: it puts values right while it renders."""
        self._seen = self._take(*strips.named(self._scene, self._strip))

    def _take(self, scene: Any, strip: Any) -> Fingerprint:
        here = compat.strips(scene.sequence_editor)
        below = fingerprint.stacked(scene, strip.channel, self._part) if self._stack else []
        besides = [here[name] for name in self._strips_too if name in here]
        masks = [mask for key in self._masks_too if (mask := bpy.data.masks.get(key)) is not None]
        return fingerprint.take(scene, [strip, *below, *besides], masks)


def write_frames(
    source: Source,
    part: FrameRange,
    folder: Path,
    show: Callable[[Any], None],
    colours: str,
    depth: int = 8,
    lead: int = 0,
) -> Generator[int, None, tuple[Path, ...]]:
    """Render `part` into `folder` as numbered PNG; `show(scratch)` says what is to be seen in a scratch
    scene. Yields the number of frames so far, again and again while Blender renders for the user; returns the
    files. Unless it comes to its end, its files are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    pace = Pace()
    written: list[Path] = []
    whole = False
    try:
        while len(written) < part.count:
            while settings_guard.rendering():
                yield len(written)
            first = part.frame(len(written))
            last = min(first + pace.frames - 1, part.last)
            ahead = min(lead, max(first, 0))
            begun = time.perf_counter()
            with settings_guard.scratch_scene(source.scene()) as scratch:
                show(scratch)
                rendered = settings_guard.render(scratch, first - ahead, last, folder, colours, depth)
            for file in rendered[:ahead]:
                file.unlink()
            pace.took(last - first + 1, time.perf_counter() - begun)
            for file in rendered[ahead:]:
                target = folder / frame_file(len(written))
                written.append(target)
                file.replace(target)
            source.settle()
            for index in range(part.index(first), part.index(last) + 1):
                yield index + 1
        source.scene()
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
    SLOW = 2.0
    """Seconds of a step that never grows: rendering itself takes that long, or so does waiting for Esc."""
    MOST = 16

    def took(self, frames: int, seconds: float) -> None:
        """Learn from a step."""
        if frames != self.frames:  # the last step of all
            return
        if frames > 1 and seconds > self.SLOW:  # heavier frames have come
            self.frames, self._cost, self._settled = 1, float("inf"), False
            return
        if self._settled:
            return
        cost = seconds / frames
        cheaper = cost < 0.7 * self._cost
        if frames > 1 and seconds > self.LONG and not cheaper:
            self.frames, self._settled = frames // 2, True
        elif frames < self.MOST and (seconds < self.SHORT or (cheaper and seconds < self.SLOW)):
            self.frames, self._cost = frames * 2, cost
        else:
            self._settled = True


def _lead(scene: Any, shown: list[Any]) -> int:
    """Frames to render ahead of those that are wanted. Blender 5 keeps decoded frames by their whole number,
    so that of slowed down footage the timeline shows what was decoded first for that number, a moment before;
    to show the same, a step has to begin before. 0 where all footage plays frame by frame."""
    if not compat.keeps_frames_by_number(scene.sequence_editor):
        return 0
    slow = [
        strip
        for strip in compat.with_inner(shown)
        if compat.is_retimed(strip) or (strip.type == "MOVIE" and abs(strip.fps - _fps(scene)) > 1e-3)
    ]
    return _MOST_LEAD if slow else 0


def _fps(scene: Any) -> float:
    return float(scene.render.fps / scene.render.fps_base)


def _is_seen(scene: Any, strip: Any) -> bool:
    """Whether neither a strip nor its channel is muted."""
    channels = scene.sequence_editor.channels
    return not strip.mute and not (strip.channel < len(channels) and channels[strip.channel].mute)


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
