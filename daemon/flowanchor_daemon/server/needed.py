# SPDX-License-Identifier: Apache-2.0
"""Whether the daemon is still needed, can be found, and is the program that is installed."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from flowanchor_daemon.program import installed_version, program_version
from flowanchor_daemon.server.parts import Parts
from flowanchor_daemon.server.place import Place

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 5.0
_AGAIN_SECONDS: Final = 0.5  # after a look that found something wrong
_SURE: Final = 3  # looks in a row


class Watch:
    """Looks now and then, and asks for the daemon's end when it serves nobody. Seconds; negative is never."""

    def __init__(self, parts: Parts, place: Place, idle_exit: float, every: float = LOOK_SECONDS) -> None:
        self._parts, self._place, self._idle_exit, self._every = parts, place, idle_exit, every
        self._lost = self._updated = 0

    async def run(self) -> None:
        """Look until the end has been asked for. A look that fails is told in the log and made again."""
        while not self._parts.ending.asked:
            try:
                pause = await self._look()
            except Exception:
                log.exception("Looking whether the daemon is still needed failed.")
                pause = self._every
            await asyncio.sleep(min(max(pause, 0.05), self._every))

    async def _look(self) -> float:
        """Seconds until the next look."""
        ending, activity = self._parts.ending, self._parts.activity
        busy = await self._parts.busy()
        if busy:
            activity.touch()
        self._lost = self._lost + 1 if await asyncio.to_thread(self._place.is_lost) else 0
        if self._lost >= _SURE:
            await self._be_found(busy)
        # An update that is being installed has no version, or two, for a moment.
        newer = await asyncio.to_thread(installed_version)
        self._updated = self._updated + 1 if newer not in (None, program_version()) else 0
        if self._updated >= _SURE:
            # The next engine process would be of the new version, the daemon of the old one.
            ending.ask(f"FlowAnchor {newer} was installed, this is {program_version()}", comes_back=True)
        left = self._idle_exit - activity.idle_seconds if self._idle_exit >= 0 else self._every
        if left <= 0 and not busy:
            ending.ask(f"nobody needed the daemon for {self._idle_exit:g} s")
        return min(left, _AGAIN_SECONDS) if self._lost or self._updated else left

    async def _be_found(self, busy: bool) -> None:
        if not busy:
            folder = self._place.folder
            self._parts.ending.ask(f"nobody can find the daemon, its file in {folder} is gone")
        elif await self._place.renew():
            self._lost = 0
