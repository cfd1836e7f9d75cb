# SPDX-License-Identifier: Apache-2.0
"""One edit of a clip on a timeline: all is checked, the edit runs, the new timeline is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flowanchor_interchange import bundles, files, place
from flowanchor_interchange.model import Clip, Result, Span, Timeline
from flowanchor_interchange.problems import TimelineProblem, printable
from flowanchor_interchange.selection import (
    Footage,
    Selection,
    frames_in_file,
    frames_to_edit,
    select,
)
from flowanchor_interchange.timecode import Timecode

from flowanchor_core.errors import FlowAnchorError
from flowanchor_core.footage.media import refuse_unreachable
from flowanchor_core.footage.preflight import try_place
from flowanchor_core.footage.probe import ClipInfo, probe
from flowanchor_core.progress import EditResult
from flowanchor_daemon.cli import edit_job
from flowanchor_daemon.cli.connected import connected
from flowanchor_daemon.cli.edit_options import EditOptions
from flowanchor_daemon.cli.interruption import at_job
from flowanchor_daemon.cli.progress import Reporter, reporter
from flowanchor_daemon.cli.timeline.media import delivery_of, footage_of, there
from flowanchor_daemon.cli.timeline.reading import looked_at, told
from flowanchor_daemon.cli.timeline.unpacked import unpacked
from flowanchor_daemon.cli.timeline.wish import Done, Wish


def run(source: files.TimelineFile, wish: Wish, options: EditOptions) -> Done:
    """Edit a clip and write the new timeline.

    Raises:
        InputError: the clip, its file, the range, an option or an output cannot be used; nothing was sent.
        DeliveryError: the edit is done, its file kept, but the timeline could not be written.
        ServiceFailure: the job failed or was cancelled.
    """
    with told():
        selection = select(source.timeline, wish.clip, wish.track)
        frames_to_edit(selection, wish.first, wish.last)
        refuse_unreachable(wish.out)
        place.check_free(source.path, wish.out)
        try_place(wish.out.absolute().parent)
        files.target_format(source, wish.out)
        with unpacked(source, wish, selection.clip) as ready:
            return _run(ready, wish, options)


def _run(source: files.TimelineFile, wish: Wish, options: EditOptions) -> Done:
    with told():
        selection = select(source.timeline, wish.clip, wish.track)
        span = frames_to_edit(selection, wish.first, wish.last)
        info = footage_of(source, selection, wish)
        footage = Footage(info.rate, info.frames, info.start_timecode, info.first_number)
        shown = frames_in_file(source.timeline, selection.clip, span, footage)
        delivery, named = delivery_of(source, selection, wish)
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
        notices = (*shown.notices, *_about(selection), *_hidden(source.timeline, selection, span))
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
            if source.bundle is not None and wish.out.suffix.lower() in bundles.ENDINGS:
                place.save_bundle(source.bundle, written.data, placed.path, wish.out)
            else:
                place.save(written.data, wish.out)
    except (FlowAnchorError, KeyboardInterrupt, SystemExit) as failure:
        show.note(f"The edited frames are kept in {result.output}.")
        if not isinstance(failure, FlowAnchorError):
            raise at_job(failure, result.job, "succeeded") from None
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
    looked = {path: looked_at(path) for path in paths if path is not None and there(path)}
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


def _hidden(timeline: Timeline, selection: Selection, span: Span) -> Iterator[str]:
    """The result lies above all tracks, and so over what lay over the clip."""
    record = span.moved(selection.clip.record.start)
    above = (track for track in timeline.tracks[selection.track.number :] if track.enabled)
    met = (clip for track in above for clip in track.clips if clip.enabled and clip.record.meets(record))
    names = ", ".join(f"'{name}'" for name in list(dict.fromkeys(clip.name[:40] for clip in met))[:10])
    if names:
        yield f"The result lies above all tracks and hides {names} there: move it below what is to be seen."
