# SPDX-License-Identifier: Apache-2.0
"""What a job has on disk.

jobs/<id>/checkpoint/state.safetensors   kept between attempts, gone when the job has ended
jobs/<id>/attempt-<n>/inputs, output     of the attempt that runs, gone after it
jobs/<id>/artifacts/<index>.<suffix>     the results of a job that has succeeded
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from flowanchor_daemon.queue.jobs import JOB_ID


@dataclass(frozen=True)
class JobFolder:
    """Folder of the job `id` under `jobs`; ValueError for anything that is not an id of our making."""

    jobs: Path
    id: str

    def __post_init__(self) -> None:
        if not JOB_ID.fullmatch(self.id):
            raise ValueError(f"{self.id!r} is no job's id")

    @property
    def path(self) -> Path:
        return self.jobs / self.id

    @property
    def artifacts(self) -> Path:
        return self.path / "artifacts"

    @property
    def checkpoint(self) -> Path:
        """The file; in a folder of its own, since it is replaced by way of temporary files beside it."""
        return self.path / "checkpoint" / "state.safetensors"

    def attempt(self, number: int) -> Path:
        return self.path / f"attempt-{number}"

    def begin_attempt(self, number: int) -> tuple[Path, Path]:
        """Fresh (inputs, output) folders, both empty; what other attempts left is removed. OSError."""
        self.drop_attempts()
        self.drop_artifacts()
        for left in self.checkpoint.parent.glob("*.tmp"):
            left.unlink()
        inputs, output = self.attempt(number) / "inputs", self.attempt(number) / "output"
        for folder in (self.checkpoint.parent, inputs, output):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return inputs, output

    def drop_attempts(self) -> None:
        for left in self.path.glob("attempt-*"):
            shutil.rmtree(left)

    def drop_artifacts(self) -> None:
        if self.artifacts.exists():
            shutil.rmtree(self.artifacts)

    def drop_checkpoint(self) -> None:
        if self.checkpoint.parent.exists():
            shutil.rmtree(self.checkpoint.parent)

    def remove(self) -> None:
        if self.path.exists():
            shutil.rmtree(self.path)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut; Windows does so by itself and opens no folders."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
