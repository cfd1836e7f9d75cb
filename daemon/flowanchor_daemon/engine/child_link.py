# SPDX-License-Identifier: Apache-2.0
"""The engine's end of the socket to the daemon. Imports nothing heavy: it works before torch is there."""

from __future__ import annotations

import os
import queue
import socket
import threading
from typing import Literal

from flowanchor.engine.v1 import engine_pb2

from flowanchor_daemon.engine import framing

DAEMON_GONE = 0
"""Exit code: nobody is left who could want anything."""


class Link:
    """Takes commands on a thread of its own, so that a stop is known in the middle of a step, and ends the
    process at once when the daemon has gone: whatever it is doing, nobody will take it.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._asked: dict[str, Literal["cancel", "suspend"]] = {}
        self.commands: queue.SimpleQueue[engine_pb2.Command] = queue.SimpleQueue()
        """Runs and loads, in order."""

    def start(self) -> None:
        threading.Thread(target=self._listen, name="commands", daemon=True).start()

    def send(self, event: engine_pb2.Event) -> None:
        try:
            with self._sending:
                framing.send(self._connection, event)
        except OSError:
            os._exit(DAEMON_GONE)

    def asked(self, job: str) -> Literal["cancel", "suspend"] | None:
        """What the daemon wants of a running job other than that it goes on; a cancel outweighs a suspend."""
        return self._asked.get(job)

    def _listen(self) -> None:
        try:
            while (command := framing.receive(self._connection, engine_pb2.Command)) is not None:
                self._take(command)
        finally:
            # Not sys.exit: the main thread may be deep in a computation of minutes.
            os._exit(DAEMON_GONE)

    def _take(self, command: engine_pb2.Command) -> None:
        match command.WhichOneof("command"):
            case "cancel":
                self._asked[command.cancel] = "cancel"
            case "suspend":
                self._asked.setdefault(command.suspend, "suspend")
            case "run":
                # What was asked before concerned an earlier attempt.
                self._asked.pop(command.run.job, None)
                self.commands.put(command)
            case "load":
                self.commands.put(command)
