# SPDX-License-Identifier: Apache-2.0
"""Where Resolve may render to.

Resolve 21 answers a folder outside its Media Storage with a dialog, so a render goes to a folder of ours
under a mounted volume and is moved from there.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flowanchor_resolve.calls import Calls
from flowanchor_resolve.held import held
from flowanchor_resolve.problems import ResolveProblem


@contextmanager
def render_folder(calls: Calls, near: Path) -> Iterator[Path]:
    """An empty folder that Resolve may render to, removed at the end: within `near` if that is under a
    volume of Resolve's Media Storage, else on the first volume that can be written to.

    Raises:
        ResolveProblem: "resolve-no-volume", if there is none.
    """
    folder = _make(calls, near)
    try:
        yield folder
    finally:
        with held():
            shutil.rmtree(folder, ignore_errors=True)


def in_media_storage(calls: Calls, folder: Path) -> bool:
    """Whether a folder, there or not, is under a volume of Resolve's Media Storage."""
    return any(folder.resolve().is_relative_to(volume.resolve()) for volume in _volumes(calls))


def _volumes(calls: Calls) -> list[Path]:
    storage = calls.need("give its media storage", calls.resolve, "GetMediaStorage")
    listed = calls.many(storage, "GetMountedVolumeList")
    if not listed:
        calls.check_answering()
    return [Path(str(volume)) for volume in listed]


def _make(calls: Calls, near: Path) -> Path:
    for place in [near] if in_media_storage(calls, near) else _volumes(calls):
        folder = place / f"FlowAnchor render {uuid.uuid4().hex[:8]}"
        with suppress(OSError):
            if place.is_dir():
                folder.mkdir()
                return folder
    raise ResolveProblem(
        "resolve-no-volume",
        "None of the locations in Resolve's Media Storage can be written to.",
        "Add one in Resolve's Preferences > System > Media Storage.",
    )
