# SPDX-License-Identifier: Apache-2.0
"""A command's connection to the daemon: nobody waits for its start without a word."""

from __future__ import annotations

import sys

from flowanchor_client import Client

from flowanchor_daemon.cli.progress import Reporter

STARTING = "Starting the daemon."


def connected(show: Reporter | None = None) -> Client:
    """Connect as `Client.connect` does; that the daemon has to be started is told, by `show` if there is one.

    Raises:
        DaemonUnreachable: as `Client.connect`.
    """

    def told() -> None:
        if show is not None:
            show.say(STARTING)
        else:
            print(STARTING, file=sys.stderr, flush=True)

    return Client.connect(on_start=told)
