# SPDX-License-Identifier: Apache-2.0
"""Models from folders of this machine: copied in, or linked. Needs neither daemon nor torch."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from flowanchor.private import FileLock

from flowanchor_core import models
from flowanchor_core.errors import ModelError
from flowanchor_core.folders import models_folder
from flowanchor_core.model_files import check_layout
from flowanchor_daemon.models import catalog, manifest

INCOMING = ".incoming"
_IMPORT = "import-"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?|.*\.json|.*\.")


class _ImportLock(FileLock):
    """Held beside an import's folder for as long as its process copies."""

    def __init__(self, staging: Path) -> None:
        self.name = f"{staging.name}.lock"
        super().__init__(staging.parent)


def _sweep(incoming: Path) -> None:
    """Remove what imports that were killed have left; what cannot be removed is left to the next import."""
    for staging in incoming.glob(f"{_IMPORT}*"):
        if staging.is_dir() and not (lock := _ImportLock(staging)).is_held():
            shutil.rmtree(staging, ignore_errors=True)
            lock.path.unlink(missing_ok=True)


def is_name(name: str) -> bool:
    """Whether `name` is one that models are given here: never a path, and a file's name on every system."""
    return _NAME.fullmatch(name) is not None and _RESERVED.fullmatch(name) is None


def check_name(name: str) -> str:
    """`name` itself if a model can be called so; else ModelError "model-name"."""
    if not is_name(name) or name == models.EMBEDDED:
        raise ModelError(
            "model-name",
            f"{name[:80]!r} cannot be the name of a model.",
            "Use up to 64 lower-case letters, digits, dots, dashes and underscores, such as my-wan.",
        )
    return name


def import_model(folder: Path, name: str, progress: Callable[[str, int, int], None] | None = None) -> Path:
    """Copy a diffusers-layout model into the models folder under `name`, its files checked before and after.

    Only what makes the model is copied: weights in safetensors, configurations, tokenizer, licence. A model
    that is known by that name must be the published one, file by file. `progress` is told (file, bytes done,
    bytes in all).

    Raises:
        ModelError: a name that cannot be or is taken, a folder that is no usable model, a full disk, or
            content that differs from the published model's.
    """
    check_name(name)
    source, shelf = folder.expanduser().resolve(), models_folder()
    files = check_layout(_existing(source))
    if (shelf / name).exists() or (shelf / f"{name}{models.LINK_SUFFIX}").exists():
        raise ModelError("model-exists", f"There is a model called '{name}'.", "Choose another name.")
    total = sum((source / file).stat().st_size for file in files)
    incoming = shelf / INCOMING
    incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (free := shutil.disk_usage(incoming).free) < total:
        raise _no_room(free, total)
    _sweep(incoming)
    staging = incoming / f"{_IMPORT}{uuid.uuid4().hex}"
    lock = _ImportLock(staging)
    lock.acquire()  # before the folder is there: one without is swept
    try:
        done = 0
        for file in files:
            target = staging / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / file, target)
            done += target.stat().st_size
            if progress is not None:
                progress(file.as_posix(), done, total)
        check_layout(staging)
        known = catalog.find(name)
        if known is not None and known.manifest is not None:
            _require_published(staging, known.manifest)
            known.manifest.write(staging)
        else:
            manifest.of_folder(staging, files).write(staging)
        staging.rename(shelf / name)
    except OSError as error:
        raise ModelError(
            "model-import", f"The model could not be copied ({error.strerror}).", "Try again."
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        lock.release()
        lock.path.unlink(missing_ok=True)
    return shelf / name


def register_link(folder: Path) -> str:
    """Name by which the daemon knows the model in `folder`, after making a link if it has none.

    The name is the folder's own with a short hash of its path, so the same folder always has the same one.

    Raises:
        ModelError: the folder is no model, or the link cannot be written.
    """
    source, shelf = _existing(folder.expanduser().resolve()), models_folder()
    if source == models.EMBEDDED_FOLDER.resolve():
        return models.EMBEDDED
    if source.parent == shelf.resolve():
        return source.name
    plain = re.sub(r"[^a-z0-9._-]+", "-", source.name.lower()).strip("._-")[:40] or "model"
    name = check_name(f"{plain}-{hashlib.sha256(str(source).encode()).hexdigest()[:8]}")
    link = shelf / f"{name}{models.LINK_SUFFIX}"
    content = json.dumps({"folder": str(source)})
    try:
        if not link.exists() or link.read_text(encoding="utf-8") != content:
            shelf.mkdir(mode=0o700, parents=True, exist_ok=True)
            temporary = shelf / f".{name}.{uuid.uuid4().hex}"
            temporary.write_text(content, encoding="utf-8")
            temporary.replace(link)
    except (OSError, ValueError) as error:
        raise ModelError("model-link", f"The link {link} cannot be written.", "Check the folder.") from error
    return name


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise ModelError(
            "model-file-missing", f"There is no folder {folder}.", "Give a diffusers-layout folder."
        )
    return models.find_model(str(folder))


def _require_published(folder: Path, published: manifest.Manifest) -> None:
    if wrong := manifest.differences(folder, published):
        raise ModelError(
            "verify-failed",
            f"This is not {published.repository} as published: {wrong[0]}.",
            "Import it under a name of your own if it is meant to differ.",
        )


def _no_room(free: int, total: int) -> ModelError:
    return ModelError(
        "disk-full",
        f"The model takes {total / 1e9:.1f} GB, {free / 1e9:.1f} GB are free.",
        "Free space, or put $FLOWANCHOR_MODELS on a larger disk.",
    )
