# SPDX-License-Identifier: Apache-2.0
"""The models a daemon knows, and the tasks that get and check them.

Clients name models, never folders: a model elsewhere on this machine is registered first (local.py), by the
user's own program.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from flowanchor.v1 import models_pb2

from flowanchor_core import models, presets
from flowanchor_core.errors import ModelError
from flowanchor_core.folders import models_folder
from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.models import catalog
from flowanchor_daemon.models.local import INCOMING, is_name
from flowanchor_daemon.models.manifest import FILE, read_manifest
from flowanchor_daemon.models.tasks import Tasks

_log = logging.getLogger(__name__)


class ModelManager:
    """Lists models and runs their downloads and checks, each in a process of its own."""

    def __init__(self) -> None:
        self._tasks = Tasks()
        self._warned: dict[str, str] = {}

    def list(self) -> list[models_pb2.Model]:
        """All models that are installed or can be pulled; `loaded` is the service's to fill in. Blocking."""
        installed = models.names()
        found = [self._installed(name) for name in installed]
        return [*found, *(_published(known) for known in catalog.KNOWN if known.name not in installed)]

    def exists(self, name: str) -> bool:
        """Whether an edit can use the model `name` now. A path is no name. Blocking."""
        return name in models.names()

    def require(self, name: str) -> None:
        """Raise ServiceError "model-unknown" unless `name` is installed, ModelError for a broken link.
        Blocking."""
        if self.exists(name):
            return
        if is_name(name) and (models_folder() / f"{name}{models.LINK_SUFFIX}").exists():
            models.find_model(name)
        if catalog.find(name) is not None:
            raise ServiceError(
                "model-unknown",
                f"The model '{name}' is not on this machine.",
                f"Get it with `flowanchor models pull {name}`.",
            )
        raise ServiceError("model-unknown", f"There is no model called '{name[:80]}'.")

    async def start_pull(self, name: str, follower: str = "") -> models_pb2.ModelTask:
        """Begin or join a download. ServiceError "model-unknown" for what is not in the catalogue."""
        known = catalog.find(name)
        if known is None:
            raise ServiceError(
                "model-unknown",
                f"There is no published model called '{name[:80]}'.",
                f"Known are {', '.join(entry.name for entry in catalog.KNOWN)}; import others from a folder.",
            )
        arguments = (name, known.repository, known.revision)
        return self._tasks.start(models_pb2.MODEL_TASK_KIND_PULL, name, arguments, follower)

    async def start_verify(self, name: str, follower: str = "") -> models_pb2.ModelTask:
        """Begin or join a check of an installed model; raises as `require`."""
        await asyncio.to_thread(self.require, name)
        return self._tasks.start(models_pb2.MODEL_TASK_KIND_VERIFY, name, (name,), follower)

    async def get_task(
        self, task: str, since: int = 0, wait: float = 0.0, follower: str = ""
    ) -> models_pb2.ModelTask:
        """See `Tasks.get`."""
        return await self._tasks.get(task, since, wait, follower)

    async def cancel_task(self, task: str, follower: str = "") -> models_pb2.ModelTask:
        """See `Tasks.cancel`."""
        return await self._tasks.cancel(task, follower)

    @property
    def busy(self) -> bool:
        """Whether a task runs: the daemon does not leave for idleness then."""
        return self._tasks.busy

    async def close(self) -> None:
        """End all tasks; what has been downloaded stays for the next pull."""
        await self._tasks.close()

    def _installed(self, name: str) -> models_pb2.Model:
        known = catalog.find(name)
        message = models_pb2.Model(name=name, title=known.title if known else name, presets=presets.NAMES)
        try:
            folder = models.find_model(name)
            card = models.read_card(folder, name)
            manifest = read_manifest(folder)
        except ModelError as failure:
            # it is still listed, as one that cannot be used: an edit that names it gets the reason
            if self._warned.get(name) != str(failure):  # lists are asked for every few seconds
                _log.warning("model %s cannot be used: %s", name, failure)
                self._warned[name] = str(failure)
            return message
        self._warned.pop(name, None)
        message.installed = True
        message.bytes = _size(folder) if manifest is None else manifest.total_bytes
        message.received_bytes = message.bytes
        message.revision = manifest.revision if manifest is not None else ""
        message.world = card.world or ""
        message.native_width, message.native_height = card.native_size
        message.native_frames = card.native_frames
        message.licence = "Apache-2.0" if name == models.EMBEDDED else known.licence if known else ""
        message.source = _source(name, folder, pulled=bool(message.revision))
        return message


def _source(name: str, folder: Path, pulled: bool) -> str:
    if name == models.EMBEDDED:
        return "embedded"
    if folder != models_folder() / name:
        return "linked"
    return "pulled" if pulled else "imported"


def _published(known: catalog.Known) -> models_pb2.Model:
    width, height = known.native_size
    return models_pb2.Model(
        name=known.name,
        title=known.title,
        bytes=known.bytes,
        received_bytes=_size(models_folder() / INCOMING / known.name),
        revision=known.revision,
        native_width=width,
        native_height=height,
        native_frames=known.native_frames,
        presets=presets.NAMES,
        licence=known.licence,
        source="hub",
    )


def _size(folder: Path) -> int:
    """Bytes of the files below `folder`, manifest apart; files that vanish meanwhile count nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            if path.is_file() and path.name != FILE:
                total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total
