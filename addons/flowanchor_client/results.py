# SPDX-License-Identifier: Apache-2.0
"""Bring the images of a result to their names: all of them or none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from flowanchor.v1 import jobs_pb2, types_pb2

from flowanchor_client import transfer
from flowanchor_client.errors import ServiceFailure
from flowanchor_client.transfer import Calls, Progress


def download_images(
    calls: Calls,
    job: str,
    artifacts: Sequence[jobs_pb2.Artifact],
    targets: Sequence[Path],
    progress: Progress | None = None,
) -> None:
    """Fetch artifacts to `targets`, all in one folder, which is made if it is not there.

    They are fetched into a folder under a temporary name; a new folder then appears whole, and in one that
    exists every image gets its name or none does. Nothing that is there is ever replaced.

    Raises:
        ServiceFailure: as `transfer.download_file`; "output-exists" if a name is taken.
    """
    folder = targets[0].parent
    beside = folder if folder.is_dir() else folder.parent
    temporary = transfer.temporary_beside(beside)
    total, done = sum(artifact.bytes for artifact in artifacts), 0
    with transfer.writing(folder):
        try:
            temporary.mkdir()
            for artifact, target in zip(artifacts, targets, strict=True):
                transfer.receive(calls, job, artifact, temporary / target.name)
                done += artifact.bytes
                if progress is not None:
                    progress(done, total)
            transfer.sync_folder(temporary)
            if folder.is_dir():
                _rename_all(temporary, targets)
            else:
                os.rename(temporary, folder)
            transfer.sync_folder(beside)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _rename_all(temporary: Path, targets: Sequence[Path]) -> None:
    """Give all images their names or none; a file that is there stays as it is."""
    with ExitStack() as undo:
        for target in targets:
            # An empty file of ours keeps the name until the image takes its place. A hard link would do so in
            # one move, but external disks often know none.
            try:
                target.open("xb").close()
            except FileExistsError:
                raise ServiceFailure(
                    "output-exists",
                    f"{target} was made by something else while the edit ran.",
                    "Fetch the images into another folder.",
                    types_pb2.FAILURE_KIND_DELIVERY,
                ) from None
            undo.callback(target.unlink, missing_ok=True)
        for target in targets:
            os.replace(temporary / target.name, target)
        undo.pop_all()
