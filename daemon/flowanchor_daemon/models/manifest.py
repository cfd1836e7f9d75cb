# SPDX-License-Identifier: Apache-2.0
"""What a model consists of, file by file: `manifest.json` in its folder."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowanchor_core.errors import ModelError

FILE = "manifest.json"
_BLOCK = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")

# One of the parts' folders at most, and plain names: such a path stays in the model's folder on every system.
_PATH = re.compile(r"(?:(?:transformer|vae|text_encoder|tokenizer|scheduler)/)?[A-Za-z0-9][A-Za-z0-9._-]*")
_WANTED = re.compile(
    r"model_index\.json|LICENSE(?:\.txt|\.md)?|README\.md|scheduler/[^/]+\.json|tokenizer/[^/]+\.(?:json|model)"
    r"|(?:transformer|vae|text_encoder)/[^/]+\.(?:safetensors|json)"
)


@dataclass(frozen=True)
class ModelFile:
    """A file of a model: its path in the folder with forward slashes, its size, and its SHA-256.

    Before it has been downloaded, a file that the hub keeps in git itself is known by `git_blob` alone, the
    SHA-1 that git names it by.
    """

    path: str
    bytes: int
    sha256: str = ""
    git_blob: str = ""


@dataclass(frozen=True)
class Manifest:
    """All files of a model. `repository` and `revision` (a commit) are empty for one that was imported."""

    files: tuple[ModelFile, ...]
    repository: str = ""
    revision: str = ""

    @property
    def total_bytes(self) -> int:
        return sum(file.bytes for file in self.files)

    def write(self, folder: Path) -> None:
        """Put it into `folder`, replacing the one there as a whole."""
        raw = {
            "repository": self.repository,
            "revision": self.revision,
            "files": [{key: value for key, value in vars(file).items() if value} for file in self.files],
        }
        temporary = folder / f".{FILE}.new"
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(raw, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / FILE)


def is_wanted(path: str) -> bool:
    """Whether a file of a published model is one to have: weights, configurations, tokenizer, licence."""
    return _PATH.fullmatch(path) is not None and _WANTED.fullmatch(path) is not None


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest in `folder`, None if there is none; ModelError if it cannot be used."""
    path = folder / FILE
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return _parse(raw)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as failure:
        raise ModelError(
            "model-file-damaged", f"The model file {path} is no usable manifest.", "Pull the model again."
        ) from failure


def hash_file(path: Path, progress: Callable[[int], None] | None = None) -> tuple[str, str]:
    """SHA-256 of a file, and the SHA-1 git names it by. `progress` is told the bytes of each block read."""
    sha256 = hashlib.sha256()
    blob = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            sha256.update(block)
            blob.update(block)
            if progress is not None:
                progress(len(block))
    return sha256.hexdigest(), blob.hexdigest()


def differences(
    folder: Path, manifest: Manifest, progress: Callable[[str, int], None] | None = None
) -> list[str]:
    """Files that are missing or differ, in words. `progress` is told path and bytes of each block read."""
    found = []
    for file in manifest.files:
        path = folder / file.path
        tell = None if progress is None else (lambda count, name=file.path: progress(name, count))
        if not path.is_file():
            found.append(f"{file.path} is missing")
        elif path.stat().st_size != file.bytes:
            found.append(f"{file.path} has {path.stat().st_size} bytes, not {file.bytes}")
        elif not matches(file, *hash_file(path, tell)):
            found.append(f"{file.path} has other content")
    return found


def matches(file: ModelFile, sha256: str, git_blob: str) -> bool:
    """Whether hashes are those of `file`; git's is only asked where the publisher states no other."""
    return file.sha256 == sha256 if file.sha256 else file.git_blob == git_blob


def of_folder(folder: Path, files: Iterable[Path]) -> Manifest:
    """A manifest of what lies in `folder` now; `files` are relative to it."""
    entries = (
        ModelFile(file.as_posix(), (folder / file).stat().st_size, hash_file(folder / file)[0])
        for file in files
    )
    return Manifest(tuple(entries))


def _parse(raw: Mapping[str, Any]) -> Manifest:
    files = tuple(
        ModelFile(entry["path"], entry["bytes"], entry.get("sha256", ""), entry.get("git_blob", ""))
        for entry in raw["files"]
    )
    for file in files:
        known = _SHA256.fullmatch(file.sha256) or re.fullmatch(r"[0-9a-f]{40}", file.git_blob)
        if not known or not _PATH.fullmatch(file.path) or type(file.bytes) is not int or file.bytes < 0:
            raise ValueError(f"unusable entry {file.path!r}")
    repository, revision = raw.get("repository", ""), raw.get("revision", "")
    if not (isinstance(repository, str) and isinstance(revision, str)):
        raise TypeError("repository and revision are text")
    return Manifest(files, repository, revision)
