# SPDX-License-Identifier: Apache-2.0
"""How timelines name files: URLs, paths of this system or another one, relative to the timeline or not."""

from __future__ import annotations

import re
from pathlib import Path, PureWindowsPath
from urllib.parse import unquote, urlsplit

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")  # two letters or more: one is a Windows drive


def is_relative(stated: str) -> bool:
    """Whether it depends on the folder the timeline lies in."""
    if stated.lower().startswith("file:"):
        return not stated[5:].startswith("/")
    if _SCHEME.match(stated):
        return False
    return not (stated.startswith(("/", "\\\\")) or PureWindowsPath(stated).drive)


def local_path(stated: str, folder: Path) -> Path | None:
    """Where a file that a timeline names should lie on this machine; None if it cannot be here.

    Args:
        stated: as the timeline writes it: `file:` URL with percent-encoding, path, or path relative to
            `folder`. Of a bare path the first of its `readings` counts that is a file, else the literal one.
        folder: the timeline's own folder.
    """
    if not stated.strip() or "\0" in unquote(stated):
        return None
    if stated.lower().startswith("file:"):
        return _of_url(stated, folder)
    if _SCHEME.match(stated):
        return None
    found = [_joined(reading, folder) for reading in readings(stated)]
    return next((path for path in found if _exists(path)), found[0])


def readings(stated: str) -> list[str]:
    """What a bare path may mean: what it says; what it says as a part of a URL; and, of a relative one, what
    it says on Windows, where OpenTimelineIO's own adapters name files in bundles so."""
    found = [stated, unquote(stated)]
    if is_relative(stated):
        found.append(stated.replace("\\", "/"))
    return list(dict.fromkeys(found))


def _of_url(stated: str, folder: Path) -> Path | None:
    """The file of a `file:` URL. Some programs leave "#" and "?" in names as they are: where such a file
    exists it is meant, else what these signs separate in a URL is left out."""
    try:
        parts = urlsplit(stated)
    except ValueError:
        return None
    plain, whole = parts.path, urlsplit(stated.replace("#", "%23").replace("?", "%3F")).path
    found = [_of_path(unquote(path), parts.netloc, folder) for path in dict.fromkeys((whole, plain)) if path]
    return next((path for path in found if _exists(path)), found[-1] if found else None)


def _of_path(path: str, host: str, folder: Path) -> Path:
    if re.match(r"/[A-Za-z]:", path):
        path = path[1:]
    if host and host.lower() != "localhost":
        path = f"//{host}{path}"  # a share, as Windows names it
    return _joined(path, folder)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, or with letters that are none
        return False


def _joined(stated: str, folder: Path) -> Path:
    if PureWindowsPath(stated).drive and not stated.startswith("/"):
        return Path(stated)
    return folder / stated


def url_of(path: Path, like: str = "") -> str:
    """A `file:` URL of an absolute path; with `localhost` in it where `like`, another one, has it."""
    url = path.as_uri()
    if like.lower().startswith("file://localhost/"):
        url = url.replace("file:///", "file://localhost/", 1)
    return url
