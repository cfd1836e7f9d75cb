# SPDX-License-Identifier: Apache-2.0
"""The daemon's meeting place: its lock, its socket and its file, made anew where they are taken away.

A desktop's last logout removes the folder, and so may a cleaner of temporary files.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

import grpc.aio
from flowanchor.rendezvous import (
    API,
    DaemonLock,
    Discovery,
    RendezvousError,
    note_meeting,
    private_folder,
    socket_path,
)

from flowanchor_core.errors import FlowAnchorError
from flowanchor_daemon.program import program_version
from flowanchor_daemon.server.bind import Listen, bind_private
from flowanchor_daemon.server.parts import Parts
from flowanchor_daemon.server.server import build

log = logging.getLogger(__name__)

_SPARE = "meeting"  # in the state folder, which nobody but its user takes away
_LOCK_SECONDS = 1.0


class Place:
    """Where clients find this daemon. `lock` is that of `folder`, which the caller holds while this lives."""

    def __init__(self, parts: Parts, folder: Path, lock: DaemonLock) -> None:
        self.folder = folder
        self.address = ""
        self._parts = parts
        self._servers: list[grpc.aio.Server] = []
        self._lock = lock
        self._started_ms = time.time_ns() // 1_000_000

    async def open(self, listen: Listen | None = None) -> str:
        """Serve, here and at `listen`, and say so; gives all addresses. ServiceError if one cannot be had."""
        other = await self._serve(self.folder, listen)
        await self._parts.serving()
        self._tell()
        return ", ".join([self.address, *other])

    def is_lost(self) -> bool:
        """Whether clients surely do not find this daemon; False where that cannot be told now."""
        try:
            found = Discovery.read(self.folder)
        except RendezvousError as failure:
            return failure.code == "state-not-ours"  # clients refuse it as well
        if found is None or found.pid != os.getpid():
            return True
        path = socket_path(self.folder)
        return path is not None and not os.path.lexists(path)

    async def renew(self) -> bool:
        """Make the place anew, here or else in the state folder; whether that went well."""
        for folder in (self.folder, self._parts.state.root / _SPARE):
            try:
                private_folder(folder)
                if not (folder == self.folder and self._lock.is_in_place()):
                    lock = DaemonLock(folder)
                    if not lock.acquire(_LOCK_SECONDS):
                        continue  # another daemon of the user's is there now
                    self._lock = lock
                self.folder = folder
                await self._serve(folder)
                self._tell()
                note_meeting(self._parts.state.root, folder)
            except (FlowAnchorError, RendezvousError, OSError) as failure:
                log.warning("The meeting place cannot be made anew in %s: %s", folder, failure)
                continue
            log.info("The meeting place was taken away; it is %s now.", folder)
            return True
        return False

    def leave(self) -> None:
        """Take the leave that tells clients from a crash: the file goes, unless it is another daemon's."""
        try:
            Discovery.remove(self.folder, os.getpid())
        except (RendezvousError, OSError) as failure:
            log.warning("%s", failure)

    async def close(self, grace: float) -> None:
        """Answer no more; calls in flight have `grace` seconds."""
        for server in self._servers:
            await server.stop(grace)

    async def _serve(self, folder: Path, listen: Listen | None = None) -> list[str]:
        server = build(self._parts)
        self.address = bind_private(server, folder)
        others = [listen.bind(server)] if listen else []
        if not self._servers:
            await self._parts.scheduler.start()  # only by a daemon that surely can be reached
        self._servers.append(server)
        await server.start()
        return others

    def _tell(self) -> None:
        token = self._parts.token
        found = Discovery(os.getpid(), self.address, API, program_version(), token, self._started_ms)
        found.write(self.folder)
