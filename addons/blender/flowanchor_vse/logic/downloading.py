# SPDX-License-Identifier: GPL-3.0-or-later
"""A result from the daemon in small steps: a piece a step, checked, and under its name only when whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from flowanchor.v1 import jobs_pb2

from . import naming, partials, problems
from .transport import Transport
from .views import Problem

PIECE_BYTES = 1 << 20


class DownloadFailed(Exception):
    """A download that cannot go on by itself; nothing half is left."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


class Download:
    """The result of one job on its way into a folder. `step` until `complete`; then `names` are its files."""

    def __init__(self, job: str, artifacts: Sequence[jobs_pb2.Artifact], folder: Path) -> None:
        """Artifacts that are no part of the result (the contact sheet) are left out. Nothing is done yet."""
        self._job = job
        self._folder = folder
        kept = [one for one in artifacts if one.kind == jobs_pb2.ARTIFACT_KIND_RESULT]
        names = [naming.safe_artifact_name(one.name, one.index) for one in kept]
        if len({name.lower() for name in names}) < len(names):  # one must not replace another
            names = [f"{one.index:06d}-{name}" for one, name in zip(kept, names, strict=True)]
        self._parts = list(zip(kept, names, strict=True))
        self._at = 0
        self._receiving: _Receiving | None = None
        self._before = 0
        self._total = sum(one.bytes for one in kept)

    @property
    def names(self) -> tuple[str, ...]:
        """File names in the folder, in frame order."""
        return tuple(name for _, name in self._parts)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of PNG images that have arrived; (0, 0) for movies, whose size Blender tells."""
        if not self.complete or self.empty or not self.names[0].lower().endswith(".png"):
            return 0, 0
        with (self._folder / self.names[0]).open("rb") as file:
            head = file.read(24)
        return (
            (int.from_bytes(head[16:20]), int.from_bytes(head[20:24])) if head[:4] == b"\x89PNG" else (0, 0)
        )

    @property
    def empty(self) -> bool:
        return not self._parts

    @property
    def complete(self) -> bool:
        return self._at == len(self._parts)

    @property
    def progress(self) -> tuple[str, int, int]:
        done = self._before + (self._receiving.offset if self._receiving is not None else 0)
        return "download", done, self._total

    def step(self, transport: Transport) -> None:
        """One call at most, and its bytes written.

        The files are not forced to the disk, which can take seconds: the daemon keeps them, so one that a
        power cut spoils is fetched again.

        Raises:
            DownloadFailed: the folder cannot be written, or what arrived is damaged. ServiceFailure: from the
                call; the next step goes on where this one was.
        """
        artifact, name = self._parts[self._at]
        try:
            if self._receiving is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                if self._at == 0:
                    partials.remove_abandoned(self._folder, self.names)
                self._receiving = _Receiving(self._folder / partials.partial_name(name))
            receiving = self._receiving
            if receiving.offset < artifact.bytes:
                data = transport.download_chunk(self._job, artifact.index, receiving.offset, PIECE_BYTES)
                if not data:
                    raise DownloadFailed(problems.damaged(name))
                receiving.take(data)
            if receiving.offset >= artifact.bytes:
                receiving.file.close()
                if receiving.offset != artifact.bytes or receiving.digest.hexdigest() != artifact.sha256:
                    raise DownloadFailed(problems.damaged(name))
                os.replace(receiving.path, self._folder / name)
                self._receiving = None
                self._before += artifact.bytes
                self._at += 1
        except OSError as error:
            self.close()
            raise DownloadFailed(problems.unwritable(str(self._folder), error)) from error
        except DownloadFailed:
            self.close()
            raise

    def close(self) -> None:
        """Give up: what is not whole is removed, what is stays for another try."""
        if self._receiving is not None:
            self._receiving.remove()
            self._receiving = None


class _Receiving:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: BinaryIO = path.open(
            "wb", buffering=0
        )  # a full disk is told at the write, not at the close
        self.digest = hashlib.sha256()
        self.offset = 0

    def take(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self.file.write(view) :]
        self.digest.update(data)
        self.offset += len(data)

    def remove(self) -> None:
        self.file.close()
        self.path.unlink(missing_ok=True)
