# SPDX-License-Identifier: Apache-2.0
"""OpenTimelineIO's bundles: a timeline with its media, in a folder (.otiod) or in a zip file (.otioz).

The names of their parts are those of its adapters `otiod` and `otioz` (`file_bundle_utils.py` of 0.18). They
are read and written here, since those adapters keep of a bundle only what clips show at present: other media
references, images in sequences and files that no clip names would be lost.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from flowanchor_interchange.document import MAX_BYTES
from flowanchor_interchange.paths import readings
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.readers.common import unreadable

try:
    from lzma import LZMAError
except ImportError:  # a Python without it, whose zip files refuse what is packed so

    class LZMAError(Exception):  # type: ignore[no-redef]
        """Never raised there."""


CONTENT = "content.otio"
MEDIA = "media"
ENDINGS = {".otioz": True, ".otiod": False}
"""Ending of a new bundle's name -> whether it is packed into one file."""

_VERSION = "version.txt", b"1.0.0"
_DAMAGED = (
    *(zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error, LZMAError, EOFError),
    UnicodeError,  # of names
)
"""What Python's zip files raise where one is damaged, encrypted, or packed in a way that is not known, other
than an OSError."""


@dataclass(frozen=True)
class Bundle:
    """`path` is the folder or zip file, absolute; `packed` tells which; `sizes` are the bytes of each file in
    it but the timeline, by its name from the bundle's top, such as "media/a.mov"."""

    path: Path
    packed: bool
    sizes: dict[str, int]

    def holds(self, path: Path) -> bool:
        """Whether a path below the bundle's own, such as "scene.otioz/media/a.mov", is a file in it."""
        return self.name_of(path) in self.sizes

    def name_of(self, path: Path) -> str:
        """What a path below the bundle's own is in it, a file's or a folder's; "" if it is not below."""
        whole = Path(os.path.normpath(path))
        if not whole.is_relative_to(self.path):
            return ""
        stated = whole.relative_to(self.path).as_posix()
        return next((name for name in readings(stated) if self._has(name)), stated)

    def _has(self, name: str) -> bool:
        return name in self.sizes or any(one.startswith(f"{name}/") for one in self.sizes)

    @contextmanager
    def reading(self) -> Iterator[_Source]:
        """Its files, while the bundle is open.

        Raises:
            TimelineProblem: it is damaged or gone, or what is done with its files fails.
        """
        try:
            if self.packed:
                with zipfile.ZipFile(self.path) as archive:
                    yield archive
            else:
                yield _Folder(self.path)
        except _DAMAGED as failure:
            raise damaged(self.path) from failure


class _Folder:
    """A folder as if it were a zip file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self, name: str) -> IO[bytes]:
        return (self._path / name).open("rb")


_Source = zipfile.ZipFile | _Folder


def opened(path: Path) -> Bundle | None:
    """The bundle at a path; None if there is none.

    Raises:
        TimelineProblem: it is damaged, or names files outside of itself.
    """
    whole = path.absolute()
    if path.is_dir():
        if not (path / CONTENT).is_file():
            return None
        found = (one for one in sorted(whole.rglob("*")) if one.is_file())
        sizes = {one.relative_to(whole).as_posix(): one.stat().st_size for one in found}
        del sizes[CONTENT]
        return Bundle(whole, False, sizes)
    if not path.is_file() or not _is_packed(path):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            members = [one for one in archive.infolist() if not one.filename.endswith("/")]
    except (*_DAMAGED, OSError) as failure:
        raise damaged(path) from failure
    names = [one.filename for one in members]
    if CONTENT not in names:
        raise unreadable(f"{path.name[:80]} is a zip file without a timeline in it")
    if len(set(names)) < len(names) or any(_leads_out(name) for name in names):
        raise unreadable(f"the bundle {path.name[:80]} names files outside of itself, or one file twice")
    return Bundle(whole, True, {one.filename: one.file_size for one in members if one.filename != CONTENT})


def _is_packed(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PK\3\4"
    except OSError:
        return False  # what keeps it from being read is told where files are


def _leads_out(name: str) -> bool:
    path = PurePosixPath(name)
    outside = path.is_absolute() or ".." in path.parts or not path.parts
    return outside or "\\" in name or bool(PureWindowsPath(name).drive)


def damaged(path: Path) -> TimelineProblem:
    """What is wrong with a bundle whose files cannot be read."""
    return unreadable(f"the bundle {path.name[:80]} is damaged or locked")


def content(bundle: Bundle) -> bytes:
    """The timeline's own bytes, at most one more than are read of any.

    Raises:
        TimelineProblem: the bundle is damaged, or gone.
    """
    try:
        with bundle.reading() as source, source.open(CONTENT) as file:
            return file.read(MAX_BYTES + 1)
    except OSError as failure:
        raise damaged(bundle.path) from failure


def unpack(bundle: Bundle, folder: Path, names: list[str] | None = None) -> None:
    """Put files of a bundle, all or those of these names, into a folder that is made for it.

    Raises:
        TimelineProblem: the folder is there already, cannot be made, or there is no room.
    """
    chosen = [name for name in bundle.sizes if name != _VERSION[0]] if names is None else names
    needed, room = sum(bundle.sizes[name] for name in chosen), shutil.disk_usage(folder.parent).free
    if needed > room:
        raise TimelineProblem(
            "timeline-place",
            f"The bundle's media needs {needed >> 20} MB, and there are {room >> 20} in {folder.parent}.",
            "Make room, or write the new timeline somewhere else.",
        )
    try:
        folder.mkdir()
    except FileExistsError:
        raise TimelineProblem(
            "timeline-exists",
            f"{folder.name[:80]}, where the bundle's media would go, is there already.",
            "Choose another name for the new timeline.",
        ) from None
    try:
        with bundle.reading() as source:
            for name in chosen:
                _copy(source, name, folder / name)
    except OSError as failure:
        shutil.rmtree(folder, ignore_errors=True)
        raise TimelineProblem(
            "timeline-place",
            f"The bundle could not be unpacked: {failure.strerror or failure}.",
            "Make room, or write the new timeline somewhere else.",
        ) from failure
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _copy(source: _Source, name: str, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with source.open(name) as file, out.open("xb") as copy:
        shutil.copyfileobj(file, copy, 1 << 20)


def name_in(bundle: Bundle, file: Path) -> str:
    """The name that another file gets in a copy of a bundle: "media/green.mov". It has no letters that a URL
    would have to write otherwise, and nothing in the bundle has it."""
    stem, ending = re.sub(r"[^\w.-]+", "-", file.stem), re.sub(r"[^\w.-]+", "-", file.suffix)
    taken, number = {name.casefold() for name in bundle.sizes}, 1
    name = f"{MEDIA}/{stem}{ending}"
    while name.casefold() in taken:
        number += 1
        name = f"{MEDIA}/{stem}-{number}{ending}"
    return name


def write(bundle: Bundle, data: bytes, added: Path, out: Path) -> None:
    """Make a copy of a bundle with another timeline and one more file in it.

    Args:
        bundle: which.
        data: the new timeline.
        added: the file, which gets the name of `name_in`.
        out: the new bundle, whose ending tells whether it is packed. It is written under another name first.

    Raises:
        TimelineProblem: the bundle is damaged.
        OSError: it cannot be written, or something has its name.
    """
    temporary = out.with_name(f".{out.name[:100]}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with bundle.reading() as source:
            if ENDINGS[out.suffix.lower()]:
                _pack(bundle, source, data, added, temporary)
            else:
                _lay_out(bundle, source, data, added, temporary)
        if os.path.lexists(out):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        temporary.rename(out)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)


def _lay_out(bundle: Bundle, source: _Source, data: bytes, added: Path, out: Path) -> None:
    out.mkdir()
    (out / CONTENT).write_bytes(data)
    for name in bundle.sizes:
        _copy(source, name, out / name)
    target = out / name_in(bundle, added)
    target.parent.mkdir(exist_ok=True)
    shutil.copyfile(added, target)


def _pack(bundle: Bundle, source: _Source, data: bytes, added: Path, out: Path) -> None:
    with zipfile.ZipFile(out, "x") as archive:
        if _VERSION[0] not in bundle.sizes:
            archive.writestr(*_VERSION)
        archive.writestr(CONTENT, data, zipfile.ZIP_DEFLATED)
        for name in bundle.sizes:
            with source.open(name) as file, archive.open(name, "w", force_zip64=True) as copy:
                shutil.copyfileobj(file, copy, 1 << 20)
        archive.write(added, name_in(bundle, added))
