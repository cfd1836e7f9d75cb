# SPDX-License-Identifier: Apache-2.0
"""What is asked of the model hub: which files a revision has, and their bytes. Runs in the pull's process.

`$HF_ENDPOINT` names another hub or a mirror. No token is ever sent: the models known here need none.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2  # what huggingface_hub talks through, and so whose failures come out of it
from huggingface_hub import HfApi, constants, get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
from huggingface_hub.file_download import http_get

from flowanchor_core.errors import ModelError
from flowanchor_daemon.models.manifest import Manifest, ModelFile, is_wanted

_SECONDS = 30.0
_COMMIT = re.compile(r"[0-9a-f]{40}")
_MOST_FILES = 1000

# The library's 10 MB would be lost at each break, and make progress stand still on slow lines.
constants.DOWNLOAD_CHUNK_SIZE = 1 << 16


def resolve(repository: str, revision: str) -> Manifest:
    """The wanted files of a repository at a commit (empty: what `main` is now), as the hub states them.

    Raises:
        ModelError: "pull-offline"; "pull-failed" for what the hub does not have, refuses or tells wrongly.
    """
    with explained(repository):
        info = HfApi().model_info(
            repository, revision=revision or "main", files_metadata=True, token=False, timeout=_SECONDS
        )
    commit = info.sha or ""
    if not _COMMIT.fullmatch(commit) or (revision and commit != revision):
        raise _refused(f"The hub answered for another revision of {repository} than {revision or 'main'}.")
    files = []
    for entry in info.siblings or ():
        if not is_wanted(entry.rfilename):
            continue
        size = entry.lfs.size if entry.lfs else entry.size
        sha256 = entry.lfs.sha256 if entry.lfs else ""
        blob = entry.blob_id or ""
        if size is None or not (sha256 or blob):
            raise _refused(f"The hub states no size or no hash of {entry.rfilename} in {repository}.")
        files.append(ModelFile(entry.rfilename, size, sha256, "" if sha256 else blob))
    if not files or len(files) > _MOST_FILES:
        raise _refused(f"{repository} holds no model in the diffusers layout.")
    return Manifest(tuple(sorted(files, key=lambda file: file.path)), repository, commit)


def download(manifest: Manifest, file: ModelFile, part: Path, progress: Callable[[int], None]) -> None:
    """Get a file into `part`, after the bytes that are there. `progress` is told how many there are now.

    Raises:
        ModelError: as `resolve`; "disk-full". What has arrived stays for the next time.
    """
    url = hf_hub_url(manifest.repository, file.path, revision=manifest.revision)
    with explained(manifest.repository), _Part(part, file, progress) as target:
        have = target.seek(0, io.SEEK_END)
        if have == file.bytes:
            return
        stated = get_hf_file_metadata(url, token=False, timeout=_SECONDS)
        if stated.commit_hash not in (None, manifest.revision) or stated.size not in (None, file.bytes):
            raise _refused(f"The hub has another {file.path} than the model's manifest.")
        headers = {"User-Agent": "flowanchor", "Accept-Encoding": "identity"}
        http_get(stated.location, target, resume_size=have, headers=headers, expected_size=file.bytes)
        target.flush()
        os.fsync(target.fileno())


class _Part(io.FileIO):
    """The file being downloaded; refuses more bytes than it is to have."""

    def __init__(self, path: Path, file: ModelFile, progress: Callable[[int], None]) -> None:
        if path.exists() and path.stat().st_size > file.bytes:
            path.unlink()
        super().__init__(path, "ab+")
        self._file = file
        self._progress = progress

    def write(self, data: bytes) -> int:  # type: ignore[override]  # http_get writes bytes only
        size = self.tell() + len(data)
        if size > self._file.bytes:
            raise _refused(f"The hub sends more than the {self._file.bytes} bytes of {self._file.path}.")
        rest = memoryview(data)
        while rest:
            rest = rest[super().write(rest) :]
        self._progress(size)
        return len(data)


@contextmanager
def explained(repository: str) -> Iterator[None]:
    """Turn what goes wrong between here and the hub into a ModelError with one sentence."""
    try:
        yield
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status in (401, 403):
            raise _refused(f"The hub refuses access to {repository} ({status}).") from error
        if status == 404:
            raise _refused(f"The hub no longer has {repository} as it is known here.") from error
        raise _refused(f"The hub failed ({status}).", "Try again later; it goes on where it was.") from error
    except (OfflineModeIsEnabled, httpx2.ConnectError, httpx2.ConnectTimeout) as error:
        raise ModelError(
            "pull-offline",
            "The model hub cannot be reached from here.",
            "Check the network (and $HF_ENDPOINT), or import the model with `flowanchor models import`.",
        ) from error
    except httpx2.HTTPError as error:
        raise _refused(
            "The connection to the model hub broke off.", "Pull again; it goes on where it was."
        ) from error


def _refused(message: str, action: str = "Import the model with `flowanchor models import`.") -> ModelError:
    return ModelError("pull-failed", message, action)
