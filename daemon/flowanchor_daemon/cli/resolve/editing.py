# SPDX-License-Identifier: Apache-2.0
"""Edit a task from Resolve through the daemon, and keep with the job what placing its result takes."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flowanchor_client import Client
from flowanchor_resolve import plain
from flowanchor_resolve.host import Footage, MaskSource, Region, Result, Selection
from flowanchor_resolve.names import safe_name
from flowanchor_resolve.places import results_folder
from flowanchor_resolve.session import Task

from flowanchor_core.errors import InputError
from flowanchor_core.geometry import Keyframe, Polygon
from flowanchor_daemon.cli import edit_job
from flowanchor_daemon.cli.edit_options import EditOptions
from flowanchor_daemon.cli.notation import free
from flowanchor_daemon.cli.progress import Reporter
from flowanchor_daemon.cli.resolve.timecode import record_timecode, stamp
from flowanchor_daemon.cli.resolve.wish import as_plain, completed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from flowanchor_core.progress import EditResult
    from flowanchor_core.request import EditRequest

Deliver = Literal["patch", "full"]
FORMATS: Mapping[Deliver, str] = {"patch": "prores4444", "full": "prores"}
KEPT = "resolve"
"""Under this name a job keeps what placing its result takes."""
OUT = "out"
"""Kept among that: the file the user has named for a result that is fetched later."""
SUFFIX = ".mov"


@dataclass
class DaemonEditing:
    """`flowanchor_resolve.session.Editing` over the daemon. `result` is the command's report of the edit."""

    client: Client
    options: EditOptions
    typed: Collection[str]
    """Names of the options that were typed: a clip's marker does not change those."""
    show: Reporter
    deliver: Deliver = "patch"
    mask: MaskSource | None = "auto"
    out: Path | None = None
    detach: bool = False
    as_take: bool = False
    result: EditResult | None = None
    job: str = ""
    _made: list[Path] = field(default_factory=list)
    """Folders made for the result, to be removed again if nothing comes into them."""

    def check(self, selection: Selection) -> None:
        self.options = completed(self.options, selection.wish, self.typed)
        check_output(self.out)
        edit_job.check_settings(self._asked(Path(selection.name), Path(f"result{SUFFIX}")))
        try:
            self._output(selection)  # a folder that cannot be made is told before anything is exported
        finally:
            self._remove_empty_folders()

    def edit(self, task: Task) -> Result | None:
        """Send the task; wait for the movie, or leave the job to the daemon."""
        out = self._output(task.selection)
        settings = self.settings(task.selection)
        kept = {
            KEPT: {
                "selection": plain.selection_as_plain(task.selection),
                "settings": settings,
                "as_take": self.as_take,
                **({OUT: str(self.out.absolute())} if self.detach and self.out is not None else {}),
            }
        }
        try:
            plan = edit_job.planned(self._request(task, out))
            device, priority = self.options.device, self.options.priority
            # As if it were not named: what has come to lie there meanwhile may be on a timeline.
            if self.detach:
                self.job = edit_job.submit(self.client, plan, device, priority, self.show, False, kept).id
                return None
            self.result = edit_job.run(self.client, plan, device, priority, self.show, False, kept)
        finally:
            self._remove_empty_folders()
        self.job = self.result.job
        self.result = in_place(self.result, task.selection)
        return Result(
            path=self.result.output.absolute(),
            frames=self.result.frames,
            deliver=self.deliver,
            job=self.result.job,
            seed=self.result.seed,
            source_prompt=self.options.source,
            target_prompt=self.options.target,
            settings={**settings, "at": now()},
        )

    def discard(self, result: Result) -> None:
        if self.out is None:
            result.path.unlink(missing_ok=True)
            self._remove_empty_folders()

    def settings(self, selection: Selection) -> dict[str, Any]:
        """What a result's marker keeps, so that the same can be asked for again."""
        return {
            "options": as_plain(self.options),
            **({"words": self.options.words} if self.options.words else {}),
            "deliver": self.deliver,
            "mask": self.mask,
            "item": selection.item_id,
            "track": selection.track,
            "at": now(),
        }

    def _request(self, task: Task, out: Path) -> EditRequest:
        clip, region = task.footage, task.region or Region("auto")
        movies = [mask_of(movie, task.selection.frames, task.folder) for movie in region.movies]
        request = self._asked(clip.path, out)
        masks = (*request.masks, *movies)
        request = replace(request, first=clip.first, last=clip.first + clip.frames - 1, masks=masks)
        return with_outlines(request, region)

    def _asked(self, clip: Path, out: Path) -> EditRequest:
        """What the options ask for, of the whole of a clip."""
        from flowanchor_core.request import DeliverySettings

        delivery = DeliverySettings(out=out, kind=self.deliver, format=FORMATS[self.deliver])
        return self.options.request(clip, delivery)

    def _output(self, selection: Selection) -> Path:
        if self.out is not None:
            return self.out
        return free(result_path(selection, self.deliver, self._made))

    def _remove_empty_folders(self) -> None:
        for folder in self._made:
            with suppress(OSError):  # something is in it, as it should be
                folder.rmdir()


def now() -> float:
    """Seconds since 1970, for a result's marker, which tells by it which one was placed last."""
    return round(time.time(), 3)


def in_place(report: EditResult, selection: Selection) -> EditResult:
    """A result with the timecode of its place on the timeline, whatever that of its footage was."""
    wanted = record_timecode(selection)
    if report.start_timecode != wanted:
        stamp(report.output, wanted)
    return replace(report, start_timecode=wanted)


def check_output(out: Path | None) -> None:
    """Raise InputError for an output that Resolve could not place, or that is there: Resolve shows a file as
    it is now, so that replacing one would change every timeline that an earlier result is on."""
    if out is None:
        return
    if out.suffix.lower() != SUFFIX:
        raise InputError("output-name", f"{out.name} is no name of a QuickTime movie.", "Let it end in .mov.")
    if os.path.lexists(out):
        raise InputError(
            "output-exists",
            f"{out} is there already, and a project in Resolve may show it.",
            "Choose another name.",
        )


def result_path(selection: Selection, deliver: Deliver, made: list[Path] | None = None) -> Path:
    """Where a result goes that the user gave no name: by timeline and clip. Its folder is there afterwards.

    Args:
        made: gets the folders that were not there before, the innermost first.
    """
    folder = results_folder() / safe_name(selection.timeline)
    missing = [place for place in (folder, *folder.parents) if not os.path.lexists(place)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise InputError(
            "output-folder-missing",
            f"The folder {folder} cannot be made ({failure.strerror}).",
            "Give the result a name with -o, or set FLOWANCHOR_RESULTS to a folder of yours.",
        ) from failure
    if made is not None:
        made[:] = missing
    return folder / f"{safe_name(Path(selection.name).stem)}-{deliver}{SUFFIX}"


def with_outlines(request: EditRequest, region: Region) -> EditRequest:
    """A request with a region's outlines as geometry.

    Raises:
        InputError: "outline-inverted", where an inverted outline is not all there is.
    """
    if not region.polygons:
        return request
    shapes = tuple(
        Polygon(tuple(Keyframe(frame, tuple(points)) for frame, points in polygon.keyframes))
        for polygon in region.polygons
    )
    inverted = [polygon for polygon in region.polygons if polygon.invert]
    if inverted and (len(region.polygons) > 1 or request.masks or request.geometry):
        raise InputError(
            "outline-inverted",
            "An inverted outline can be the region only if it is the only one.",
            "Leave the other masks out, or draw what is meant instead of its surroundings.",
        )
    return replace(
        request,
        geometry=(*request.geometry, *shapes),
        region=replace(request.region, invert=bool(inverted)),
    )


def mask_of(movie: Footage, frames: int, folder: Path) -> Path:
    """A region's movie as the editing core takes masks: white inside, with one frame or the selection's.

    A movie that has more frames, or whose alpha is what counts, becomes images in `folder`.
    """
    import cv2
    import numpy as np

    from flowanchor_core.footage import planes, probe, read_frames
    from flowanchor_core.footage.mask_files import read_values

    found = probe(movie.path)
    if not movie.in_alpha and movie.first == 0 and found.frames == movie.frames in (1, frames):
        return movie.path
    last = movie.first + movie.frames - 1
    values: Iterator[NDArray[np.floating[Any]]]
    if movie.in_alpha:
        peak = np.float32(found.layout.peak)
        values = (planes.samples(frame)[-1] / peak for frame in read_frames(found, movie.first, last))
    else:
        values = read_values(found, movie.first, last)
    images = Path(tempfile.mkdtemp(prefix="mask-", dir=folder))
    for number, value in enumerate(values):
        cv2.imwrite(str(images / f"mask.{number:06d}.png"), np.round(value * 255).astype(np.uint8))
    return images
