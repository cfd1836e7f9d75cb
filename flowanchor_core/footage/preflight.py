# SPDX-License-Identifier: Apache-2.0
"""Find what would make a delivery fail, before the edit spends its time."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from flowanchor_core.errors import InputError
from flowanchor_core.footage import audio, formats, media, sequences
from flowanchor_core.footage.probe import ClipInfo

_PLACE = re.compile(r"%0?(\d*)d|(#+)")


@dataclass(frozen=True)
class Room:
    """What a result may take, in bytes: it leaves `spare` free on its disk, and has at most `most` (None: as
    many as fit)."""

    spare: int = 16 << 20
    most: int | None = None


ANY_ROOM = Room()


def check(
    form: formats.Format, out: Path, clip: ClipInfo, first: int, last: int, room: Room = ANY_ROOM
) -> None:
    """Raise InputError unless this delivery of this range can be expected to succeed.

    Found here: a folder that is missing or cannot be written to, a name that does not go with the format, a
    result that would replace the clip or other files of a sequence, a size or pixel format the codec cannot
    hold, sound the container cannot hold, too little free space or more than `room` gives.
    """
    media.refuse_unreachable(out)
    formats.check_name(form, out)
    folder = out.parent
    if not folder.is_dir():
        raise InputError(
            "output-folder-missing", f"There is no folder {folder}.", "Create it or choose another output."
        )
    existing = out if not form.suffixes and out.is_dir() else folder
    if not os.access(existing, os.W_OK | os.X_OK):
        raise InputError(
            "output-folder-locked", f"{existing} cannot be written to.", "Choose another output."
        )
    try_place(existing)
    formats.check_size(form, clip.width, clip.height)
    formats.delivered_format(form, clip.layout, source_full_range=clip.colour.full_range)
    if form.suffixes:
        _check_file(out, clip)
    else:
        images, names = image_names(out, clip, first, last)
        media.refuse_unreachable(
            folder / max(names, key=len)
        )  # in a folder that exists: only the name counts
        _check_images(out, images, names)
    sound = 0
    if form.kind == "full" and form.suffixes:
        audio.check_container(clip, formats.MUXERS[out.suffix.lower()])
        sound = audio.sound_bytes(clip)
    need = formats.estimate_bytes(form, clip.layout, clip.width, clip.height, last - first + 1, sound)
    if (free := shutil.disk_usage(folder).free) < need + room.spare:
        raise InputError(
            "disk-too-small",
            f"The result may take {_mebibytes(need)} MiB; {folder} has {_mebibytes(free)} MiB free, of which "
            f"{_mebibytes(room.spare)} MiB stay free.",
            "Free some space or choose another output folder.",
        )
    if room.most is not None and need > room.most:
        raise InputError(
            "quota-full",
            f"The result may take {_mebibytes(need)} MiB; {_mebibytes(max(0, room.most))} MiB are left.",
            "Delete finished jobs that are no longer needed (`flowanchor jobs delete`).",
        )


def temporary_beside(folder: Path, suffix: str = "") -> Path:
    """A name in `folder` for a result that is not whole yet; as short however long the result's own name."""
    return folder / f".flowanchor-{secrets.token_hex(6)}.partial{suffix}"


def try_place(folder: Path) -> None:
    """Make and remove a temporary file in `folder`; InputError if that cannot be done.

    Permission bits do not tell of everything: a medium can be read-only, a network folder refuse names.
    """
    trial = temporary_beside(folder)
    try:
        trial.touch(exist_ok=False)
        trial.unlink()
    except OSError as error:
        raise InputError(
            "output-folder-locked",
            f"{folder} cannot be written to ({error.strerror or type(error).__name__}).",
            "Choose another output.",
        ) from error


def make_folder(folder: Path) -> None:
    """Make a folder for results unless it is there; InputError if it cannot be made or written to."""
    media.refuse_unreachable(folder)
    if not folder.parent.is_dir():
        raise InputError("output-folder-missing", f"There is no folder {folder.parent}.", "Make it first.")
    if folder.exists() and not folder.is_dir():
        raise InputError("output-name", f"{folder} is a file.", "Name a folder.")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(
            "output-folder-locked",
            f"{folder.parent} cannot be written to ({error.strerror or type(error).__name__}).",
            "Choose another output.",
        ) from error
    try_place(folder)


def image_names(out: Path, clip: ClipInfo, first: int, last: int) -> tuple[Path, list[str]]:
    """Folder and file names of a PNG delivery: numbered as the clip's images are, else by the clip's
    frames.
    """
    numbers = range(clip.first_number + first, clip.first_number + last + 1)
    match = _PLACE.search(out.name) if sequences.is_pattern(out) else None
    if match is None:
        return out, [f"{out.name}.{number:06d}.png" for number in numbers]
    digits = len(match[2]) if match[2] else int(match[1] or 1)
    before, after = out.name[: match.start()], out.name[match.end() :]
    return out.parent, [f"{before}{number:0{digits}d}{after}" for number in numbers]


def _check_file(out: Path, clip: ClipInfo) -> None:
    if out.is_dir():
        raise InputError("output-name", f"{out} is a folder.", "Name a file.")
    if out.exists() and any(out.samefile(file) for file in (clip.path, *clip.files) if file.exists()):
        raise InputError("output-is-clip", f"{out.name} is the clip itself.", "Choose another output name.")


def _check_images(out: Path, folder: Path, names: list[str]) -> None:
    if out.is_file():
        raise InputError("output-name", f"{out} is a file.", "Name a folder for the images.")
    if not folder.is_dir():
        return
    # A folder of the images' own must be empty; in one they share with other files, only their names count.
    own = folder != out.parent
    found = folder.iterdir() if own else (folder / name for name in names)
    taken = next((path.name for path in found if own or path.exists()), None)
    if taken is not None:
        raise InputError(
            "output-exists",
            f"{folder} already holds {taken}, and nothing in it is replaced.",
            "Choose another name or folder.",
        )


def _mebibytes(count: int) -> int:
    return -(-count // (1 << 20))
