# SPDX-License-Identifier: Apache-2.0
"""Timeline files: which format one has, read from what it holds, and reading it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from flowanchor_interchange import bundles
from flowanchor_interchange.bundles import Bundle
from flowanchor_interchange.document import MAX_BYTES, check_size, parse
from flowanchor_interchange.model import Timeline
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.readers import common, edl, fcp7, fcpxml, mlt, otio

FORMATS = {
    "otio": "OpenTimelineIO",
    "fcp7": "Final Cut Pro 7 XML",
    "fcpxml": "FCPXML",
    "edl": "EDL",
    "mlt": "MLT XML",
    "kdenlive": "Kdenlive project",
}
"""Name of a format -> what it is called."""

ENDINGS = {
    ".otio": "otio",
    ".xml": "fcp7",
    ".fcpxml": "fcpxml",
    ".edl": "edl",
    ".mlt": "mlt",
    ".kdenlive": "kdenlive",
}
"""Ending of a new file's name -> the format that is written."""

_READERS = {
    "otio": otio.read,
    "fcp7": fcp7.read,
    "fcpxml": fcpxml.read,
    "edl": edl.read,
    "mlt": mlt.read,
    "kdenlive": mlt.read,
}


@dataclass(frozen=True)
class TimelineFile:
    """A file as it was read: where, its format's name, its bytes and the timeline in it. Of a bundle the
    bytes are those of the timeline in it, and `home` is the folder that holds its media."""

    path: Path
    format: str
    data: bytes
    timeline: Timeline
    choices: common.Choices
    bundle: Bundle | None = None
    home: Path | None = None


def load(path: Path) -> tuple[str, bytes]:
    """A file's format and bytes.

    Raises:
        TimelineProblem: it is missing, no regular file, too large, a folder, or no timeline.
    """
    kind, data, _ = _load(path)
    return kind, data


def _load(path: Path) -> tuple[str, bytes, Bundle | None]:
    try:
        if (bundle := bundles.opened(path)) is not None:
            data = bundles.content(bundle)
            check_size(data)
            return format_of(data, bundles.CONTENT), data, bundle
        if path.is_dir():
            inner = path / "Info.fcpxml"
            raise TimelineProblem(
                "timeline-bundle",
                f"{path.absolute().name} is a folder, not a timeline file.",
                f"Give the {inner.name} in it." if inner.exists() else "Give the file itself.",
            )
        with open(path, "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise TimelineProblem(
                    "timeline-missing",
                    f"{path.name[:80]} is a pipe or a device, not a file.",
                    "Save what it gives to a file, and give that one.",
                )
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise TimelineProblem(
            "timeline-missing",
            f"There is no file {path.name} in {path.absolute().parent}.",
            "Check the folder and the name.",
        ) from None
    except (OSError, ValueError) as failure:
        reason = getattr(failure, "strerror", None) or "its name cannot be used"
        raise TimelineProblem(
            "timeline-missing",
            f"{path.name[:80]} cannot be opened: {reason}.",
            "Check the file's rights and name.",
        ) from failure
    check_size(data)
    return format_of(data, path.name), data, None


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; of a pipe, without waiting for somebody to write into it, and of a terminal, without
    becoming its process."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))


def format_of(data: bytes, name: str) -> str:
    """The format of a file's bytes, by what they hold; `name` is for what is said of others.

    Raises:
        TimelineProblem: it is none that is read.
    """
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"{"):
        return "otio"
    if head.startswith(b"<") or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        root = parse(data)
        if root.tag == "xmeml":
            return "fcp7"
        if root.tag == "fcpxml":
            return "fcpxml"
        if root.tag == "mlt":
            kdenlive = any("kdenlive:" in one.get("name") for one in root.walk() if one.tag == "property")
            return "kdenlive" if kdenlive else "mlt"
        raise _unknown(f"{name} is XML with '{root.tag[:40]}' at its root")
    if b"\0" not in data[:65536] and edl.is_list(data.decode("utf-8", "replace")):
        return "edl"
    raise _unknown(f"{name} is no timeline that can be read")


def _unknown(what: str) -> TimelineProblem:
    return TimelineProblem(
        "timeline-format", f"{what}.", f"Export the timeline as one of these: {', '.join(FORMATS.values())}."
    )


def read(
    path: Path, rate: Fraction | None = None, name: str | None = None, home: Path | None = None
) -> TimelineFile:
    """Read a timeline.

    Args:
        path: the file; what it holds decides its format, not its ending.
        rate: frames a second, where the file does not state them.
        name: of the sequence, where the file holds several.
        home: the folder that a bundle was unpacked to.

    Raises:
        TimelineProblem: it cannot be read.
    """
    kind, data, bundle = _load(path)
    choices = common.Choices(rate, name)
    if bundle is not None:
        home = home or bundle.path
    timeline = _READERS[kind](data, home or path.absolute().parent, choices)
    return TimelineFile(path, kind, data, timeline, choices, bundle, home)


def target_format(source: TimelineFile, out: Path) -> str:
    """The format that a new file's ending asks for. The source's own has several endings for some.

    Raises:
        TimelineProblem: the ending names none.
    """
    ending = out.suffix.lower()
    if ending == source.path.suffix.lower() or (source.bundle is not None and ending in bundles.ENDINGS):
        return source.format
    if ending in bundles.ENDINGS:
        raise TimelineProblem(
            "timeline-format",
            f"{source.path.name[:80]} is no bundle, and only of a bundle another one can be made.",
            f"Use {', '.join(ENDINGS)}.",
        )
    if ending not in ENDINGS:
        raise TimelineProblem(
            "timeline-format",
            f"The ending of {out.name[:80]} names no format of timelines.",
            f"Use {', '.join(ENDINGS)}.",
        )
    return ENDINGS[ending]
