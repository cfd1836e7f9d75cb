# SPDX-License-Identifier: Apache-2.0
"""Write a timeline with a result on it: into a copy of its own document, or as one of another format."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from flowanchor_interchange import bundles
from flowanchor_interchange.files import FORMATS, TimelineFile, target_format
from flowanchor_interchange.model import Result
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.writers import common, edl, fcp7, fcpxml, kdenlive, mlt, otio

_INSERT: dict[str, Callable[[TimelineFile, Result], common.Written]] = {
    "fcp7": fcp7.insert,
    "fcpxml": fcpxml.insert,
    "mlt": mlt.insert,
    "kdenlive": kdenlive.insert,
}
_WRITE = {"fcp7": fcp7.write, "fcpxml": fcpxml.write, "mlt": mlt.write, "kdenlive": kdenlive.write}


def render(
    source: TimelineFile, out: Path, result: Result, known: common.Known, flavour: otio.Flavour = None
) -> common.Written:
    """The bytes of a new timeline file.

    Args:
        source: the timeline as it was read.
        out: the new file, whose ending decides its format; nothing is written to it here.
        result: what is put on the new top track.
        known: what the timeline's files are; needed for a new document of another format.
        flavour: how OpenTimelineIO names files, "resolve" by path, "any" by URL; None as the source does.

    Raises:
        TimelineProblem: the format cannot hold it.
    """
    kind = target_format(source, out)
    if not common.can_name(result.path):
        raise common.unnameable(result.path)
    if kind == "edl":
        return edl.write(source.timeline, result)
    bundle = source.bundle
    if bundle is not None and out.suffix.lower() in bundles.ENDINGS:
        inside = replace(result, path=Path(bundles.name_in(bundle, result.path)))
        written = otio.insert(source, inside, flavour)
        also = f"The bundle holds a copy of {result.path.name[:80]}."
        return common.Written(written.data, (*written.notices, also))
    if bundle is not None:
        return _unbundled(source, bundle, kind, result, known, flavour)
    if kind == source.format:
        common.without_relative(source.timeline, source.path, out)
        if kind == "otio":
            return otio.insert(source, result, flavour)
        return _INSERT[kind](source, result)
    return _converted(source, kind, result, known, flavour)


def _converted(
    source: TimelineFile, kind: str, result: Result, known: common.Known, flavour: otio.Flavour
) -> common.Written:
    """A new document of another format."""
    if kind == "otio":
        written = otio.write(source.timeline, result, known, flavour)
    else:
        written = _WRITE[kind](source.timeline, result, known)
    kinds = f"{FORMATS[source.format]} became {FORMATS[kind]}: cuts and files of video were carried over."
    return common.Written(written.data, (kinds, *written.notices))


def _unbundled(
    source: TimelineFile,
    bundle: bundles.Bundle,
    kind: str,
    result: Result,
    known: common.Known,
    flavour: otio.Flavour,
) -> common.Written:
    """A document outside of the bundle that its timeline came from, and which media has to stay for it."""
    if kind == "otio":
        written = otio.insert(source, result, flavour)
    else:
        written = _converted(source, kind, result, known, flavour)
    if bundle.packed:
        kept = f"The bundle's media is unpacked in {source.home}, where the new timeline looks for it."
    else:
        kept = f"The new timeline looks for its media in {bundle.path}."
    return common.Written(written.data, (*written.notices, kept))


def check_free(source: Path, out: Path) -> None:
    """Raise TimelineProblem if a new file cannot be made at `out`: nothing is ever replaced."""
    if os.path.lexists(out):
        same = out.exists() and source.exists() and out.samefile(source)
        what = "is the timeline itself, which is never changed" if same else "is there already"
        raise TimelineProblem(
            "timeline-exists", f"{out.name[:80]} {what}.", "Choose a name that nothing has."
        )
    if not out.parent.is_dir():
        raise TimelineProblem(
            "timeline-place", f"There is no folder {out.parent}.", "Make it first, or name another one."
        )


def save(data: bytes, out: Path) -> None:
    """Write a new file, whole or not at all.

    Raises:
        TimelineProblem: something has that name by now, or it cannot be written.
    """
    temporary = out.with_name(f".{out.name[:100]}.{uuid.uuid4().hex[:8]}.tmp")
    with _told(out):
        try:
            _write(data, temporary)
            try:
                os.link(temporary, out)  # unlike a rename it never replaces anything
            except FileExistsError:
                raise
            except OSError:
                _without_links(data, out)
        finally:
            temporary.unlink(missing_ok=True)


def save_bundle(bundle: bundles.Bundle, data: bytes, added: Path, out: Path) -> None:
    """Write a copy of a bundle with a new timeline and the result's file in it, whole or not at all.

    Raises:
        TimelineProblem: something has that name by now, or it cannot be written.
    """
    with _told(out):
        bundles.write(bundle, data, added, out)


@contextmanager
def _told(out: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise TimelineProblem(
            "timeline-exists", f"{out.name[:80]} is there already.", "Choose a name that nothing has."
        ) from None
    except OSError as failure:
        raise TimelineProblem(
            "timeline-not-written",
            f"{out.name[:80]} could not be written: {failure.strerror or failure}.",
            "Make room or name another folder, and place the result by hand or run the edit again.",
        ) from failure


def _write(data: bytes, out: Path) -> None:
    with out.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _without_links(data: bytes, out: Path) -> None:
    """For file systems without hard links: not whole at once, but never in place of another file."""
    try:
        _write(data, out)
    except FileExistsError:
        raise
    except OSError:
        out.unlink(missing_ok=True)
        raise
