# SPDX-License-Identifier: Apache-2.0
"""One edit of a clip on a timeline: all is checked, the edit runs, the new timeline is written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from flowanchor_interchange import files, place
from flowanchor_interchange.model import Clip, Result, Span
from flowanchor_interchange.problems import TimelineProblem, printable
from flowanchor_interchange.readers import edl
from flowanchor_interchange.selection import (
    Footage,
    Selection,
    frames_in_file,
    frames_to_edit,
    select,
    unsuitable,
)
from flowanchor_interchange.timecode import Timecode

from flowanchor_core.errors import DeliveryError, FlowAnchorError, InputError
from flowanchor_core.footage.media import refuse_unreachable
from flowanchor_core.footage.preflight import try_place
from flowanchor_core.footage.probe import ClipInfo, probe
from flowanchor_core.progress import EditResult
from flowanchor_core.request import DeliverySettings
from flowanchor_daemon.cli import edit_job
from flowanchor_daemon.cli.connected import connected
from flowanchor_daemon.cli.edit_options import EditOptions
from flowanchor_daemon.cli.notation import FULL_FORMATS, PATCH_FORMATS, free, output_for
from flowanchor_daemon.cli.progress import Reporter, reporter


@dataclass(frozen=True)
class Wish:
    """What is asked of a timeline on the command line. `first` and `last` are frames of the clip, from its
    first visible one, both included; None is to its end."""

    clip: str
    out: Path
    track: int | None = None
    first: int = 0
    last: int | None = None
    media: Path | None = None
    media_out: Path | None = None
    deliver: Literal["full", "patch"] = "full"
    out_format: str | None = None
    flavour: Literal["resolve", "any"] | None = None


@dataclass(frozen=True)
class Done:
    """What was made: the edited frames and the timeline they lie on. `start` is the timecode of their first
    frame on it, `record` their frames counted from the timeline's first one."""

    result: EditResult
    timeline: Path
    track: int
    track_name: str
    clip: str
    start: str
    record: Span
    notices: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The edit's own keys, its notices and the timeline's together, and what was placed where."""
        plain = self.result.to_json()
        plain["notices"] = [*self.result.notices, *self.notices]
        plain["timeline"] = {
            "output": str(self.timeline),
            "track": self.track,
            "track_name": self.track_name,
            "clip": self.clip,
            "start": self.start,
            "first": self.record.start,
            "last": self.record.end - 1,
        }
        return plain


@contextmanager
def told() -> Iterator[None]:
    """Turn what is wrong with a timeline into a failure that every command reports alike."""
    try:
        yield
    except TimelineProblem as problem:
        kind = DeliveryError if problem.code == "timeline-not-written" else InputError
        raise kind(problem.code, problem.message, problem.action) from problem


def read(path: Path, rate: Fraction | None, sequence: str | None) -> files.TimelineFile:
    """A timeline file. An EDL's rate, if nobody says it, is that of the files it names.

    Raises:
        InputError: it cannot be read.
    """
    with told():
        kind, data = files.load(path)
        if kind == "edl" and rate is None:
            rates = {
                info.rate
                for name in edl.names_of_files(data, path.absolute().parent)
                if (info := _looked_at(name))
            }
            rate = rates.pop() if len(rates) == 1 else None
        return files.read(path, rate, sequence)


def _looked_at(path: Path) -> ClipInfo | None:
    """What a file is; None if it cannot be used, which matters only if it is the one to edit."""
    try:
        return probe(path)
    except FlowAnchorError:
        return None


def run(source: files.TimelineFile, wish: Wish, options: EditOptions) -> Done:
    """Edit a clip and write the new timeline.

    Raises:
        InputError: the clip, its file, the range, an option or an output cannot be used; nothing was sent.
        DeliveryError: the edit is done, its file kept, but the timeline could not be written.
        ServiceFailure: the job failed or was cancelled.
    """
    with told():
        selection = select(source.timeline, wish.clip, wish.track)
        span = frames_to_edit(selection, wish.first, wish.last)
        refuse_unreachable(wish.out)
        place.check_free(source.path, wish.out)
        try_place(wish.out.absolute().parent)
        info = _footage(source, selection, wish)
        footage = Footage(info.rate, info.frames, info.start_timecode, info.first_number)
        shown = frames_in_file(source.timeline, selection.clip, span, footage)
        delivery, named = _delivery(source, selection, wish)
    rate = info.rate if info.kind == "images" else None
    request = options.request(info.path, delivery, shown.frames.start, shown.frames.end - 1, rate)
    expected = _result(
        source,
        wish,
        selection,
        span,
        delivery.out,
        _label(info, shown.frames.start),
        (info.width, info.height),
    )
    with told():
        known = _known(source, wish.out)
        notices = (*shown.notices, *_about(selection))
        # A rehearsal: what the new timeline's format cannot hold is told before the edit, not after it.
        place.render(source, wish.out, expected, known, wish.flavour)
    plan = edit_job.planned(request)
    with reporter() as show, connected(show) as client:
        if client.warning:
            show.note(client.warning)
        result = edit_job.run(client, plan, options.device, options.priority, show, named)
        return _write(source, wish, selection, span, options, result, known, notices, show)


def _write(
    source: files.TimelineFile,
    wish: Wish,
    selection: Selection,
    span: Span,
    options: EditOptions,
    result: EditResult,
    known: dict[Path, Footage],
    notices: tuple[str, ...],
    show: Reporter,
) -> Done:
    made = probe(result.output)
    facts = {
        "job": result.job,
        "source": options.source,
        "target": options.target,
        "seed": str(result.seed),
        "editor": result.editor,
        "model": result.model,
        "clip": selection.clip.name,
    }
    placed = _result(
        source, wish, selection, span, result.output, made.start_timecode, (made.width, made.height), facts
    )
    try:
        with told():
            if (made.frames, made.rate) != (span.duration, source.timeline.rate):
                raise TimelineProblem(
                    "timeline-not-written",
                    f"The result has {made.frames} frames at {made.rate}, its place {span.duration} at "
                    f"{source.timeline.rate}.",
                    "Report this with the lines above.",
                )
            written = place.render(source, wish.out, placed, known, wish.flavour)
            place.save(written.data, wish.out)
    except FlowAnchorError:
        show.note(f"The edited frames are kept in {result.output}.")
        raise
    notices = tuple(map(printable, (*notices, *written.notices)))
    for notice in notices:
        show.note(notice)
    return Done(
        result=result,
        timeline=wish.out.absolute(),
        track=1 if wish.out.suffix.lower() == ".edl" else len(source.timeline.tracks) + 1,
        track_name=placed.track,
        clip=selection.clip.name,
        start=source.timeline.label(placed.record.start),
        record=placed.record,
        notices=notices,
    )


def _footage(source: files.TimelineFile, selection: Selection, wish: Wish) -> ClipInfo:
    """The clip's file, looked at.

    Raises:
        InputError: it is not there or cannot be used.
    """
    clip = selection.clip
    if clip.media is None:
        raise unsuitable(clip, "the timeline names no file for it")
    path = wish.media or clip.media.path
    if path is None:
        raise TimelineProblem(
            "timeline-media-missing",
            f"The timeline names '{clip.media.stated[:120]}' for '{clip.name[:60]}', which is no file here.",
            "Name the file with --media.",
        )
    if wish.media is None and clip.media.kind == "movie" and not _there(path):
        raise TimelineProblem(
            "timeline-media-missing",
            f"The file of '{clip.name[:60]}' is not there: {path}.",
            "Name it with --media, or export the timeline again.",
        )
    images = clip.media.kind == "images" or path.is_dir()
    return probe(path, source.timeline.rate if images else None)


def _there(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _delivery(source: files.TimelineFile, selection: Selection, wish: Wish) -> tuple[DeliverySettings, bool]:
    """Where the edited frames go, as what, and whether the user named the place."""
    formats = FULL_FORMATS if wish.deliver == "full" else PATCH_FORMATS
    usual = "prores" if wish.deliver == "full" else "prores4444"
    out = wish.media_out
    if out is None:
        ending = {value: key for key, value in formats.items()}.get(wish.out_format or usual, ".mov")
        name = re.sub(r"[^\w.-]+", "-", Path(selection.clip.name).stem).strip("-.")[:60] or "clip"
        out = free(wish.out.absolute().parent / f"{wish.out.stem}-{name}{ending}")
    elif os.path.lexists(out):
        raise TimelineProblem(
            "timeline-exists", f"{out.name[:80]} is there already.", "Choose another name for --media-out."
        )
    chosen, path = output_for(out, wish.deliver, wish.out_format, out)
    if chosen == "png":
        raise TimelineProblem(
            "timeline-place",
            "A timeline takes the edited frames as a movie, not as images.",
            f"Use --format {usual}.",
        )
    if path.absolute() == wish.out.absolute():
        raise TimelineProblem(
            "timeline-exists",
            "The timeline and the edited frames have the same name.",
            "Name another --media-out.",
        )
    return DeliverySettings(out=path.absolute(), kind=wish.deliver, format=chosen), wish.media_out is not None


def _label(info: ClipInfo, frame: int) -> str | None:
    """Timecode of a frame of a file, None if it has none."""
    if info.start_timecode is None:
        return None
    return str(Timecode.parse(info.start_timecode, info.rate).advanced(frame))


def _result(
    source: files.TimelineFile,
    wish: Wish,
    selection: Selection,
    span: Span,
    path: Path,
    start: str | None,
    size: tuple[int, int],
    facts: dict[str, str] | None = None,
) -> Result:
    rate = source.timeline.rate
    return Result(
        path=path.absolute(),
        record=span.moved(selection.clip.record.start),
        rate=rate,
        start=0 if start is None else Timecode.parse(start, rate).frames,
        size=size,
        alpha=wish.deliver == "patch",
        drop=start is not None and ";" in start,
        facts=facts or {},
    )


def _known(source: files.TimelineFile, out: Path) -> dict[Path, Footage]:
    """What the timeline's files are, where a document of another format has to say it."""
    if files.target_format(source, out) == source.format:
        return {}
    paths = {
        clip.media.path for track in source.timeline.tracks for clip in track.clips if clip.media is not None
    }
    looked = {path: _looked_at(path) for path in paths if path is not None and _there(path)}
    return {
        path: Footage(info.rate, info.frames, info.start_timecode, info.first_number)
        for path, info in looked.items()
        if info is not None
    }


def _about(selection: Selection) -> Iterator[str]:
    clip: Clip = selection.clip
    if clip.effects:
        names = ", ".join(clip.effects[:10])
        yield f"The result lacks what is laid on '{clip.name[:60]}' ({names}): lay it on the result as well."
    if not clip.enabled or not selection.track.enabled:
        yield f"'{clip.name[:60]}' is switched off on the timeline; the result is not."
