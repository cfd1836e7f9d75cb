# SPDX-License-Identifier: Apache-2.0
"""Download a model: `python -m flowanchor_daemon.models.pull NAME REPOSITORY REVISION`, a process of its own.

Files arrive in <models>/.incoming/<name>, each as `.part` until its hash has been checked; the whole is
checked as a model and moved to <models>/<name> in one rename. Ending the process at any moment loses nothing:
the next pull goes on at the byte where this one was. Pulling a model that is there mends it: only what is
missing or differs is downloaded.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from flowanchor_core.errors import ModelError
from flowanchor_core.folders import models_folder
from flowanchor_core.model_files import check_layout
from flowanchor_daemon.models import catalog, child, hub
from flowanchor_daemon.models.local import INCOMING
from flowanchor_daemon.models.manifest import (
    Manifest,
    ModelFile,
    differences,
    hash_file,
    matches,
    read_manifest,
)

_PART = ".part"


def pull(name: str, repository: str, revision: str, shelf: Path) -> None:
    """Have the model `name` whole in `shelf`; ModelError if that cannot be."""
    installed = shelf / name
    incoming = shelf / INCOMING / name
    present = read_manifest(installed) if installed.is_dir() else None
    if installed.exists() and (present is None or present.repository != repository):
        raise ModelError(
            "model-exists",
            f"The models folder holds a '{name}' that was not pulled from {repository}.",
            f"Rename or remove {installed} first.",
        )
    report = child.Report()
    manifest = _choose(name, repository, revision, incoming, present)
    report.total = manifest.total_bytes
    if present is not None and not differences(installed, manifest, report.add):
        return
    report.done = 0
    incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
    manifest.write(incoming)
    _require_room(incoming, manifest)
    checked = []
    for file in manifest.files:
        checked.append(_fetch(manifest, file, incoming, installed, report))
        report.done = sum(done.bytes for done in checked)
    _require_model(incoming)
    replace(manifest, files=tuple(checked)).write(incoming)
    _move_in(incoming, installed)


def _choose(name: str, repository: str, revision: str, incoming: Path, present: Manifest | None) -> Manifest:
    """The files to have: those pinned, else those of an earlier pull, else those the hub states now."""
    known = catalog.find(name)
    if known is not None and known.manifest is not None and known.manifest.repository == repository:
        return known.manifest
    begun = read_manifest(incoming) if incoming.is_dir() else None
    for earlier in (begun, present):
        if earlier is not None and earlier.repository == repository and revision in ("", earlier.revision):
            return earlier
    return hub.resolve(repository, revision)


def _require_room(incoming: Path, manifest: Manifest) -> None:
    have = 0
    for file in manifest.files:
        for path in (incoming / file.path, _part_of(incoming / file.path)):
            have += path.stat().st_size if path.exists() else 0
    child.require_free(incoming, max(0, manifest.total_bytes - have))


def _fetch(
    manifest: Manifest, file: ModelFile, incoming: Path, installed: Path, report: child.Report
) -> ModelFile:
    """Have one file whole and checked in `incoming`; it comes back with its SHA-256."""
    target, before = incoming / file.path, report.done
    target.parent.mkdir(mode=0o700, exist_ok=True)
    part = _part_of(target)
    good = installed / file.path
    if not target.exists() and not part.exists() and _is(good, file):
        os.link(good, target)
    if not target.exists():
        hub.download(manifest, file, part, lambda size: report.at(file.path, before + size))
        if not matches(file, *hash_file(part)):
            part.unlink()
            raise ModelError(
                "pull-failed",
                f"{file.path} arrived with other content than its publisher states.",
                "Pull again; if it happens again, a mirror or proxy on the way changes files.",
            )
        part.replace(target)
    sha256, blob = hash_file(target) if not file.sha256 else (file.sha256, "")
    if not file.sha256 and blob != file.git_blob:
        target.unlink()
        raise ModelError("pull-failed", f"{file.path} was damaged on this disk.", "Pull again.")
    report.at(file.path, before + file.bytes)
    return replace(file, sha256=sha256)


def _is(path: Path, file: ModelFile) -> bool:
    return path.is_file() and path.stat().st_size == file.bytes and matches(file, *hash_file(path))


def _require_model(incoming: Path) -> None:
    try:
        check_layout(incoming)
    except ModelError:
        shutil.rmtree(incoming)  # it is as published: no pull would mend it
        raise


def _move_in(incoming: Path, installed: Path) -> None:
    aside = incoming.with_name(f"{incoming.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    if installed.exists():
        installed.rename(aside)
    incoming.rename(installed)
    shutil.rmtree(aside, ignore_errors=True)


def _part_of(path: Path) -> Path:
    return path.with_name(path.name + _PART)


def main(arguments: list[str]) -> int:
    name, repository, revision = arguments
    return child.run(lambda: pull(name, repository, revision, models_folder()), "pull-failed")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
