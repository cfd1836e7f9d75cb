# SPDX-License-Identifier: Apache-2.0
"""The media of a packed bundle, on the disk for as long as it is needed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flowanchor_interchange import bundles, files
from flowanchor_interchange.model import Clip

from flowanchor_daemon.cli.timeline.wish import Wish


@contextmanager
def unpacked(source: files.TimelineFile, wish: Wish, clip: Clip) -> Iterator[files.TimelineFile]:
    """A timeline whose media can be read.

    Of a packed bundle (.otioz) the clip's file is unpacked for the time of the edit where the new timeline is
    a bundle again, or a list that holds the result alone. Any other new timeline needs the media as files:
    then all of it is unpacked into a folder beside it, which stays unless the edit fails.

    Raises:
        TimelineProblem: the folder is there already, there is no room, or the bundle is damaged.
    """
    bundle, out = source.bundle, wish.out.absolute()
    if bundle is None or not bundle.packed:
        yield source
        return
    if out.suffix.lower() in bundles.ENDINGS or files.target_format(source, out) == "edl":
        with tempfile.TemporaryDirectory(prefix=".flowanchor-", dir=out.parent) as folder:
            home = Path(folder) / "bundle"
            bundles.unpack(bundle, home, [] if wish.media is not None else _needed(bundle, clip))
            yield _read_again(source, home)
        return
    home = out.with_name(f"{out.stem}-media")
    bundles.unpack(bundle, home)
    try:
        yield _read_again(source, home)
    except BaseException:
        _remove(bundle, home)
        raise


def _remove(bundle: bundles.Bundle, home: Path) -> None:
    """Remove what was unpacked, and nothing else: edited frames may have been sent to the same folder."""
    with suppress(OSError):
        for name in bundle.sizes:
            (home / name).unlink(missing_ok=True)
    for folder in sorted((*home.rglob("*"), home), reverse=True):
        with suppress(OSError):  # no folder, or something is in it
            folder.rmdir()


def _read_again(source: files.TimelineFile, home: Path) -> files.TimelineFile:
    return files.read(source.path, source.choices.rate, source.choices.name, home)


def _needed(bundle: bundles.Bundle, clip: Clip) -> list[str]:
    """The clip's file in the bundle; of images all that lie in their folder."""
    media = clip.media
    if media is None or media.path is None:
        return []
    name = bundle.name_of(media.path.parent if media.kind == "images" else media.path)
    return [one for one in bundle.sizes if one == name or one.startswith(f"{name}/")]
