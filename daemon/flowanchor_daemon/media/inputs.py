# SPDX-License-Identifier: Apache-2.0
"""Lay the files of an edit out for the engine, under names of the daemon's own making.

    clip.mov  clip/000000.png …  mask0.png  mask1/000000.png …

Nothing of the client's `name` gets here; of its suffix only one from a fixed list. Files are hard links to
those of the media store: a clip of any size costs nothing and stays alive while its job needs it.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import types_pb2

from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.media.quota import disk_full, is_disk_full
from flowanchor_daemon.media.sniff import check_content, check_suffix
from flowanchor_daemon.media.store import MediaStore

# Another filesystem, too many names for one file, or a filesystem without links.
_NO_LINK = frozenset({errno.EXDEV, errno.EMLINK, errno.EPERM, errno.ENOTSUP, errno.ENOSYS})
_LARGEST_NUMBER = 10**9


def lay_out(
    edit: types_pb2.EditRequest, media: MediaStore, folder: Path
) -> tuple[engine_pb2.ClipFiles, list[engine_pb2.ClipFiles]]:
    """Put the clip and the masks of `edit` into `folder` and tell where. Blocking; can be repeated.

    Raises:
        ServiceError: "media-missing"; "media-kind" for a suffix that is not known, images of several
            suffixes in one sequence, or a file that is no footage but refers to some; "request-invalid" for a
            clip without content; "disk-full" where copies are needed.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    clip = _lay_out_clip(edit.clip, media, folder, "clip", single=False)
    masks = [
        _lay_out_clip(mask, media, folder, f"mask{index}", single=True)
        for index, mask in enumerate(edit.masks)
    ]
    return clip, masks


def _lay_out_clip(
    clip: types_pb2.Clip, media: MediaStore, folder: Path, name: str, single: bool
) -> engine_pb2.ClipFiles:
    """`single`: one image is a file by itself and not a sequence, as masks have it."""
    content = clip.WhichOneof("content")
    if content == "movie":
        check_suffix(clip.movie.suffix, image=False)
        target = folder / f"{name}{clip.movie.suffix}"
        _place(clip.movie, media, target)
        return engine_pb2.ClipFiles(path=str(target))
    frames = clip.images.frames
    if content is None or not frames:
        raise ServiceError("request-invalid", "A clip has neither a movie nor images.", "Give one of them.")
    suffixes = {frame.suffix for frame in frames}
    for suffix in sorted(suffixes):
        check_suffix(suffix, image=True)
    if len(suffixes) > 1:
        raise ServiceError(
            "media-kind",
            f"The images of one sequence have several suffixes ({', '.join(sorted(suffixes))}).",
            "Export them in one format.",
        )
    if single and len(frames) == 1:
        target = folder / f"{name}{frames[0].suffix}"
        _place(frames[0], media, target)
        return engine_pb2.ClipFiles(path=str(target))
    first = clip.images.first_number
    if not 0 <= first <= _LARGEST_NUMBER - len(frames):
        raise ServiceError(
            "request-invalid", f"{first} cannot be a sequence's first number.", "Use 0 or more."
        )
    target = folder / name
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(mode=0o700)
    checked: set[str] = set()
    for number, frame in enumerate(frames, start=first):
        _place(frame, media, target / f"{number:06d}{frame.suffix}", known=frame.sha256 in checked)
        checked.add(frame.sha256)
    return engine_pb2.ClipFiles(path=str(target))


def _place(ref: types_pb2.MediaRef, media: MediaStore, target: Path, known: bool = False) -> None:
    source = media.path(ref.sha256)
    if not known:
        check_content(source, ref.name)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
        target.chmod(0o600)
    except OSError as error:
        target.unlink(missing_ok=True)
        if is_disk_full(error):
            free = shutil.disk_usage(target.parent).free
            raise disk_full(free, source.stat().st_size) from error
        raise
