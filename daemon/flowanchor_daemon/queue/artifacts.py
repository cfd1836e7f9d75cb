# SPDX-License-Identifier: Apache-2.0
"""Results: from an attempt's output folder to files that survive a power cut.

Each file is hashed and synced where it is, moved to artifacts/<index><suffix>, and the folder is synced; only
then are they recorded, in the transaction that ends the job. What a kill leaves before that is swept at the
next start, and the job runs again from its checkpoint: no half result is ever listed.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import jobs_pb2

from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.queue.folders import JobFolder, sync_folder
from flowanchor_daemon.queue.jobs import StoredArtifact
from flowanchor_daemon.queue.store import JobStore

_PLAIN: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")
_SUFFIX: Final = re.compile(r"\.[a-z0-9]{1,8}")
_BLOCK: Final = 1 << 20


@dataclass(frozen=True)
class ArtifactFile:
    """Where a recorded result lies, and what is known of it."""

    path: Path
    name: str
    kind: jobs_pb2.ArtifactKind.ValueType
    bytes: int
    sha256: str
    index: int = 0


class ArtifactFiles:
    """Finds results by job and index: `ArtifactFiles(store, jobs_folder)(job, index)`. Blocks for the
    store."""

    def __init__(self, store: JobStore, jobs: Path) -> None:
        self._store = store
        self._jobs = jobs

    def __call__(self, job: str, index: int) -> ArtifactFile:
        """ServiceError: "job-unknown", "artifact-unknown" (also when its file was taken away)."""
        found = self._store.artifact(job, index)
        path = JobFolder(self._jobs, job).artifacts / found.file
        if not path.is_file():
            raise ServiceError(
                "artifact-unknown", "The file of this result is gone from the daemon's folder."
            )
        return ArtifactFile(path, found.name, found.kind, found.bytes, found.sha256, found.index)


def collect(folder: JobFolder, output: Path, files: Sequence[engine_pb2.OutputFile]) -> list[StoredArtifact]:
    """Bring an attempt's files in `output` to the job's artifacts folder; blocks.

    Raises:
        ServiceError: "engine-output" when the engine names a file that is not a plain one of its folder.
        OSError: the disk is full or failed; nothing is recorded.
    """
    folder.drop_artifacts()
    folder.artifacts.mkdir(mode=0o700, parents=True)
    made = []
    for index, file in enumerate(files):
        source = _inside(output, file.path)
        size, sha256 = _hash_and_sync(source)
        suffix = source.suffix.lower()
        name = f"{index}{suffix}" if _SUFFIX.fullmatch(suffix) else f"{index}"
        source.rename(folder.artifacts / name)
        kind = jobs_pb2.ARTIFACT_KIND_SHEET if file.sheet else jobs_pb2.ARTIFACT_KIND_RESULT
        made.append(StoredArtifact(index, kind, source.name, name, size, sha256))
    sync_folder(folder.artifacts)
    sync_folder(folder.path)
    sync_folder(folder.jobs)
    return made


def _inside(output: Path, name: str) -> Path:
    """The file of that name, not a link and not in a folder: the engine is ours, but its libraries read
    footage from anywhere."""
    path = output / name
    if not _PLAIN.fullmatch(name) or not path.exists() or not stat.S_ISREG(path.lstat().st_mode):
        raise ServiceError("engine-output")
    return path


def _hash_and_sync(path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("r+b") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
        os.fsync(file.fileno())
    return size, digest.hexdigest()
